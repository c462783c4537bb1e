-- Delay by a dimension
-- How long delivered mail took, whole and in its four parts (before the queue, in the queue, connecting, transmitting),
-- by `$by`: recipient_domain, relay, host, service or handoff. Slowest first.
-- Unit: seconds a delivered recipient; for `handoff` a recipient handed to a filter, a forward or a relay of ours,
-- everywhere else hand-offs are left out. Percentiles are exact.
WITH keyed AS (
  SELECT *,
    CASE $by
      WHEN 'recipient_domain' THEN recipient_domain
      WHEN 'relay' THEN coalesce(relay_name, relay_ip)
      WHEN 'host' THEN host
      WHEN 'service' THEN concat_ws('/', service, daemon)
      WHEN 'handoff' THEN concat_ws(' ', handoff_kind, relay_name || ':' || relay_port)
      ELSE error('by: one of recipient_domain, relay, host, service, handoff')
    END AS name
  FROM deliveries
  WHERE status = 'sent' AND delay_s IS NOT NULL AND is_handoff = ($by = 'handoff')
    AND ($since IS NULL OR attempted_at >= $since) AND ($until IS NULL OR attempted_at < $until)
    AND ($host IS NULL OR host = $host)
)
SELECT
  name,
  count(*) AS recipients,
  quantile_cont(delay_s, 0.50) AS p50_delay_s,
  quantile_cont(delay_s, 0.95) AS p95_delay_s,
  max(delay_s) AS max_delay_s,
  quantile_cont(before_queue_s, 0.95) AS p95_before_queue_s,
  quantile_cont(in_queue_s, 0.95) AS p95_in_queue_s,
  quantile_cont(connect_s, 0.95) AS p95_connect_s,
  quantile_cont(transmit_s, 0.95) AS p95_transmit_s
FROM keyed
WHERE name IS NOT NULL
GROUP BY name
ORDER BY p95_delay_s DESC, name
LIMIT coalesce($limit, 1000000)
