-- Messages without their relations
-- One row a life of a queue id, also of those whose start lies before the log: they have attempts only. A server that
-- says all of a recipient in one line names the sender there: of its messages the first attempt is the acceptance.
SELECT * FROM queue_histories
UNION ALL BY NAME
SELECT message_hash, any_value(host) AS host, any_value(server) AS server, any_value(instance) AS instance,
       any_value(queue_id) AS queue_id, min(pos) AS first_pos, max(attempted_at) AS last_logged_at,
       min(attempted_at) AS first_attempted_at, CASE WHEN count(sender) > 0 THEN min(attempted_at) END AS accepted_at,
       min(sender) AS sender, min(message_id) AS message_id, max(size_bytes) AS size_bytes,
       min(client_name) AS client_name, min(client_ip) AS client_ip
FROM attempts ANTI JOIN queue_histories USING (message_hash)
GROUP BY message_hash
