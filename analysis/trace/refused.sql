-- Refusals that a search finds
-- Decisions against mail that never got a queue id, or whose queue id matches. Newest first.
-- Unit: decisions.
SELECT rejected_at, host, queue_id, action, decider, stage, client_name, client_ip, helo, sender, recipient, smtp_code, enhanced_code, reply, rule
FROM rejections
WHERE CASE $kind
    WHEN 'queue_id' THEN queue_id = $query
    WHEN 'address' THEN lower(sender) = lower($query) OR lower(recipient) = lower($query)
    WHEN 'domain' THEN sender_domain = lower($query) OR recipient_domain = lower($query)
    WHEN 'client' THEN client_ip = $query OR lower(client_name) = lower($query)
    WHEN 'text' THEN contains(lower(concat_ws(' ', sender, recipient, client_name, client_ip, helo, reply)), lower($query))
    ELSE FALSE
  END
ORDER BY rejected_at DESC, recipient
LIMIT $limit
