-- The Received headers of one story
-- The hops of the e-mail with the most of them, of those that carry one of the Message-IDs, the first at the top. Beside
-- a hop whose id is a queue id of a log, what that log says of it: host, seconds until the last attempt, its reply.
WITH chosen AS (
  SELECT email_id FROM emails WHERE message_id IN (SELECT unnest($message_ids::VARCHAR[])) ORDER BY hop_count DESC, email_id LIMIT 1
),
logged AS (
  SELECT message_key, queue_id, host, message_id, accepted_at FROM messages
  WHERE queue_id IN (SELECT hop_id FROM hops SEMI JOIN chosen USING (email_id))
),
tried AS (
  SELECT message_key, max(delay_s) AS delay_s, arg_max(reply, attempted_at) AS reply
  FROM deliveries SEMI JOIN logged USING (message_key) GROUP BY message_key
)
SELECT h.hop, h.received_at, h.from_host, h.from_helo, h.from_ip, h.by_host, h.with_protocol, h.tls, h.tls_version, h.hop_id,
       l.host AS log_host, l.message_key, t.delay_s, t.reply
FROM hops AS h SEMI JOIN chosen USING (email_id)
LEFT JOIN logged AS l ON l.queue_id = h.hop_id AND h.received_at BETWEEN l.accepted_at - INTERVAL 1 HOUR AND l.accepted_at + INTERVAL 1 HOUR
LEFT JOIN tried AS t ON t.message_key = l.message_key
ORDER BY h.hop, l.message_key
