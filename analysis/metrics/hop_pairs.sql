-- Hops between servers
-- Received headers by the server that gave the message and the one that took it: how long it took them, and how many
-- were encrypted. A time before the hop before shows a clock that is wrong: it counts as `clocks_differ`, not as a delay.
-- Unit: Received headers of ingested messages. `tls_share` is of those that tell; headers without a client are left out.
WITH timed AS (
  SELECT
    coalesce(from_host, from_helo, from_ip) AS from_name, by_host, tls, received_at,
    epoch(received_at - lag(received_at) OVER (PARTITION BY email_id ORDER BY hop)) AS delay_s
  FROM hops
)
SELECT
  from_name, by_host,
  count(*) AS hops,
  avg(tls::INTEGER) AS tls_share,
  quantile_cont(delay_s, 0.50) FILTER (delay_s >= 0) AS p50_delay_s,
  quantile_cont(delay_s, 0.95) FILTER (delay_s >= 0) AS p95_delay_s,
  max(delay_s) AS max_delay_s,
  count(*) FILTER (delay_s < 0) AS clocks_differ
FROM timed
WHERE from_name IS NOT NULL
  AND ($since IS NULL OR received_at >= $since) AND ($until IS NULL OR received_at < $until)
GROUP BY from_name, by_host
ORDER BY p95_delay_s DESC NULLS LAST, hops DESC, from_name, by_host
LIMIT coalesce($limit, 1000000)
