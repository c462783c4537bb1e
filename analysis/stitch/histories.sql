-- Messages without their relations
-- One row a life of a queue id, also of those whose start lies before the log: they have attempts only.
SELECT * FROM queue_histories
UNION ALL BY NAME
SELECT message_hash, any_value(host) AS host, any_value(server) AS server, any_value(instance) AS instance,
       any_value(queue_id) AS queue_id, min(pos) AS first_pos, max(attempted_at) AS last_logged_at,
       min(attempted_at) AS first_attempted_at
FROM attempts ANTI JOIN queue_histories USING (message_hash)
GROUP BY message_hash
