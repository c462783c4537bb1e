"""Events to messages: the steps from log lines to the tables that all answers come from.

Each step is one SELECT in one file, kept as a temporary table of the file's name. Queue ids are reused, so every
line belongs to a *life* of its id; positions (`pos`) are the order of the log: sources by their first line, lines
within a source, never time alone, because clocks step back.
"""

import json
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb

from analysis.warehouse import open_lines
from ingest.errors import LakeError
from ingest.schema import STATE_FILE

# Table: the moment that decides its day.
TABLES: Final = {
    "messages": "accepted_at",
    "deliveries": "attempted_at",
    "sessions": "started_at",
    "rejections": "rejected_at",
    "outcomes": "accepted_at",
}
# Steps and tables in the order of their dependence, and the steps that nothing later needs: memory is the limit.
ORDER: Final[Mapping[str, tuple[str, ...]]] = {
    "queue_marks": (),
    "queue_ids": (),
    "lives": ("queue_marks",),
    "queue_histories": (),
    "decided": (),
    "session_lines": (),
    "session_notes": (),
    "sessions": ("session_lines",),
    "attempts": (),
    "outbound_tls": (),
    "histories": (),
    "links": (),
    "roots": (),
    "handoffs": ("queue_histories",),
    "addressed": (),
    "message_states": ("decided", "session_notes", "histories"),
    "fates": ("roots",),
    "outcomes": ("fates", "links"),
    "rejections": ("queue_ids", "lives"),
    "messages": (),
    "deliveries": (),
}

# A position has room for 2^17 sources of 2^32 lines, each standing for up to 2^14 repetitions.
_SETUP: Final = r"""
CREATE MACRO is_loopback(ip) AS coalesce(starts_with(ip, '127.') OR ip = '::1', FALSE);
CREATE MACRO is_private(ip) AS coalesce(regexp_matches(ip, '^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|[fF][cdCD])'), FALSE);
CREATE MACRO is_end_of_data(stage) AS stage IN ('END-OF-MESSAGE', 'DATA', 'BDAT', 'HEADER', 'BODY', 'MIME', 'NESTED', 'CONTENT', 'MIME-ERROR');
CREATE MACRO pos_of(base, line_no, repeat_no) AS base + (line_no << 14) + coalesce(repeat_no, 0);
CREATE TEMP TABLE source_order AS
  SELECT source_id, (row_number() OVER (ORDER BY first_at, source_id)) << 46 AS base FROM sources;
CREATE TEMP VIEW "session" AS SELECT e.*, pos_of(base, line_no, repeat_no) AS pos FROM events_session AS e JOIN source_order USING (source_id);
CREATE TEMP VIEW queue AS
  SELECT e.*, pos_of(base, line_no, repeat_no) AS pos, hash(host, instance, queue_id) AS id_hash
  FROM events_queue AS e JOIN source_order USING (source_id) WHERE kind <> 'filter_verdict' AND queue_id IS NOT NULL;
CREATE TEMP VIEW filter_verdicts AS SELECT * FROM events_queue WHERE kind = 'filter_verdict';
CREATE TEMP VIEW delivery AS
  SELECT e.*, pos_of(base, line_no, repeat_no) AS pos, hash(host, instance, queue_id) AS id_hash
  FROM events_delivery AS e JOIN source_order USING (source_id);
CREATE TEMP VIEW reject AS
  SELECT e.*, pos_of(base, line_no, repeat_no) AS pos, hash(host, instance, queue_id) AS id_hash
  FROM events_reject AS e JOIN source_order USING (source_id);
CREATE MACRO with_life(events) AS TABLE
  SELECT e.*, 0::BIGINT AS life FROM query_table(events) AS e
  ANTI JOIN (SELECT id_hash FROM queue_ids WHERE is_reused) AS reused USING (id_hash)
  UNION ALL BY NAME
  SELECT e.*, lives.life FROM (
    SELECT * FROM query_table(events) SEMI JOIN (SELECT id_hash FROM queue_ids WHERE is_reused) AS reused USING (id_hash)
  ) AS e
  ASOF JOIN lives ON e.id_hash = lives.id_hash AND e.pos >= lives.start_pos;
"""


# Names the commit up to which the tables hold all lines; written when all tables are in place.
STITCHED_MARK: Final = ".stitched"
# What DuckDB may hold in memory while it stitches; beyond it, it uses the disk beside the lake. Not every operator
# can: measured, a million lines need less than 200 MB and four million between 256 and 512, and a lake that needs
# more gets more.
LEAST_MB: Final = 200
MB_PER_MILLION_LINES: Final = 128
DOUBLINGS: Final = 5


def stitch(lake: Path, memory_mb: int | None = None) -> None:
    """Rebuilds messages, deliveries, sessions, rejections and outcomes of a lake from all of its events.

    `memory_mb` is where to begin; it is doubled while DuckDB finds it too little. New files are complete before they
    replace the old ones. Raises LakeError if there is no lake, or no memory.
    """
    staging = lake / ".stitching"
    begin = memory_mb or max(LEAST_MB, _lines_of(lake) * MB_PER_MILLION_LINES // 1_000_000)
    for doubling in range(DOUBLINGS + 1):
        shutil.rmtree(staging, ignore_errors=True)
        try:
            _build(lake, staging, begin << doubling)
            break
        except duckdb.OutOfMemoryException as error:
            if doubling == DOUBLINGS:
                raise LakeError(
                    f"{lake}: stitching needs more than {begin << doubling} MB of memory; `forget` the oldest sources"
                ) from error
    (lake / STITCHED_MARK).unlink(missing_ok=True)
    for table in TABLES:
        _replace(staging / table, lake / table)
    (staging / STITCHED_MARK).write_text(_last_commit(lake), "utf-8")
    (staging / STITCHED_MARK).replace(lake / STITCHED_MARK)
    shutil.rmtree(staging, ignore_errors=True)


def _lines_of(lake: Path) -> int:
    with open_lines(lake) as connection:
        [(lines,)] = connection.sql("SELECT coalesce(sum(line_count), 0)::BIGINT FROM sources").fetchall()
    return int(lines)


def _build(lake: Path, staging: Path, memory_mb: int) -> None:
    """Writes all tables below the staging folder. Raises duckdb.OutOfMemoryException."""
    with open_lines(lake) as connection:
        staging.mkdir()
        connection.execute("SET memory_limit = $limit", {"limit": f"{memory_mb}MB"})
        connection.execute("SET temp_directory = $folder", {"folder": str(staging / "spill")})
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(_SETUP)
        for name, freed in ORDER.items():
            if name in TABLES:
                _write(connection, staging / name, _sql(f"tables/{name}"), TABLES[name])
            else:
                connection.execute(f"CREATE TEMP TABLE {name} AS {_sql(name)}")
            for step in freed:
                connection.execute(f"DROP TABLE {step}")


def is_current(lake: Path) -> bool:
    """Whether the tables are those of the lines that the lake holds now; a killed run leaves them otherwise."""
    mark = lake / STITCHED_MARK
    return mark.exists() and mark.read_text("utf-8") == _last_commit(lake) != "unknown"


def _last_commit(lake: Path) -> str:
    state = lake / STATE_FILE
    return str(json.loads(state.read_text("utf-8"))["last_commit"]) if state.exists() else "unknown"


def _sql(name: str) -> str:
    return files("analysis.stitch").joinpath(f"{name}.sql").read_text("utf-8")


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, query: str, moment: str) -> None:
    folder.mkdir(parents=True)
    target = str(folder).replace("'", "''")
    connection.execute(
        f"COPY (SELECT *, CAST({moment} AS DATE) AS date FROM ({query})) TO '{target}' "  # noqa: S608  # no data in it
        "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARTITION_BY (date), OVERWRITE_OR_IGNORE)"
    )
    if not any(folder.rglob("*.parquet")):
        # A table without rows has no day to lie under; an empty file keeps its columns known to every reader.
        (folder / "date=1970-01-01").mkdir()
        connection.execute(
            f"COPY (SELECT * FROM ({query}) LIMIT 0) TO '{target}/date=1970-01-01/data_0.parquet' (FORMAT parquet)"  # noqa: S608
        )


def _replace(new: Path, old: Path) -> None:
    """Two renames: a reader may meet the moment between them, but never half a table."""
    retired = new.with_name(f"{new.name}.old")
    if old.exists():
        old.rename(retired)
    new.rename(old)
