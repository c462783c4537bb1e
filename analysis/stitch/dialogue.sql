-- Lines of client sessions' own
-- Every line of a process that talks to clients, of those that have a pid: without one no session can be told.
SELECT * FROM session_events WHERE pid IS NOT NULL AND (daemon = 'smtpd' OR daemon IS NULL) AND kind NOT IN ('screen', 'dnsbl_listing')
