-- Sources
-- What was ingested, and what became of its lines: understood, not understood, another program's, blank, or
-- known from another source already. The five add up to the lines of the source, always.
-- Unit: lines.
SELECT source_id, name, size_bytes, line_count, event_lines, unparsed_lines, foreign_lines, blank_lines, duplicate_lines,
  first_at, last_at, damage, ingested_at, parser_version,
  concat_ws('; ', CASE WHEN is_last_line_open THEN 'last line incomplete' END, damage) AS state
FROM sources
ORDER BY first_at NULLS FIRST, name, source_id
