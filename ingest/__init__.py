"""Text to rows: reads what mail servers write and keeps it as Parquet."""
