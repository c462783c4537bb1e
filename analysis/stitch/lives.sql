-- Lives of reused queue ids
-- One row a life: where in the log it starts. A life starts at the first line of the id, at `client=` or `uid=`, and
-- at the first message-id or queue line after the id was removed.
WITH marks AS (
  SELECT
    id_hash, pos, kind,
    row_number() OVER w = 1 AS is_first,
    lag(kind = 'removed' OR (kind = 'queue_admin' AND action IN ('delete', 'requeue')), 1, FALSE) OVER w AS after_end
  FROM queue SEMI JOIN (SELECT id_hash FROM queue_ids WHERE is_reused) AS reused USING (id_hash)
  WHERE kind IN ('client', 'pickup', 'message_id', 'queued', 'removed', 'queue_admin')
  WINDOW w AS (PARTITION BY id_hash ORDER BY pos)
)
SELECT
  id_hash,
  CASE WHEN is_first THEN 0 ELSE pos END AS start_pos,
  row_number() OVER (PARTITION BY id_hash ORDER BY pos) - 1 AS life
FROM marks
WHERE is_first OR kind IN ('client', 'pickup') OR (after_end AND kind IN ('message_id', 'queued'))
