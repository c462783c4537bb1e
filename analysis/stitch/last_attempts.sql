-- Last attempts
-- One row a recipient as first addressed and an address it came down to, of those that were tried: which attempt was
-- the last, and how many there were. Hand-offs are none.
SELECT
  r.root_hash,
  coalesce(f.first_recipient, a.orig_recipient, a.recipient) AS first_recipient,
  lower(a.recipient) AS final_recipient,
  sum(a.attempts)::BIGINT AS attempts,
  min(a.attempted_at) AS first_attempt_at,
  max(a.attempted_at) AS last_attempt_at,
  max(a.pos) AS last_pos,
  bool_or(a.status = 'sent') AS was_sent
FROM attempts AS a
JOIN roots AS r USING (message_hash)
ANTI JOIN handoffs USING (pos)
LEFT JOIN followed AS f USING (pos)
GROUP BY ALL
