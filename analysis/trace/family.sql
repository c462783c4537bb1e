-- The messages of one story
-- The first message, those that continue it, and the notifications about any of them, in order of acceptance.
SELECT * FROM (  -- two conditions with OR between them would read every column of every message
  SELECT * FROM messages WHERE first_message_key = $key
  UNION ALL
  SELECT * FROM messages
  WHERE origin = 'notification' AND first_message_key IS DISTINCT FROM $key
    AND parent_key IN (SELECT message_key FROM messages WHERE first_message_key = $key)
)
ORDER BY accepted_at, message_key = first_message_key DESC, message_key
