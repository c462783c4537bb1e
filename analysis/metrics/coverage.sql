-- Coverage
-- What became of every line of the sources: understood, not understood, another program's, blank, or known from another source.
-- Unit: lines. Denominator of `understood`: lines that a mail server's format claims.
SELECT
  coalesce(nullif(program, ''), '(no program)') AS program,
  sum(lines) FILTER (result = 'event')::BIGINT AS events,
  sum(lines) FILTER (result = 'unparsed')::BIGINT AS unparsed,
  sum(lines) FILTER (result = 'foreign')::BIGINT AS "foreign",
  sum(lines) FILTER (result = 'blank')::BIGINT AS blank,
  sum(lines) FILTER (result = 'duplicate')::BIGINT AS duplicate,
  events / nullif(coalesce(events, 0) + coalesce(unparsed, 0), 0) AS understood
FROM coverage
GROUP BY program
ORDER BY unparsed DESC NULLS LAST, events DESC NULLS LAST, "foreign" DESC NULLS LAST, program
