"""Which lines a run of stitching takes, from which checkpoint it goes on, and in which chunks of log time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from analysis.stitch.state import Checkpoint, Ingested, State, table_files
from ingest.schema import Family, commits_of

# Lines of a chunk: memory grows with them. Chunks end with an hour.
LINES: Final = 1_200_000
# What has come to its end so long before the last line is settled. No link looks further than an hour, and few logs
# of other hosts come so late; if one does, stitching goes back to an earlier checkpoint.
SETTLING: Final = timedelta(hours=2)
FAMILIES: Final = (Family.QUEUE, Family.DELIVERY, Family.SESSION, Family.REJECT)
START: Final = datetime(1970, 1, 1, tzinfo=UTC)
END: Final = datetime(9999, 12, 31, tzinfo=UTC)

# Arithmetic, because date_trunc asks the calendar of a time zone for every line: four times the cost.
_HOURS: Final = """
SELECT make_timestamptz(epoch_us(logged_at) // 3_600_000_000 * 3_600_000_000) AS hour, count(*) AS lines, max(logged_at) AS last_at
FROM read_parquet($files, union_by_name = true, hive_partitioning = false)
WHERE logged_at >= $since
GROUP BY hour
"""
_FIRST: Final = (
    "SELECT min(logged_at) AS at FROM read_parquet($files, union_by_name = true, hive_partitioning = false)"
)


class Part(NamedTuple):
    """A file of events: the first and last commit whose lines it holds."""

    family: Family
    path: str
    first_commit: int
    last_commit: int


class Lines(NamedTuple):
    """Some files of events, of which only the lines since a moment are meant."""

    parts: Sequence[Part]
    since: datetime


class Chunk(NamedTuple):
    """Lines to stitch in one go, those logged from `since` until before `until`, and where stitching stands then."""

    lines: tuple[Lines, ...]
    since: datetime
    until: datetime
    checkpoint: Checkpoint
    is_resumable: bool  # whether a later run may go on from here
    is_last: bool
    frozen_before: date  # of days before that, the lines are pruned: their rows stay as they are


class Todo(NamedTuple):
    """What a run has to do: the checkpoint to go on from (None: begin anew), and the chunks. No chunks: nothing."""

    checkpoint: Checkpoint | None
    chunks: list[Chunk]
    frozen_before: date = date.min


def plan(connection: duckdb.DuckDBPyConnection, lake: Path, state: State, now: Ingested) -> Todo:
    """What brings the tables from `state` up to what was ingested."""
    parts = list(_parts(lake))
    if state.newest and state.is_of(now) and not _after(parts, state.newest):
        return Todo(state.newest, [])
    checkpoint = next(
        (each for each in reversed(state.checkpoints) if _fits(connection, lake, each, parts, now)), None
    )
    lines = [Lines(_after(parts, checkpoint), START)]
    if checkpoint and not checkpoint.is_whole:
        lines.append(
            Lines([part for part in parts if part.last_commit <= checkpoint.commit], checkpoint.upto)
        )
    hours = _hours(connection, lines)
    frozen = _frozen_before(checkpoint, now)
    return Todo(checkpoint, list(_chunks(tuple(lines), hours, checkpoint, now.last_commit, frozen)), frozen)


def _frozen_before(checkpoint: Checkpoint | None, now: Ingested) -> date:
    """The day before which rows cannot be made again: their lines were pruned after the checkpoint was made."""
    if now.pruned_at is None or (checkpoint and checkpoint.upto >= now.pruned_at):
        return date.min
    return now.pruned_at.date()


def _parts(lake: Path) -> Iterator[Part]:
    for family in FAMILIES:
        for path in (lake / "events" / f"family={family}").rglob("*.parquet"):
            first, last = commits_of(path.name)
            yield Part(family, str(path), first, last)


def _after(parts: Sequence[Part], checkpoint: Checkpoint | None) -> list[Part]:
    return [part for part in parts if checkpoint is None or part.last_commit > checkpoint.commit]


def _fits(
    connection: duckdb.DuckDBPyConnection,
    lake: Path,
    checkpoint: Checkpoint,
    parts: Sequence[Part],
    now: Ingested,
) -> bool:
    """Whether nothing that came or went since a checkpoint touches what was settled then.

    Files that compaction merged across it can no longer be told apart.
    """
    if now.dirty_at is not None and now.dirty_at < checkpoint.upto:
        return False
    if any(part.first_commit <= checkpoint.commit < part.last_commit for part in parts):
        return False
    if any(file.first <= checkpoint.number < file.last for file in table_files(lake)):
        return False
    after = [part.path for part in _after(parts, checkpoint)]
    if not after:
        return True
    [(first_at,)] = _rows(connection, _FIRST, {"files": after})
    return first_at is None or first_at >= checkpoint.horizon


def _hours(
    connection: duckdb.DuckDBPyConnection, lines: Sequence[Lines]
) -> list[tuple[datetime, int, datetime]]:
    """Each hour of log time that has lines: its beginning, how many, and the last moment."""
    counted: dict[datetime, tuple[int, datetime]] = {}
    for parts, since in lines:
        if not parts:
            continue
        files = [part.path for part in parts]
        for hour, count, last_at in _rows(connection, _HOURS, {"files": files, "since": since}):
            before, latest = counted.get(hour, (0, last_at))
            counted[hour] = before + count, max(latest, last_at)
    return [(hour, count, last_at) for hour, (count, last_at) in sorted(counted.items())]


def _chunks(
    lines: tuple[Lines, ...],
    hours: Sequence[tuple[datetime, int, datetime]],
    start: Checkpoint | None,
    commit: int,
    frozen: date,
) -> Iterator[Chunk]:
    """Chunks of about LINES lines; one without lines where only something was taken away."""
    number, since = start.number if start else 0, START
    latest = [last_at + timedelta(microseconds=1) for _, _, last_at in hours[-1:]]
    end = max([*latest, start.upto if start else START])
    for until in _cuts(hours):
        number += 1
        resumable = start is None or until >= start.upto
        yield Chunk(
            lines,
            since,
            until,
            Checkpoint(number, commit, until, False, until - SETTLING),
            resumable,
            False,
            frozen,
        )
        since = until
    last = Checkpoint(number + 1, commit, end, True, max(end - SETTLING, START))
    yield Chunk(lines, since, END, last, True, True, frozen)


def _cuts(hours: Sequence[tuple[datetime, int, datetime]]) -> Iterator[datetime]:
    gathered = 0
    for hour, count, _ in hours:
        if gathered and gathered + count > LINES:
            yield hour
            gathered = 0
        gathered += count


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, params: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    table = connection.sql(query, params=params).to_arrow_table()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
