-- Messages of which more may come
-- One row a message that has not left the queue, or too near the end of the lines stitched so far, or in a session
-- that goes on; and every message linked with such a one, by whatever link. Their lines are carried to the next
-- stitching, all others are done with. The horizon leaves more room than any link looks for.
WITH RECURSIVE linked AS (
  SELECT parent_hash AS message_hash FROM links UNION SELECT message_hash FROM links
),
tops AS (
  SELECT message_hash, message_hash AS top_hash, 0 AS depth FROM linked ANTI JOIN links USING (message_hash)
  UNION ALL
  SELECT links.message_hash, tops.top_hash, tops.depth + 1
  FROM tops JOIN links ON links.parent_hash = tops.message_hash
  WHERE tops.depth < 64
),
judged AS (
  SELECT
    m.message_hash,
    coalesce(tops.top_hash, m.message_hash) AS top_hash,
    greatest(m.last_logged_at, m.last_attempt_at) >= getvariable('horizon')
      OR NOT (m.removed_at IS NOT NULL OR m.deleted_at IS NOT NULL OR m.requeued_at IS NOT NULL OR m.is_done
              OR m.intake IN ('refused', 'aborted', 'discarded'))
      OR client.session_hash IS NOT NULL AS is_open
  FROM message_states AS m
  LEFT JOIN tops USING (message_hash)
  LEFT JOIN (SELECT pos, session_hash FROM session_lines SEMI JOIN open_sessions USING (session_hash) WHERE kind IN ('arrival', 'client')) AS client
    ON client.pos = m.client_pos
)
SELECT message_hash FROM judged SEMI JOIN (SELECT top_hash FROM judged WHERE is_open) AS open USING (top_hash)
