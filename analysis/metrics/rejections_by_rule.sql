-- Rejections by stage and rule
-- Whom we turned away and why: decisions at SMTP time by stage, who decided, and rule. Most frequent first.
-- Unit: decisions (one a recipient where the server decides recipient by recipient); retries count again.
-- `later_accepted`: clients of the rule that had a message accepted later in the log, a hint at wrong refusals.
WITH taken AS (
  SELECT client_ip, max(accepted_at) AS last_accepted_at FROM messages
  WHERE intake = 'accepted' AND client_ip IS NOT NULL GROUP BY client_ip
)
SELECT
  action, stage, decider, coalesce(rule, '') AS rule,
  any_value(smtp_code) AS smtp_code,
  count(*) AS decisions,
  count(DISTINCT client_ip) AS clients,
  count(DISTINCT client_ip) FILTER (last_accepted_at > rejected_at) AS later_accepted,
  count(DISTINCT lower(sender)) AS senders,
  count(DISTINCT lower(recipient)) AS recipients,
  min(rejected_at) AS first_at,
  max(rejected_at) AS last_at,
  arg_max(reply, rejected_at) AS sample
FROM rejections LEFT JOIN taken USING (client_ip)
WHERE ($since IS NULL OR rejected_at >= $since) AND ($until IS NULL OR rejected_at < $until)
  AND ($host IS NULL OR host = $host)
  AND ($action IS NULL OR action = $action)
GROUP BY action, stage, decider, coalesce(rule, '')
ORDER BY decisions DESC, action, stage, decider, rule
LIMIT coalesce($limit, 1000000)
