-- Authentication verdicts
-- What servers said of the sender (SPF, DKIM, DMARC, ARC), by the server that says so and the domain that was checked.
-- Anybody can write such headers: `$authserv_id` keeps to those of one server, which should be yours.
-- Unit: ingested messages; one with two signatures of a domain counts once a result.
WITH said AS (
  SELECT email_id, unnest(verdicts, recursive := true), sent_at FROM emails
)
SELECT
  authserv_id, method, domain, result,
  count(DISTINCT email_id) AS messages,
  min(sent_at) AS first_at,
  max(sent_at) AS last_at
FROM said
WHERE ($authserv_id IS NULL OR authserv_id = lower($authserv_id))
  AND ($since IS NULL OR sent_at >= $since) AND ($until IS NULL OR sent_at < $until)
GROUP BY authserv_id, method, domain, result
ORDER BY messages DESC, authserv_id, method, domain, result
LIMIT coalesce($limit, 1000000)
