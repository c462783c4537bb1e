-- Traffic per hour of the day
-- The mean day: recipients and refusals of each hour (UTC), divided by the number of days that the range touches.
-- Unit: recipients a day in that hour, notifications left out. Denominator: days from the first to the last mail.
WITH mail AS (
  SELECT accepted_at AS moment, outcome, size_bytes FROM outcomes
  WHERE origin <> 'notification'
    AND ($since IS NULL OR accepted_at >= $since) AND ($until IS NULL OR accepted_at < $until)
    AND ($host IS NULL OR host = $host)
  UNION ALL
  SELECT rejected_at, 'rejected', NULL FROM rejections
  WHERE action = 'reject'
    AND ($since IS NULL OR rejected_at >= $since) AND ($until IS NULL OR rejected_at < $until)
    AND ($host IS NULL OR host = $host)
),
span AS (SELECT date_diff('day', min(moment), max(moment)) + 1 AS days FROM mail)
SELECT
  hour(moment) AS hour,
  count(*) FILTER (outcome <> 'rejected') / any_value(days) AS recipients,
  count(*) FILTER (outcome = 'delivered') / any_value(days) AS delivered,
  count(*) FILTER (outcome = 'deferred') / any_value(days) AS deferred,
  count(*) FILTER (outcome = 'bounced') / any_value(days) AS bounced,
  count(*) FILTER (outcome = 'expired') / any_value(days) AS expired,
  count(*) FILTER (outcome = 'rejected') / any_value(days) AS rejected,
  coalesce(sum(size_bytes) FILTER (outcome = 'delivered'), 0) / any_value(days) AS bytes_delivered
FROM mail, span
GROUP BY hour
ORDER BY hour
