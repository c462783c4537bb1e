-- Carried lines of sessions
-- Those of sessions that may go on.
SELECT d.* EXCLUDE (pos, id_hash, process_hash)
FROM dialogue AS d SEMI JOIN (SELECT pos FROM session_lines SEMI JOIN open_sessions USING (session_hash)) AS open USING (pos)
