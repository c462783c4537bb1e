-- Lines of deliveries
-- Attempts, probes and TLS handshakes of the processes that talk to other servers, with what a reply says. `sent` that
-- delivered nothing is `discarded`: discard(8), which alone writes sent without a relay, and a content filter that
-- swallowed the message (amavisd-new: `250 2.7.0 Ok, discarded`).
-- Where a mailbox server names its session in the reply (Dovecot), its own line says whether the message was stored
-- or the user's filter discarded it. Where start and end of an attempt are two lines of one number (qmail), they are one.
WITH mailboxes AS (
  SELECT session_id, bool_and(status = 'discarded') AS is_discarded
  FROM delivery_events WHERE kind = 'mailbox' AND session_id IS NOT NULL GROUP BY session_id
),
numbered AS (
  SELECT *, hash(host, instance, attempt_id) AS attempt_hash FROM delivery_events WHERE attempt_id IS NOT NULL
),
lines AS (
  SELECT * FROM delivery_events WHERE kind IN ('delivery', 'postponed', 'probe', 'tls_out')
  UNION ALL BY NAME
  SELECT e.* EXCLUDE (attempt_hash) REPLACE ('delivery' AS kind, s.queue_id AS queue_id, s.id_hash AS id_hash, s.recipient AS recipient)
  FROM (SELECT * FROM numbered WHERE kind = 'attempt_ended') AS e
  ASOF JOIN (SELECT * FROM numbered WHERE kind = 'attempt_started') AS s ON e.attempt_hash = s.attempt_hash AND e.pos >= s.pos
)
SELECT
  lines.* EXCLUDE (status),
  CASE
    WHEN status = 'sent' AND mailboxes.is_discarded THEN 'discarded'
    WHEN status = 'sent' AND (coalesce(daemon = 'discard', FALSE) OR (relay_name IS NULL AND daemon IS NULL)) THEN 'discarded'
    WHEN status = 'sent' AND contains(reply, 'Ok, discarded,') AND regexp_matches(reply, '^250 [\d. ]*Ok, discarded,') THEN 'discarded'
    ELSE status
  END AS status,
  nullif(regexp_extract(reply, '^(?:host [^ ]+ (?:said|refused to talk to me): )?([245]\d\d)[ -]', 1), '') AS smtp_code,
  CASE WHEN status = 'sent' THEN
    nullif(regexp_extract(reply, '(?:[Qq]ueued as|forwarded as|id=) ?([0-9A-Za-z-]{5,23})\)?$', 1), '')
  END AS next_queue_id
FROM lines
LEFT JOIN mailboxes
  ON lines.daemon = 'lmtp' AND ends_with(lines.reply, ' Saved') AND mailboxes.session_id = regexp_extract(lines.reply, '> ([^ ]+) Saved$', 1)
