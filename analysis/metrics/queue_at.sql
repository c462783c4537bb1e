-- In the queue
-- Messages in the queue at the moment `$at`, and when the oldest of them was accepted. Derived from the log: what was
-- in the queue before the log begins is missing; what the log does not see leave is still there.
-- Unit: queue files, as in `mailq` (a message that a filter re-injects is two). Held and deleted ones are left out.
SELECT count(*) AS messages, min(accepted_at) AS oldest_at
FROM messages
WHERE intake = 'accepted' AND state <> 'held' AND accepted_at < $at
  AND coalesce(removed_at, 'infinity') >= $at
  AND ($host IS NULL OR host = $host)
