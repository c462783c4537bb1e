-- Client sessions
-- One row a client's SMTP connection, from `connect` to `disconnect`, of the processes that accept mail.
-- `commands_ok` of `commands_total` come from the counters that smtpd writes at the end (Postfix 3.0 and later).
SELECT
  concat_ws('/', host, instance, pid, epoch_us(min(logged_at))) AS session_key,
  host, any_value(server) AS server, instance, min(service) AS service, pid,
  min(logged_at) AS started_at,
  max(logged_at) FILTER (kind = 'disconnect') AS ended_at,
  arg_min(client_name, pos) AS client_name,
  arg_min(client_ip, pos) AS client_ip,
  max(helo) AS helo,
  max(tls_version) AS tls_version,
  max(tls_cipher) AS tls_cipher,
  max(tls_trust) AS tls_trust,
  count(*) FILTER (kind = 'tls_failure') AS tls_failures,
  max(sasl_method) AS sasl_method,
  max(sasl_username) FILTER (kind = 'client') AS sasl_username,
  count(*) FILTER (kind = 'auth_failure') AS auth_failures,
  list(DISTINCT sasl_username ORDER BY sasl_username) FILTER (kind = 'auth_failure' AND sasl_username IS NOT NULL) AS auth_usernames,
  count(*) FILTER (kind = 'client') AS messages,
  count(*) FILTER (kind = 'decision' AND action = 'reject') AS rejections,
  max(stage) FILTER (kind = 'lost_connection') AS lost_after,
  max(reason) FILTER (kind = 'lost_connection') AS lost_reason,
  max(reason) FILTER (kind = 'rate_limit') AS rate_limit,
  max(counters) AS counters,
  TRY_CAST(nullif(regexp_extract(max(counters), '(?:^| )commands=(\d+)', 1), '') AS BIGINT) AS commands_ok,
  TRY_CAST(nullif(regexp_extract(max(counters), '(?:^| )commands=\d+/(\d+)', 1), '') AS BIGINT) AS commands_tried,
  coalesce(commands_tried, commands_ok) AS commands_total
FROM session_lines
WHERE session_no > 0 OR kind <> 'decision'
GROUP BY host, instance, pid, session_no
