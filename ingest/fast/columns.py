"""What the scanner found, as Arrow tables: one a family, rows of one shape side by side.

Texts that repeat become dictionaries of the chunk, which Parquet takes over without looking at them again; texts
that do not are views of the chunk, which nobody copies.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.batch import ABSENT
from ingest.fast import kernel
from ingest.fast.compile import UNIQUE_TEXTS, Fixed, Programs
from ingest.fast.lane import Scanned
from ingest.framing import origin
from ingest.parts import DAY_US
from ingest.schema import ATTRIBUTES, COUNT, MOMENT, SMALL, TEXT, Family, events_schema

Array: TypeAlias = "pa.Array[Any]"
_CODES: Final[pa.DataType] = pa.dictionary(pa.int32(), pa.string())
_VIEW: Final = pa.string_view()
_POWERS: Final = 10.0 ** np.arange(16)


class _Run(NamedTuple):
    """Rows of one shape, which are side by side."""

    shape: Fixed
    begin: int
    end: int
    place: int  # of the first capture in `turned`


class _Rows(NamedTuple):
    """The rows of one family, in the order of their shapes."""

    scanned: Scanned
    body: pa.Buffer  # the chunk that views point into
    made: pa.Buffer  # the texts that were put together
    order: kernel.Ints
    runs: Sequence[_Run]
    turned: kernel.Ints  # captures, those of a shape and slot side by side
    numbers: kernel.SmallInts  # -1 for each entry of the dictionaries


def tables(scanned: Scanned, programs: Programs, data: bytes, source_id: str) -> dict[Family, list[pa.Table]]:
    """All that was understood of a chunk, whose bytes are `data`: a table a family and day of UTC."""
    body, made = pa.py_buffer(data), pa.py_buffer(scanned.made)
    numbers = np.full(scanned.entries, -1, np.int32)
    found: dict[Family, list[pa.Table]] = {}
    for which in _days(scanned.rows.moment_us[: scanned.found]):
        ranks = np.zeros((len(programs.shapes), 4), np.int64)
        order, turned = np.empty(len(which), np.int64), np.empty(scanned.captures, np.int64)
        kernel.by_rank(scanned.rows, which, programs.ranks, programs.tables.slots, ranks, order, turned)
        for family, runs in _runs_of(programs.ranked, ranks[:, 0].tolist()).items():
            begin, end = runs[0].begin, runs[-1].end
            own = [run._replace(begin=run.begin - begin, end=run.end - begin) for run in runs]
            rows = _Rows(scanned, body, made, order[begin:end], own, turned, numbers)
            found.setdefault(family, []).append(_table(family, rows, source_id))
    return found


def _days(moments: kernel.Ints) -> Iterator[kernel.Ints]:
    """The rows of each day; nearly always all are of one."""
    if not len(moments) or moments.min() // DAY_US == moments.max() // DAY_US:
        yield np.arange(len(moments))
        return
    days = moments // DAY_US
    for day in np.unique(days):
        yield np.flatnonzero(days == day)


def _runs_of(shapes: Sequence[Fixed], ends: Sequence[int]) -> dict[Family, list[_Run]]:
    """Where in the order of shapes the rows of each are."""
    runs: dict[Family, list[_Run]] = {}
    begin = place = 0
    for shape, end in zip(shapes, ends, strict=True):
        if end > begin:
            runs.setdefault(shape.family, []).append(_Run(shape, begin, end, place))
            place += (end - begin) * len(shape.slots)
        begin = end
    return runs


@lru_cache
def schema_of(family: Family) -> pa.Schema:
    """A family's columns as the fast lane gives them; in Parquet they are those of `events_schema`."""
    return pa.schema([pa.field(field.name, _type_of(field)) for field in events_schema(family)])


def _type_of(field: "pa.Field[Any]") -> pa.DataType:
    if field.type != TEXT:
        kind: pa.DataType = field.type
        return kind
    return _VIEW if field.name in UNIQUE_TEXTS else _CODES


def _table(family: Family, rows: _Rows, source_id: str) -> pa.Table:
    columns = _frame(rows) | {
        "source_id": _constant(source_id, len(rows.order)),
        "queue_id": _dictionary_column("queue_id", rows),
    }
    for name, kind in ATTRIBUTES[family].items():
        columns[name] = _column(name, kind, rows)
    schema = schema_of(family)
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def _frame(rows: _Rows) -> dict[str, Array]:
    """The columns that tell when and where a line was logged, and what kind of line it is."""
    size = len(rows.order)
    moments, lines, pids = (np.empty(size, np.int64) for _ in range(3))
    offsets, hosts, tags, kinds = (np.empty(size, np.int32) for _ in range(4))
    has_pid = _bitmap(size)
    without = kernel.take_frames(
        rows.scanned.rows, rows.order, moments, offsets, hosts, tags, pids, has_pid, lines
    )
    names = list(dict.fromkeys(run.shape.kind for run in rows.runs))
    for shape, first, end, _ in rows.runs:
        kinds[first:end] = names.index(shape.kind)
    programs = [program for tag in _numbered(tags) if (program := rows.scanned.programs[tag])]
    daemons, speakers = [program.daemon for program in programs], tags.copy()
    for shape, first, end, _ in rows.runs:
        if shape.daemon:  # the message says more than the tag
            speakers[first:end] = len(daemons)
            daemons.append(shape.daemon)
    return {
        "logged_at": _flat(MOMENT, moments),
        "utc_offset_s": _flat(SMALL, offsets),
        "host": _looked_up(hosts, [origin(host) for host in _hosts(hosts, rows.scanned)]),
        "server": _looked_up(tags, [program.server for program in programs]),
        "instance": _looked_up(tags, [program.instance for program in programs]),
        "service": _looked_up(tags, [program.service for program in programs]),
        "daemon": _looked_up(speakers, daemons),
        "pid": _flat(COUNT, pids, has_pid, without),
        "kind": _dictionary(kinds, None, 0, pa.array(names, TEXT)),
        "repeat_no": _nulls(size, SMALL),
        "line_no": _flat(COUNT, lines),
        "line": _lines(rows),
    }


def _hosts(hosts: kernel.SmallInts, scanned: Scanned) -> list[str]:
    used = _numbered(hosts)
    return [str(name) for name in _texts(scanned, np.array(used, np.int32), len(used))]


def _numbered(values: kernel.SmallInts) -> list[int]:
    """What values there are, in the order of the rows; they themselves become numbers in this list.

    So that the contents of a file depend on nothing but its lines: a lane has met more tags than these.
    """
    most = int(values.max()) + 1
    used = np.empty(most, np.int32)
    count = kernel.number(values, np.full(most, -1, np.int32), used)
    numbers: list[int] = used[:count].tolist()
    return numbers


def _looked_up(numbers: kernel.SmallInts, texts: Sequence[str | None]) -> Array:
    """The text of each number. A dictionary has each once: Parquet takes its word for it."""
    codes = {text: code for code, text in enumerate(dict.fromkeys(text for text in texts if text))}
    if not codes:
        return _nulls(len(numbers), _CODES)
    table = np.array([codes.get(text or "", -1) for text in texts], np.int32)
    size = len(numbers)
    found, valid = np.zeros(size, np.int32), _bitmap(size)
    count = kernel.look_up(numbers, table, found, valid)
    return _dictionary(found, valid, size - count, pa.array(codes, TEXT))


def _lines(rows: _Rows) -> Array:
    views = np.empty((len(rows.order), 2), np.uint64)
    kernel.view_lines(rows.scanned.rows, rows.order, rows.scanned.base, views)
    return pa.Array.from_buffers(_VIEW, len(rows.order), [None, _buffer(views), rows.body], 0)


def _column(name: str, kind: pa.DataType, rows: _Rows) -> Array:
    if kind == TEXT:
        return _view_column(name, rows) if name in UNIQUE_TEXTS else _dictionary_column(name, rows)
    runs = _runs(name, rows.runs)
    size = len(rows.order)
    if not len(runs):
        return _nulls(size, kind)
    valid = _bitmap(size)
    if kind == COUNT:
        counts = np.zeros(size, np.int64)
        found = kernel.take_integers(rows.turned, runs, counts, valid)
        return _flat(kind, counts, valid, size - found)
    seconds = np.zeros(size, np.float64)
    found = kernel.take_decimals(rows.turned, runs, _POWERS, seconds, valid)
    return _flat(kind, seconds, valid, size - found)


def _view_column(name: str, rows: _Rows) -> Array:
    runs = _runs(name, rows.runs)
    size = len(rows.order)
    if not len(runs):
        return _nulls(size, _VIEW)
    valid, views = _bitmap(size), np.zeros((size, 2), np.uint64)
    scanned = rows.scanned
    found = kernel.view_captures(
        scanned.words,
        rows.turned,
        runs,
        *_absent(name),
        scanned.base,
        scanned.made_at,
        views,
        valid,
    )
    buffers = [_validity(valid, size - found), _buffer(views), rows.body, rows.made]
    return pa.Array.from_buffers(_VIEW, size, buffers, size - found)


def _dictionary_column(name: str, rows: _Rows) -> Array:
    runs = _runs(name, rows.runs)
    size = len(rows.order)
    if not len(runs):
        return _nulls(size, _CODES)
    valid, codes = _bitmap(size), np.zeros(size, np.int32)
    used = np.empty(rows.scanned.entries, np.int32)
    found, known = kernel.take_entries(rows.turned, runs, rows.numbers, used, codes, valid)
    return _dictionary(codes, valid, size - found, _texts(rows.scanned, used, known))


def _runs(name: str, runs: Sequence[_Run]) -> kernel.Ints:
    """(first row, end, place of the first capture) of the shapes that have a column."""
    found = [
        (
            begin,
            end,
            place + shape.slots[name] * (end - begin) if name in shape.slots else -2 - shape.constants[name],
        )
        for shape, begin, end, place in runs
        if name in shape.slots or name in shape.constants
    ]
    return np.array(found, np.int64).reshape(len(found), 3)


@lru_cache
def _absent(name: str) -> tuple[np.uint64, int]:
    """What a column says where there is nothing, as a word and its length; no text is -1 long."""
    text = ABSENT.get(name, "").encode()
    return np.uint64(int.from_bytes(text, "little")), len(text) or -1


def _texts(scanned: Scanned, used: kernel.SmallInts, count: int) -> Array:
    entries = scanned.rows.entries
    offsets = np.empty(count + 1, np.int32)
    packed = np.empty(kernel.pack_sizes(entries, used, count) + 8, np.uint8)
    kernel.pack(scanned.words, entries, used, count, offsets, kernel.words_of(packed))
    return pa.StringArray.from_buffers(count, _buffer(offsets), _buffer(packed))


def _bitmap(size: int) -> kernel.Bytes:
    return np.zeros((size + 7) // 8, np.uint8)


def _validity(valid: kernel.Bytes | None, nulls: int) -> pa.Buffer | None:
    return _buffer(valid) if valid is not None and nulls else None


def _buffer(values: npt.NDArray[Any]) -> pa.Buffer:
    return pa.py_buffer(values)  # type: ignore[arg-type]  # the stubs do not know that arrays are buffers


def _flat(
    kind: pa.DataType, values: npt.NDArray[Any], valid: kernel.Bytes | None = None, nulls: int = 0
) -> Array:
    return pa.Array.from_buffers(kind, len(values), [_validity(valid, nulls), _buffer(values)], nulls)


def _dictionary(codes: kernel.SmallInts, valid: kernel.Bytes | None, nulls: int, texts: Array) -> Array:
    return pa.DictionaryArray.from_arrays(_flat(pa.int32(), codes, valid, nulls), texts, safe=False)


def _constant(text: str, size: int) -> Array:
    return _dictionary(np.zeros(size, np.int32), None, 0, pa.array([text], TEXT))


def _nulls(size: int, kind: pa.DataType) -> Array:
    array: Array = pa.nulls(size, kind)  # type: ignore[call-overload]  # the stubs want one overload a type
    return array
