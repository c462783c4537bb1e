-- Delay over time
-- Median, 95th percentile and largest delay from arrival to `sent`, in steps of `$step_s` seconds.
-- Unit: seconds a delivered recipient; hand-offs left out, so a filter's time is part of the delay before its message's
-- own queue. Percentiles are exact.
SELECT
  time_bucket(to_seconds($step_s), attempted_at) AS bucket_at,
  count(*) AS recipients,
  quantile_cont(delay_s, 0.50) AS p50_delay_s,
  quantile_cont(delay_s, 0.95) AS p95_delay_s,
  max(delay_s) AS max_delay_s
FROM deliveries
WHERE status = 'sent' AND NOT is_handoff AND delay_s IS NOT NULL
  AND ($since IS NULL OR attempted_at >= $since) AND ($until IS NULL OR attempted_at < $until)
  AND ($host IS NULL OR host = $host)
GROUP BY bucket_at
ORDER BY bucket_at
