-- The raw lines behind one message
-- All lines with its queue id, on its host and instance, within its life.
SELECT logged_at, source_id, line_no, line FROM events
WHERE queue_id = $queue_id AND host IS NOT DISTINCT FROM $host AND (instance IS NOT DISTINCT FROM $instance OR server <> $server)
  AND logged_at >= $since AND logged_at <= $until
  AND date >= CAST($since AS DATE) AND date <= CAST($until AS DATE)
ORDER BY logged_at, line_no
LIMIT 2000
