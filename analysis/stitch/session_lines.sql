-- Lines of client sessions
-- Every line of an SMTP server process with the number of the session it belongs to. One process serves one client
-- at a time, so a session is what lies between two `connect` lines of a process; pids recycle, which changes nothing.
WITH lines AS (
  SELECT host, server, instance, service, pid, pos, logged_at, kind, client_name, client_ip, sasl_method, sasl_username,
         tls_version, tls_cipher, tls_trust, stage, reason, counters,
         NULL AS queue_id, NULL AS id_hash, NULL AS action, NULL AS recipient, NULL AS helo, NULL AS protocol, NULL AS sender
  FROM "session" WHERE pid IS NOT NULL AND (daemon = 'smtpd' OR daemon IS NULL) AND kind NOT IN ('screen', 'dnsbl_listing')
  UNION ALL
  SELECT host, server, instance, service, pid, pos, logged_at, kind, client_name, client_ip, sasl_method, sasl_username,
         NULL, NULL, NULL, NULL, NULL, NULL, queue_id, id_hash, NULL, NULL, NULL, NULL, NULL
  FROM queue WHERE kind = 'client' AND pid IS NOT NULL
  UNION ALL
  SELECT host, server, instance, service, pid, pos, logged_at, kind, client_name, client_ip, NULL, sasl_username,
         NULL, NULL, NULL, stage, reply, NULL, queue_id, id_hash, action, recipient, helo, protocol, sender
  FROM reject WHERE pid IS NOT NULL AND daemon IS DISTINCT FROM 'postscreen'
)
SELECT *, count(*) FILTER (kind = 'connect') OVER (PARTITION BY host, instance, pid ORDER BY pos) AS session_no
FROM lines
