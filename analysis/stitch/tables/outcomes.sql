-- Outcomes
-- One row a recipient of a message as its sender addressed it, across hand-offs, aliases, retries and queue ids.
-- The outcome is that of the last attempt; where the log ends before the answer, it says queued or unknown. An alias
-- whose members fared differently is `mixed`. Messages that were refused or given up by the client have no outcome.
WITH judged AS (
  SELECT
    f.*, root.message_key AS first_message_key, root.message_id, root.known_sender AS sender, root.accepted_at,
    root.size_bytes, root.client_name, root.client_ip, root.sasl_username, root.origin, root.host,
    CASE
      WHEN f.status = 'sent' THEN 'delivered'
      WHEN f.status IN ('bounced', 'discarded', 'expired') THEN f.status
      WHEN f.status IS NOT NULL THEN  -- deferred
        CASE heir.state
          WHEN 'removed' THEN 'deleted'  -- left the queue undelivered and unexpired: an administrator's doing
          WHEN 'unknown' THEN 'deferred'
          WHEN 'queued' THEN 'deferred'
          ELSE heir.state
        END
      WHEN heir.state = 'removed' THEN 'unknown'
      ELSE heir.state
    END AS fate
  FROM fates AS f
  JOIN message_states AS root ON root.message_hash = f.root_hash
  LEFT JOIN (SELECT parent_hash, message_hash AS child_hash FROM links WHERE kind = 'requeue') AS requeues ON requeues.parent_hash = f.message_hash
  JOIN message_states AS heir ON heir.message_hash = coalesce(requeues.child_hash, f.message_hash)
  WHERE root.intake NOT IN ('probe', 'refused', 'aborted')
)
SELECT
  first_message_key, any_value(message_id) AS message_id, any_value(sender) AS sender, first_recipient AS recipient,
  any_value(host) AS host, any_value(origin) AS origin,
  any_value(client_name) AS client_name, any_value(client_ip) AS client_ip, any_value(sasl_username) AS sasl_username,
  any_value(size_bytes) AS size_bytes,
  any_value(accepted_at) AS accepted_at,
  CASE WHEN count(DISTINCT fate) = 1 THEN any_value(fate) ELSE 'mixed' END AS outcome,
  sum(attempts)::BIGINT AS attempts,
  min(first_attempt_at) AS first_attempt_at,
  max(last_attempt_at) AS last_attempt_at,
  list(DISTINCT final_recipient ORDER BY final_recipient) FILTER (final_recipient IS NOT NULL) AS final_recipients,
  arg_max(enhanced_code, last_pos) AS enhanced_code,
  arg_max(smtp_code, last_pos) AS smtp_code,
  arg_max(reply, last_pos) AS reply,
  arg_max(relay_name, last_pos) AS relay_name,
  arg_max(relay_ip, last_pos) AS relay_ip
FROM judged
GROUP BY first_message_key, first_recipient, slot
