-- Carried attempts
-- Those of open messages, with the TLS of their connections; probes; and the handshakes that an attempt may still
-- rest on.
SELECT d.* EXCLUDE (pos, id_hash, process_hash, message_hash, smtp_code, next_queue_id, tls_version, tls_cipher, tls_trust),
       t.tls_version, t.tls_cipher, t.tls_trust
FROM with_message('delivery') AS d SEMI JOIN open_messages USING (message_hash) LEFT JOIN outbound_tls AS t USING (pos)
WHERE kind <> 'tls_out'
UNION ALL BY NAME
SELECT * EXCLUDE (pos, id_hash, process_hash, smtp_code, next_queue_id) FROM delivery
WHERE kind = 'tls_out' AND logged_at >= getvariable('horizon')
