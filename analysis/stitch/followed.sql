-- Recipients followed through hand-offs
-- One row an attempt that serves a recipient of an earlier message, with that recipient as first addressed. A message
-- that one recipient's hand-off created (a forward) serves that recipient with all of its own.
WITH RECURSIVE own AS (
  SELECT attempts.pos, attempts.message_hash, attempts.recipient, attempts.orig_recipient, handoffs.next_hash, roots.depth
  FROM attempts JOIN roots USING (message_hash) LEFT JOIN handoffs USING (pos)
  WHERE handoffs.next_hash IS NOT NULL OR roots.depth > 0
),
fan_in AS (
  SELECT next_hash, count(DISTINCT lower(recipient)) AS recipients FROM own WHERE next_hash IS NOT NULL GROUP BY next_hash
),
followed AS (
  SELECT pos, next_hash, recipient, coalesce(orig_recipient, recipient) AS first_recipient, 0 AS steps
  FROM own WHERE depth = 0 AND next_hash IS NOT NULL
  UNION
  SELECT own.pos, own.next_hash, own.recipient, followed.first_recipient, followed.steps + 1
  FROM followed
  JOIN own ON own.message_hash = followed.next_hash
  JOIN fan_in ON fan_in.next_hash = followed.next_hash
  WHERE followed.steps < 32
    AND (fan_in.recipients = 1 OR lower(own.recipient) = lower(followed.recipient) OR lower(own.orig_recipient) = lower(followed.recipient))
)
SELECT DISTINCT pos, first_recipient FROM followed
