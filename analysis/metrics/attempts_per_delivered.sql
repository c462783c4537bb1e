-- Attempts per delivered recipient
-- How often mail had to be tried before it was taken: delivered recipients by their number of attempts.
-- Unit: delivered recipients of mail accepted in the range, notifications left out.
SELECT
  least(attempts, 10) AS attempts,
  count(*) AS recipients,
  count(*) / sum(count(*)) OVER () AS share
FROM outcomes
WHERE outcome = 'delivered' AND origin <> 'notification'
  AND ($since IS NULL OR accepted_at >= $since) AND ($until IS NULL OR accepted_at < $until)
  AND ($host IS NULL OR host = $host)
GROUP BY least(attempts, 10)
ORDER BY attempts
