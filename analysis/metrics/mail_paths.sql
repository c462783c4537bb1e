-- Paths of messages
-- Which servers messages went through, how long that took from the first to the last clock that agrees with the others,
-- how much of the way was encrypted, and from when to when it was so: a path that ends where another one begins is a
-- change of route.
-- Unit: ingested messages. Transit is that of messages with two such clocks; `tls_share` is of the headers that tell.
WITH ways AS (
  SELECT
    email_id, string_agg(by_host, ' > ' ORDER BY hop) AS path, max(received_at) AS arrived_at, count(tls) AS told,
    count(*) FILTER (tls) AS encrypted
  FROM hops
  GROUP BY email_id
)
SELECT
  path,
  count(*) AS messages,
  quantile_cont(transit_s, 0.50) AS p50_transit_s,
  quantile_cont(transit_s, 0.95) AS p95_transit_s,
  max(transit_s) AS max_transit_s,
  sum(encrypted) / nullif(sum(told), 0) AS tls_share,
  min(arrived_at) AS first_at,
  max(arrived_at) AS last_at
FROM ways JOIN emails USING (email_id)
WHERE path IS NOT NULL
  AND ($since IS NULL OR arrived_at >= $since) AND ($until IS NULL OR arrived_at < $until)
GROUP BY path
ORDER BY messages DESC, path
LIMIT coalesce($limit, 1000000)
