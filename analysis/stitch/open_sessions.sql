-- Sessions that may go on
-- One row a session without end, or whose end is too near the end of the lines stitched so far. No SMTP server
-- waits a day for a client (RFC 5321 4.5.3.2: minutes), so what has been silent so long lost its end.
SELECT session_hash
FROM session_lines
GROUP BY session_hash
HAVING max(logged_at) >= getvariable('horizon') - CASE WHEN bool_or(kind IN ('disconnect', 'lost_connection')) THEN INTERVAL 0 DAY ELSE INTERVAL 1 DAY END
