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
own AS MATERIALIZED (
  SELECT message_key, origin, parent_key FROM messages WHERE message_key IN (SELECT first_message_key FROM hits)
),
reported AS (  -- a notification is part of the story of the message that it reports on
  SELECT message_key, first_message_key FROM messages
  WHERE message_key IN (SELECT parent_key FROM own WHERE origin = 'notification')
),
parents AS (
  SELECT coalesce(reported.first_message_key, own.message_key) AS message_key
  FROM own LEFT JOIN reported ON own.origin = 'notification' AND reported.message_key = own.parent_key
),
chosen AS MATERIALIZED (  -- few before their outcomes are looked for
  SELECT message_key, accepted_at, host, queue_id, message_id, sender, client_name, client_ip, sasl_username, size_bytes, intake, origin
  FROM messages
  WHERE intake <> 'probe' AND message_key IN (SELECT message_key FROM parents)
  ORDER BY accepted_at DESC, message_key
  LIMIT $limit
),
told AS (
  SELECT
    first_message_key AS message_key,
    count(*) AS recipients,
    list(DISTINCT outcome ORDER BY outcome) AS outcomes,
    list(DISTINCT recipient ORDER BY recipient) FILTER (recipient IS NOT NULL) AS recipient_list,
    max(attempts) AS attempts,
    max(last_attempt_at) AS last_attempt_at,
    arg_max(reply, (last_attempt_at, outcome <> 'delivered', recipient)) AS reply  -- of one moment the trouble tells more
  FROM outcomes
  WHERE first_message_key IN (SELECT message_key FROM chosen)
  GROUP BY first_message_key
)
SELECT
  chosen.*,
  coalesce(told.recipients, 0) AS recipients,
  told.* EXCLUDE (message_key, recipients) REPLACE (  -- who was asked for comes first
    list_filter(recipient_list, lambda name: contains(lower(name), lower($query)))
      || list_filter(recipient_list, lambda name: NOT contains(lower(name), lower($query))) AS recipient_list
  )
FROM chosen LEFT JOIN told USING (message_key)
ORDER BY accepted_at DESC, message_key
