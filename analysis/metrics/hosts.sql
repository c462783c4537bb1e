-- Hosts
-- Which hosts the log lines are of, and when each wrote its first and newest line about mail.
-- Unit: moments; messages are queue files.
SELECT host, min(accepted_at) AS first_at, max(last_logged_at) AS last_at, count(*) AS messages
FROM messages
WHERE host IS NOT NULL
GROUP BY host
ORDER BY host
