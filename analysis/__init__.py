"""Rows to answers: stitches events into messages and answers questions about them with DuckDB."""
