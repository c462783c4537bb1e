-- Fates of recipients
-- One row a recipient as first addressed and an address it came down to: the last attempt, and what the queue did
-- after it. Recipients that no attempt names are there too (a `slot` each), with what the
-- state of their message tells.
WITH traffic AS (SELECT * FROM message_states WHERE intake NOT IN ('probe', 'refused', 'aborted')),
served AS (
  SELECT r.root_hash, d.first_recipient, lower(a.recipient) AS final_recipient, a.pos, a.message_hash, a.status, a.attempted_at,
         a.enhanced_code, a.smtp_code, a.reply, a.relay_name, a.relay_ip
  FROM attempts AS a JOIN addressed AS d USING (pos) JOIN roots AS r USING (message_hash)
  ANTI JOIN handoffs USING (pos)
),
last_attempts AS (
  SELECT root_hash, first_recipient, final_recipient,
         count(*) AS attempts, min(attempted_at) AS first_attempt_at, max(attempted_at) AS last_attempt_at,
         max(pos) AS last_pos, arg_max(message_hash, pos) AS message_hash, arg_max(status, pos) AS status,
         bool_or(status = 'sent') AS was_sent,
         arg_max(enhanced_code, pos) AS enhanced_code, arg_max(smtp_code, pos) AS smtp_code, arg_max(reply, pos) AS reply,
         arg_max(relay_name, pos) AS relay_name, arg_max(relay_ip, pos) AS relay_ip
  FROM served GROUP BY ALL
),
awaited AS (  -- handed on to a message that has not tried this recipient
  SELECT r.root_hash, d.first_recipient, lower(a.recipient) AS final_recipient, h.next_hash AS message_hash
  FROM handoffs AS h JOIN attempts AS a USING (pos) JOIN addressed AS d USING (pos) JOIN roots AS r USING (message_hash)
  GROUP BY ALL
),
awaiting AS (
  SELECT awaited.* FROM awaited
  ANTI JOIN (SELECT a.message_hash, d.first_recipient FROM attempts AS a JOIN addressed AS d USING (pos)) AS tried
    ON tried.message_hash = awaited.message_hash AND tried.first_recipient = awaited.first_recipient
),
named AS (  -- of messages that rules stopped before the queue
  SELECT root_hash, unnest(decided_recipients) AS first_recipient, message_hash FROM traffic
  WHERE depth = 0 AND intake IN ('held', 'discarded') AND len(decided_recipients) > 0
),
unnamed AS (  -- the queue manager counted more recipients than were tried; or none is known
  SELECT m.root_hash, m.message_hash,
         greatest(coalesce(m.recipient_count, 1) - coalesce(tried.recipients, 0), 0) AS missing
  FROM traffic AS m
  LEFT JOIN (SELECT message_hash, count(DISTINCT (lower(recipient), orig_recipient)) AS recipients FROM attempts GROUP BY message_hash) AS tried
    USING (message_hash)
  WHERE m.depth = 0 AND NOT m.was_requeued
    AND NOT coalesce(m.intake IN ('held', 'discarded') AND len(m.decided_recipients) > 0, FALSE)
    AND (m.recipient_count IS NOT NULL OR tried.recipients IS NULL)
)
SELECT root_hash, first_recipient, final_recipient, attempts, first_attempt_at, last_attempt_at, last_pos, message_hash,
       CASE WHEN was_sent THEN 'sent' ELSE status END AS status, enhanced_code, smtp_code, reply, relay_name, relay_ip
FROM last_attempts
UNION ALL BY NAME
SELECT root_hash, first_recipient, final_recipient, message_hash, 0 AS attempts FROM awaiting
UNION ALL BY NAME
SELECT root_hash, first_recipient, message_hash, 0 AS attempts FROM named
UNION ALL BY NAME
SELECT root_hash, message_hash, 0 AS attempts, slots.range AS slot FROM unnamed, range(missing) AS slots
