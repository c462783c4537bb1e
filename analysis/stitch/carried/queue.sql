-- Carried lines of the queue
-- Those of open messages, and content filters' verdicts on them or near the end. `session_done`: their session is not.
SELECT q.* EXCLUDE (pos, id_hash, process_hash, message_hash, session_done),
       q.session_done OR (q.kind = 'client' AND q.pos NOT IN (SELECT pos FROM session_lines SEMI JOIN open_sessions USING (session_hash))) AS session_done
FROM with_message('queue') AS q SEMI JOIN open_messages USING (message_hash) WHERE kind <> 'filter_verdict'
UNION ALL BY NAME
SELECT v.* EXCLUDE (pos, id_hash, process_hash)
FROM queue AS v
WHERE kind = 'filter_verdict' AND (logged_at >= getvariable('horizon') OR (host, queue_id) IN (SELECT (host, queue_id) FROM message_states SEMI JOIN open_messages USING (message_hash)))
