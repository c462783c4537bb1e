-- Links between messages
-- One row a message that another one caused: what kind of relation, and which words of the log are its evidence.
-- Of several candidates the most trusted evidence counts, then the nearest in time. A remote server's Postfix writes
-- `queued as` too: that id is ours only if it was created here in that hour, and (unless the relay is this host's
-- own loopback) carries the same Message-ID.
WITH claims AS (
  SELECT message_hash AS parent_hash, host, instance, queue_id AS parent_queue_id, next_queue_id AS queue_id, attempted_at AS at,
    CASE WHEN reply LIKE 'forwarded as %' THEN 'forward' WHEN is_loopback(relay_ip) THEN 'filter' ELSE 'relay' END AS kind,
    CASE WHEN reply LIKE 'forwarded as %' THEN 'forwarded as' ELSE 'queued as' END AS evidence,
    2 AS distrust
  FROM attempts WHERE next_queue_id IS NOT NULL
  UNION ALL
  SELECT message_hash, host, instance, queue_id, related_queue_id, logged_at,
    CASE action WHEN 'bounce' THEN 'bounce' WHEN 'postmaster' THEN 'postmaster' WHEN 'delay' THEN 'delay' ELSE 'dsn' END,
    'notification', 1
  FROM with_message('queue') WHERE kind = 'notice'
  UNION ALL
  SELECT parents.message_hash, verdicts.host, NULL, verdicts.queue_id, verdicts.related_queue_id, verdicts.logged_at, 'filter', 'queued_as of amavis', 3
  FROM queue AS verdicts
  JOIN queue_histories AS parents
    ON parents.queue_id = verdicts.queue_id AND parents.host = verdicts.host
    AND verdicts.logged_at BETWEEN parents.accepted_at - INTERVAL 5 SECOND AND parents.last_logged_at + INTERVAL 1 MINUTE
  WHERE verdicts.kind = 'filter_verdict' AND verdicts.related_queue_id IS NOT NULL
),
found AS (
  SELECT child.message_hash, claims.parent_hash, claims.kind, claims.evidence, claims.distrust, abs(epoch(child.accepted_at - claims.at)) AS distance_s
  FROM claims
  JOIN queue_histories AS child
    ON child.queue_id = claims.queue_id
    AND child.accepted_at BETWEEN claims.at - INTERVAL 1 HOUR AND claims.at + INTERVAL 5 MINUTE
  JOIN histories AS parent ON parent.message_hash = claims.parent_hash
  WHERE child.message_hash <> claims.parent_hash
    AND CASE claims.kind
      WHEN 'relay' THEN child.has_client AND child.message_id = parent.message_id
      WHEN 'filter' THEN child.host IS NOT DISTINCT FROM claims.host AND coalesce(child.message_id = parent.message_id, TRUE)
      ELSE child.host IS NOT DISTINCT FROM claims.host AND child.instance IS NOT DISTINCT FROM claims.instance
    END
  UNION ALL
  SELECT child.message_hash, parent.message_hash, CASE WHEN child.has_client THEN 'filter' ELSE 'requeue' END,
    CASE WHEN child.has_client THEN 'orig_queue_id' ELSE 'orig_id' END,
    CASE WHEN parent.host IS NOT DISTINCT FROM child.host THEN 0 ELSE 1 END,
    abs(epoch(child.accepted_at - parent.last_logged_at))
  FROM queue_histories AS child
  JOIN queue_histories AS parent ON parent.queue_id = child.orig_queue_id AND parent.message_hash <> child.message_hash
  WHERE child.accepted_at BETWEEN parent.accepted_at - INTERVAL 2 SECOND AND parent.last_logged_at + INTERVAL 1 HOUR
    AND (child.has_client OR (parent.host IS NOT DISTINCT FROM child.host AND parent.instance IS NOT DISTINCT FROM child.instance))
  UNION ALL
  SELECT child.message_hash, parent.message_hash, 'bounce', 'R=', 1, abs(epoch(child.accepted_at - parent.last_logged_at))
  FROM queue_histories AS child
  JOIN queue_histories AS parent
    ON parent.queue_id = child.cause_queue_id AND parent.host IS NOT DISTINCT FROM child.host AND parent.message_hash <> child.message_hash
)
SELECT message_hash, best.parent_hash, best.kind, best.evidence, best.kind IN ('filter', 'forward', 'relay', 'requeue') AS is_continuation
FROM (SELECT message_hash, arg_min(found, (distrust, distance_s, parent_hash)) AS best FROM found GROUP BY message_hash)
