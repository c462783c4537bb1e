-- A load test beside the servers
-- What a load test saw (JMeter, LoadRunner), and what the servers logged in the same time, in steps of `$step_s` seconds (a
-- minute, if not told), of times that the test ran in. Where the test waits and the servers do not, look between them.
-- Unit: transactions of the test; `accepted` are messages, `rejected` refusals, `deferred` and `p95_delay_s` attempts at
-- the servers, hand-offs left out.
WITH tested AS (
  SELECT
    time_bucket(to_seconds(coalesce($step_s, 60)), logged_at) AS bucket_at,
    count(*) AS transactions,
    count(*) FILTER (status <> 'sent') AS failed,
    quantile_cont(delay_s, 0.50) AS p50_s,
    quantile_cont(delay_s, 0.95) AS p95_s,
    max(delay_s) AS max_s,
    count(DISTINCT client_name) AS users
  FROM events_delivery
  WHERE kind = 'transaction'
    AND ($since IS NULL OR logged_at >= $since) AND ($until IS NULL OR logged_at < $until)
  GROUP BY bucket_at
),
span AS (SELECT min(bucket_at) AS since, max(bucket_at) + to_seconds(coalesce($step_s, 60)) AS until FROM tested),
accepted AS (
  SELECT time_bucket(to_seconds(coalesce($step_s, 60)), accepted_at) AS bucket_at, count(*) AS accepted
  FROM messages JOIN span ON accepted_at >= since AND accepted_at < until
  WHERE message_key = first_message_key AND intake = 'accepted' AND ($host IS NULL OR host = $host)
  GROUP BY bucket_at
),
rejected AS (
  SELECT time_bucket(to_seconds(coalesce($step_s, 60)), rejected_at) AS bucket_at, count(*) AS rejected
  FROM rejections JOIN span ON rejected_at >= since AND rejected_at < until
  WHERE action = 'reject' AND ($host IS NULL OR host = $host)
  GROUP BY bucket_at
),
tried AS (
  SELECT
    time_bucket(to_seconds(coalesce($step_s, 60)), attempted_at) AS bucket_at,
    count(*) FILTER (status = 'deferred') AS deferred, quantile_cont(delay_s, 0.95) FILTER (status = 'sent') AS p95_delay_s
  FROM deliveries JOIN span ON attempted_at >= since AND attempted_at < until
  WHERE NOT is_handoff AND ($host IS NULL OR host = $host)
  GROUP BY bucket_at
)
SELECT
  bucket_at, transactions, failed, users, p50_s, p95_s, max_s,
  coalesce(accepted, 0) AS accepted, coalesce(rejected, 0) AS rejected, coalesce(deferred, 0) AS deferred, p95_delay_s
FROM tested
LEFT JOIN accepted USING (bucket_at)
LEFT JOIN rejected USING (bucket_at)
LEFT JOIN tried USING (bucket_at)
ORDER BY bucket_at
