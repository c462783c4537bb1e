-- Histories of queue ids
-- One row a life of a queue id, from the lines of its queue. The queue manager repeats size and recipient count at
-- every retry, so the first one counts, and its sender is complete where pickup's is `root`. Of two Message-ID headers
-- the first one counts.
SELECT
  m.message_hash, m.id_hash, first.host, first.server, first.instance, first.queue_id, m.first_pos,
  m.accepted_at, m.removed_at, m.last_logged_at, m.queued_at, m.expired_at, m.cancelled_at, m.deleted_at, m.requeued_at,
  ids.message_id,
  coalesce(queued.sender, pickup.sender) AS sender,
  queued.size_bytes, queued.recipient_count,
  m.client_pos IS NOT NULL AS has_client,
  m.pickup_pos IS NOT NULL AS has_pickup,
  m.client_pos,
  client.service, client.client_name, client.client_ip, client.sasl_method, client.sasl_username,
  coalesce(client.orig_queue_id, pickup.orig_queue_id) AS orig_queue_id, client.orig_client_name, client.orig_client_ip,
  client.helo, client.protocol, client.tls_version, client.tls_cipher,
  pickup.cause_queue_id,
  m.hold_pos > coalesce(m.release_pos, 0) IS TRUE AS is_put_on_hold,
  m.refused_pos IS NOT NULL AS is_refused,
  refused.reason AS refusal
FROM milestones AS m
JOIN queue AS first ON first.pos = m.first_pos
LEFT JOIN (SELECT pos, message_id FROM queue WHERE kind IN ('arrival', 'message_id')) AS ids ON ids.pos = m.message_id_pos
LEFT JOIN (SELECT pos, sender, size_bytes, recipient_count FROM queue WHERE kind IN ('arrival', 'queued')) AS queued ON queued.pos = m.queued_pos
LEFT JOIN (SELECT * FROM queue WHERE kind IN ('arrival', 'client')) AS client ON client.pos = m.client_pos
LEFT JOIN (SELECT pos, sender, orig_queue_id, related_queue_id AS cause_queue_id FROM queue WHERE kind IN ('arrival', 'pickup')) AS pickup ON pickup.pos = m.pickup_pos
LEFT JOIN (SELECT pos, reason FROM queue WHERE kind = 'message_refused') AS refused ON refused.pos = m.refused_pos
