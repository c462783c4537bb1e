-- Warnings and errors of the server
-- What the mail server complains about, alike texts together: panics and fatal errors first.
-- Unit: log lines.
SELECT
  kind,
  daemon,
  regexp_replace(regexp_replace(reason, '\b(\d{1,3}\.){3}\d{1,3}\b', '[ip]', 'g'), '\b[0-9A-F]{6,}\b|\d+', '#', 'g') AS pattern,
  count(*) AS lines,
  min(logged_at) AS first_at,
  max(logged_at) AS last_at,
  arg_max(reason, logged_at) AS sample
FROM events_other
WHERE kind IN ('panic', 'fatal', 'error', 'warning')
  AND ($since IS NULL OR logged_at >= $since) AND ($until IS NULL OR logged_at < $until)
  AND ($host IS NULL OR host = $host)
GROUP BY kind, daemon, pattern
ORDER BY array_position(['panic', 'fatal', 'error', 'warning'], kind), lines DESC, daemon, pattern
LIMIT coalesce($limit, 1000000)
