-- Rejections
-- One row a decision of an access rule, policy service, milter, content check or postscreen: `action` tells refusals
-- from holds, discards, warnings and the rest. A refusal of a whole message without `reject:` (too big, too many
-- hops) is here too, once a message. `rule` is the reply without the address it quotes; `dnsbl` the list that it names.
WITH decisions AS (
  SELECT logged_at, host, server, instance, service, daemon, pid, queue_id, message_hash, action, decider, stage, client_name, client_ip,
         smtp_code, enhanced_code, reply, sender, recipient, protocol, helo, sasl_username, trigger, source_id, line_no
  FROM with_message('rejects') WHERE NOT is_emitted
  UNION ALL BY NAME
  SELECT logged_at, host, server, instance, service, daemon, pid, queue_id, message_hash, 'reject' AS action, 'END-OF-MESSAGE' AS stage,
         reason AS reply, source_id, line_no
  FROM with_message('queue')
  SEMI JOIN (SELECT min(pos) AS pos FROM with_message('queue') WHERE kind = 'message_refused' GROUP BY message_hash, reason) AS firsts USING (pos)
)
SELECT
  d.logged_at AS rejected_at, d.host, d.server, d.instance, d.service, d.daemon, d.queue_id, m.message_key,
  d.action, coalesce(d.decider, CASE WHEN d.daemon = 'postscreen' THEN 'postscreen' WHEN d.server = 'exim' THEN 'acl' ELSE 'smtpd' END) AS decider, d.stage,
  coalesce(d.client_name, m.client_name) AS client_name, coalesce(d.client_ip, m.client_ip) AS client_ip, d.helo,
  coalesce(d.sender, m.known_sender) AS sender,
  domain_of(coalesce(d.sender, m.known_sender)) AS sender_domain,
  d.recipient,
  domain_of(d.recipient) AS recipient_domain,
  d.protocol, d.sasl_username, d.smtp_code, d.enhanced_code, d.reply, d.trigger,
  nullif(regexp_extract(d.reply, '(?:blocked using|black list at|listed at) ([^;:, ]+)', 1), '') AS dnsbl,
  CASE
    WHEN d.decider IS NOT NULL THEN concat_ws(': ', d.decider, nullif(d.reply, ''))
    WHEN dnsbl IS NOT NULL THEN 'listed by ' || dnsbl
    WHEN contains(d.reply, 'Greylist') OR contains(d.reply, 'greylist') THEN 'greylisted'
    ELSE regexp_replace(regexp_replace(d.reply, '^<.*?>: ', ''), '[;:(] ?(see |from |host |http).*$', '')
  END AS rule,
  d.source_id, d.line_no,
  d.queue_id IS NOT NULL AND (open.message_hash IS NOT NULL OR (m.message_hash IS NULL AND d.logged_at >= getvariable('horizon'))) AS is_open
FROM decisions AS d
LEFT JOIN message_states AS m ON d.queue_id IS NOT NULL AND m.message_hash = d.message_hash
LEFT JOIN open_messages AS open ON open.message_hash = m.message_hash
