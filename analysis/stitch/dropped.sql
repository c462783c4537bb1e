-- Recipients that were thrown away
-- One row a recipient that Exim's RCPT ACL said it took and did not: the line has no id, for there is none yet. It is of
-- the message that the same client sends from the same address next.
SELECT d.pos, m.message_hash, d.recipient
FROM (SELECT * FROM rejects WHERE server = 'exim' AND action = 'discard' AND queue_id IS NULL AND recipient IS NOT NULL) AS d
ASOF JOIN (SELECT * FROM queue_histories WHERE server = 'exim' AND has_client) AS m
  ON d.host = m.host AND d.client_ip = m.client_ip AND d.sender = m.sender AND d.pos <= m.first_pos
WHERE m.accepted_at <= d.logged_at + INTERVAL 5 MINUTE
