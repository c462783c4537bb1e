-- Rejections over time
-- Refusals at SMTP time in steps of `$step_s` seconds, by who decided.
-- Unit: refusals (one a recipient where the server refused recipients one by one).
SELECT time_bucket(to_seconds($step_s), rejected_at) AS bucket_at, decider, count(*) AS rejections
FROM rejections
WHERE action = 'reject'
  AND ($since IS NULL OR rejected_at >= $since) AND ($until IS NULL OR rejected_at < $until)
  AND ($host IS NULL OR host = $host)
GROUP BY bucket_at, decider
ORDER BY bucket_at, decider
