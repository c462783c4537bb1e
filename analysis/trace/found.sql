-- Messages that a search finds
-- First messages whose own rows, or those of a message that continues them or reports on them, match. Newest first.
-- Unit: messages. `$kind` is queue_id, message_id, address, domain, client or text.
WITH hits AS (
  SELECT first_message_key FROM messages
  WHERE CASE $kind
      WHEN 'queue_id' THEN queue_id = $query
      WHEN 'message_id' THEN message_id IN ($query, '<' || $query || '>')
      WHEN 'address' THEN lower(sender) = lower($query) OR lower(sasl_username) = lower($query)
      WHEN 'domain' THEN sender_domain = lower($query)
      WHEN 'client' THEN client_ip = $query OR orig_client_ip = $query OR lower(client_name) = lower($query)
      ELSE contains(lower(concat_ws(' ', message_id, sender, client_name, client_ip, sasl_username, queue_id)), lower($query))
    END
  UNION
  SELECT first_message_key FROM deliveries
  WHERE CASE $kind
      WHEN 'address' THEN lower(recipient) = lower($query) OR lower(orig_recipient) = lower($query)
      WHEN 'domain' THEN recipient_domain = lower($query) OR ends_with(lower(orig_recipient), '@' || lower($query))
      WHEN 'client' THEN relay_ip = $query OR lower(relay_name) = lower($query)
      WHEN 'text' THEN contains(lower(concat_ws(' ', recipient, orig_recipient, relay_name, reply)), lower($query))
      ELSE FALSE
    END
),
parents AS (  -- a notification is part of the story of the message that it reports on
  SELECT coalesce(reported.first_message_key, hits.first_message_key) AS first_message_key
  FROM hits JOIN messages AS own ON own.message_key = hits.first_message_key
  LEFT JOIN messages AS reported ON own.origin = 'notification' AND reported.message_key = own.parent_key
),
chosen AS (
  SELECT DISTINCT first_message_key FROM parents
  WHERE first_message_key IN (SELECT message_key FROM messages WHERE intake <> 'probe')
)
SELECT
  m.message_key, m.accepted_at, m.host, m.queue_id, m.message_id, m.sender, m.client_name, m.client_ip, m.sasl_username,
  m.size_bytes, m.intake, m.origin,
  count(o.outcome) AS recipients,
  list(DISTINCT o.outcome ORDER BY o.outcome) FILTER (o.outcome IS NOT NULL) AS outcomes,
  list(DISTINCT o.recipient ORDER BY o.recipient) FILTER (o.recipient IS NOT NULL) AS recipient_list,
  max(o.attempts) AS attempts,
  max(o.last_attempt_at) AS last_attempt_at,
  arg_max(o.reply, o.last_attempt_at) AS reply
FROM chosen
JOIN messages AS m ON m.message_key = chosen.first_message_key
LEFT JOIN outcomes AS o ON o.first_message_key = m.message_key
GROUP BY ALL
ORDER BY m.accepted_at DESC, m.message_key
LIMIT $limit
