-- Lines of client sessions
-- Every line of an SMTP server process with the session it belongs to. One process serves one client at a time, so a
-- session is what lies between two `connect` lines of a process; pids recycle, which changes nothing. Lines before
-- the first `connect` of a process are a session of their own, whose start lies before the log. No SMTP server waits
-- an hour for a client (RFC 5321 4.5.3.2: minutes), so what comes after such a silence is another session.
WITH lines AS (
  SELECT process_hash, pos, logged_at, kind, client_ip IS NOT NULL AS has_peer FROM dialogue
  UNION ALL
  SELECT process_hash, pos, logged_at, kind, client_ip IS NOT NULL FROM queue WHERE kind IN ('arrival', 'client') AND client_ip IS NOT NULL AND pid IS NOT NULL AND NOT session_done
  UNION ALL
  SELECT process_hash, pos, logged_at, kind, client_ip IS NOT NULL
  FROM rejects WHERE pid IS NOT NULL AND daemon IS DISTINCT FROM 'postscreen' AND NOT session_done
),
starts AS (
  SELECT process_hash, pos, kind = 'connect' AS is_connect
  FROM (SELECT *, lag(process_hash) OVER w AS last_process, lag(logged_at) OVER w AS last_at FROM lines WINDOW w AS (ORDER BY process_hash, pos))
  WHERE kind = 'connect' OR (process_hash = last_process AND logged_at > last_at + INTERVAL 1 HOUR)
)
SELECT
  lines.*,
  coalesce(starts.is_connect, FALSE) AS has_connect,
  hash(lines.process_hash, starts.pos) AS session_hash
FROM lines
ASOF LEFT JOIN starts ON lines.process_hash = starts.process_hash AND lines.pos >= starts.pos
