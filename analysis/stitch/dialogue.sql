-- Lines of client sessions' own
-- Every line of a process that talks to clients, of those that have a pid: without one no session can be told. Exim
-- writes it only where it is told to; then what it says at one moment of one client's failure is a session.
SELECT * FROM session_events WHERE pid IS NOT NULL AND (daemon = 'smtpd' OR daemon IS NULL) AND kind NOT IN ('screen', 'dnsbl_listing')
UNION ALL
SELECT * REPLACE (hash(host, instance, client_ip, logged_at) AS process_hash) FROM session_events
WHERE pid IS NULL AND server = 'exim' AND kind IN ('auth_failure', 'lost_connection', 'tls_failure', 'rate_limit')
