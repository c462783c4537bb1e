-- TLS of outbound attempts
-- One row an attempt over a connection whose TLS line is in the log. The line has no queue id: it precedes the
-- attempts of its process to the same address, within the time that the attempt says it took. A reused connection
-- (conn_use=) carries the TLS of its start.
WITH tried AS (
  SELECT pos, process_hash, relay_ip, connection_use, attempted_at, connect_s, transmit_s
  FROM attempts WHERE tls_version IS NULL AND pid IS NOT NULL AND relay_ip IS NOT NULL
)
SELECT tried.pos, tls.tls_version, tls.tls_cipher, tls.tls_trust
FROM tried
ASOF JOIN (SELECT * FROM delivery WHERE kind = 'tls_out' AND pid IS NOT NULL AND relay_ip IS NOT NULL) AS tls
  ON tried.process_hash = tls.process_hash AND tried.relay_ip = tls.relay_ip AND tried.pos >= tls.pos
WHERE tried.connection_use > 1
  OR tls.logged_at >= tried.attempted_at - to_seconds(coalesce(tried.connect_s, 0) + coalesce(tried.transmit_s, 0) + 2)
UNION ALL
SELECT pos, tls_version, tls_cipher, tls_trust FROM attempts WHERE tls_version IS NOT NULL
