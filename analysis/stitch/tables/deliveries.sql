-- Deliveries
-- One row an attempt for one recipient. `is_handoff`: it only passed the message on to `next_message_key`, which is
-- in the log itself. `is_final`: the last attempt for that recipient. Delay counts from arrival, not from the attempt.
WITH joined AS (
  SELECT a.* EXCLUDE (sender), m.message_key, m.root_hash, m.origin, m.sasl_username, m.known_sender AS sender, m.client_ip AS message_client_ip,
    h.next_hash, h.kind AS handoff_kind, h.evidence AS handoff_evidence,
    t.tls_version AS known_tls_version, t.tls_cipher AS known_tls_cipher, t.tls_trust AS known_tls_trust,
    coalesce(f.first_recipient, a.orig_recipient, a.recipient) AS first_recipient,
    final.last_pos IS NOT NULL AS is_final,
    is_over(a.status, a.attempted_at, is_final) AS is_over
  FROM attempts AS a
  JOIN message_states AS m USING (message_hash)
  LEFT JOIN handoffs AS h USING (pos)
  LEFT JOIN outbound_tls AS t USING (pos)
  LEFT JOIN (SELECT pos, min(first_recipient) AS first_recipient FROM followed GROUP BY pos) AS f USING (pos)
  LEFT JOIN (SELECT DISTINCT last_pos FROM last_attempts) AS final ON final.last_pos = a.pos
  WHERE NOT a.is_emitted AND a.attempts > 0  -- what was put off is none
),
told AS (
  SELECT
    j.message_key, root.message_key AS first_message_key, j.attempted_at,
    j.recipient,
    domain_of(j.recipient) AS recipient_domain,
    j.orig_recipient, j.first_recipient, j.sender,
    domain_of(j.sender) AS sender_domain,
    j.host, j.server, j.instance, j.service, j.daemon, j.queue_id,
    j.relay_name, j.relay_ip, j.relay_port, j.connection_use,
    j.status, j.enhanced_code, j.smtp_code, j.reply,
    j.delay_s, j.before_queue_s, j.in_queue_s, j.connect_s, j.transmit_s,
    to_domain.name IS NOT NULL AS is_to_us,
    root.sasl_username IS NOT NULL OR from_address.name IS NOT NULL AS is_from_us,
    j.next_hash IS NOT NULL AS is_handoff, j.handoff_kind, j.handoff_evidence, next.message_key AS next_message_key,
    j.is_final,
    CASE
      WHEN j.next_hash IS NOT NULL OR is_loopback(j.relay_ip) THEN 'internal'
      WHEN is_to_us AND is_from_us THEN 'internal'
      WHEN is_to_us OR j.daemon IN ('local', 'virtual', 'pipe', 'lmtp', 'discard') OR (j.relay_ip IS NULL AND j.relay_name IS NOT NULL) THEN 'inbound'
      WHEN is_from_us OR root.origin IN ('pickup', 'notification', 'internal') OR is_loopback(root.client_ip) THEN 'outbound'
      WHEN j.relay_ip IS NOT NULL AND is_private(j.relay_ip) THEN 'inbound'
      WHEN root.client_ip IS NOT NULL AND is_private(root.client_ip) THEN 'outbound'
      ELSE 'unknown'
    END AS direction,
    CASE
      WHEN j.next_hash IS NOT NULL THEN 'handed on to a message in the log'
      WHEN is_loopback(j.relay_ip) THEN 'relay on loopback'
      WHEN is_to_us AND is_from_us THEN 'both ends are ours'
      WHEN is_to_us THEN 'recipient in a domain of ours'
      WHEN j.daemon IN ('local', 'virtual', 'pipe', 'lmtp', 'discard') OR (j.relay_ip IS NULL AND j.relay_name IS NOT NULL) THEN 'local delivery agent'
      WHEN root.sasl_username IS NOT NULL THEN 'authenticated client'
      WHEN is_from_us THEN 'client in a network of ours'
      WHEN root.origin IN ('pickup', 'notification', 'internal') OR is_loopback(root.client_ip) THEN 'written on this host'
      WHEN j.relay_ip IS NOT NULL AND is_private(j.relay_ip) THEN 'relay in a private network'
      WHEN root.client_ip IS NOT NULL AND is_private(root.client_ip) THEN 'client in a private network'
    END AS direction_evidence,
    j.known_tls_version AS tls_version, j.known_tls_cipher AS tls_cipher, j.known_tls_trust AS tls_trust, j.tls_policy,
    j.source_id, j.line_no,
    open.message_hash IS NOT NULL AND NOT j.is_over AS is_open
  FROM joined AS j
  JOIN message_states AS root ON root.message_hash = j.root_hash
  LEFT JOIN message_states AS next ON next.message_hash = j.next_hash
  LEFT JOIN own_domains AS to_domain ON to_domain.name = domain_of(j.recipient)
  LEFT JOIN own_addresses AS from_address ON from_address.name = root.client_ip
  LEFT JOIN open_messages AS open ON open.message_hash = j.message_hash
)
SELECT * EXCLUDE (is_to_us, is_from_us) FROM told
