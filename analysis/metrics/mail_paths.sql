-- Paths of messages
-- Which servers messages went through, how long that took from the first to the last header, and from when to when it
-- was so: a path that ends where another one begins is a change of route.
-- Unit: ingested messages. Transit is that of messages whose last header is not before their first.
WITH ways AS (
  SELECT
    email_id, string_agg(by_host, ' > ' ORDER BY hop) AS path, max(received_at) AS arrived_at,
    epoch(arg_max(received_at, hop) - arg_min(received_at, hop)) AS transit_s
  FROM hops
  GROUP BY email_id
)
SELECT
  path,
  count(*) AS messages,
  quantile_cont(transit_s, 0.50) FILTER (transit_s >= 0) AS p50_transit_s,
  quantile_cont(transit_s, 0.95) FILTER (transit_s >= 0) AS p95_transit_s,
  min(arrived_at) AS first_at,
  max(arrived_at) AS last_at
FROM ways
WHERE path IS NOT NULL
  AND ($since IS NULL OR arrived_at >= $since) AND ($until IS NULL OR arrived_at < $until)
GROUP BY path
ORDER BY messages DESC, path
LIMIT coalesce($limit, 1000000)
