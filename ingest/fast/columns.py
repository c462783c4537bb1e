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
from ingest.fast.compile import UNIQUE_TEXTS, Fixed, Programs
from ingest.fast.kernel import contract
from ingest.fast.kernel.arrays import by_rank, take_frames, view_captures, view_lines
from ingest.fast.kernel.dictionaries import number, pack, pack_sizes
from ingest.fast.kernel.words import words_of
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
    order: contract.Ints
    runs: Sequence[_Run]
    turned: contract.Ints  # captures, those of a shape and slot side by side
    numbers: contract.SmallInts  # -1 for each entry of the dictionaries


def tables(scanned: Scanned, programs: Programs, data: bytes, source_id: str) -> dict[Family, list[pa.Table]]:
    """All that was understood of a chunk, whose bytes are `data`: a table a family and day of UTC."""
    body, made = pa.py_buffer(data), pa.py_buffer(scanned.made)
    numbers = np.full(scanned.entries, -1, np.int32)
    found: dict[Family, list[pa.Table]] = {}
    for which in _days(scanned.rows.moment_us[: scanned.found]):
        ranks = np.zeros((len(programs.shapes), 4), np.int64)
        order, turned = np.empty(len(which), np.int64), np.empty(scanned.captures, np.int64)
        by_rank(scanned.rows, which, programs.ranks, programs.tables.slots, ranks, order, turned)
        for family, runs in _runs_of(programs.ranked, ranks[:, 0].tolist()).items():
            begin, end = runs[0].begin, runs[-1].end
            own = [run._replace(begin=run.begin - begin, end=run.end - begin) for run in runs]
            rows = _Rows(scanned, body, made, order[begin:end], own, turned, numbers)
            found.setdefault(family, []).append(_table(family, rows, source_id))
    return found


def _days(moments: contract.Ints) -> Iterator[contract.Ints]:
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
    take_frames(rows.scanned.rows, rows.order, moments, offsets, hosts, tags, pids, lines)
    names = list(dict.fromkeys(run.shape.kind for run in rows.runs))
    for shape, first, end, _ in rows.runs:
        kinds[first:end] = names.index(shape.kind)
    (used_tags, tags), (used_hosts, hosts) = _numbered(tags), _numbered(hosts)
    programs = [program for tag in used_tags.tolist() if (program := rows.scanned.programs[tag])]
    daemons, speakers = [program.daemon for program in programs], tags.copy()
    for shape, first, end, _ in rows.runs:
        if shape.daemon:  # the message says more than the tag
            speakers[first:end] = len(daemons)
            daemons.append(shape.daemon)
    return {
        "logged_at": _flat(MOMENT, moments),
        "utc_offset_s": _flat(SMALL, offsets),
        "host": _looked_up(hosts, [origin(str(host)) for host in _texts(rows.scanned, used_hosts)]),
        "server": _looked_up(tags, [program.server for program in programs]),
        "instance": _looked_up(tags, [program.instance for program in programs]),
        "service": _looked_up(tags, [program.service for program in programs]),
        "daemon": _looked_up(speakers, daemons),
        "pid": _flat(COUNT, pids, pids != contract.ABSENT),
        "kind": _dictionary(kinds, pa.array(names, TEXT)),
        "repeat_no": _nulls(size, SMALL),
        "line_no": _flat(COUNT, lines),
        "line": _lines(rows),
    }


def _numbered(values: contract.SmallInts) -> tuple[contract.SmallInts, contract.SmallInts]:
    """What values there are, in the order of the rows, and of each row its number in this list.

    So that the contents of a file depend on nothing but its lines: a lane has met more tags than these.
    """
    return _numbered_by(np.full(int(values.max()) + 1, -1, np.int32), values.astype(np.int64))


def _numbered_by(
    numbers: contract.SmallInts, values: contract.Ints
) -> tuple[contract.SmallInts, contract.SmallInts]:
    used, codes = np.empty(len(numbers), np.int32), np.empty(len(values), np.int32)
    return used[: number(values, numbers, used, codes)], codes


def _looked_up(numbers: contract.SmallInts, texts: Sequence[str | None]) -> Array:
    """The text of each number. A dictionary has each once: Parquet takes its word for it."""
    codes = {text: code for code, text in enumerate(dict.fromkeys(text for text in texts if text))}
    if not codes:
        return _nulls(len(numbers), _CODES)
    table = np.array([codes.get(text or "", contract.ABSENT) for text in texts], np.int32)
    return _dictionary(table[numbers], pa.array(codes, TEXT))


def _lines(rows: _Rows) -> Array:
    views = np.empty((len(rows.order), 2), np.uint64)
    view_lines(rows.scanned.rows, rows.order, rows.scanned.base, views)
    return pa.Array.from_buffers(_VIEW, len(rows.order), [None, _buffer(views), rows.body], 0)


def _column(name: str, kind: pa.DataType, rows: _Rows) -> Array:
    if kind == TEXT:
        return _view_column(name, rows) if name in UNIQUE_TEXTS else _dictionary_column(name, rows)
    found = _captures(name, rows)
    if found is None:
        return _nulls(len(rows.order), kind)
    # Up to 15 digits over a power of ten round rightly.
    values = found if kind == COUNT else (found >> 4) / _POWERS[found & 15]
    return _flat(kind, values, found != contract.ABSENT)


def _view_column(name: str, rows: _Rows) -> Array:
    found, size, scanned = _captures(name, rows), len(rows.order), rows.scanned
    if found is None:
        return _nulls(size, _VIEW)
    views = np.zeros((size, 2), np.uint64)
    view_captures(scanned.words, found, *_absent(name), scanned.base, scanned.made_at, views)
    validity, nulls = _validity(found != contract.ABSENT)
    return pa.Array.from_buffers(_VIEW, size, [validity, _buffer(views), rows.body, rows.made], nulls)


def _dictionary_column(name: str, rows: _Rows) -> Array:
    found = _captures(name, rows)
    if found is None:
        return _nulls(len(rows.order), _CODES)
    used, codes = _numbered_by(rows.numbers, found)
    return _dictionary(codes, _texts(rows.scanned, used))


def _captures(name: str, rows: _Rows) -> contract.Ints | None:
    """A column as it was captured, ABSENT where its shape has none; None if no shape has."""
    if not any(name in run.shape.slots or name in run.shape.constants for run in rows.runs):
        return None
    found = np.full(len(rows.order), contract.ABSENT, np.int64)
    for shape, begin, end, place in rows.runs:
        if name in shape.slots:
            first = place + shape.slots[name] * (end - begin)
            found[begin:end] = rows.turned[first : first + end - begin]
        elif name in shape.constants:
            found[begin:end] = shape.constants[name]
    return found


@lru_cache
def _absent(name: str) -> tuple[np.uint64, int]:
    """What a column says where there is nothing, as a word and its length; no text is -1 long."""
    text = ABSENT.get(name, "").encode()
    return np.uint64(int.from_bytes(text, "little")), len(text) or -1


def _texts(scanned: Scanned, used: contract.SmallInts) -> Array:
    entries, count = scanned.rows.entries, len(used)
    offsets = np.empty(count + 1, np.int32)
    packed = np.empty(pack_sizes(entries, used, count) + 8, np.uint8)
    pack(scanned.words, entries, used, count, offsets, words_of(packed))
    return pa.StringArray.from_buffers(count, _buffer(offsets), _buffer(packed))


def _validity(is_there: npt.NDArray[np.bool_]) -> tuple[pa.Buffer | None, int]:
    """Arrow's bitmap, none where everything is there; and how many are not."""
    nulls = len(is_there) - int(np.count_nonzero(is_there))
    return _buffer(np.packbits(is_there, bitorder="little")) if nulls else None, nulls


def _buffer(values: npt.NDArray[Any]) -> pa.Buffer:
    return pa.py_buffer(values)  # type: ignore[arg-type]  # the stubs do not know that arrays are buffers


def _flat(
    kind: pa.DataType, values: npt.NDArray[Any], is_there: npt.NDArray[np.bool_] | None = None
) -> Array:
    validity, nulls = (None, 0) if is_there is None else _validity(is_there)
    return pa.Array.from_buffers(kind, len(values), [validity, _buffer(values)], nulls)


def _dictionary(codes: contract.SmallInts, texts: Array) -> Array:
    """Texts by their codes; ABSENT is none."""
    is_there = codes != contract.ABSENT
    return pa.DictionaryArray.from_arrays(
        _flat(pa.int32(), np.maximum(codes, 0), is_there), texts, safe=False
    )


def _constant(text: str, size: int) -> Array:
    return _dictionary(np.zeros(size, np.int32), pa.array([text], TEXT))


def _nulls(size: int, kind: pa.DataType) -> Array:
    array: Array = pa.nulls(size, kind)  # type: ignore[call-overload]  # the stubs want one overload a type
    return array
