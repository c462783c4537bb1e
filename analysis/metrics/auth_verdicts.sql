-- Authentication verdicts
-- What servers said of the sender (SPF, DKIM, DMARC, ARC), by the server that says so and the domain that was checked.
-- Anybody can write such headers into a message. `is_credible`: it stands above a Received header of the same domain as the
-- server that it names, with nobody else's above, so who wrote those may have written it; the rest was in the message when
-- it came there. `$authserv_id` keeps to those of one server, which should be yours.
-- Unit: ingested messages; one with two signatures of a domain counts once a result.
WITH said AS (
  SELECT email_id, hop_count, sent_at, unnest(verdicts) AS verdict FROM emails
),
above AS (
  SELECT
    email_id, verdict, any_value(sent_at) AS sent_at,
    -- The headers above it, and the one below.
    count(*) FILTER (
      hop >= hop_count - verdict.received_above
      AND regexp_extract(lower(by_host), '[^.]+[.][^.]+$') = regexp_extract(verdict.authserv_id, '[^.]+[.][^.]+$')
    ) = verdict.received_above + 1 AS is_credible
  FROM said LEFT JOIN hops USING (email_id)
  GROUP BY email_id, verdict
)
SELECT
  verdict.authserv_id AS authserv_id, verdict.method AS method, verdict.domain AS domain, verdict.result AS result,
  coalesce(is_credible, false) AS is_credible,
  count(DISTINCT email_id) AS messages,
  min(sent_at) AS first_at,
  max(sent_at) AS last_at
FROM above
WHERE ($authserv_id IS NULL OR verdict.authserv_id = lower($authserv_id))
  AND ($since IS NULL OR sent_at >= $since) AND ($until IS NULL OR sent_at < $until)
GROUP BY ALL
ORDER BY messages DESC, authserv_id, method, domain, result, is_credible
LIMIT coalesce($limit, 1000000)
