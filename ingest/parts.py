"""Parquet files of the lake: how one is written, and what the ledger notes about it."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

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
    """Writes what became of some chunks below a staging folder: a file a family and day, in it a row group a chunk."""
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
                    growing[path] = stack.enter_context(_Growing(staging, path, rows.schema))
                growing[path].add(rows)
            for table in result.events.values():
                hosts.update(filter(None, pc.unique(table["host"]).to_pylist()))
    files = tuple(each.described(commit_no, (source_id,)) for each in growing.values())
    return PartSummary(files, coverage, frozenset(hosts), is_host_assumed)


def _placed(result: Result, name: str) -> Iterator[tuple[str, pa.Table]]:
    """The rows of a result by the file that they belong to."""
    for family, table in result.events.items():
        for day, rows in _by_day(table):
            yield f"events/family={family}/date={day}/{name}", rows
    if result.unparsed.num_rows:
        yield f"unparsed/{name}", result.unparsed


class _Growing:
    """A file that rows are added to; no half of it is ever seen under its name."""

    def __init__(self, staging: Path, path: str, schema: pa.Schema) -> None:
        self._staging = staging
        self._path = path
        self._schema = schema
        self._temporary = (staging / path).with_suffix(f".{os.getpid()}.tmp")
        self._rows = 0
        self._moments: list[int] = []
        with writing(self._temporary):
            self._temporary.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._temporary, schema, **write_options(schema))  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        with writing(self._temporary):
            self._writer.close()
            if kind is None:
                self._temporary.replace(self._staging / self._path)

    def add(self, rows: pa.Table) -> None:
        """One row group more."""
        with writing(self._temporary):
            self._writer.write_table(rows if rows.schema == self._schema else rows.cast(self._schema))
        self._rows += rows.num_rows
        if "logged_at" in self._schema.names:
            self._moments += _span(rows)

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


_DAY_US: Final = 86_400 * 1_000_000


def is_one_day(table: pa.Table) -> bool:
    """Whether all rows, of which there are some, were logged on one day of UTC."""
    first_at, last_at = _span(table)
    return first_at // _DAY_US == last_at // _DAY_US


def _by_day(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    if is_one_day(table):
        yield datetime.fromtimestamp(_span(table)[0] // 1_000_000, UTC).date().isoformat(), table
        return
    days = pc.cast(table["logged_at"], pa.date32())
    for day in pc.unique(days):
        yield day.as_py().isoformat(), table.filter(pc.equal(days, day))


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


def write_table(table: pa.Table, path: Path) -> None:
    """Writes one file; no half of it is ever seen under its name."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, temporary, **write_options(table.schema))  # type: ignore[arg-type]  # the stubs know bool only
        temporary.replace(path)
