-- Hops between servers
-- Received headers by the server that gave the message and the one that took it: how long it took them, and how many
-- were encrypted. Delays are of hops whose two clocks agree with the others of the message; the rest is `clocks_differ`.
-- Unit: Received headers of ingested messages. `tls_share` is of those that tell; headers without a client are left out.
WITH timed AS (
  SELECT
    coalesce(from_host, from_helo, from_ip) AS from_name, by_host, tls, received_at, delay_s,
    skew_s = 0 AND lag(skew_s) OVER (PARTITION BY email_id ORDER BY hop) = 0 AS is_right
  FROM hops
)
SELECT
  from_name, by_host,
  count(*) AS hops,
  avg(tls::INTEGER) AS tls_share,
  quantile_cont(greatest(delay_s, 0), 0.50) FILTER (is_right) AS p50_delay_s,
  quantile_cont(greatest(delay_s, 0), 0.95) FILTER (is_right) AS p95_delay_s,
  max(greatest(delay_s, 0)) FILTER (is_right) AS max_delay_s,
  count(*) FILTER (NOT is_right) AS clocks_differ
FROM timed
WHERE from_name IS NOT NULL
  AND ($since IS NULL OR received_at >= $since) AND ($until IS NULL OR received_at < $until)
GROUP BY from_name, by_host
ORDER BY p95_delay_s DESC NULLS LAST, hops DESC, from_name, by_host
LIMIT coalesce($limit, 1000000)
