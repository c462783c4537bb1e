-- Decisions on messages
-- One row a life of a queue id that a rule, milter or content check decided on after it had an id.
SELECT
  message_hash,
  bool_or(action = 'reject' AND is_end_of_data(stage)) AS is_refused,
  bool_or(action = 'discard') AS is_discarded,
  bool_or(action = 'hold') AS is_held,
  bool_or(action = 'quarantine') AS is_quarantined,
  max(helo) AS helo,
  max(protocol) AS protocol,
  arg_min(sender, pos) AS sender,
  list(DISTINCT recipient ORDER BY recipient) FILTER (action IN ('discard', 'hold', 'quarantine') AND recipient IS NOT NULL) AS recipients
FROM with_message('rejects')
WHERE queue_id IS NOT NULL
GROUP BY message_hash
