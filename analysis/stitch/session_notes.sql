-- What a client's session says of its messages
-- One row a message accepted from a client: TLS and HELO of its session, and the rules that fired before it had an
-- id. DISCARD and HOLD in an access map log `NOQUEUE: discard:`, and the message gets its id afterwards (access(5)); the recipient
-- that fired the rule may still be refused by a later one.
WITH clients AS (SELECT pos, session_hash FROM session_lines WHERE kind = 'client'),
encrypted AS (
  SELECT session_hash, max(tls_version) AS tls_version, max(tls_cipher) AS tls_cipher
  FROM session_lines JOIN dialogue USING (pos) WHERE tls_version IS NOT NULL GROUP BY session_hash
),
greeted AS (
  SELECT session_hash, max(helo) AS helo, max(protocol) AS protocol
  FROM session_lines JOIN rejects USING (pos) GROUP BY session_hash
),
over AS (SELECT DISTINCT session_hash FROM session_lines WHERE kind IN ('disconnect', 'lost_connection')),
firings AS (
  SELECT clients.pos AS client_pos,
         bool_or(action = 'discard') AS is_discarded,
         bool_or(action = 'hold') AS is_held,
         list(DISTINCT recipient ORDER BY recipient) FILTER (action IN ('hold', 'discard')) AS stopped,
         list(DISTINCT recipient ORDER BY recipient) FILTER (action = 'reject') AS rejected,
         list_filter(stopped, lambda address: NOT coalesce(list_contains(rejected, address), FALSE)) AS recipients,
         max(sender) FILTER (action IN ('hold', 'discard')) AS sender
  FROM (SELECT pos, session_hash, action, recipient, sender FROM session_lines JOIN rejects USING (pos)
        WHERE rejects.kind = 'decision' AND queue_id IS NULL) AS noted
  ASOF JOIN clients ON noted.session_hash = clients.session_hash AND noted.pos <= clients.pos
  GROUP BY clients.pos
  HAVING is_discarded OR is_held
)
SELECT clients.pos AS client_pos, encrypted.tls_version, encrypted.tls_cipher, greeted.helo, greeted.protocol,
       over.session_hash IS NOT NULL AS is_over, firings.* EXCLUDE (client_pos, stopped, rejected)
FROM clients
LEFT JOIN encrypted USING (session_hash)
LEFT JOIN greeted USING (session_hash)
LEFT JOIN over USING (session_hash)
LEFT JOIN firings ON firings.client_pos = clients.pos
UNION ALL BY NAME
SELECT base + (line_no << 14) + coalesce(repeat_no, 0) AS client_pos, n.* EXCLUDE (source_id, line_no, repeat_no)
FROM carried_notes AS n JOIN source_order USING (source_id)
