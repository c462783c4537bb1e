-- TLS of outbound attempts
-- One row an attempt over a connection whose TLS line is in the log. The line has no queue id: it precedes the
-- attempts of its process to the same address, within the time that the attempt says it took. A reused connection
-- (conn_use=) carries the TLS of its start.
SELECT attempts.pos, tls.tls_version, tls.tls_cipher, tls.tls_trust
FROM attempts
ASOF JOIN (SELECT host, instance, pid, relay_ip, pos, logged_at, tls_version, tls_cipher, tls_trust
           FROM delivery WHERE kind = 'tls_out' AND pid IS NOT NULL AND relay_ip IS NOT NULL) AS tls
  ON coalesce(attempts.host, '') = coalesce(tls.host, '') AND coalesce(attempts.instance, '') = coalesce(tls.instance, '')
  AND attempts.pid = tls.pid AND attempts.relay_ip = tls.relay_ip AND attempts.pos >= tls.pos
WHERE attempts.connection_use > 1
  OR tls.logged_at >= attempts.attempted_at - to_seconds(coalesce(attempts.connect_s, 0) + coalesce(attempts.transmit_s, 0) + 2)
