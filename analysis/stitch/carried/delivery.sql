-- Carried attempts
-- Those of open messages, with the TLS of their connections; probes; and the handshakes that an attempt may still
-- rest on. Of attempts that are over the first of each recipient stands for all: a message may be tried for days.
WITH lines AS (
  SELECT d.* EXCLUDE (tls_version, tls_cipher, tls_trust), t.tls_version, t.tls_cipher, t.tls_trust,
         d.kind IN ('delivery', 'postponed') AND (d.is_emitted OR is_over(d.status, d.logged_at, final.last_pos IS NOT NULL)) AS is_done
  FROM with_message('delivery') AS d
  SEMI JOIN open_messages USING (message_hash)
  LEFT JOIN outbound_tls AS t USING (pos)
  LEFT JOIN (SELECT DISTINCT last_pos FROM last_attempts) AS final ON final.last_pos = d.pos
  WHERE kind <> 'tls_out'
),
firsts AS (
  SELECT coalesce(min(pos) FILTER (attempts > 0), min(pos)) AS pos, sum(attempts)::BIGINT AS attempts FROM lines WHERE is_done GROUP BY message_hash, recipient, orig_recipient
)
SELECT l.* EXCLUDE (pos, id_hash, process_hash, message_hash, smtp_code, next_queue_id, attempts, is_emitted, is_done),
       coalesce(firsts.attempts, l.attempts) AS attempts, l.is_done AS is_emitted
FROM lines AS l LEFT JOIN firsts USING (pos)
WHERE NOT l.is_done OR firsts.pos IS NOT NULL
UNION ALL BY NAME
SELECT * EXCLUDE (pos, id_hash, process_hash, smtp_code, next_queue_id) FROM delivery
WHERE kind = 'tls_out' AND logged_at >= getvariable('horizon')
UNION ALL BY NAME
SELECT * EXCLUDE (pos, id_hash, process_hash) FROM delivery_events
WHERE kind IN ('mailbox', 'attempt_started') AND logged_at >= getvariable('horizon')
