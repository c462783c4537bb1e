-- What the steps stand on
-- Positions are the order of the log: sources by their first line, lines within a source; never time alone, because
-- clocks step back. A position has room for 2^17 sources of 2^32 lines, each standing for up to 2^14 repetitions.
-- `new_*` are the lines to stitch now, `carried_*` those of messages and sessions that earlier stitching left open.
CREATE MACRO is_loopback(ip) AS coalesce(starts_with(ip, '127.') OR ip = '::1', FALSE);
CREATE MACRO is_private(ip) AS coalesce(regexp_matches(ip, '^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|[fF][cdCD])'), FALSE);
CREATE MACRO is_end_of_data(stage) AS stage IN ('END-OF-MESSAGE', 'DATA', 'BDAT', 'HEADER', 'BODY', 'MIME', 'NESTED', 'CONTENT', 'MIME-ERROR');
CREATE MACRO domain_of(address) AS lower(nullif(array_extract(string_split(CASE WHEN contains(address, '@') THEN address END, '@'), -1), ''));
CREATE TABLE source_order AS
  SELECT source_id, (row_number() OVER (ORDER BY first_at, source_id)) << 46 AS base FROM sources;
CREATE VIEW all_queue AS
  SELECT source_id, line_no, repeat_no, logged_at, host, server, instance, service, daemon, pid, queue_id, kind, client_name, client_ip,
         sasl_method, sasl_username, orig_queue_id, orig_client_name, orig_client_ip, message_id, sender, size_bytes, recipient_count,
         related_queue_id, action, reason, helo, protocol, tls_version, tls_cipher, FALSE AS session_done
  FROM new_queue UNION ALL BY NAME FROM carried_queue;
CREATE VIEW all_delivery AS
  SELECT source_id, line_no, repeat_no, logged_at, host, server, instance, service, daemon, pid, queue_id, kind, recipient, orig_recipient,
         relay_name, relay_ip, relay_port, connection_use, delay_s, before_queue_s, in_queue_s, connect_s, transmit_s, enhanced_code,
         status, reply, tls_policy, tls_version, tls_cipher, tls_trust,
         sender, message_id, size_bytes, client_name, client_ip, session_id, attempt_id,
         CASE kind WHEN 'postponed' THEN 0 ELSE 1 END::BIGINT AS attempts, FALSE AS is_emitted
  FROM new_delivery UNION ALL BY NAME FROM carried_delivery;
CREATE VIEW all_session AS
  SELECT source_id, line_no, repeat_no, logged_at, host, server, instance, service, daemon, pid, queue_id, kind, client_name, client_ip,
         sasl_method, sasl_username, tls_version, tls_cipher, tls_trust, stage, reason, counters, helo
  FROM new_session UNION ALL BY NAME FROM carried_session;
CREATE VIEW all_reject AS
  SELECT source_id, line_no, repeat_no, logged_at, host, server, instance, service, daemon, pid, queue_id, kind, client_name, client_ip,
         action, decider, stage, smtp_code, enhanced_code, reply, sender, recipient, protocol, helo, sasl_username, trigger,
         FALSE AS session_done, FALSE AS is_emitted
  FROM new_reject UNION ALL BY NAME FROM carried_reject;
CREATE MACRO placed(events) AS TABLE
  SELECT
    base + (line_no << 14) + coalesce(repeat_no, 0) AS pos,
    hash(host, instance, queue_id) AS id_hash,
    hash(host, instance, pid) AS process_hash,
    e.*
  FROM query_table(events) AS e JOIN source_order USING (source_id);
CREATE VIEW queue_events AS SELECT * FROM placed('all_queue') WHERE queue_id IS NOT NULL;
CREATE VIEW delivery_events AS SELECT * FROM placed('all_delivery');
CREATE VIEW session_events AS SELECT * FROM placed('all_session');
CREATE VIEW reject_events AS SELECT * FROM placed('all_reject');
-- The line's life of its queue id: only the lines of later lives are kept, most ids have one.
CREATE MACRO with_message(events) AS TABLE
  SELECT e.*, coalesce(l.message_hash, e.id_hash) AS message_hash FROM query_table(events) AS e LEFT JOIN later_lines AS l USING (pos);
-- An attempt that a later one followed: its row stays as it is, though its message be open. Whatever its message
-- continues is known by then.
CREATE MACRO is_over(status, attempted_at, is_final) AS coalesce(status = 'deferred', FALSE) AND NOT is_final AND attempted_at < getvariable('horizon');
