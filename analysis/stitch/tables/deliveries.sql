-- Deliveries
-- One row an attempt for one recipient. `is_handoff`: it only passed the message on to `next_message_key`, which is
-- in the log itself. `is_final`: the last attempt for that recipient. Delay counts from arrival, not from the attempt.
WITH joined AS (
  SELECT a.*, m.message_key, m.root_hash, m.origin, m.sasl_username, m.known_sender AS sender, m.client_ip AS message_client_ip,
    h.next_hash, h.kind AS handoff_kind, h.evidence AS handoff_evidence,
    t.tls_version, t.tls_cipher, t.tls_trust,
    (SELECT min(d.first_recipient) FROM addressed AS d WHERE d.pos = a.pos) AS first_recipient
  FROM attempts AS a
  JOIN message_states AS m USING (message_hash)
  LEFT JOIN handoffs AS h USING (pos)
  LEFT JOIN outbound_tls AS t USING (pos)
)
SELECT
  j.message_key, root.message_key AS first_message_key, j.attempted_at,
  j.recipient,
  lower(nullif(regexp_extract(j.recipient, '@([^@]*)$', 1), '')) AS recipient_domain,
  j.orig_recipient, j.first_recipient, j.sender,
  lower(nullif(regexp_extract(j.sender, '@([^@]*)$', 1), '')) AS sender_domain,
  j.host, j.server, j.instance, j.service, j.daemon, j.queue_id,
  j.relay_name, j.relay_ip, j.relay_port, j.connection_use,
  j.status, j.enhanced_code, j.smtp_code, j.reply,
  j.delay_s, j.before_queue_s, j.in_queue_s, j.connect_s, j.transmit_s,
  j.next_hash IS NOT NULL AS is_handoff, j.handoff_kind, j.handoff_evidence, next.message_key AS next_message_key,
  row_number() OVER (PARTITION BY j.root_hash, lower(j.recipient), j.first_recipient, j.next_hash IS NOT NULL ORDER BY j.pos DESC) = 1
    AND j.next_hash IS NULL AS is_final,
  CASE
    WHEN j.next_hash IS NOT NULL OR is_loopback(j.relay_ip) THEN 'internal'
    WHEN j.daemon IN ('local', 'virtual', 'pipe', 'lmtp', 'discard') OR (j.relay_ip IS NULL AND j.relay_name IS NOT NULL) THEN 'inbound'
    WHEN root.sasl_username IS NOT NULL OR root.origin IN ('pickup', 'notification', 'internal') OR is_loopback(root.client_ip) THEN 'outbound'
    WHEN j.relay_ip IS NOT NULL AND is_private(j.relay_ip) THEN 'inbound'
    WHEN root.client_ip IS NOT NULL AND is_private(root.client_ip) THEN 'outbound'
    ELSE 'unknown'
  END AS direction,
  CASE
    WHEN j.next_hash IS NOT NULL THEN 'handed on to a message in the log'
    WHEN is_loopback(j.relay_ip) THEN 'relay on loopback'
    WHEN j.daemon IN ('local', 'virtual', 'pipe', 'lmtp', 'discard') OR (j.relay_ip IS NULL AND j.relay_name IS NOT NULL) THEN 'local delivery agent'
    WHEN root.sasl_username IS NOT NULL THEN 'authenticated client'
    WHEN root.origin IN ('pickup', 'notification', 'internal') OR is_loopback(root.client_ip) THEN 'written on this host'
    WHEN j.relay_ip IS NOT NULL AND is_private(j.relay_ip) THEN 'relay in a private network'
    WHEN root.client_ip IS NOT NULL AND is_private(root.client_ip) THEN 'client in a private network'
  END AS direction_evidence,
  j.tls_version, j.tls_cipher, j.tls_trust, j.tls_policy,
  j.source_id, j.line_no
FROM joined AS j
JOIN message_states AS root ON root.message_hash = j.root_hash
LEFT JOIN message_states AS next ON next.message_hash = j.next_hash
