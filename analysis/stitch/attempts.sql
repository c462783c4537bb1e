-- Attempts
-- One row an attempt to deliver to one recipient, with the life of the queue id it belongs to. `sent` that delivered
-- nothing is `discarded`: discard(8), which alone writes sent without a relay, and a content filter that swallowed
-- the message (amavisd-new: `250 2.7.0 Ok, discarded`).
SELECT
  hash(id_hash, life) AS message_hash,
  pos,
  logged_at AS attempted_at,
  host, server, instance, service, daemon, queue_id, pid,
  recipient, orig_recipient,
  relay_name, relay_ip, relay_port, connection_use,
  CASE
    WHEN status = 'sent' AND (coalesce(daemon = 'discard', FALSE) OR (relay_name IS NULL AND daemon IS NULL)) THEN 'discarded'
    WHEN status = 'sent' AND regexp_matches(reply, '^250 [\d. ]*Ok, discarded,') THEN 'discarded'
    ELSE status
  END AS status,
  enhanced_code,
  nullif(regexp_extract(reply, '^(?:host [^ ]+ (?:said|refused to talk to me): )?([245]\d\d)[ -]', 1), '') AS smtp_code,
  reply,
  delay_s, before_queue_s, in_queue_s, connect_s, transmit_s,
  tls_policy,
  CASE WHEN status = 'sent' THEN
    nullif(regexp_extract(reply, '(?:[Qq]ueued as|forwarded as|id=) ?([0-9A-Za-z-]{5,23})\)?$', 1), '')
  END AS next_queue_id,
  line_no, source_id
FROM with_life('delivery')
WHERE kind = 'delivery'
