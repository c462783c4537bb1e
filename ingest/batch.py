"""Lines to Arrow: the one loop over lines, and the one place that catches a ParseError.

A batch is some megabytes of whole lines. Events are gathered by the columns that they fill, so that each group
becomes Arrow arrays column by column; typing (numbers, NULL for Postfix' `unknown` and `none`) happens on whole
columns, with the schema as the guide.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ingest.blocks import BOM
from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.formats.base import Event, Format, NoRecordError
from ingest.framing import LAST_REPEATED, Frame, Framer, repeat_count
from ingest.recognition import Recogniser
from ingest.schema import ATTRIBUTES, FAMILY_BY_KIND, FRAME, UNPARSED, Family, Kind, events_schema

# No daemon writes longer lines (Postfix cuts at 2 kB a value, rsyslog at 8 kB by default); grammars may assume it.
MAX_MESSAGE: Final = 32_768
# What Postfix writes where there is nothing: a client without verified name, a delivery without relay.
ABSENT: Final = {
    "client_name": "unknown", "client_ip": "unknown", "orig_client_name": "unknown", "orig_client_ip": "unknown",
    "relay_name": "none", "message_id": "<>",
}  # fmt: skip

_BOM_TEXT: Final = BOM.decode()
# Entries that a server writes to two of its logs reach syslog one right after the other.
_COPY_WITHIN_US: Final = 2_000_000

Array: TypeAlias = "pa.Array[Any]"
Columns: TypeAlias = tuple[str, ...]


class Result(NamedTuple):
    """What became of a batch: events by family, unparsed rows, and each line counted once by (program, result)."""

    events: dict[Family, pa.Table]
    unparsed: pa.Table
    coverage: Counter[tuple[str, str]]
    is_host_assumed: bool = False  # some events are of lines that name no host


class _Group(NamedTuple):
    rows: list[int]
    values: list[tuple[str | None, ...]]


Place = tuple[str | None, str, str | None]  # host, syslog tag, and the daemon where the tag lost it


# What the frame's columns need of one event: moment, offset, place, pid, queue id, copy, line number, line.
_Kept: TypeAlias = tuple[int, int, int, str | None, str | None, int | None, int, str]


class Segment(NamedTuple):
    """Lines that follow each other in a source, under one clock."""

    first_line: int
    lines: Sequence[str]
    clock: Clock


class Gathered:
    """Columns in the making: what the frame tells a row an event, attributes by (kind, columns)."""

    def __init__(self, source_id: str, formats: Sequence[Format], host: str | None = None) -> None:
        self.source_id = source_id
        self.default_host = host  # of lines that name none
        self.formats = formats
        self.recogniser = Recogniser(formats)
        self._claims = self.recogniser.claims
        self.is_host_assumed = False
        self.kept: list[_Kept] = []
        self.places: dict[Place, int] = {}
        self.groups: dict[tuple[Kind, Columns], _Group] = {}
        self.unparsed: list[tuple[int, str, str | None, str]] = []
        self.coverage: Counter[tuple[str, str]] = Counter()
        self.last: Frame | None = None

    def prime(self, before: Iterable[Segment]) -> None:
        """Reads the lines before the first one, for what that may refer to; they are not taken."""
        context = Gathered(self.source_id, self.formats)
        for segment in before:
            context.add_segment(segment)
        self._go_on_from(context)

    def add_segment(self, segment: Segment) -> None:
        """Counts each line once and keeps what it says."""
        framer = self.recogniser.framer(segment.clock)
        for line_no, line in enumerate(segment.lines, start=segment.first_line):
            self.add_line(line_no, line, framer)

    def recall(self, line: str, framer: Framer) -> None:
        """Takes note of a line that is counted elsewhere: the next one may say `last message repeated`."""
        before = Gathered(self.source_id, self.formats)
        before.add_line(0, line, framer)
        self._go_on_from(before)

    def forget(self) -> None:
        """The line before was of a program that says all in one line."""
        self.last = None
        self.recogniser.bare = None

    def _go_on_from(self, before: "Gathered") -> None:
        self.last = before.last
        self.recogniser.go_on_from(before.recogniser)

    def add_line(self, line_no: int, line: str, framer: Framer) -> None:
        """Counts one line and keeps what it says; `last message repeated` means the line added before."""
        if not line or line.isspace():
            self.coverage["", "blank"] += 1
            self.forget()
            return
        tag = ""
        try:
            frame = self._frame(line.removeprefix(_BOM_TEXT) if line_no == 1 else line, framer)
            _, _, tag, _, message, repeat = frame
            claimed = self._claims[tag] if tag in self._claims else self.recogniser.claim(tag)
            if claimed is None:
                self.coverage[tag, "foreign"] += 1
                self.last = None
                return
            if len(message) > MAX_MESSAGE:
                raise ParseError(f"a message of {len(message)} characters: more than {MAX_MESSAGE}")
            server, program = claimed
            if server.piece and not self.recogniser.bare and (piece := server.piece(message)):
                joined = self.recogniser.join(frame, piece, line)
                if joined is None:
                    self.coverage[tag, "blank"] += 1
                    self.last = None
                    return
                frame, line = joined
            event = server.parse(program, frame.message)
            is_copied = isinstance(event, Event) and event.kind in server.copied
            if is_copied and self._is_copy(frame):
                self.coverage[tag, "duplicate"] += 1
                self.last = None
                return
        except NoRecordError:
            self.coverage[self.formats[0].name, "blank"] += 1
            return
        except ParseError as error:
            if not tag and self.recogniser.bare:  # it goes on where the line before ended
                self.coverage[self.recogniser.bare.name, "blank"] += 1
                self.last = None
                return
            self.coverage[tag, "unparsed"] += 1
            self.unparsed.append((line_no, str(error), tag or None, line))
            self.last = None
            return
        self.last = frame
        if repeat == 1 and isinstance(event, Event):
            self._keep(frame, line_no, line, None, event)
            return
        events = [event] if isinstance(event, Event) else event
        for copy, each in enumerate(events * repeat, start=1):
            self._keep(frame, line_no, line, copy, each)

    def _is_copy(self, frame: Frame) -> bool:
        """Whether the line before is the same message of the same process, through syslog."""
        before = self.last
        if before is None or self.recogniser.bare or before.message != frame.message:
            return False
        is_same = (before.host, before.tag, before.pid) == (frame.host, frame.tag, frame.pid)
        return is_same and abs(before.moment.utc_us - frame.moment.utc_us) <= _COPY_WITHIN_US

    def _frame(self, line: str, framer: Framer) -> Frame:
        try:
            return self.recogniser.frame(line, framer)
        except ParseError:
            repeated = LAST_REPEATED.match(line)
            if repeated is None:
                raise
            if self.last is None or self.last.host != repeated["host"]:
                raise ParseError(
                    "`last message repeated`, but the line before is not this host's mail"
                ) from None
            return self.last._replace(repeat=repeat_count(repeated["count"]))

    def _keep(self, frame: Frame, line_no: int, line: str, copy: int | None, event: Event) -> None:
        (utc_us, offset_s), host, tag, pid, _, _ = frame
        kind, queue_id, columns, values, daemon = event
        group = self.groups.get((kind, columns))
        if group is None:
            group = self.groups[kind, columns] = _Group([], [])
        group.rows.append(len(self.kept))
        group.values.append(values)
        if not host:
            self.is_host_assumed = True
        place = self.places.setdefault((host or self.default_host, tag, daemon), len(self.places))
        self.kept.append((utc_us, offset_s, place, pid, queue_id, copy, line_no, line))

    def result(self) -> Result:
        """All that was gathered, as tables."""
        by_family: dict[Family, list[tuple[Kind, Columns, _Group]]] = {}
        for (kind, columns), group in self.groups.items():
            by_family.setdefault(FAMILY_BY_KIND[kind], []).append((kind, columns, group))
        frames = self._frame_arrays() if self.kept else {}
        events = {family: _family_table(family, groups, frames) for family, groups in by_family.items()}
        return Result(
            events,
            _unparsed_table(self.unparsed, self.source_id),
            self.coverage + self._understood(),
            self.is_host_assumed,
        )

    def _understood(self) -> Counter[tuple[str, str]]:
        """Event lines by program: counted here and not line by line; a line that stands for many counts once."""
        lines = Counter([row[2] for row in self.kept if row[5] is None or row[5] == 1])
        counted: Counter[tuple[str, str]] = Counter()
        for (_, tag, _), place in self.places.items():
            counted[tag, "event"] += lines[place]
        return counted

    def _frame_arrays(self) -> Mapping[str, Array]:
        """The frame's columns of all events; what a place tells is looked up by its number, not repeated as text."""
        places = pa.array([row[2] for row in self.kept], pa.int32())
        hosts, tags, daemons = zip(*self.places, strict=True)
        programs = [claimed[1] for tag in tags if (claimed := self.recogniser.claim(tag))]
        told = {
            "host": hosts,
            "server": [program.server for program in programs],
            "instance": [program.instance for program in programs],
            "service": [program.service for program in programs],
            "daemon": [daemon or program.daemon for daemon, program in zip(daemons, programs, strict=True)],
        }
        return {name: pa.array(values, pa.string()).take(places) for name, values in told.items()} | {
            "logged_at": pa.array([row[0] for row in self.kept], pa.int64()).cast(FRAME["logged_at"]),
            "utc_offset_s": pa.array([row[1] for row in self.kept], pa.int32()),
            "pid": pa.array([row[3] for row in self.kept], pa.string()).cast(pa.int64()),
            "queue_id": pa.array([row[4] for row in self.kept], pa.string()),
            "repeat_no": pa.array([row[5] for row in self.kept], pa.int32()),
            "source_id": pa.repeat(self.source_id, len(self.kept)),
            "line_no": pa.array([row[6] for row in self.kept], pa.int64()),
            "line": pa.array([row[7] for row in self.kept], pa.string()),
        }


def read_batch(
    segments: Iterable[Segment],
    source_id: str,
    formats: Sequence[Format],
    before: Iterable[Segment] = (),
    host: str | None = None,
) -> Result:
    """Parses segments of a source into tables; `before` is what stands before them, `host` for lines without one."""
    gathered = Gathered(source_id, formats, host)
    gathered.prime(before)
    for segment in segments:
        gathered.add_segment(segment)
    return gathered.result()


def _family_table(
    family: Family, groups: Sequence[tuple[Kind, Columns, _Group]], frames: Mapping[str, Array]
) -> pa.Table:
    """One family's events, kind by kind: alike lines side by side compress better than lines in their order."""
    rows = pa.concat_arrays([pa.array(group.rows, pa.int64()) for _, _, group in groups])
    sizes = [len(group.rows) for _, _, group in groups]
    kinds = pa.concat_arrays(
        [pa.repeat(str(kind), size) for (kind, _, _), size in zip(groups, sizes, strict=True)]
    )
    columns = {name: array.take(rows) for name, array in frames.items()} | {"kind": kinds}
    filled = [_group_columns(columns, group) for _, columns, group in groups]
    for name, kind in ATTRIBUTES[family].items():
        parts = [
            _typed(name, values[name], kind) if name in values else _nulls(size, kind)
            for values, size in zip(filled, sizes, strict=True)
        ]
        columns[name] = pa.concat_arrays(parts)
    schema = events_schema(family)
    return pa.table([columns[field.name] for field in schema], schema=schema)


def _group_columns(columns: Columns, group: _Group) -> dict[str, list[str | None]]:
    return {name: [row[place] for row in group.values] for place, name in enumerate(columns)}


def _typed(name: str, values: Sequence[str | None], kind: pa.DataType) -> Array:
    array = pa.array(values, pa.string())
    if name in ABSENT:
        array = pc.if_else(pc.equal(array, pa.scalar(ABSENT[name])), None, array)
    return array if kind == pa.string() else array.cast(kind)


def _nulls(size: int, kind: pa.DataType) -> Array:
    array: Array = pa.nulls(size, kind)  # type: ignore[call-overload]  # the stubs want one overload a type
    return array


def _unparsed_table(rows: Sequence[tuple[int, str, str | None, str]], source_id: str) -> pa.Table:
    line_nos, reasons, programs, lines = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        [
            pa.repeat(source_id, len(rows)),
            pa.array(line_nos, pa.int64()),
            pa.array(reasons, pa.string()),
            pa.array(programs, pa.string()),
            pa.array(lines, pa.string()),
        ],
        schema=UNPARSED,
    )
