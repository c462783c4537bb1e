-- The attempts of one story
SELECT * FROM deliveries
WHERE message_key IN (SELECT unnest($keys::VARCHAR[]))
  AND date >= CAST($since AS DATE) AND date <= CAST($until AS DATE)
ORDER BY attempted_at, line_no
