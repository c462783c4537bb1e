"""Where the Parquet lies, and how it gets there so that a reader never sees half a file.

    lake/events/family=queue/date=2026-11-05/<source>-00001.parquet     lines understood
    lake/unparsed/<source>-00001.parquet                                lines claimed and not understood
    lake/coverage/<source>.parquet                                      how many lines of which program became what
    lake/sources/<source>.parquet                                       written last: the source is in the lake

A source is staged in a hidden folder, then renamed into place file by file. What a killed ingest left behind
belongs to no row of `sources`, and the next ingest sweeps it away.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.batch import Result
from ingest.errors import LakeError
from ingest.schema import COVERAGE, SCHEMA_VERSION, SOURCES

_STAGING: Final = ".staging"
# zstd level 1: level 3 bought nothing on mail logs, level 6 cost four times the processor time for 17 % of the size.
_ZSTD_LEVEL: Final = 1
# Texts that hardly repeat get no dictionary: it would be built only to be given up.
_NO_DICTIONARY: Final = frozenset(
    {"line", "message_id", "line_no", "logged_at", "reply", "recipient", "sender"}
)

# Smallest and largest values help a reader only in columns that rise with the file; elsewhere they cost time.
_PRUNING: Final = ("logged_at", "line_no")


@dataclass(frozen=True, slots=True)
class PartSummary:
    """What one part of a source held: lines by (program, result), and the span of its events."""

    coverage: Counter[tuple[str, str]]
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lake:
    """A folder of Parquet."""

    path: Path

    @contextmanager
    def locked(self, waiting: Callable[[str], None]) -> Iterator[None]:
        """Keeps other ingests out of this lake; `waiting(holder)` is called once if another one must be waited for.

        The lock is the kernel's (flock(2)), so a killed ingest leaves none behind. Raises LakeError if the folder
        cannot be written.
        """
        with _writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("a+", encoding="utf-8")
        with lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                waiting(lock.read() or "another process")
                flock(lock, LOCK_EX)
            lock.seek(0)
            lock.truncate()
            lock.write(f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
            lock.flush()
            yield

    def known_sources(self) -> frozenset[str]:
        """Identities of the sources that are wholly in the lake."""
        return frozenset(file.stem for file in self.path.glob("sources/*.parquet"))

    def source_sizes(self) -> dict[str, int]:
        """Identity and size in bytes of the sources that are in the lake."""
        if not self.known_sources():
            return {}
        try:
            table = pq.read_table(self.path / "sources", columns=["source_id", "size_bytes"])
        except pa.ArrowInvalid as error:
            raise LakeError(
                f"{self.path / 'sources'}: {error}; remove the damaged file and ingest its log again"
            ) from error
        rows = table.to_pylist()
        return {row["source_id"]: row["size_bytes"] for row in rows}

    def forget(self, source_id: str) -> None:
        """Removes a source: its row first, so that what a kill leaves behind is swept away like any leftover."""
        (self.path / "sources" / f"{source_id}.parquet").unlink(missing_ok=True)
        self._sweep()

    def staging(self, source_id: str) -> Path:
        """The hidden folder where a source's parts are written."""
        return self.path / _STAGING / source_id

    def prepare(self) -> None:
        """Makes the lake's folder and sweeps away what killed runs left; LakeError if it cannot be written."""
        try:
            (self.path / "sources").mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.path / _STAGING, ignore_errors=True)
            self._sweep()
        except OSError as error:
            raise LakeError(
                f"{self.path}: {error.strerror}; --lake names a folder that you may write"
            ) from error

    def _sweep(self) -> None:
        known = self.known_sources()
        for table in ("events", "unparsed", "coverage"):
            for part in (self.path / table).rglob("*.parquet"):
                if part.stem.partition("-")[0] not in known:
                    part.unlink()

    def commit(self, source: dict[str, object], parts: Sequence[PartSummary]) -> None:
        """Moves a staged source into place; its row in `sources` comes last and makes it known.

        `source` holds the columns of SOURCES that the parts do not tell.
        """
        source_id = str(source["source_id"])
        total: Counter[tuple[str, str]] = sum((part.coverage for part in parts), Counter())
        coverage = [
            {"source_id": source_id, "program": program, "result": result, "lines": lines}
            for (program, result), lines in sorted(total.items())
        ]
        staging = self.staging(source_id)
        _write(pa.Table.from_pylist(coverage, COVERAGE), staging / "coverage" / f"{source_id}.parquet")
        ledger = staging / "sources" / f"{source_id}.parquet"
        row = source | _account(total, parts)
        _write(pa.Table.from_pylist([row], SOURCES), ledger)
        with _writing(self.path):
            for part in sorted(staging.rglob("*.parquet"), key=lambda path: path == ledger):
                target = self.path / part.relative_to(staging)
                target.parent.mkdir(parents=True, exist_ok=True)
                part.replace(target)
        shutil.rmtree(staging, ignore_errors=True)


def _account(total: Counter[tuple[str, str]], parts: Sequence[PartSummary]) -> dict[str, object]:
    """The columns of SOURCES that the parts tell."""
    by_result = Counter[str]()
    for (_, result), lines in total.items():
        by_result[result] += lines
    return {
        "event_lines": by_result["event"],
        "unparsed_lines": by_result["unparsed"],
        "foreign_lines": by_result["foreign"],
        "blank_lines": by_result["blank"],
        "first_at": min((part.first_at for part in parts if part.first_at), default=None),
        "last_at": max((part.last_at for part in parts if part.last_at), default=None),
        "schema_version": SCHEMA_VERSION,
    }


def write_part(staging: Path, source_id: str, number: int, result: Result) -> PartSummary:
    """Writes one batch's tables below a staging folder, a file a family and day."""
    name = f"{source_id}-{number:05}.parquet"
    spans = []
    for family, table in result.events.items():
        moments = table["logged_at"]
        spans.append((pc.min(moments).as_py(), pc.max(moments).as_py()))
        for day, rows in _by_day(table):
            _write(rows, staging / "events" / f"family={family}" / f"date={day}" / name)
    if result.unparsed.num_rows:
        _write(result.unparsed, staging / "unparsed" / name)
    return PartSummary(
        result.coverage,
        min((first for first, _ in spans), default=None),
        max((last for _, last in spans), default=None),
    )


def _by_day(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    days = pc.cast(table["logged_at"], pa.date32())
    each = pc.unique(days)
    for day in each:
        yield day.as_py().isoformat(), table if len(each) == 1 else table.filter(pc.equal(days, day))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LakeError(
            f"{path}: {error.strerror or error}; make room, or let --lake name another folder"
        ) from error


def _write(table: pa.Table, path: Path) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    dictionaries = [name for name in table.schema.names if name not in _NO_DICTIONARY]
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            table,
            temporary,
            store_schema=False,
            use_dictionary=dictionaries,  # type: ignore[arg-type]  # the stubs know bool only
            write_statistics=[name for name in _PRUNING if name in table.schema.names],
            compression="zstd",
            compression_level=_ZSTD_LEVEL,
        )
        temporary.replace(path)
