-- Problems
-- What needs a postmaster's attention in the range, worst first. Each rule is a condition on counts with its threshold
-- in sight below; `kind` names the rule, `subject` whom it concerns, `amount` how much of it, `server` whose tools cure it.
-- Unit: recipients for mail, failed logins for passwords, lines for the server's own trouble.
WITH mail AS (
  SELECT *, lower(nullif(regexp_extract(recipient, '@([^@]*)$', 1), '')) AS recipient_domain FROM outcomes
  WHERE origin <> 'notification'
    AND ($since IS NULL OR accepted_at >= $since) AND ($until IS NULL OR accepted_at < $until)
    AND ($host IS NULL OR host = $host)
),
by_destination AS (SELECT recipient_domain, count(*) AS total FROM mail WHERE recipient_domain IS NOT NULL GROUP BY recipient_domain),
by_cause AS (  -- one destination refuses for several reasons: each is a problem of its own; where a server gave no enhanced code, Postfix writes 5.0.0
  SELECT
    recipient_domain AS subject, coalesce(CASE WHEN enhanced_code LIKE '_.0.0' THEN smtp_code END, enhanced_code, smtp_code) AS code, smtp_code IS NULL AS is_silent, outcome = 'deferred' AS is_waiting,
    count(*) AS amount, arg_max(reply, (last_attempt_at IS NOT NULL, last_attempt_at, reply)) AS detail,
    min(coalesce(first_attempt_at, accepted_at)) AS first_at, max(coalesce(last_attempt_at, accepted_at)) AS last_at
  FROM mail
  WHERE recipient_domain IS NOT NULL AND outcome IN ('bounced', 'expired', 'mixed', 'deferred')
  GROUP BY ALL
),
by_user AS (
  SELECT
    sasl_username AS subject, time_bucket(INTERVAL 1 HOUR, accepted_at) AS hour, count(*) AS total,
    count(*) FILTER (outcome IN ('bounced', 'expired', 'deferred', 'mixed')) AS failed,
    list(DISTINCT client_ip) AS clients, min(accepted_at) AS since, max(accepted_at) AS last
  FROM mail WHERE sasl_username IS NOT NULL GROUP BY ALL
),
abused AS (
  SELECT subject, sum(failed)::BIGINT AS failed, sum(total)::BIGINT AS total, min(since) AS since, max(last) AS last,
         len(list_distinct(flatten(list(clients)))) AS clients
  FROM by_user WHERE failed >= 20 AND failed / total >= 0.3 GROUP BY subject
),
logins AS (
  SELECT client_ip, count(*) AS failures, count(DISTINCT sasl_username) AS users, min(logged_at) AS since, max(logged_at) AS last
  FROM events_session
  WHERE kind = 'auth_failure'
    AND ($since IS NULL OR logged_at >= $since) AND ($until IS NULL OR logged_at < $until)
    AND ($host IS NULL OR host = $host)
  GROUP BY client_ip
),
successes AS (
  SELECT client_ip, sasl_username, max(accepted_at) AS last FROM messages WHERE sasl_username IS NOT NULL GROUP BY ALL
),
slow_hours AS (
  SELECT concat_ws(' ', handoff_kind, relay_name || ':' || relay_port) AS subject, time_bucket(INTERVAL 1 HOUR, attempted_at) AS hour,
         quantile_cont(transmit_s + connect_s, 0.95) AS p95_s, count(*) AS recipients
  FROM deliveries
  WHERE is_handoff AND handoff_kind = 'filter'
    AND ($since IS NULL OR attempted_at >= $since) AND ($until IS NULL OR attempted_at < $until)
    AND ($host IS NULL OR host = $host)
  GROUP BY ALL
  HAVING count(*) >= 5 AND quantile_cont(transmit_s + connect_s, 0.95) >= 20
),
found AS (
  SELECT 1 AS severity, 'account_abused' AS kind, NULL AS server, subject, failed AS amount, total, NULL AS code,
         'from ' || clients || ' client addresses' AS detail, since AS first_at, last AS last_at
  FROM abused
  UNION ALL
  SELECT 1, 'password_guessed', NULL, s.sasl_username, l.failures, NULL, NULL, l.client_ip, l.since, s.last
  FROM logins AS l JOIN successes AS s ON s.client_ip = l.client_ip AND s.last > l.since WHERE l.failures >= 10
  UNION ALL
  SELECT 1, 'server_fatal', server, coalesce(daemon, server), count(*), NULL, NULL, arg_max(reason, logged_at), min(logged_at), max(logged_at)
  FROM events_other
  WHERE kind IN ('panic', 'fatal')
    AND ($since IS NULL OR logged_at >= $since) AND ($until IS NULL OR logged_at < $until)
    AND ($host IS NULL OR host = $host)
  GROUP BY server, daemon
  UNION ALL
  SELECT
    CASE WHEN amount >= 20 AND code IS DISTINCT FROM '5.1.1' THEN 1 ELSE 2 END,
    CASE WHEN is_waiting THEN 'destination_defers' WHEN is_silent THEN 'destination_unreachable' ELSE 'destination_refuses' END,
    NULL, subject, amount, total, code, detail, first_at, last_at
  FROM by_cause JOIN by_destination ON recipient_domain = subject
  WHERE amount >= CASE WHEN is_waiting THEN 3 ELSE 5 END
  UNION ALL
  SELECT 2, 'password_guessing', NULL, count(*) || ' addresses', sum(failures)::BIGINT, NULL, NULL, 'busiest: ' || arg_max(client_ip, (failures, client_ip)), min(since), max(last)
  FROM logins HAVING sum(failures) >= 20
  UNION ALL
  SELECT 2, 'filter_slow', NULL, subject, sum(recipients)::BIGINT, NULL, NULL, 'up to ' || round(max(p95_s))::INT || ' s (95th percentile of an hour)', min(hour), max(hour) + INTERVAL 1 HOUR
  FROM slow_hours GROUP BY subject
  UNION ALL
  SELECT 3, 'mail_held', m.server, mail.host, count(*), NULL, NULL, NULL, min(mail.accepted_at), max(mail.accepted_at)
  FROM mail JOIN messages AS m ON m.message_key = mail.first_message_key
  WHERE mail.outcome = 'held'
  GROUP BY ALL
  UNION ALL
  SELECT 3, 'fate_unknown', NULL, host, count(*), NULL, NULL, NULL, min(accepted_at), max(accepted_at) FROM mail WHERE outcome = 'unknown' GROUP BY host
  UNION ALL
  SELECT
    2, 'lines_not_understood', NULL, CASE count(*) WHEN 1 THEN any_value(name) ELSE count(*) || ' files' END,
    sum(unparsed_lines)::BIGINT, sum(event_lines + unparsed_lines)::BIGINT, NULL,
    CASE WHEN count(*) > 1 THEN 'most: ' || arg_max(name, (unparsed_lines, name)) END, min(first_at), max(last_at)
  FROM sources WHERE unparsed_lines > 0.01 * (event_lines + unparsed_lines)
  HAVING count(*) > 0
)
SELECT * FROM found ORDER BY severity, amount DESC, kind, subject
