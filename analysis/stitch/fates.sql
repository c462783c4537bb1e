-- Fates of recipients
-- One row a recipient as first addressed and an address it came down to: the last attempt, and which message it was of.
-- Recipients that no attempt names are there too (a `slot` each), with the message that holds them.
-- Exim defers an address under its own name while it cannot be routed, and tries what it comes down to afterwards: the
-- first name has no fate of its own then.
WITH traffic AS (SELECT * FROM message_states WHERE intake NOT IN ('probe', 'refused', 'aborted')),
routed AS (
  SELECT early.last_pos
  FROM last_attempts AS early
  JOIN attempts AS a ON a.pos = early.last_pos AND a.server = 'exim' AND a.status = 'deferred' AND a.orig_recipient IS NULL
  JOIN last_attempts AS late
    ON late.root_hash = early.root_hash AND late.first_recipient = early.first_recipient AND late.last_pos > early.last_pos
),
awaited AS (  -- handed on to a message that has not tried this recipient
  SELECT r.root_hash, coalesce(d.first_recipient, a.orig_recipient, a.recipient) AS first_recipient,
         lower(a.recipient) AS final_recipient, h.next_hash AS message_hash
  FROM handoffs AS h JOIN attempts AS a USING (pos) LEFT JOIN followed AS d USING (pos) JOIN roots AS r USING (message_hash)
  GROUP BY ALL
),
awaiting AS (
  SELECT awaited.* FROM awaited
  ANTI JOIN (
    SELECT a.message_hash, coalesce(d.first_recipient, a.orig_recipient, a.recipient) AS first_recipient
    FROM attempts AS a SEMI JOIN awaited USING (message_hash) LEFT JOIN followed AS d USING (pos)
  ) AS tried ON tried.message_hash = awaited.message_hash AND tried.first_recipient = awaited.first_recipient
),
named AS (  -- of messages that rules stopped before the queue
  SELECT root_hash, unnest(decided_recipients) AS first_recipient, message_hash FROM traffic
  WHERE depth = 0 AND intake IN ('held', 'discarded') AND len(decided_recipients) > 0
),
unnamed AS (  -- the queue manager counted more recipients than were tried; or none is known
  SELECT m.root_hash, m.message_hash,
         greatest(coalesce(m.recipient_count, 1) - coalesce(m.tried_recipients, 0), 0) AS missing
  FROM traffic AS m
  WHERE m.depth = 0 AND NOT m.was_requeued
    AND NOT coalesce(m.intake IN ('held', 'discarded') AND len(m.decided_recipients) > 0, FALSE)
    AND (m.recipient_count IS NOT NULL OR m.tried_recipients IS NULL)
)
SELECT l.*, a.message_hash, CASE WHEN l.was_sent THEN 'sent' ELSE a.status END AS status
FROM last_attempts AS l JOIN attempts AS a ON a.pos = l.last_pos
ANTI JOIN routed ON routed.last_pos = l.last_pos
UNION ALL BY NAME
SELECT root_hash, first_recipient, final_recipient, message_hash, 0 AS attempts FROM awaiting
UNION ALL BY NAME
SELECT root_hash, first_recipient, message_hash, 0 AS attempts FROM named
UNION ALL BY NAME
SELECT root_hash, message_hash, 0 AS attempts, slots.range AS slot FROM unnamed, range(missing) AS slots WHERE missing > 0
