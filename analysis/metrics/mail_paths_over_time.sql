-- Paths of messages over time
-- Which servers messages of a sender's domain went through, in steps of `$step_s` seconds; `is_new`: no message of that
-- domain took the path in an earlier step, so a route has changed, or somebody claims one.
-- Unit: ingested messages by the first domain of their From header. Transit is from the first to the last clock that agrees.
WITH ways AS (
  SELECT email_id, string_agg(by_host, ' > ' ORDER BY hop) AS path, max(received_at) AS arrived_at
  FROM hops
  GROUP BY email_id
),
stepped AS (
  SELECT
    time_bucket(to_seconds($step_s), arrived_at) AS bucket_at, from_domains[1] AS from_domain, path,
    count(*) AS messages, quantile_cont(transit_s, 0.50) AS p50_transit_s, quantile_cont(transit_s, 0.95) AS p95_transit_s
  FROM ways JOIN emails USING (email_id)
  WHERE path IS NOT NULL AND arrived_at IS NOT NULL
  GROUP BY ALL
)
SELECT
  bucket_at, from_domain, path, messages, p50_transit_s, p95_transit_s,
  bucket_at = min(bucket_at) OVER (PARTITION BY from_domain, path)
    AND bucket_at > min(bucket_at) OVER (PARTITION BY from_domain) AS is_new
FROM stepped
QUALIFY ($since IS NULL OR bucket_at >= $since) AND ($until IS NULL OR bucket_at < $until)
ORDER BY bucket_at, from_domain, messages DESC, path
