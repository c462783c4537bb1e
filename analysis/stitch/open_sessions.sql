-- Sessions that may go on
-- One row a session whose end is too near the end of the lines stitched so far, or that has none and was not silent
-- for an hour.
SELECT session_hash
FROM session_lines
GROUP BY session_hash
HAVING max(logged_at) >= getvariable('horizon') - CASE WHEN bool_or(kind IN ('disconnect', 'lost_connection')) THEN INTERVAL 0 HOUR ELSE INTERVAL 1 HOUR END
