-- Lives of reused queue ids
-- One row a life but the first: where in the log it starts. A life starts at `client=` or `uid=` (Exim: `<=`), and at the first
-- message-id or queue line after the id was removed. After a refusal cleanup may still write the
-- Message-ID of what it refused, and after `client=` the data may take their time: there a later start must be later.
WITH marks AS (
  SELECT
    *,
    lag(id_hash) OVER w IS DISTINCT FROM id_hash AS is_first,  -- one window over all: one a queue id costs ten times as much
    lag(ending) OVER w AS last_ending,
    lag(kind) OVER w AS last_kind,
    logged_at - lag(logged_at) OVER w AS gap
  FROM queue_marks SEMI JOIN (SELECT id_hash FROM queue_ids WHERE is_reused) AS reused USING (id_hash)
  WINDOW w AS (ORDER BY id_hash, pos)
)
SELECT id_hash, pos AS start_pos, hash(id_hash, pos) AS message_hash
FROM marks
WHERE NOT is_first AND (
  kind IN ('arrival', 'client', 'pickup')
  OR (kind IN ('message_id', 'queued') AND (
    last_ending = 'removed'
    OR (last_ending = 'refused' AND gap > INTERVAL 1 MINUTE)
    OR (last_kind = 'client' AND gap > INTERVAL 1 HOUR)
  ))
)
