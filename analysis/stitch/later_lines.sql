-- Lines of later lives
-- One row a line of a reused queue id that belongs to another life than the id's first.
WITH lines AS (
  SELECT id_hash, pos FROM queue
  UNION ALL SELECT id_hash, pos FROM delivery
  UNION ALL SELECT id_hash, pos FROM rejects WHERE queue_id IS NOT NULL
)
SELECT lines.pos, lives.message_hash
FROM (SELECT * FROM lines SEMI JOIN lives USING (id_hash)) AS lines
ASOF JOIN lives ON lines.id_hash = lives.id_hash AND lines.pos >= lives.start_pos
