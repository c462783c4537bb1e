-- Replies of failed attempts
-- What the other side (or our own server) said when it bounced or deferred mail, alike replies together: addresses,
-- host names in brackets, numbers and long ids are masked before grouping. Most recipients first.
-- Unit: recipients whose attempts failed this way in the range; `still_failing` are those whose last attempt it was.
WITH failed AS (
  SELECT *,
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(
      coalesce(reply, ''),
      '<[^<>]*>|[^\s<>,;:()]+@[^\s<>,;:()]+', '<address>', 'g'),
      '[\w.-]+\[[^\]]*\](:\d+)?|\b(\d{1,3}\.){3}\d{1,3}\b', '[host]', 'g'),
      '\b[0-9A-Za-z_-]*\d[0-9A-Za-z_-]{7,}\b', '#', 'g'),
      '\b\d{4,}\b', '#', 'g') AS pattern
  FROM deliveries
  WHERE status IN ('bounced', 'deferred')
    AND ($since IS NULL OR attempted_at >= $since) AND ($until IS NULL OR attempted_at < $until)
    AND ($host IS NULL OR host = $host)
    AND ($status IS NULL OR status = $status)
    AND ($recipient_domain IS NULL OR recipient_domain = $recipient_domain)
)
SELECT
  status, pattern,
  mode(smtp_code) AS smtp_code,
  mode(enhanced_code) AS enhanced_code,
  count(DISTINCT (first_message_key, first_recipient)) AS recipients,
  count(*) AS attempts,
  count(DISTINCT (first_message_key, first_recipient)) FILTER (is_final) AS still_failing,
  count(DISTINCT recipient_domain) AS domains,
  mode(recipient_domain) AS main_domain,
  mode(coalesce(relay_name, relay_ip)) AS main_relay,
  min(attempted_at) AS first_at,
  max(attempted_at) AS last_at,
  arg_max(reply, attempted_at) AS sample
FROM failed
GROUP BY status, pattern
ORDER BY recipients DESC, last_at DESC, status, pattern
LIMIT coalesce($limit, 1000000)
