-- Span of the lake
-- From when to when the log lines are, of which hosts, and when they were ingested.
-- Unit: moments, lines.
SELECT
  min(first_at) AS first_at,
  max(last_at) AS last_at,
  max(ingested_at) AS ingested_at,
  coalesce(sum(line_count), 0)::BIGINT AS lines,
  coalesce(sum(event_lines), 0)::BIGINT AS events,
  coalesce(sum(unparsed_lines), 0)::BIGINT AS unparsed,
  count(*) AS sources,
  (SELECT list(DISTINCT host ORDER BY host) FROM messages WHERE host IS NOT NULL) AS hosts
FROM sources
