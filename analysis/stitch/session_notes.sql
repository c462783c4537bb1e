-- What a client's session says of its messages
-- One row a message accepted from a client: TLS and HELO of its session, and the rules that fired before it had an
-- id. DISCARD and HOLD in an access map log `NOQUEUE: discard:`, and the message gets its id afterwards (access(5)); the recipient
-- that fired the rule may still be refused by a later one.
WITH noted AS (
  SELECT
    *,
    min(CASE WHEN kind = 'client' THEN pos END)
      OVER (PARTITION BY host, instance, pid, session_no ORDER BY pos ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
      AS client_pos
  FROM session_lines
),
wholes AS (
  SELECT host, instance, pid, session_no,
         max(tls_version) AS tls_version, max(tls_cipher) AS tls_cipher, max(helo) AS helo, max(protocol) AS protocol,
         bool_or(kind IN ('disconnect', 'lost_connection')) AS is_over
  FROM noted GROUP BY ALL
),
firings AS (
  SELECT client_pos,
         bool_or(action = 'discard') AS is_discarded,
         bool_or(action = 'hold') AS is_held,
         list(DISTINCT recipient ORDER BY recipient) FILTER (action IN ('hold', 'discard')) AS stopped,
         list(DISTINCT recipient ORDER BY recipient) FILTER (action = 'reject') AS rejected,
         list_filter(stopped, lambda address: NOT coalesce(list_contains(rejected, address), FALSE)) AS recipients,
         max(sender) FILTER (action IN ('hold', 'discard')) AS sender
  FROM noted WHERE kind = 'decision' AND queue_id IS NULL
  GROUP BY client_pos
  HAVING is_discarded OR is_held
)
SELECT clients.pos AS client_pos, wholes.* EXCLUDE (host, instance, pid, session_no), firings.* EXCLUDE (client_pos, stopped, rejected)
FROM session_lines AS clients
JOIN wholes ON wholes.host IS NOT DISTINCT FROM clients.host AND wholes.instance IS NOT DISTINCT FROM clients.instance
  AND wholes.pid = clients.pid AND wholes.session_no = clients.session_no
LEFT JOIN firings ON firings.client_pos = clients.pos
WHERE clients.kind = 'client'
