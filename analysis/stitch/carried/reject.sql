-- Carried decisions
-- Those on open messages or near the end, and those in sessions that may go on. `is_emitted`: their row is final.
-- What an ACL threw away has no id, but belongs to a message that is open, or may come.
WITH states AS (
  SELECT r.*, open.message_hash IS NOT NULL AS is_awaited, m.message_hash IS NULL AND r.logged_at >= getvariable('horizon') AS is_early,
         in_session.pos IS NOT NULL AS is_in_session,
         CASE WHEN r.server = 'exim' AND r.action = 'discard' AND r.queue_id IS NULL
           THEN CASE WHEN dropped.pos IS NULL THEN r.logged_at >= getvariable('horizon') ELSE dropped.message_hash IN (FROM open_messages) END
           ELSE FALSE END AS is_dropped
  FROM with_message('rejects') AS r
  LEFT JOIN message_states AS m ON r.queue_id IS NOT NULL AND m.message_hash = r.message_hash
  LEFT JOIN open_messages AS open ON open.message_hash = m.message_hash
  LEFT JOIN dropped USING (pos)
  LEFT JOIN (SELECT pos FROM session_lines SEMI JOIN open_sessions USING (session_hash)) AS in_session USING (pos)
)
SELECT * EXCLUDE (pos, id_hash, process_hash, message_hash, session_done, is_emitted, is_awaited, is_early, is_in_session, is_dropped),
       session_done OR NOT is_in_session AS session_done,
       is_emitted OR NOT coalesce(queue_id IS NOT NULL AND (is_awaited OR is_early), FALSE) AS is_emitted
FROM states
WHERE is_in_session OR is_dropped OR (queue_id IS NOT NULL AND (is_awaited OR is_early))
