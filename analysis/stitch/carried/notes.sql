-- Carried notes of sessions
-- What sessions that are done said of messages that are not; found by the line of the client.
SELECT q.source_id, q.line_no, q.repeat_no, n.* EXCLUDE (client_pos)
FROM session_notes AS n
JOIN with_message('queue') AS q ON q.pos = n.client_pos
SEMI JOIN open_messages ON open_messages.message_hash = q.message_hash
WHERE n.client_pos NOT IN (SELECT pos FROM session_lines SEMI JOIN open_sessions USING (session_hash))
