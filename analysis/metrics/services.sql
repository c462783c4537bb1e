-- Services behind a load balancer
-- One row an address that a load balancer listens on, with all servers behind it as one: what it passed on, and what
-- became of it there. A client's session on a server is the balancer's connection of the same client, which began before
-- it and ended after it (two seconds are the clocks'): so the servers must know the real client (PROXY protocol).
-- Unit: connections of the balancer; `not_served` found no server. `sessions` are those of them that a mail log has, on `hosts`.
WITH connections AS (
  SELECT
    host, frontend, backend_server, client_ip, connect_s, duration_s, transferred_bytes, logged_at,
    logged_at - to_seconds(coalesce(duration_s, 0) + 2) AS began_at
  FROM events_session
  WHERE kind = 'balanced'
    AND ($since IS NULL OR logged_at >= $since) AND ($until IS NULL OR logged_at < $until)
    AND ($host IS NULL OR host = $host)
),
served AS (
  SELECT c.host, c.frontend, s.host AS server_host, s.messages, s.rejections, s.auth_failures
  FROM (SELECT * FROM sessions SEMI JOIN connections USING (client_ip)) AS s
  ASOF JOIN (SELECT * FROM connections WHERE client_ip IS NOT NULL) AS c ON s.client_ip = c.client_ip AND s.started_at >= c.began_at
  WHERE s.started_at <= c.logged_at + INTERVAL 2 SECOND
),
behind AS (
  SELECT
    host, frontend, count(*) AS sessions, list(DISTINCT server_host ORDER BY server_host) AS hosts,
    sum(messages)::BIGINT AS messages, sum(rejections)::BIGINT AS rejections, sum(auth_failures)::BIGINT AS auth_failures
  FROM served GROUP BY ALL
),
passed AS (
  SELECT
    host, frontend,
    count(*) AS connections,
    count(DISTINCT client_ip) AS clients,
    count(*) FILTER (connect_s IS NULL) AS not_served,
    count(DISTINCT backend_server) FILTER (connect_s IS NOT NULL) AS servers,
    quantile_cont(connect_s, 0.95) AS p95_connect_s,
    quantile_cont(duration_s, 0.95) AS p95_duration_s,
    sum(transferred_bytes)::BIGINT AS transferred_bytes,
    min(logged_at) AS first_at,
    max(logged_at) AS last_at
  FROM connections GROUP BY ALL
)
SELECT
  passed.frontend, passed.host AS balancer, connections, clients, not_served, servers,
  coalesce(sessions, 0) AS sessions, coalesce(messages, 0) AS messages, coalesce(rejections, 0) AS rejections,
  coalesce(auth_failures, 0) AS auth_failures, hosts,
  p95_connect_s, p95_duration_s, transferred_bytes, first_at, last_at
FROM passed LEFT JOIN behind ON behind.frontend = passed.frontend AND behind.host IS NOT DISTINCT FROM passed.host
ORDER BY connections DESC, passed.frontend, balancer
LIMIT coalesce($limit, 1000000)
