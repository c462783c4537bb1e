-- Outcomes
-- One row a recipient of a message as its sender addressed it, across hand-offs, aliases, retries and queue ids.
-- The outcome is that of the last attempt; where the log ends before the answer, it says queued or unknown. An alias
-- whose members fared differently is `mixed`. Messages that were refused or given up by the client have no outcome.
WITH judged AS (
  SELECT
    f.root_hash, f.first_recipient, f.slot, f.final_recipient, f.attempts, f.first_attempt_at, f.last_attempt_at, f.last_pos,
    CASE
      WHEN f.status = 'sent' THEN 'delivered'
      WHEN heir.state IN ('held', 'deleted') AND heir.known_sender = '' AND f.status <> 'discarded' THEN heir.state  -- frozen: it failed, and cannot go back
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
  LEFT JOIN (SELECT parent_hash, message_hash AS child_hash FROM links WHERE kind = 'requeue') AS requeues ON requeues.parent_hash = f.message_hash
  JOIN message_states AS heir ON heir.message_hash = coalesce(requeues.child_hash, f.message_hash)
),
summed AS (
  SELECT
    root_hash, first_recipient, slot,
    count(*) AS addresses,
    min(final_recipient) AS final_recipient,
    min(fate) AS fate,
    min(fate) IS DISTINCT FROM max(fate) AS is_mixed,
    sum(attempts)::BIGINT AS attempts,
    min(first_attempt_at) AS first_attempt_at,
    max(last_attempt_at) AS last_attempt_at,
    max(last_pos) AS last_pos
  FROM judged
  GROUP BY ALL
),
aliased AS (  -- few recipients come down to several addresses: only they pay for a list
  SELECT judged.root_hash, judged.first_recipient, judged.slot, list(DISTINCT judged.final_recipient ORDER BY judged.final_recipient) AS final_recipients
  FROM judged JOIN summed
    ON summed.root_hash = judged.root_hash AND summed.first_recipient IS NOT DISTINCT FROM judged.first_recipient
    AND summed.slot IS NOT DISTINCT FROM judged.slot
  WHERE summed.addresses > 1 AND judged.final_recipient IS NOT NULL
  GROUP BY ALL
),
reasons AS (  -- the last word on what Exim gives up says that it does, not why: that was said before
  SELECT message_hash, lower(recipient) AS final_recipient, max(pos) AS pos
  FROM attempts
  WHERE status = 'deferred' AND attempts > 0 AND message_hash IN (SELECT message_hash FROM attempts WHERE reply = 'retry timeout exceeded')
  GROUP BY ALL
)
SELECT
  root.message_key AS first_message_key, root.message_id, root.known_sender AS sender, s.first_recipient AS recipient,
  root.host, root.origin, root.client_name, root.client_ip, root.sasl_username, root.size_bytes,
  root.accepted_at,
  CASE WHEN s.is_mixed THEN 'mixed' ELSE s.fate END AS outcome,
  s.attempts, s.first_attempt_at, s.last_attempt_at,
  CASE WHEN s.addresses > 1 THEN aliased.final_recipients WHEN s.final_recipient IS NOT NULL THEN [s.final_recipient] END AS final_recipients,
  why.enhanced_code, why.smtp_code, why.reply, why.relay_name, why.relay_ip,
  open.message_hash IS NOT NULL AS is_open
FROM summed AS s
JOIN message_states AS root ON root.message_hash = s.root_hash
LEFT JOIN attempts AS last ON last.pos = s.last_pos
LEFT JOIN reasons
  ON reasons.message_hash = last.message_hash AND reasons.final_recipient = lower(last.recipient) AND last.reply = 'retry timeout exceeded'
LEFT JOIN attempts AS why ON why.pos = coalesce(reasons.pos, last.pos)
LEFT JOIN aliased
  ON aliased.root_hash = s.root_hash AND aliased.first_recipient IS NOT DISTINCT FROM s.first_recipient AND aliased.slot IS NOT DISTINCT FROM s.slot
LEFT JOIN open_messages AS open ON open.message_hash = s.root_hash
WHERE root.intake NOT IN ('probe', 'refused', 'aborted')
