-- Queue over time
-- Messages in the queue at the end of each step of `$step_s` seconds.
-- Derived from the log: a message is in the queue from acceptance to removal, so messages that were there before the
-- log begins are missing, and those whose removal the log does not show stay to its end.
-- Unit: queue files (a message that a filter re-injects is two, as in `mailq`).
WITH stays AS (
  SELECT accepted_at AS from_at, coalesce(removed_at, CASE WHEN state = 'deleted' THEN last_logged_at END, 'infinity') AS until_at FROM messages
  WHERE intake = 'accepted' AND ($host IS NULL OR host = $host)
    AND ($until IS NULL OR accepted_at < $until)
    AND ($since IS NULL OR removed_at IS NULL OR removed_at >= $since)
),
span AS (
  SELECT
    time_bucket(to_seconds($step_s), coalesce($since, min(from_at))) AS first_at,
    time_bucket(to_seconds($step_s), coalesce($until, (SELECT max(last_logged_at) FROM messages))) AS last_at
  FROM stays
),
steps AS (SELECT unnest(generate_series(first_at, last_at, to_seconds($step_s))) AS bucket_at FROM span),
changes AS (
  SELECT greatest(time_bucket(to_seconds($step_s), from_at), (SELECT first_at FROM span)) AS bucket_at, 1 AS change FROM stays
  UNION ALL
  SELECT time_bucket(to_seconds($step_s), until_at), -1 FROM stays WHERE isfinite(until_at)
),
netted AS (SELECT bucket_at, sum(change) AS change FROM changes GROUP BY bucket_at)
SELECT
  steps.bucket_at,
  sum(coalesce(netted.change, 0)) OVER (ORDER BY steps.bucket_at)::BIGINT AS messages
FROM steps LEFT JOIN netted USING (bucket_at)
ORDER BY steps.bucket_at
