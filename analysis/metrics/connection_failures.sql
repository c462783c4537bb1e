-- Connections that failed
-- Outbound connections that were refused, timed out, found no route or broke in TLS, by destination and kind.
-- Unit: failed connections (Postfix tries several addresses for one attempt).
SELECT
  relay_name, relay_ip,
  CASE WHEN kind = 'tls_out_failure' THEN 'TLS: ' || reason ELSE reason END AS reason,
  count(*) AS failures,
  min(logged_at) AS first_at,
  max(logged_at) AS last_at
FROM events_delivery
WHERE kind IN ('connect_failure', 'tls_out_failure')
  AND ($since IS NULL OR logged_at >= $since) AND ($until IS NULL OR logged_at < $until)
  AND ($host IS NULL OR host = $host)
GROUP BY ALL
ORDER BY failures DESC, relay_name, relay_ip, reason
LIMIT coalesce($limit, 1000000)
