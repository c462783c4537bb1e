"""Messages to rows: the trace headers of RFC 5321 section 4.4, and what stands beside them.

`messages` finds messages and reads their header blocks, `lexer` cuts a structured header into words and comments,
`received` reads one hop, `dates` its moment, `verdicts` what servers say of SPF, DKIM, DMARC and ARC, and `rows` makes
the tables `emails` and `hops` of it. Nothing here raises for what a message holds: trouble is a defect, kept beside
what could be read.

An ingest reads many messages, most of them plain. `fields` cuts the blocks of plain ones all at once, `splitting` their
Received headers, and `columns` makes the tables; what is not plain is read as above, so the rows are the same.
"""
