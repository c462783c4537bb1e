-- Marks in the lives of queue ids
-- The lines that start or end a life. An id ends when the queue manager or an administrator removes its file, but
-- also without any such line: when a rule refuses or discards the message, or its client goes away.
SELECT
  id_hash, pos, logged_at, kind,
  CASE
    WHEN kind = 'removed' OR (kind = 'queue_admin' AND action IN ('delete', 'requeue')) THEN 'removed'
    WHEN kind = 'message_refused' THEN 'refused'
  END AS ending
FROM queue
WHERE kind IN ('arrival', 'client', 'pickup', 'message_id', 'queued', 'removed', 'queue_admin', 'message_refused')
UNION ALL
SELECT id_hash, pos, logged_at, kind, 'refused' AS ending
FROM rejects
WHERE queue_id IS NOT NULL AND (action = 'discard' OR (action = 'reject' AND is_end_of_data(stage)))
