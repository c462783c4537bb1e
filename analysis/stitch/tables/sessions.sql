-- Client sessions
-- One row a client's SMTP connection, from `connect` to `disconnect`, of the processes that accept mail.
-- `commands_ok` of `commands_total` come from the counters that smtpd writes at the end (Postfix 3.0 and later).
WITH spans AS (
  SELECT
    session_hash,
    coalesce(min(pos) FILTER (has_peer), min(pos)) AS first_pos,
    max(pos) FILTER (kind = 'disconnect') AS end_pos,
    min(logged_at) AS started_at,
    max(logged_at) FILTER (kind = 'disconnect') AS ended_at,
    count(*) FILTER (kind = 'tls_failure') AS tls_failures,
    count(*) FILTER (kind = 'auth_failure') AS auth_failures,
    count(*) FILTER (kind IN ('arrival', 'client')) AS messages
  FROM session_lines
  WHERE has_connect OR kind <> 'decision'
  GROUP BY session_hash
),
told AS (  -- what only some of the lines say; each kind of line says other things
  SELECT
    session_hash,
    max(tls_version) AS tls_version,
    max(tls_cipher) AS tls_cipher,
    max(tls_trust) AS tls_trust,
    max(sasl_method) AS sasl_method,
    max(helo) AS helo,
    list(DISTINCT sasl_username ORDER BY sasl_username) FILTER (s.kind = 'auth_failure' AND sasl_username IS NOT NULL) AS auth_usernames,
    max(stage) FILTER (s.kind = 'lost_connection') AS lost_after,
    max(reason) FILTER (s.kind = 'lost_connection') AS lost_reason,
    max(reason) FILTER (s.kind = 'rate_limit') AS rate_limit
  FROM session_lines JOIN dialogue AS s USING (pos)
  WHERE s.kind NOT IN ('connect', 'disconnect')
  GROUP BY session_hash
),
ended AS (SELECT pos, counters FROM dialogue WHERE kind = 'disconnect'),
authorised AS (
  SELECT session_hash, max(sasl_method) AS sasl_method, max(sasl_username) AS sasl_username
  FROM session_lines JOIN queue USING (pos) WHERE sasl_username IS NOT NULL
  GROUP BY session_hash
),
refused AS (
  SELECT session_hash, max(helo) AS helo,
         count(*) FILTER (rejects.kind = 'decision' AND action = 'reject') AS rejections
  FROM session_lines JOIN rejects USING (pos)
  GROUP BY session_hash
),
firsts AS (
  SELECT pos, host, server, instance, service, pid, client_name, client_ip FROM dialogue
  UNION ALL SELECT pos, host, server, instance, service, pid, client_name, client_ip FROM queue WHERE kind IN ('arrival', 'client')
  UNION ALL SELECT pos, host, server, instance, service, pid, client_name, client_ip FROM rejects
)
SELECT
  concat_ws('/', f.host, f.instance, coalesce(f.pid::VARCHAR, f.client_ip), epoch_us(s.started_at)) AS session_key,
  f.host, f.server, f.instance, f.service, f.pid,
  s.started_at, s.ended_at,
  f.client_name, f.client_ip,
  coalesce(told.helo, refused.helo) AS helo,
  told.tls_version, told.tls_cipher, told.tls_trust, s.tls_failures,
  greatest(told.sasl_method, authorised.sasl_method) AS sasl_method,
  authorised.sasl_username,
  s.auth_failures,
  told.auth_usernames,
  s.messages,
  coalesce(refused.rejections, 0) AS rejections,
  told.lost_after, told.lost_reason, told.rate_limit, ended.counters,
  TRY_CAST(nullif(regexp_extract(ended.counters, '(?:^| )commands=(\d+)', 1), '') AS BIGINT) AS commands_ok,
  TRY_CAST(nullif(regexp_extract(ended.counters, '(?:^| )commands=\d+/(\d+)', 1), '') AS BIGINT) AS commands_tried,
  coalesce(commands_tried, commands_ok) AS commands_total,
  open.session_hash IS NOT NULL AS is_open
FROM spans AS s
JOIN firsts AS f ON f.pos = s.first_pos
LEFT JOIN told USING (session_hash)
LEFT JOIN ended ON ended.pos = s.end_pos
LEFT JOIN authorised USING (session_hash)
LEFT JOIN refused USING (session_hash)
LEFT JOIN open_sessions AS open USING (session_hash)
