-- Carried lines of the queue
-- Those of open messages, and content filters' verdicts on them or near the end. The queue manager repeats itself at
-- every retry: the first and the last time say all. `session_done`: their session is not open.
WITH lines AS (SELECT * FROM with_message('queue') SEMI JOIN open_messages USING (message_hash) WHERE kind <> 'filter_verdict'),
repeated AS (
  SELECT min(pos) AS first_pos, max(pos) AS last_pos FROM lines WHERE kind = 'queued' GROUP BY message_hash
)
SELECT q.* EXCLUDE (pos, id_hash, process_hash, message_hash, session_done),
       q.session_done OR (q.kind IN ('arrival', 'client') AND q.pos NOT IN (SELECT pos FROM session_lines SEMI JOIN open_sessions USING (session_hash))) AS session_done
FROM lines AS q
WHERE kind <> 'queued' OR pos IN (SELECT first_pos FROM repeated UNION ALL SELECT last_pos FROM repeated)
UNION ALL BY NAME
SELECT v.* EXCLUDE (pos, id_hash, process_hash)
FROM queue AS v
WHERE kind = 'filter_verdict' AND (logged_at >= getvariable('horizon') OR (host, queue_id) IN (SELECT (host, queue_id) FROM message_states SEMI JOIN open_messages USING (message_hash)))
