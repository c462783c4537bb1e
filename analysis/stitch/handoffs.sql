-- Hand-offs
-- One row an attempt that only passed the message on to a message that is in the log itself: no delivery.
SELECT attempts.pos, links.message_hash AS next_hash, links.kind, links.evidence
FROM attempts
JOIN links ON links.parent_hash = attempts.message_hash AND links.is_continuation AND links.kind <> 'requeue'
JOIN queue_histories AS next ON next.message_hash = links.message_hash
WHERE attempts.status = 'sent'
  AND (attempts.next_queue_id = next.queue_id
       OR (attempts.next_queue_id IS NULL AND links.kind = 'filter' AND (is_loopback(attempts.relay_ip) OR attempts.daemon = 'pipe')))
QUALIFY row_number() OVER (PARTITION BY attempts.pos ORDER BY abs(epoch(next.accepted_at - attempts.attempted_at)), next.first_pos) = 1
