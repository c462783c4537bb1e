-- The recipients of one story
SELECT * FROM outcomes WHERE first_message_key = $key ORDER BY recipient
