"""Where the Parquet lies, and how it gets there so that a reader never sees half a file and a kill harms nothing.

    lake/ledger.sqlite                                                      what is in the lake, and in which files
    lake/events/family=queue/date=2026-11-05/<commit>-<source>-<chunk>.parquet      lines understood
    lake/unparsed/<commit>-<source>-<chunk>.parquet                         lines claimed and not understood
    lake/emails/<commit>.parquet, lake/hops/<commit>.parquet                messages, and their Received headers
    lake/sources/ledger.parquet, lake/coverage/ledger.parquet, .state.json  what analysis needs of the ledger

A change is a commit: its files are staged in a hidden folder; one transaction of the ledger lists them, and no longer
lists those that they replace: now it has happened; then the staged files are moved into place and the replaced ones
deleted. Who writes next finishes what a kill interrupted: before the transaction it is undone, after it done.
"""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Final

import pyarrow as pa

from ingest.blocks import MAX_LINE_BYTES
from ingest.errors import LakeError, SourceError
from ingest.ledger import Ledger
from ingest.parts import write_table, writing
from ingest.records import Change, KnownSource, Part, State
from ingest.schema import COVERAGE, SCHEMA_VERSION, SOURCES, STATE_FILE

_STAGING: Final = ".staging"
LOCK_FILE: Final = ".lock"
RESULTS: Final = ("event", "unparsed", "foreign", "blank", "duplicate")


@dataclass(frozen=True, slots=True)
class Lake:
    """A folder of Parquet."""

    path: Path

    @property
    def staging(self) -> Path:
        """The hidden folder that mirrors the lake's, where new files are written."""
        return self.path / _STAGING

    @contextmanager
    def locked(self, waiting: Callable[[str], None]) -> Iterator[None]:
        """Keeps other ingests out of this lake; `waiting(holder)` is called once if another one must be waited for.

        The lock is the kernel's (flock(2)), so a killed ingest leaves none behind. Raises LakeError if the folder
        cannot be written.
        """
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / LOCK_FILE).open("a+", encoding="utf-8")
        with lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                waiting(lock.read() or "another process")
                flock(lock, LOCK_EX)
            with writing(self.path):
                lock.seek(0)
                lock.truncate()
                lock.write(f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
                lock.flush()
            yield

    def ledger(self) -> AbstractContextManager[Ledger]:
        """The ledger, to read and write."""
        return Ledger.open(self.path)

    def ledger_to_read(self) -> AbstractContextManager[Ledger]:
        """The ledger of a lake that exists."""
        return Ledger.open_to_read(self.path)

    def state(self) -> State:
        """Number of the last commit, and the earliest moment of rows that have changed since they were stitched."""
        with self.ledger_to_read() as ledger:
            return ledger.state()

    def last_commit(self) -> int:
        """The number of the last commit that changed rows."""
        return self.state().last_commit

    def dirty_at(self) -> datetime | None:
        """The earliest moment of events that were removed or changed since the last stitching."""
        dirty_at = self.state().dirty_at
        return None if dirty_at is None else moment(dirty_at)

    def clear_dirty(self) -> None:
        """To be called when all tables are stitched."""
        with self.ledger() as ledger:
            if ledger.state().dirty_at is not None:
                ledger.clear_dirty()
                self._export_state(ledger)

    def new_parts(self, since_commit: int) -> list[Part]:
        """The files of later commits."""
        with self.ledger_to_read() as ledger:
            return ledger.new_parts(since_commit)

    def known_sources(self) -> frozenset[str]:
        """Identities of the sources in the lake."""
        with self.ledger_to_read() as ledger:
            return frozenset(source.source_id for source in ledger.sources())

    @contextmanager
    def discarding(self) -> Iterator[None]:
        """What is staged for a commit that fails before it began takes no room any more: the disk may be full."""
        try:
            yield
        except BaseException:
            shutil.rmtree(self.staging, ignore_errors=True)
            raise

    def missing_parts(self) -> list[str]:
        """Files that the ledger lists and that are gone: somebody else has deleted them."""
        with self.ledger_to_read() as ledger:
            return sorted({part.path for part in ledger.parts()} - set(files_below(self.path)))

    def prepare(self) -> None:
        """Makes the lake where there is none, and finishes what a kill interrupted. Raises LakeError."""
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        with self.ledger() as ledger, writing(self.path):
            listed = {part.path for part in ledger.parts()}
            self._settle(sorted(listed & set(files_below(self.staging))), ())
            self._settle((), sorted(set(files_below(self.path)) - listed))
            self.export(ledger)

    def commit(self, ledger: Ledger, change: Change, *, is_more_to_come: bool = False) -> None:
        """Makes a change whose new files are staged. Who makes many of them calls `export` at the end of all."""
        with writing(self.path):
            ledger.commit(change)
            self._settle([part.path for part in change.added], change.removed)
            if not is_more_to_come:
                self._export(ledger)

    def export(self, ledger: Ledger) -> None:
        """Lets analysis see what the ledger says, if it does not: once after many commits, for all of it is written anew."""
        with writing(self.path):
            if not self.is_exported(ledger):
                self._export(ledger)

    def _settle(self, added: Iterable[str], removed: Iterable[str]) -> None:
        """Moves staged files into place and deletes others; what else was staged is nothing any more."""
        for path in added:
            (self.path / path).parent.mkdir(parents=True, exist_ok=True)
            (self.staging / path).replace(self.path / path)
        for path in removed:
            (self.path / path).unlink(missing_ok=True)
        shutil.rmtree(self.staging, ignore_errors=True)

    def is_exported(self, ledger: Ledger) -> bool:
        """Whether analysis sees what the ledger says: the state is the last file that is exported."""
        try:
            return (self.path / STATE_FILE).read_text("utf-8") == _state_text(ledger)
        except FileNotFoundError:
            return False

    def _export(self, ledger: Ledger) -> None:
        rows = ledger.coverage_rows()
        lines: dict[str, Counter[str]] = {}
        for source_id, _, result, count in rows:
            lines.setdefault(source_id, Counter())[result] += count
        sources = [_source_row(each, lines.get(each.source_id, Counter())) for each in ledger.sources()]
        coverage = [dict(zip(COVERAGE.names, row, strict=True)) for row in rows]
        write_table(pa.Table.from_pylist(sources, SOURCES), self.path / "sources/ledger.parquet")
        write_table(pa.Table.from_pylist(coverage, COVERAGE), self.path / "coverage/ledger.parquet")
        self._export_state(ledger)

    def _export_state(self, ledger: Ledger) -> None:
        with writing(self.path):
            new = self.path / f"{STATE_FILE}.tmp"
            new.write_text(_state_text(ledger), "utf-8")
            new.replace(self.path / STATE_FILE)


def moment(utc_us: int) -> datetime:
    """A moment of the ledger."""
    return datetime.fromtimestamp(utc_us // 1_000_000, UTC).replace(microsecond=utc_us % 1_000_000)


def now_us() -> int:
    """This moment, as the ledger writes it."""
    return int(datetime.now(UTC).timestamp() * 1_000_000)


def damage_of(source: KnownSource) -> str | None:
    """What of a source is not in the lake: the rest of a broken archive, and the ends of endless lines."""
    numbers = ", ".join(map(str, source.cut_lines[:10]))
    cuts = f"lines longer than {MAX_LINE_BYTES:,} bytes are cut there: {numbers}" if numbers else None
    return "; ".join(filter(None, (source.archive_damage, cuts))) or None


def line_count(source: KnownSource) -> int:
    """Its lines, an open last one included."""
    return source.line_no + source.is_tail_open


def find_source(ledger: Ledger, words: str) -> KnownSource:
    """The source of an identity, the beginning of one, or a name. SourceError if it is none or several."""
    sources = ledger.sources()
    found = (
        [source for source in sources if source.source_id == words]
        or [source for source in sources if source.name == words]
        or [source for source in sources if words and source.source_id.startswith(words)]
    )
    if not found:
        raise SourceError(
            f"{words}: no source of the lake; `mailscope sources` shows their identities and names"
        )
    if len(found) > 1:
        several = ", ".join(source.source_id for source in found)
        raise SourceError(f"{words} may be {len(found)} sources: {several}; one of these would be right")
    return found[0]


def files_below(folder: Path) -> Iterator[str]:
    """Paths of the parts below a lake or its staging folder; os.walk, because a lake may have very many."""
    for table in ("events", "unparsed", "emails", "hops"):
        for here, _, names in os.walk(folder / table):
            inside = os.path.relpath(here, folder)
            yield from (f"{inside}/{name}" for name in names)


def _state_text(ledger: Ledger) -> str:
    return json.dumps(ledger.state()._asdict())


def _source_row(source: KnownSource, lines: Counter[str]) -> dict[str, object]:
    """A row of SOURCES."""
    return {
        "source_id": source.source_id,
        "name": source.name,
        "size_bytes": source.size_bytes,
        "line_count": line_count(source),
        **{f"{result}_lines": lines[result] for result in RESULTS},
        "first_at": source.first_at,
        "last_at": source.last_at,
        "damage": damage_of(source),
        "is_last_line_open": source.is_tail_open,
        "parser_version": source.parser_version,
        "ingested_at": source.ingested_at,
        "schema_version": SCHEMA_VERSION,
    }


__all__ = ["Lake", "LakeError", "damage_of", "find_source", "line_count", "moment", "now_us"]
