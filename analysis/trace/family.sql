-- The messages of one story
-- The first message, those that continue it, and the notifications about any of them, in order of acceptance.
SELECT * FROM messages
WHERE first_message_key = $key
   OR (origin = 'notification' AND parent_key IN (SELECT message_key FROM messages WHERE first_message_key = $key))
ORDER BY accepted_at, message_key = first_message_key DESC, message_key
