-- Queue ids
-- One row a queue id of an instance: whether it was reused. Short ids are (postsuper(1)); only those that these
-- counts show to be reused pay for window functions.
SELECT
  id_hash,
  count(*) FILTER (kind IN ('arrival', 'client', 'pickup')) > 1
    OR count(*) FILTER (kind = 'removed') > 1
    OR max(pos) FILTER (kind IN ('arrival', 'client', 'pickup', 'message_id', 'queued')) > min(pos) FILTER (ending IS NOT NULL)
    OR min(logged_at) FILTER (kind = 'message_id') > min(logged_at) FILTER (kind = 'client') + INTERVAL 1 HOUR
    AS is_reused
FROM queue_marks
GROUP BY id_hash
