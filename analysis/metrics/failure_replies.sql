-- Replies of failed attempts
-- What the other side (or our own server) said when it bounced or deferred mail, alike replies together: addresses,
-- host names in brackets, numbers and long ids are masked before grouping. Most recipients first.
-- Unit: recipients whose attempts failed this way in the range; `still_failing` are those whose last attempt it was.
WITH failed AS (
  SELECT status, coalesce(reply, '') AS reply, smtp_code, enhanced_code, recipient_domain, coalesce(relay_name, relay_ip) AS relay,
         first_message_key, first_recipient, is_final, attempted_at
  FROM deliveries
  WHERE status IN ('bounced', 'deferred')
    AND ($since IS NULL OR attempted_at >= $since) AND ($until IS NULL OR attempted_at < $until)
    AND ($host IS NULL OR host = $host)
    AND ($status IS NULL OR status = $status)
    AND ($recipient_domain IS NULL OR recipient_domain = $recipient_domain)
),
patterns AS (
  SELECT reply,
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(
      reply,
      '<[^<>]*>|[^\s<>,;:()]+@[^\s<>,;:()]+', '<address>', 'g'),
      '[\w.-]+\[[^\]]*\](:\d+)?|\b(\d{1,3}\.){3}\d{1,3}\b', '[host]', 'g'),
      '\b[0-9A-Za-z_-]*\d[0-9A-Za-z_-]{7,}\b', '#', 'g'),
      '\b\d{4,}\b', '#', 'g') AS pattern
  FROM (SELECT DISTINCT reply FROM failed)
),
said AS (SELECT failed.*, pattern FROM failed JOIN patterns USING (reply)),
named AS (  -- mode() of four columns would take as long again
  SELECT status, pattern, smtp_code, enhanced_code, recipient_domain, relay, count(*) AS times
  FROM said
  GROUP BY GROUPING SETS ((status, pattern, smtp_code), (status, pattern, enhanced_code), (status, pattern, recipient_domain), (status, pattern, relay))
),
mains AS (
  SELECT status, pattern,
    arg_max(smtp_code, (times, smtp_code)) AS smtp_code,
    arg_max(enhanced_code, (times, enhanced_code)) AS enhanced_code,
    count(recipient_domain) AS domains,
    arg_max(recipient_domain, (times, recipient_domain)) AS main_domain,
    arg_max(relay, (times, relay)) AS main_relay
  FROM named GROUP BY status, pattern
),
counted AS (
  SELECT
    status, pattern,
    count(DISTINCT (first_message_key, first_recipient)) AS recipients,
    count(*) AS attempts,
    count(DISTINCT (first_message_key, first_recipient)) FILTER (is_final) AS still_failing,
    min(attempted_at) AS first_at,
    max(attempted_at) AS last_at,
    nullif(arg_max(reply, attempted_at), '') AS sample
  FROM said GROUP BY status, pattern
)
SELECT status, pattern, smtp_code, enhanced_code, recipients, attempts, still_failing, domains, main_domain, main_relay, first_at, last_at, sample
FROM counted JOIN mains USING (status, pattern)
ORDER BY recipients DESC, last_at DESC, status, pattern
LIMIT coalesce($limit, 1000000)
