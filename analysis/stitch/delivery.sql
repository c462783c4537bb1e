-- Lines of deliveries
-- Attempts, probes and TLS handshakes of the processes that talk to other servers, with what a reply says. `sent` that
-- delivered nothing is `discarded`: discard(8), which alone writes sent without a relay, and a content filter that
-- swallowed the message (amavisd-new: `250 2.7.0 Ok, discarded`).
SELECT
  * EXCLUDE (status),
  CASE
    WHEN status = 'sent' AND (coalesce(daemon = 'discard', FALSE) OR (relay_name IS NULL AND daemon IS NULL)) THEN 'discarded'
    WHEN status = 'sent' AND contains(reply, 'Ok, discarded,') AND regexp_matches(reply, '^250 [\d. ]*Ok, discarded,') THEN 'discarded'
    ELSE status
  END AS status,
  nullif(regexp_extract(reply, '^(?:host [^ ]+ (?:said|refused to talk to me): )?([245]\d\d)[ -]', 1), '') AS smtp_code,
  CASE WHEN status = 'sent' THEN
    nullif(regexp_extract(reply, '(?:[Qq]ueued as|forwarded as|id=) ?([0-9A-Za-z-]{5,23})\)?$', 1), '')
  END AS next_queue_id
FROM delivery_events
WHERE kind IN ('delivery', 'postponed', 'probe', 'tls_out')
