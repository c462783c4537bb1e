-- Totals
-- What came in, what became of it, and what was turned away. Messages and recipients are those of mail accepted in
-- the range, followed to their end even after it; attempts and rejections are those made in the range.
-- A message that passes a filter, a forward or another server of ours counts once. Notifications that the server
-- itself wrote (bounces, delay warnings) are counted apart, address probes not at all.
-- Unit: as in each name. recipients = delivered + bounced + expired + discarded + mixed + deferred + held + deleted
-- + queued + unknown. delivery_rate: delivered / (delivered + bounced + expired + mixed), final ones only.
WITH mail AS (
  SELECT * FROM outcomes
  WHERE ($since IS NULL OR accepted_at >= $since) AND ($until IS NULL OR accepted_at < $until)
    AND ($host IS NULL OR host = $host)
),
firsts AS (
  SELECT * FROM messages
  WHERE message_key = first_message_key
    AND ($since IS NULL OR accepted_at >= $since) AND ($until IS NULL OR accepted_at < $until)
    AND ($host IS NULL OR host = $host)
),
per_message AS (
  SELECT
    count(*) FILTER (intake IN ('accepted', 'held', 'discarded', 'unknown') AND origin <> 'notification') AS messages_accepted,
    coalesce(sum(size_bytes) FILTER (intake IN ('accepted', 'held', 'discarded', 'unknown') AND origin <> 'notification'), 0)::BIGINT AS bytes_accepted,
    count(*) FILTER (origin = 'notification') AS notifications,
    count(*) FILTER (intake = 'refused') AS messages_refused,
    count(*) FILTER (intake = 'aborted') AS messages_aborted,
    count(DISTINCT lower(sender)) FILTER (sender <> '' AND intake <> 'probe') AS senders,
    count(DISTINCT client_ip) AS clients
  FROM firsts
),
per_recipient AS (
  SELECT
    count(*) AS recipients,
    count(*) FILTER (outcome = 'delivered') AS delivered,
    count(*) FILTER (outcome = 'bounced') AS bounced,
    count(*) FILTER (outcome = 'expired') AS expired,
    count(*) FILTER (outcome = 'discarded') AS discarded,
    count(*) FILTER (outcome = 'mixed') AS mixed,
    count(*) FILTER (outcome = 'deferred') AS deferred,
    count(*) FILTER (outcome = 'held') AS held,
    count(*) FILTER (outcome = 'deleted') AS deleted,
    count(*) FILTER (outcome = 'queued') AS queued,
    count(*) FILTER (outcome = 'unknown') AS unknown,
    delivered / nullif(delivered + bounced + expired + mixed, 0) AS delivery_rate,
    coalesce(sum(size_bytes) FILTER (outcome = 'delivered'), 0)::BIGINT AS bytes_delivered,
    count(DISTINCT lower(recipient)) AS distinct_recipients
  FROM mail WHERE origin <> 'notification'
),
per_attempt AS (
  SELECT
    count(*) FILTER (NOT is_handoff) AS attempts,
    count(*) FILTER (NOT is_handoff AND status = 'sent') AS attempts_sent,
    count(*) FILTER (NOT is_handoff AND status = 'deferred') AS attempts_deferred,
    count(*) FILTER (NOT is_handoff AND status = 'bounced') AS attempts_bounced,
    count(*) FILTER (is_handoff) AS handoffs,
    count(*) FILTER (handoff_kind = 'forward') AS forwarded
  FROM deliveries
  WHERE ($since IS NULL OR attempted_at >= $since) AND ($until IS NULL OR attempted_at < $until)
    AND ($host IS NULL OR host = $host)
),
per_rejection AS (
  SELECT
    count(*) FILTER (action = 'reject') AS rejected,
    count(*) FILTER (action = 'reject' AND rule = 'greylisted') AS rejected_greylisted,
    count(*) FILTER (action = 'reject' AND dnsbl IS NOT NULL) AS rejected_dnsbl,
    count(*) FILTER (action = 'reject_warning') AS reject_warnings
  FROM rejections
  WHERE ($since IS NULL OR rejected_at >= $since) AND ($until IS NULL OR rejected_at < $until)
    AND ($host IS NULL OR host = $host)
)
SELECT * FROM per_message, per_recipient, per_attempt, per_rejection
