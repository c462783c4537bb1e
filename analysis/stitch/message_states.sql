-- States of messages
-- One row a life of a queue id, from acceptance to removal. `first_message_key` is the message it continues (through
-- filters, forwards, relays of ours, requeues); a message that continues none is its own first message and counts.
-- `intake` says what the server did with it before delivery: accepted, held, discarded, refused (at the end of DATA),
-- aborted (the client went away), unknown (the log ends or has a gap), or probe (address verification, no mail).
WITH joined AS (
  SELECT
    h.* EXCLUDE (tls_version, tls_cipher, helo, protocol),
    coalesce(h.tls_version, n.tls_version) AS tls_version, coalesce(h.tls_cipher, n.tls_cipher) AS tls_cipher,
    coalesce(h.helo, n.helo, d.helo) AS helo, coalesce(h.protocol, n.protocol, d.protocol) AS protocol,
    l.parent_hash, l.kind AS link_kind, l.evidence AS link_evidence, coalesce(l.is_continuation, FALSE) AS is_continuation,
    r.root_hash, r.depth, tried.attempts, tried.last_attempt_at, tried.recipients AS tried_recipients,
    probes.message_hash IS NOT NULL AS is_probe,
    coalesce(n.is_over, FALSE) AS session_is_over,
    coalesce(h.is_refused, FALSE) OR coalesce(d.is_refused, FALSE) AS refused,
    coalesce(d.is_discarded, FALSE) OR coalesce(n.is_discarded, FALSE) AS discarded,
    coalesce(d.is_held, FALSE) OR coalesce(n.is_held, FALSE) OR coalesce(d.is_quarantined, FALSE) AS stopped,
    coalesce(h.sender, d.sender, n.sender, tried.sender) AS known_sender,
    coalesce(d.recipients, n.recipients) AS decided_recipients,
    -- Of these servers no line says that a message has left the queue
    h.server NOT IN ('postfix', 'exim', 'qmail') AND tried.is_settled AND tried.recipients >= coalesce(h.recipient_count, 1) AS is_done,
    h.message_hash IN (SELECT parent_hash FROM links WHERE kind = 'requeue') AS was_requeued
  FROM histories AS h
  JOIN roots AS r USING (message_hash)
  LEFT JOIN session_notes AS n USING (client_pos)
  LEFT JOIN decided AS d USING (message_hash)
  LEFT JOIN links AS l USING (message_hash)
  LEFT JOIN (
    SELECT message_hash, sum(attempts)::BIGINT AS attempts, max(last_attempt_at) AS last_attempt_at, count(*) AS recipients, bool_and(is_settled) AS is_settled, min(sender) AS sender
    FROM (SELECT message_hash, lower(recipient), orig_recipient, sum(attempts) AS attempts, max(attempted_at) AS last_attempt_at, bool_or(status <> 'deferred') AS is_settled, min(sender) AS sender FROM attempts GROUP BY ALL)
    GROUP BY message_hash
  ) AS tried USING (message_hash)
  LEFT JOIN (SELECT DISTINCT message_hash FROM with_message('delivery') WHERE kind = 'probe') AS probes USING (message_hash)
)
SELECT
  concat_ws('/', host, instance, queue_id, epoch_us(coalesce(accepted_at, first_attempted_at))) AS message_key,
  *,
  CASE
    WHEN is_probe AND attempts IS NULL THEN 'probe'
    WHEN attempts IS NULL AND discarded AND server = 'exim' THEN 'discarded'  -- after the arrival was written
    WHEN attempts > 0 OR queued_at IS NOT NULL THEN 'accepted'
    WHEN refused THEN 'refused'
    WHEN discarded THEN 'discarded'
    WHEN stopped OR is_put_on_hold THEN 'held'
    WHEN session_is_over AND message_id IS NULL THEN 'aborted'
    WHEN has_client AND link_kind IS NULL AND session_is_over THEN 'aborted'
    ELSE 'unknown'
  END AS intake,
  CASE
    WHEN is_probe AND attempts IS NULL THEN 'probe'
    WHEN link_kind IS NOT NULL AND NOT is_continuation THEN 'notification'
    WHEN has_client THEN 'smtp'
    WHEN has_pickup THEN 'pickup'
    WHEN link_kind IS NOT NULL THEN link_kind
    ELSE 'internal'
  END AS origin,
  CASE
    WHEN deleted_at IS NOT NULL THEN 'deleted'
    WHEN intake = 'discarded' THEN 'discarded'
    WHEN cancelled_at IS NOT NULL THEN CASE known_sender WHEN '' THEN 'deleted' ELSE 'bounced' END  -- as if it had failed (exim -Mg)
    WHEN intake = 'held' OR (is_put_on_hold AND removed_at IS NULL) THEN 'held'
    WHEN expired_at IS NOT NULL THEN 'expired'
    WHEN removed_at IS NOT NULL OR is_done THEN 'removed'
    WHEN queued_at IS NOT NULL THEN 'queued'
    ELSE 'unknown'
  END AS state
FROM joined
