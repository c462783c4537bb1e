-- Lines of client sessions
-- Every line of an SMTP server process with the session it belongs to. One process serves one client at a time, so a
-- session is what lies between two `connect` lines of a process; pids recycle, which changes nothing. Lines before
-- the first `connect` of a process are a session of their own, whose start lies before the log.
WITH lines AS (
  SELECT process_hash, pos, logged_at, kind, client_ip IS NOT NULL AS has_peer FROM dialogue
  UNION ALL
  SELECT process_hash, pos, logged_at, kind, client_ip IS NOT NULL FROM queue WHERE kind = 'client' AND pid IS NOT NULL AND NOT session_done
  UNION ALL
  SELECT process_hash, pos, logged_at, kind, client_ip IS NOT NULL
  FROM rejects WHERE pid IS NOT NULL AND daemon IS DISTINCT FROM 'postscreen' AND NOT session_done
),
connects AS (SELECT process_hash, pos FROM lines WHERE kind = 'connect')
SELECT
  lines.*,
  connects.pos AS connect_pos,
  hash(lines.process_hash, connects.pos) AS session_hash
FROM lines
ASOF LEFT JOIN connects ON lines.process_hash = connects.process_hash AND lines.pos >= connects.pos
