-- Milestones of queue ids
-- One row a life of a queue id: where in the log its steps stand, and when. Positions first, words in the next step:
-- aggregates of numbers are many times cheaper than those of texts. Exim says in one line what Postfix says in three.
SELECT
  message_hash,
  any_value(id_hash) AS id_hash,
  min(pos) AS first_pos,
  min(logged_at) AS accepted_at,
  max(logged_at) FILTER (kind = 'removed') AS removed_at,
  max(logged_at) AS last_logged_at,
  min(pos) FILTER (kind IN ('arrival', 'message_id') AND message_id IS NOT NULL) AS message_id_pos,
  min(pos) FILTER (kind IN ('arrival', 'queued')) AS queued_pos,
  min(logged_at) FILTER (kind IN ('arrival', 'queued')) AS queued_at,
  min(pos) FILTER (kind = 'client' OR (kind = 'arrival' AND client_ip IS NOT NULL)) AS client_pos,
  min(pos) FILTER (kind = 'pickup' OR (kind = 'arrival' AND client_ip IS NULL)) AS pickup_pos,
  min(logged_at) FILTER (kind = 'expired') AS expired_at,
  max(logged_at) FILTER (kind = 'cancelled') AS cancelled_at,
  max(logged_at) FILTER (kind = 'queue_admin' AND action = 'delete') AS deleted_at,
  max(logged_at) FILTER (kind = 'queue_admin' AND action = 'requeue') AS requeued_at,
  max(pos) FILTER (kind = 'queue_admin' AND action = 'hold') AS hold_pos,
  max(pos) FILTER (kind = 'queue_admin' AND action = 'release') AS release_pos,
  min(pos) FILTER (kind = 'message_refused') AS refused_pos
FROM with_message('queue')
WHERE kind NOT IN ('filter_verdict', 'sender_check', 'message_note')
GROUP BY message_hash
