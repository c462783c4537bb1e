"""Parquet files of the lake: how one is written, and what the ledger notes about it."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.batch import Result
from ingest.errors import LakeError
from ingest.records import Part

# zstd level 1: level 3 bought nothing on mail logs, level 6 cost four times the processor time for 17 % of the size.
_ZSTD_LEVEL: Final = 1
# What hardly repeats gets no dictionary: it would be built only to be given up.
_NO_DICTIONARY: Final = frozenset(
    {"line", "message_id", "line_no", "logged_at", "reply", "recipient", "sender", "size_bytes"}
)

# Smallest and largest values help a reader only in columns that rise with the file; elsewhere they cost time. So do
# differences, which take a third less room there.
_PRUNING: Final = ("logged_at", "line_no")

# A column of a row group costs 50 microseconds before its first row: the few rows of a rare family share one.
_ENOUGH_ROWS: Final = 8_192

DAY_US: Final = 86_400 * 1_000_000
_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class PartSummary:
    """What one chunk of a source held: its files, lines by (program, result), and which hosts logged its events."""

    files: tuple[Part, ...]
    coverage: Counter[tuple[str, str]]
    hosts: frozenset[str]
    is_host_assumed: bool = False


def part_name(commit_no: int, source_id: str | None, number: int) -> str:
    """The stem of a file's name: what is new since a commit shows in a listing."""
    return "-".join(filter(None, (f"{commit_no:08}", source_id, f"{number:05}")))


def write_part(
    staging: Path, commit_no: int, source_id: str, number: int, results: Iterable[Result]
) -> PartSummary:
    """Writes what became of some chunks below a staging folder: a file a family and day."""
    name = f"{part_name(commit_no, source_id, number)}.parquet"
    coverage: Counter[tuple[str, str]] = Counter()
    hosts = set[str]()
    is_host_assumed = False
    with ExitStack() as stack:
        growing: dict[str, _Growing] = {}
        for result in results:
            coverage += result.coverage
            is_host_assumed |= result.is_host_assumed
            for path, rows in _placed(result, name):
                if path not in growing:
                    growing[path] = stack.enter_context(_Growing(staging, path))
                growing[path].add(rows)
            for table in result.events.values():
                hosts.update(filter(None, pc.unique(table["host"]).to_pylist()))
    files = tuple(each.described(commit_no, (source_id,)) for each in growing.values())
    return PartSummary(files, coverage, frozenset(hosts), is_host_assumed)


def _placed(result: Result, name: str) -> Iterator[tuple[str, pa.Table]]:
    """The rows of a result by the file that they belong to."""
    for family, table in result.events.items():
        for day, rows in by_day(table):
            yield f"events/family={family}/date={day}/{name}", rows
    if result.unparsed.num_rows:
        yield f"unparsed/{name}", result.unparsed


class _Growing:
    """A file that rows are added to; no half of it is ever seen under its name."""

    def __init__(self, staging: Path, path: str) -> None:
        self._staging = staging
        self._path = path
        self._temporary = (staging / path).with_suffix(f".{os.getpid()}.tmp")
        self._rows = 0
        self._moments: list[int] = []
        self._held: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        with writing(self._temporary):
            if kind is None and self._held:
                self._write_held()
            if self._writer:
                self._writer.close()
            if kind is None:
                self._temporary.replace(self._staging / self._path)

    def add(self, rows: pa.Table) -> None:
        """One row group more, or a part of one."""
        self._rows += rows.num_rows
        if "logged_at" in rows.schema.names:
            self._moments += _span(rows)
        self._held.append(rows)
        if sum(each.num_rows for each in self._held) >= _ENOUGH_ROWS:
            with writing(self._temporary):
                self._write_held()

    def _write_held(self) -> None:
        rows = pa.concat_tables(self._held)
        if self._writer is None:
            self._temporary.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._temporary, rows.schema, **_options_for(rows))  # type: ignore[arg-type]
        self._writer.write_table(rows)
        self._held = []

    def described(self, commit_no: int, source_ids: tuple[str, ...]) -> Part:
        """What the ledger notes about the file, once it is whole."""
        span = (min(self._moments), max(self._moments)) if self._moments else (None, None)
        return _described(self._staging, self._path, self._rows, span, commit_no, source_ids)


def described(staging: Path, path: str, rows: pa.Table, commit_no: int, source_ids: tuple[str, ...]) -> Part:
    """What the ledger notes about a file of these rows."""
    span = _span(rows) if path.startswith("events/") else (None, None)
    return _described(staging, path, rows.num_rows, span, commit_no, source_ids)


def _described(
    staging: Path,
    path: str,
    rows: int,
    span: tuple[int | None, int | None],
    commit_no: int,
    source_ids: tuple[str, ...],
) -> Part:
    kind, *folders, _ = path.split("/")
    keys = dict(folder.split("=") for folder in folders)
    size = (staging / path).stat().st_size
    return Part(path, kind, keys.get("family"), keys.get("date"), source_ids, rows, size, *span, commit_no)


def _span(rows: pa.Table) -> tuple[int, int]:
    moments = pc.min_max(rows["logged_at"].cast(pa.int64()))
    return moments["min"].as_py(), moments["max"].as_py()


def by_day(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each day of UTC. Views have no filter in Arrow: with them, a day's rows must be side by side."""
    first_at, last_at = _span(table)
    if first_at // DAY_US == last_at // DAY_US:
        yield _name_of(first_at // DAY_US), table
        return
    days = table["logged_at"].cast(pa.int64()).to_numpy() // DAY_US
    if table.schema.field("line").type == pa.string():
        for day in np.unique(days):
            yield _name_of(day), table.filter(pa.array(days == day))
        return
    edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    stretches = defaultdict[int, list[pa.Table]](list)
    for begin, end in pairwise(edges):
        stretches[int(days[begin])].append(table.slice(begin, end - begin))
    for day, rows in stretches.items():
        yield _name_of(day), pa.concat_tables(rows)


def _name_of(day: int) -> str:
    """`2026-11-23`, of days since 1970."""
    return date.fromordinal(_EPOCH + int(day)).isoformat()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever the system refuses while the lake is written is the user's to mend."""
    try:
        yield
    except OSError as error:
        raise LakeError(
            f"{path}: {error.strerror or error}; make room, or let --lake name another folder that you may write"
        ) from error


def write_options(schema: pa.Schema) -> dict[str, object]:
    """How Parquet is written here: for `write_table` and `ParquetWriter`."""
    return {
        "store_schema": False,
        "use_dictionary": [name for name in schema.names if name not in _NO_DICTIONARY],
        "write_statistics": [name for name in _PRUNING if name in schema.names],
        "column_encoding": {name: "DELTA_BINARY_PACKED" for name in _PRUNING if name in schema.names},
        "compression": "zstd",
        "compression_level": _ZSTD_LEVEL,
    }


def _options_for(first: pa.Table) -> dict[str, object]:
    """The same, by the first rows of a file: what is nothing, or the same in all rows, takes no packing."""
    options = write_options(first.schema)
    level = options.pop("compression_level")
    packed = [name for name in first.schema.names if not _is_constant(first[name])]
    return options | {
        "compression": {name: "zstd" if name in packed else "none" for name in first.schema.names},
        "compression_level": dict.fromkeys(packed, level),
    }


def _is_constant(column: "pa.ChunkedArray[Any]") -> bool:
    if column.null_count or not pa.types.is_dictionary(column.type):
        return column.null_count == len(column)
    return all(len(chunk.dictionary) == 1 for chunk in column.chunks)  # type: ignore[attr-defined]  # the stubs forget it


def write_table(table: pa.Table, path: Path) -> None:
    """Writes one file; no half of it is ever seen under its name."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, temporary, **write_options(table.schema))  # type: ignore[arg-type]  # the stubs know bool only
        temporary.replace(path)
