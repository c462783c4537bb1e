-- Lives of reused queue ids
-- One row a life: where in the log it starts. A life starts at the first line of the id, at `client=` or `uid=`, and
-- at the first message-id or queue line after the id was removed. After a refusal cleanup may still write the
-- Message-ID of what it refused, and after `client=` the data may take their time: there a later start must be later.
WITH marks AS (
  SELECT
    *,
    row_number() OVER w = 1 AS is_first,
    lag(ending) OVER w AS last_ending,
    lag(kind) OVER w AS last_kind,
    logged_at - lag(logged_at) OVER w AS gap
  FROM queue_marks SEMI JOIN (SELECT id_hash FROM queue_ids WHERE is_reused) AS reused USING (id_hash)
  WINDOW w AS (PARTITION BY id_hash ORDER BY pos)
)
SELECT
  id_hash,
  CASE WHEN is_first THEN 0 ELSE pos END AS start_pos,
  row_number() OVER (PARTITION BY id_hash ORDER BY pos) - 1 AS life
FROM marks
WHERE is_first
  OR kind IN ('client', 'pickup')
  OR (kind IN ('message_id', 'queued') AND (
    last_ending = 'removed'
    OR (last_ending = 'refused' AND gap > INTERVAL 1 MINUTE)
    OR (last_kind = 'client' AND gap > INTERVAL 1 HOUR)
  ))
