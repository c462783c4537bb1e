-- The Received headers of one story
-- The hops of the e-mail with the most of them, of those that carry one of the Message-IDs, the first at the top.
WITH chosen AS (
  SELECT email_id FROM emails WHERE message_id IN (SELECT unnest($message_ids::VARCHAR[])) ORDER BY hop_count DESC, email_id LIMIT 1
)
FROM hops SEMI JOIN chosen USING (email_id)
ORDER BY hop
