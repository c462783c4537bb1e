-- Lines not understood
-- Alike lines together: the most frequent first, with a sample and where it stands.
-- Unit: lines.
SELECT
  count(*) AS lines,
  unparsed.reason,
  program,
  arg_min(name, line_no) AS source,
  min(line_no) AS line_no,
  arg_min(line, line_no) AS line
FROM unparsed LEFT JOIN sources USING (source_id)
GROUP BY unparsed.reason, program, regexp_replace(left(line, 2000), '[0-9A-Fa-f]*\d[0-9A-Fa-f]*|<[^<>]*>', '#', 'g')
ORDER BY lines DESC, reason, program, line_no
LIMIT coalesce($limit, 1000000)
