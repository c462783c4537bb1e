-- Last attempts
-- One row a recipient as first addressed and an address it came down to, of those that were tried: which attempt was
-- the last, and how many there were. Hand-offs are none; what was put off counts only where nothing was tried.
SELECT
  r.root_hash,
  coalesce(f.first_recipient, a.orig_recipient, a.recipient) AS first_recipient,
  lower(a.recipient) AS final_recipient,
  sum(a.attempts)::BIGINT AS attempts,
  min(a.attempted_at) FILTER (a.attempts > 0) AS first_attempt_at,
  max(a.attempted_at) FILTER (a.attempts > 0) AS last_attempt_at,
  coalesce(max(a.pos) FILTER (a.attempts > 0), max(a.pos)) AS last_pos,
  bool_or(a.status = 'sent') AS was_sent
FROM attempts AS a
JOIN roots AS r USING (message_hash)
ANTI JOIN handoffs USING (pos)
LEFT JOIN followed AS f USING (pos)
GROUP BY ALL
