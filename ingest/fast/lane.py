"""One thread's way through its chunks: scratch memory, and what Python has told the scanner so far.

The scanner stops where it needs Python: at a day whose offsets from UTC it does not know, and at a tag that it has
not met. Both are asked once and remembered.
"""

from collections.abc import Iterator
from datetime import timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.blocks import Chunk
from ingest.fast.compile import compile_formats
from ingest.fast.kernel import contract
from ingest.fast.kernel.dictionaries import find_entry_of, find_tag, note_constants
from ingest.fast.kernel.scanning import scan
from ingest.fast.kernel.words import words_of
from ingest.formats import find_formats
from ingest.formats.base import Program
from ingest.times import UNIX_EPOCH, Years, offset_at, year_of

# Against the few hundred that a log has; more are an attacker's, and their lines the reference's.
_MAX_TAGS: Final = 2048
# Texts of dictionaries in one chunk, of a power of two slots; a chunk of 4 MB of ordinary lines has ten thousand, of lines with all that Exim can log a hundred thousand.
_MAX_ENTRIES: Final = 1 << 18
# A name of a host that no line names.
_MAX_HOST: Final = 256
_LEAST_LINE: Final = 24
_QUARTERS_A_DAY: Final = 96
_END_OF_LINES: Final = 1 << 62
_MONTHS: Final = np.array(
    [int.from_bytes(name, "big") for name in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()],
    np.int64,
)
# So that nobody outside can choose names that all fall on one another in a table.
SEED: Final = np.uint64(int.from_bytes(np.random.default_rng().bytes(8), "little"))


class Scanned(NamedTuple):
    """What the scanner understood of a chunk, as positions in its buffer; valid until the lane's next chunk."""

    buffer: contract.Bytes
    words: contract.Words
    base: int  # where the chunk's first byte lies in the buffer
    rows: contract.Rows
    found: int  # how many of `rows` are filled
    captures: int
    entries: int
    tags: list[str]
    programs: list[Program | None]
    blank: int
    declined: npt.NDArray[np.int64]  # (line number, position, length, whether behind an own line) a row
    own_lines: int  # understood ones of a server's own files, which name no host
    made_at: int  # where in the buffer the texts are that were put together
    made: bytes


class Lane:
    """Reads chunks one after the other."""

    def __init__(self, format_name: str) -> None:
        self.programs = compile_formats(format_name)
        self._formats = find_formats(format_name)
        constants = self.programs.constants
        self._host_at = -(-len(constants) // 8) * 8
        self._base = self._host_at + _MAX_HOST
        self._buffer = np.zeros(self._base, np.uint8)
        self._buffer[: len(constants)] = np.frombuffer(constants, np.uint8)
        self._minute = np.zeros(2, np.uint64)
        self._room(1 << 16)
        self._forget_tags()

    def read(self, chunk: Chunk, years: Years, zone: tzinfo, host: str | None = None) -> Scanned:
        """Scans a chunk; what was scanned before is overwritten. `host` is that of lines which name none."""
        self._room(len(chunk.data))
        if self._tags.count[0] >= _MAX_TAGS:
            self._forget_tags()
        end = self._base + len(chunk.data)
        self._buffer[self._base : end] = np.frombuffer(chunk.data, np.uint8)
        if chunk.data and not chunk.data.endswith(b"\n"):
            self._buffer[end] = 10
            end += 1
        is_plain = chunk.data.isascii() and b"\0" not in chunk.data
        state = np.zeros(contract.STATE_SIZE, np.int64)
        state[contract.POSITION], state[contract.LINE] = self._base, chunk.first_line
        self._rows.entry_slots.fill(-1)
        self._rows.tag_events.fill(0)
        self._rows.tag_foreign.fill(0)
        note_constants(
            self._words,
            self.programs.tables.constants,
            self._rows.entry_slots,
            self._rows.entries,
            state,
            SEED,
        )
        state[contract.MADE] = state[contract.MADE_NOW] = made_at = end + contract.SPARE
        state[contract.MADE_LIMIT] = len(self._buffer) - contract.SPARE
        self._note_own_files(state, host)
        offsets = _offsets(zone)
        for end_line, year in _years_within(years, chunk.first_line):
            while state[contract.POSITION] < end:
                scan(
                    self._buffer, self._words, end, end_line, is_plain, year, _MONTHS, offsets,
                    self.programs.tables, self._tags, self._rows, state, self._minute, SEED,
                )  # fmt: skip
                if state[contract.WANTED] == contract.NOTHING:
                    break
                self._tell(state, offsets, zone)
        return self._scanned(state, made_at)

    def _note_own_files(self, state: contract.Ints, host: str | None) -> None:
        """Whose the lines are that name neither program nor host. A relay chain (`a/b`) would be cut at its blank."""
        name = (host or "").encode()
        state[contract.OWN_PROGRAM] = -1
        if self.programs.own is None or len(name) > _MAX_HOST or b"/" in name:
            return
        self._buffer[self._host_at : self._host_at + len(name)] = np.frombuffer(name, np.uint8)
        state[contract.OWN_TAG], state[contract.OWN_PROGRAM] = 0, self.programs.own.program
        state[contract.OWN_HOST] = find_entry_of(
            self._words, self._host_at, len(name), self._rows.entry_slots, self._rows.entries, state, SEED
        )

    def _scanned(self, state: contract.Ints, made_at: int) -> Scanned:
        return Scanned(
            self._buffer,
            self._words,
            self._base,
            self._rows,
            int(state[contract.ROWS]),
            int(state[contract.CAPTURES]),
            int(state[contract.ENTRIES]),
            self._tag_names,
            self._tag_programs,
            int(state[contract.BLANK]),
            self._rows.declined[: state[contract.DECLINED]],
            int(state[contract.OWN_LINES]),
            made_at,
            self._buffer[made_at : state[contract.MADE]].tobytes(),
        )

    def _text(self, position: int, length: int) -> str:
        return self._buffer[position : position + length].tobytes().decode("ascii")

    def _tell(self, state: contract.Ints, offsets: contract.SmallInts, zone: tzinfo) -> None:
        """Answers what the scanner stopped for."""
        if state[contract.WANTED] == contract.DAY:
            _fill_day(offsets, int(state[contract.WANTED_AT]), zone)
        else:
            self._learn(int(state[contract.WANTED_AT]), int(state[contract.WANTED_SIZE]))

    def _learn(self, position: int, length: int) -> None:
        """Notes whose program a tag is."""
        tags, number = self._tags, len(self._tag_names)
        name = self._text(position, length)
        _, slot = find_tag(self._words, position, length, tags.slots, tags.text, tags.size, SEED)
        tags.slots[slot] = number
        tags.text[number * contract.MAX_TAG_WORDS :][: contract.MAX_TAG_WORDS] = np.frombuffer(
            name.encode().ljust(8 * contract.MAX_TAG_WORDS, b"\0"), np.uint64
        )
        tags.size[number] = length
        self._add_tag(name)

    def _add_tag(self, name: str) -> None:
        tags, number = self._tags, len(self._tag_names)
        claims = ((each.name, each.claim(name)) for each in self._formats)
        server, program = next(((server, program) for server, program in claims if program), ("", None))
        if program is None:
            tags.program[number] = contract.FOREIGN
        else:
            key = (server, program.daemon or "")
            tags.program[number] = self.programs.numbers.get(key, contract.FOR_REFERENCE)
        tags.count[0] = number + 1
        self._tag_names.append(name)
        self._tag_programs.append(program)

    def _forget_tags(self) -> None:
        self._tag_names: list[str] = []
        self._tag_programs: list[Program | None] = []
        self._tags = contract.Tags(
            slots=np.full(4 * _MAX_TAGS, -1, np.int32),
            text=np.zeros(_MAX_TAGS * contract.MAX_TAG_WORDS, np.uint64),
            size=np.zeros(_MAX_TAGS, np.int64),
            program=np.zeros(_MAX_TAGS, np.int32),
            count=np.zeros(1, np.int64),
        )
        if self.programs.own:  # number 0, which no line names
            self._add_tag(self.programs.own.tag)

    def _room(self, size: int) -> None:
        """Makes room for a chunk of `size` bytes and twice as many made of its parts; what no line touches is free."""
        needed = self._base + 3 * size + 1 + 3 * contract.SPARE
        if needed <= len(self._buffer):
            return
        buffer = np.zeros(needed + needed // 4, np.uint8)
        buffer[: self._base] = self._buffer[: self._base]
        self._buffer = buffer
        self._words = words_of(buffer)
        self._rows = _rows(len(buffer) // 3, int(self.programs.tables.slots.max(initial=0)) + 1)


def _rows(size: int, captures: int) -> contract.Rows:
    """Room for the rows of `size` bytes, each with so many captures."""
    lines = size // _LEAST_LINE + 1
    shape, offset_s, host, tag = (np.empty(lines, np.int32) for _ in range(4))
    start, moment_us, pid, line, first_capture = (np.empty(lines, np.int64) for _ in range(5))
    return contract.Rows(
        shape=shape,
        start=start,
        head=np.empty(lines, np.uint64),
        moment_us=moment_us,
        offset_s=offset_s,
        host=host,
        tag=tag,
        pid=pid,
        line=line,
        first_capture=first_capture,
        captures=np.empty((lines + 1) * captures, np.int64),
        declined=np.empty((size // 2 + 1, 4), np.int64),
        tag_events=np.zeros(_MAX_TAGS, np.int64),
        tag_foreign=np.zeros(_MAX_TAGS, np.int64),
        entry_slots=np.empty(2 * _MAX_ENTRIES, np.int32),
        entries=np.empty((_MAX_ENTRIES, 3), np.int64),
    )


def _years_within(years: Years, first_line: int) -> Iterator[tuple[int, int]]:
    """(line where another begins, year) for BSD stamps from a line on; 0 where nothing tells the year."""
    begins = first_line
    for line_no, _ in (*years, (_END_OF_LINES, 0)):
        if line_no > begins:
            year = year_of(years, begins) or 0
            yield line_no, year if contract.FIRST_YEAR <= year < contract.END_YEAR else 0
            begins = line_no


@lru_cache(maxsize=4)
def _offsets(zone: tzinfo) -> contract.SmallInts:
    """Offsets of a zone by quarter of an hour, none known yet."""
    del zone
    days = 366 * (contract.END_YEAR - contract.FIRST_YEAR)
    return np.zeros(days * _QUARTERS_A_DAY, np.int32)


def _fill_day(offsets: contract.SmallInts, day: int, zone: tzinfo) -> None:
    """Offsets of one local day. A quarter in which the clock is set is unsure: its lines go to the reference."""
    begin = UNIX_EPOCH + timedelta(days=day)
    values = []
    for quarter in range(_QUARTERS_A_DAY):
        first, last = (
            begin + timedelta(seconds=quarter * contract.QUARTER_S + s) for s in (0, contract.QUARTER_S - 1)
        )
        offset = offset_at(first, zone)
        is_sure = offset == offset_at(last, zone)
        values.append(
            contract.OFFSET_BIAS + offset // timedelta(seconds=1) if is_sure else contract.OFFSET_UNSURE
        )
    place = (day - contract.FIRST_DAY) * _QUARTERS_A_DAY
    offsets[place : place + _QUARTERS_A_DAY] = values
