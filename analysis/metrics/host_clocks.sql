-- Clocks of servers
-- Received headers whose moment contradicts the others of the message, by the server that wrote them: how often, and by
-- how much its clock is wrong at the least (positive: ahead). A clock that is wrong in every message wants NTP; one that
-- is so now and then belongs to forged headers.
-- Unit: Received headers of ingested messages.
SELECT
  by_host,
  count(*) AS hops,
  count(*) FILTER (skew_s <> 0) AS wrong,
  avg((skew_s <> 0)::INTEGER) AS wrong_share,
  quantile_cont(skew_s, 0.50) FILTER (skew_s <> 0) AS p50_skew_s,
  min(skew_s) AS min_skew_s,
  max(skew_s) AS max_skew_s
FROM hops
WHERE by_host IS NOT NULL AND received_at IS NOT NULL
  AND ($since IS NULL OR received_at >= $since) AND ($until IS NULL OR received_at < $until)
GROUP BY by_host
ORDER BY wrong DESC, hops DESC, by_host
LIMIT coalesce($limit, 1000000)
