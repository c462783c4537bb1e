-- Histories of queue ids
-- One row a life of a queue id, from the lines of its queue. The queue manager repeats size and recipient count at
-- every retry, so the first one counts, and its sender is complete where pickup's is `root`. Of two Message-ID headers
-- the first one counts.
SELECT
  hash(id_hash, life) AS message_hash,
  any_value(id_hash) AS id_hash,
  any_value(host) AS host,
  any_value(server) AS server,
  any_value(instance) AS instance,
  any_value(queue_id) AS queue_id,
  min(pos) AS first_pos,
  min(logged_at) AS accepted_at,
  max(logged_at) FILTER (kind = 'removed') AS removed_at,
  max(logged_at) AS last_logged_at,
  arg_min(message_id, pos) FILTER (kind = 'message_id' AND message_id IS NOT NULL) AS message_id,
  coalesce(arg_min(sender, pos) FILTER (kind = 'queued'), arg_min(sender, pos) FILTER (kind = 'pickup')) AS sender,
  arg_min(size_bytes, pos) FILTER (kind = 'queued') AS size_bytes,
  arg_min(recipient_count, pos) FILTER (kind = 'queued') AS recipient_count,
  min(logged_at) FILTER (kind = 'queued') AS queued_at,
  bool_or(kind = 'client') AS has_client,
  bool_or(kind = 'pickup') AS has_pickup,
  arg_min(pid, pos) FILTER (kind = 'client') AS client_pid,
  min(pos) FILTER (kind = 'client') AS client_pos,
  arg_min(service, pos) FILTER (kind = 'client') AS service,
  arg_min(client_name, pos) FILTER (kind = 'client') AS client_name,
  arg_min(client_ip, pos) FILTER (kind = 'client') AS client_ip,
  arg_min(sasl_method, pos) FILTER (kind = 'client') AS sasl_method,
  arg_min(sasl_username, pos) FILTER (kind = 'client') AS sasl_username,
  arg_min(orig_queue_id, pos) FILTER (kind IN ('client', 'pickup')) AS orig_queue_id,
  arg_min(orig_client_name, pos) FILTER (kind = 'client') AS orig_client_name,
  arg_min(orig_client_ip, pos) FILTER (kind = 'client') AS orig_client_ip,
  min(logged_at) FILTER (kind = 'expired') AS expired_at,
  max(logged_at) FILTER (kind = 'queue_admin' AND action = 'delete') AS deleted_at,
  max(logged_at) FILTER (kind = 'queue_admin' AND action = 'requeue') AS requeued_at,
  coalesce(arg_max(action, pos) FILTER (kind = 'queue_admin' AND action IN ('hold', 'release')) = 'hold', FALSE) AS is_put_on_hold,
  bool_or(kind = 'message_refused') AS is_refused,
  arg_min(reason, pos) FILTER (kind = 'message_refused') AS refusal
FROM with_life('queue')
GROUP BY id_hash, life
