-- First messages
-- One row a message: the message that it continues in the first place, through filters, forwards, relays of ours
-- and requeues. A message counts once: as its root.
WITH RECURSIVE down AS (
  SELECT message_hash, message_hash AS root_hash, 0 AS depth
  FROM histories ANTI JOIN (SELECT message_hash FROM links WHERE is_continuation) AS continued USING (message_hash)
  UNION ALL
  SELECT links.message_hash, down.root_hash, down.depth + 1
  FROM down JOIN links ON links.parent_hash = down.message_hash AND links.is_continuation
  WHERE down.depth < 32
)
SELECT message_hash, coalesce(down.root_hash, message_hash) AS root_hash, coalesce(down.depth, 0) AS depth
FROM histories LEFT JOIN down USING (message_hash)
