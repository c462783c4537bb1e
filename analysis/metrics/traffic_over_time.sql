-- Traffic over time
-- Recipients by the time their message was accepted and what became of them, with the refusals of the same time
-- beside them, in steps of `$step_s` seconds.
-- Unit: recipients, notifications left out; `rejected` are refusals at SMTP time, which are no recipients of accepted mail.
WITH mail AS (
  SELECT
    time_bucket(to_seconds($step_s), accepted_at) AS bucket_at,
    count(*) AS recipients,
    count(*) FILTER (outcome = 'delivered') AS delivered,
    count(*) FILTER (outcome = 'deferred') AS deferred,
    count(*) FILTER (outcome = 'bounced') AS bounced,
    count(*) FILTER (outcome = 'expired') AS expired,
    count(*) FILTER (outcome IN ('discarded', 'held', 'deleted', 'queued', 'unknown', 'mixed')) AS other,
    coalesce(sum(size_bytes) FILTER (outcome = 'delivered'), 0)::BIGINT AS bytes_delivered
  FROM outcomes
  WHERE origin <> 'notification'
    AND ($since IS NULL OR accepted_at >= $since) AND ($until IS NULL OR accepted_at < $until)
    AND ($host IS NULL OR host = $host)
  GROUP BY bucket_at
),
refusals AS (
  SELECT time_bucket(to_seconds($step_s), rejected_at) AS bucket_at, count(*) AS rejected
  FROM rejections
  WHERE action = 'reject'
    AND ($since IS NULL OR rejected_at >= $since) AND ($until IS NULL OR rejected_at < $until)
    AND ($host IS NULL OR host = $host)
  GROUP BY bucket_at
)
SELECT
  bucket_at,
  coalesce(recipients, 0) AS recipients, coalesce(delivered, 0) AS delivered, coalesce(deferred, 0) AS deferred,
  coalesce(bounced, 0) AS bounced, coalesce(expired, 0) AS expired, coalesce(other, 0) AS other,
  coalesce(rejected, 0) AS rejected, coalesce(bytes_delivered, 0) AS bytes_delivered
FROM mail FULL JOIN refusals USING (bucket_at)
ORDER BY bucket_at
