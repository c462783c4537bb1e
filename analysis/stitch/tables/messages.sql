-- Messages
-- One row a life of a queue id, from acceptance to removal. Where `first_message_key` is another message's, this one
-- continues it (filter, forward, relay of ours, requeue) and does not count as a message of its own.
SELECT
  m.message_key,
  root.message_key AS first_message_key,
  parent.message_key AS parent_key,
  m.link_kind, m.link_evidence,
  m.host, m.server, m.instance, m.service, m.queue_id,
  m.message_id,
  m.known_sender AS sender,
  domain_of(m.known_sender) AS sender_domain,
  m.size_bytes, m.recipient_count,
  m.client_name, m.client_ip, m.orig_client_name, m.orig_client_ip, m.helo, m.protocol,
  m.sasl_method, m.sasl_username, m.tls_version, m.tls_cipher,
  m.origin, m.intake, m.state, m.refusal,
  coalesce(m.accepted_at, m.first_attempted_at) AS accepted_at,
  m.queued_at, m.expired_at,
  coalesce(m.removed_at, m.deleted_at, m.requeued_at) AS removed_at,  -- when it left the queue, by whatever way
  greatest(m.last_logged_at, m.last_attempt_at) AS last_logged_at,
  open.message_hash IS NOT NULL AS is_open
FROM message_states AS m
JOIN message_states AS root ON root.message_hash = m.root_hash
LEFT JOIN message_states AS parent ON parent.message_hash = m.parent_hash
LEFT JOIN open_messages AS open ON open.message_hash = m.message_hash
