-- Outcomes by a dimension
-- Recipients and what became of them, by `$by`: host, origin, sender, sender_domain, recipient, recipient_domain,
-- relay, client or user. `not_delivered` are bounced, expired, mixed and still deferred ones.
-- Unit: recipients of mail accepted in the range, notifications left out; bytes count once a delivered recipient.
-- Denominator of not_delivered_share: all recipients of the row.
WITH keyed AS (
  SELECT *,
    CASE $by
      WHEN 'host' THEN host
      WHEN 'origin' THEN origin
      WHEN 'sender' THEN CASE WHEN sender = '' THEN '<>' ELSE lower(sender) END
      WHEN 'sender_domain' THEN lower(nullif(regexp_extract(sender, '@([^@]*)$', 1), ''))
      WHEN 'recipient' THEN lower(recipient)
      WHEN 'recipient_domain' THEN lower(nullif(regexp_extract(recipient, '@([^@]*)$', 1), ''))
      WHEN 'relay' THEN coalesce(relay_name, relay_ip)
      WHEN 'client' THEN concat_ws(' ', client_name, '[' || client_ip || ']')
      WHEN 'user' THEN sasl_username
      ELSE error('by: one of host, origin, sender, sender_domain, recipient, recipient_domain, relay, client, user')
    END AS name
  FROM outcomes
  WHERE origin <> 'notification'
    AND ($since IS NULL OR accepted_at >= $since) AND ($until IS NULL OR accepted_at < $until)
    AND ($host IS NULL OR host = $host)
)
SELECT
  name,
  count(DISTINCT first_message_key) AS messages,
  count(*) AS recipients,
  count(*) FILTER (outcome = 'delivered') AS delivered,
  count(*) FILTER (outcome = 'deferred') AS deferred,
  count(*) FILTER (outcome = 'bounced') AS bounced,
  count(*) FILTER (outcome = 'expired') AS expired,
  count(*) FILTER (outcome IN ('discarded', 'held', 'deleted', 'queued', 'unknown', 'mixed')) AS other,
  count(*) FILTER (outcome IN ('bounced', 'expired', 'mixed', 'deferred')) AS not_delivered,
  not_delivered / count(*) AS not_delivered_share,
  coalesce(sum(size_bytes) FILTER (outcome = 'delivered'), 0)::BIGINT AS bytes_delivered,
  sum(attempts)::BIGINT AS attempts,
  max(last_attempt_at) AS last_attempt_at
FROM keyed
WHERE name IS NOT NULL
GROUP BY name
ORDER BY CASE WHEN $order = 'not_delivered' THEN not_delivered WHEN $order = 'bytes' THEN bytes_delivered ELSE recipients END DESC,
  recipients DESC, name
LIMIT coalesce($limit, 1000000)
