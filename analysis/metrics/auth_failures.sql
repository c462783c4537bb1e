-- Failed logins by client
-- Who guesses passwords: client addresses by failed SASL logins, with the user names they tried and whether one of
-- their logins succeeded later.
-- Unit: failed logins.
WITH wins AS (
  SELECT client_ip, max(accepted_at) AS last_login_at FROM messages
  WHERE sasl_username IS NOT NULL GROUP BY client_ip
)
SELECT
  client_ip,
  any_value(client_name) AS client_name,
  count(*) AS failures,
  count(DISTINCT sasl_username) AS users,
  coalesce(max(last_login_at) > min(logged_at), FALSE) AS succeeded_later,
  min(logged_at) AS first_at,
  max(logged_at) AS last_at
FROM events_session LEFT JOIN wins USING (client_ip)
WHERE kind = 'auth_failure'
  AND ($since IS NULL OR logged_at >= $since) AND ($until IS NULL OR logged_at < $until)
  AND ($host IS NULL OR host = $host)
GROUP BY client_ip
ORDER BY failures DESC, client_ip
LIMIT coalesce($limit, 1000000)
