-- Hand-offs
-- One row an attempt that only passed the message on to a message that is in the log itself: no delivery.
WITH found AS (
  SELECT attempts.pos, links.message_hash AS next_hash, links.kind, links.evidence,
         abs(epoch(next.accepted_at - attempts.attempted_at)) AS distance_s, next.first_pos
  FROM attempts
  JOIN links ON links.parent_hash = attempts.message_hash AND links.is_continuation AND links.kind <> 'requeue'
  JOIN queue_histories AS next ON next.message_hash = links.message_hash
  WHERE attempts.status = 'sent'
    AND (attempts.next_queue_id = next.queue_id
         OR (attempts.next_queue_id IS NULL AND links.kind = 'filter' AND (is_loopback(attempts.relay_ip) OR attempts.daemon = 'pipe')))
)
SELECT pos, best.next_hash, best.kind, best.evidence
FROM (SELECT pos, arg_min(found, (distance_s, first_pos)) AS best FROM found GROUP BY pos)
