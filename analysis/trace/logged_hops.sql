-- What the logs have of Received headers
-- A hop is the log's message with its id, else the one with its Message-ID on the host that the hop names, where the two
-- saw it within an hour of each other: ids are used again, and clocks differ. Beside it the message's attempts, with the
-- parts of the delay, TLS and reply of the last; only those to the server of the next hop, where there are such. Unit: Received headers that a log knows.
WITH asked AS (
  SELECT unnest($hops::INTEGER[]) AS hop, unnest($hop_ids::VARCHAR[]) AS hop_id, unnest($by_hosts::VARCHAR[]) AS by_host,
         unnest($received_ats::TIMESTAMPTZ[]) AS received_at, unnest($next_hosts::VARCHAR[]) AS next_host
),
near AS (
  SELECT message_key, queue_id, message_id, host, accepted_at, client_ip, tls_version FROM messages
  WHERE queue_id IN (SELECT hop_id FROM asked) OR message_id IN (SELECT unnest($message_ids::VARCHAR[]))
),
found AS (
  SELECT asked.hop, asked.next_host, near.*, near.queue_id IS NOT DISTINCT FROM asked.hop_id AS is_by_id
  FROM asked JOIN near
    ON (near.queue_id = asked.hop_id OR split_part(lower(near.host), '.', 1) = split_part(lower(asked.by_host), '.', 1))
   AND asked.received_at BETWEEN near.accepted_at - INTERVAL 1 HOUR AND near.accepted_at + INTERVAL 1 HOUR
  WHERE near.queue_id = asked.hop_id
     OR (near.message_id IN (SELECT unnest($message_ids::VARCHAR[])) AND near.queue_id NOT IN (SELECT hop_id FROM asked WHERE hop_id IS NOT NULL))
  QUALIFY row_number() OVER (
    PARTITION BY asked.hop
    ORDER BY is_by_id DESC, split_part(lower(near.host), '.', 1) = split_part(lower(asked.by_host), '.', 1) DESC,
             abs(epoch(asked.received_at - near.accepted_at)), near.message_key
  ) = 1
),
taken AS (
  SELECT f.hop, d.* FROM found AS f JOIN deliveries AS d USING (message_key)
  QUALIFY (lower(d.relay_name) IS NOT DISTINCT FROM lower(f.next_host))
        = max(lower(d.relay_name) IS NOT DISTINCT FROM lower(f.next_host)) OVER (PARTITION BY f.hop)
),
tried AS (
  SELECT
    hop, count(DISTINCT attempted_at) AS attempts, arg_max(status, attempted_at) AS status,
    arg_max(relay_name, attempted_at) AS relay_name, arg_max(tls_version, attempted_at) AS relay_tls_version,
    arg_max(delay_s, attempted_at) AS log_delay_s, arg_max(before_queue_s, attempted_at) AS before_queue_s,
    arg_max(in_queue_s, attempted_at) AS in_queue_s, arg_max(connect_s, attempted_at) AS connect_s,
    arg_max(transmit_s, attempted_at) AS transmit_s, arg_max(reply, attempted_at) AS reply
  FROM taken
  GROUP BY hop
)
SELECT
  hop, host AS log_host, CASE WHEN is_by_id THEN 'id' ELSE 'Message-ID' END AS matched, message_key, accepted_at,
  client_ip AS log_client_ip, found.tls_version AS log_tls_version, coalesce(attempts, 0) AS attempts, status, relay_name,
  relay_tls_version, log_delay_s, before_queue_s, in_queue_s, connect_s, transmit_s, reply
FROM found LEFT JOIN tried USING (hop)
ORDER BY hop
