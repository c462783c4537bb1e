"""From blocks of bytes to whole lines, and to the dates that lines begin with. Only b"\\n" ends a line.

Nothing here loops over lines: a block costs a few scans in C, and little more memory than it has.
"""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingest.errors import ParseError
from ingest.months import month_of
from ingest.times import CLOCK_STEP_DAYS, DateSeen, day_of_year

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 16 << 20

# Old syslogd's line about the line before it: a reader needs both, so a chunk does not begin with one ...
REPEAT = b" last message repeated "
# ... nor with what goes on where the line before ended: lines without a stamp behind one of a server's own file, and
# the pieces that a long entry was cut into for syslog ...
BEGINNING = re.compile(
    rb"\n(?:(?P<bare>\d{4}-\d\d-\d\d \d\d:)|\d{4}-\d\d-\d\dT\d\d:|<\d{1,3}>|\{\"|[A-Z\x80-\xff][^ \n]{1,23} {1,2}\d{1,2} \d\d:)"
)
PIECE = re.compile(rb": \[\d{1,4}[/\\]\d{1,4}\] ")
NEAR_PIECES_BYTES = 4 << 10
# ... nor with the copy of the line before, which Exim writes for another of its logs
SAME = re.compile(rb"[^\n]{10,64}? (\S*exim\S{0,64}: )")
# ... unless more of them follow one another than any syslogd writes: memory comes first. Room for two lines
MAX_HELD_BYTES = 3 * MAX_LINE_BYTES
# Where reading goes on, so much is looked back at for the line that a REPEAT refers to; no event has a longer line
MAX_CONTEXT_BYTES = 64 << 10


class Chunk(NamedTuple):
    """Some lines of a source."""

    first_line: int  # counted from 1
    data: bytes  # whole lines; the last one of a source may lack its newline
    cut_lines: tuple[
        int, ...
    ] = ()  # numbers of the lines in it that were longer than MAX_LINE_BYTES, and end there
    before: bytes = b""  # whole lines before the first: context of a REPEAT, not taken themselves


def whole_lines(
    blocks: Iterable[bytes], size: int, first_line: int = 1, before: bytes = b""
) -> Iterator[Chunk]:
    """Chunks of about `size` bytes. The last line that is no REPEAT, and what follows, is held back.

    `before` is the context of the first chunk; others begin with a line that needs none.
    """
    # The buffer stays: memory that is given back and taken anew costs as much as copying
    line_no, goal, data, filled, newlines = first_line, size, bytearray(), 0, 0
    cuts: list[int] = []
    for block, more, cut_line in cut_long_lines(blocks, first_line):
        data[filled : filled + len(block)] = block
        filled, newlines = filled + len(block), newlines + more
        cuts += [cut_line] if cut_line else []
        if filled < goal:
            continue
        end = _last_plain_line(data, filled)
        if not end and filled > size + MAX_HELD_BYTES:
            end = data.rfind(b"\n", 0, filled) + 1
        goal = size if end else 2 * filled  # doubled: what is held is not searched again with every block
        if end:
            whole, rest = bytes(memoryview(data)[:end]), data[end:filled]
            filled, left = len(rest), count_lines(rest)
            data[:filled] = rest
            yield Chunk(line_no, whole, _within(cuts, line_no, newlines - left), before)
            line_no, newlines, before = line_no + newlines - left, left, b""
    if filled:
        yield Chunk(line_no, bytes(data[:filled]), _within(cuts, line_no, newlines + 1), before)


def count_lines(data: bytes | bytearray) -> int:
    """How many lines end in it. `bytes.count` takes five times as long: it looks at one byte after the other."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))


def split_open_line(chunk: Chunk) -> tuple[Chunk | None, Chunk | None]:
    """The complete lines of a chunk, and its last line if that has no newline (yet)."""
    end = chunk.data.rfind(b"\n") + 1
    if end == len(chunk.data):
        return chunk, None
    newlines = chunk.data.count(b"\n")
    open_line = chunk.first_line + newlines
    whole = chunk._replace(
        data=chunk.data[:end], cut_lines=_within(list(chunk.cut_lines), chunk.first_line, newlines)
    )
    cuts = _within(list(chunk.cut_lines), open_line, 1)
    before = context((b"\n" + chunk.before + whole.data)[-MAX_CONTEXT_BYTES:])
    return whole if end else None, Chunk(open_line, chunk.data[end:], cuts, before)


def begins_entry(line: bytes) -> bool:
    """Whether a line cannot go on where the line before ended, for it begins as entries do; that it can be read is not said."""
    return BEGINNING.match(b"\n" + line) is not None


def context(data: bytes) -> bytes:
    """The end of `data`, from its last line that is no REPEAT: what a REPEAT behind it needs. If none is plain, all lines.

    `data` ends with a newline; what stands before its first one is not a whole line.
    """
    return data[_last_plain_line(data, len(data)) or data.find(b"\n") + 1 :]


def _within(cuts: list[int], first_line: int, count: int) -> tuple[int, ...]:
    return tuple(line_no for line_no in cuts if first_line <= line_no < first_line + count)


def _last_plain_line(data: bytes | bytearray, size: int) -> int:
    """Where the last complete line of the first bytes begins that is no REPEAT; 0 if none or the first one."""
    end = data.rfind(b"\n", 0, size)
    while end > 0:
        start = data.rfind(b"\n", 0, end) + 1
        if data.find(REPEAT, start, end) < 0 and not _goes_on(data, size, start, end):
            return start
        end = start - 1
    return 0


def _goes_on(data: bytes | bytearray, size: int, start: int, end: int) -> bool:
    """Whether the line may belong to what stands before it, for which no more than a context is looked at."""
    if not start or size - start > MAX_CONTEXT_BYTES:
        return False
    if PIECE.search(data, max(0, start - NEAR_PIECES_BYTES), end) or _is_copy(data, start, end):
        return True
    if BEGINNING.match(data, start - 1):
        return False
    first = max(0, start - MAX_CONTEXT_BYTES)
    beginnings = BEGINNING.finditer(b"\n" + data[:start] if not first else data[first:start])
    last = next(iter(deque(beginnings, maxlen=1)), None)
    return last is not None and last["bare"] is not None


def _is_copy(data: bytes | bytearray, start: int, end: int) -> bool:
    """Whether a process wrote the same message twice: for two of its logs, if its server does that."""
    before = data.rfind(b"\n", 0, start - 1) + 1
    head = SAME.match(data, before, start)
    this = SAME.match(data, start, end)
    return bool(
        head and this and head[1] == this[1] and data[head.end() : start - 1] == data[this.end() : end]
    )


def cut_long_lines(blocks: Iterable[bytes], first_line: int = 1) -> Iterator[tuple[bytes, int, int | None]]:
    """The blocks without what exceeds MAX_LINE_BYTES in a line, how many lines end in each, and which is cut in it.

    No block is longer than MAX_LINE_BYTES: only the line that it continues can be too long.
    """
    line_no, length = first_line, 0  # of the line that the next block continues
    for block in blocks:
        newlines = count_lines(block)
        end = block.find(b"\n") if newlines else len(block)
        room = max(0, MAX_LINE_BYTES - length)
        if end <= room:
            yield block, newlines, None
        else:
            yield block[:room] + block[end:], newlines, line_no if length <= MAX_LINE_BYTES else None
        line_no += newlines
        length = len(block) - block.rfind(b"\n") - 1 if newlines else length + len(block)


# At most: priority and version (RFC 5424: "<22>1 "), the longest month name in UTF-8, day and time
HEAD_BYTES = 64
MAX_KNOWN_DATES = 4
BOM = b"\xef\xbb\xbf"  # what editors of other systems put before a file's first line
MONTH_DAY = rb"[A-Za-z\x80-\xff.]{2,24} {1,2}\d{1,2}"
DATE = rb"(" + MONTH_DAY + rb"(?= \d\d:\d\d:\d\d)|\d{4}-\d\d-\d\d(?=[T ]\d\d:))"


def date_changes(blocks: Iterable[bytes], start: int = 0) -> Iterator[DateSeen]:
    """Each line that begins with another date than the lines before it. The first byte is that of a line, at `start`.

    Lines without a date are skipped. A return to one of the last few dates is no news while they lie as near
    to each other as clocks do (two hosts write to one file): never so for December 31 and January 1.
    """
    base, data = start - 1, b"\n"  # every date then follows a newline, the first one too
    known: tuple[bytes, ...] = ()
    for block in blocks:
        data += block
        end = 0
        while match := _other_date(known).search(data, end):
            end = match.end()
            if date := date_of(match[1]):
                yield date._replace(at=base + match.start() + 1)
            known = (match[1], *(other for other in known if _is_near(other, match[1])))[:MAX_KNOWN_DATES]
        rest = _last_head(data)
        base += rest
        data = data[rest:]


def _last_head(data: bytes) -> int:
    """Where the line begins whose date may go on in the next block."""
    newline = data.rfind(b"\n", -HEAD_BYTES)
    return newline if newline >= 0 else len(data)


@lru_cache
def _other_date(known: tuple[bytes, ...]) -> re.Pattern[bytes]:
    other = b"(?!(?:%s)[T ])" % b"|".join(map(re.escape, known)) if known else b""
    return re.compile(rb"\n(?:" + BOM + rb")?(?:<\d{1,3}>(?:1 )?)?" + other + DATE)


@lru_cache
def date_of(token: bytes) -> DateSeen | None:
    """None if it only looks like a date ('Foo 12', '2026-13-01')."""
    try:
        date = _iso_date(token) if b"-" in token else _bsd_date(token)
        day_of_year(date)  # a ValueError where the calendar has no such day
    except (ParseError, ValueError):
        return None
    return date


def _iso_date(token: bytes) -> DateSeen:
    year, month, day = map(int, token.split(b"-"))
    return DateSeen(0, month, day, year)


def _bsd_date(token: bytes) -> DateSeen:
    month, day = token.decode().split()
    return DateSeen(0, month_of(month), int(day), None)


def _is_near(one: bytes, other: bytes) -> bool:
    days = [day_of_year(date) for date in map(date_of, (one, other)) if date]
    return max(days, default=0) - min(days, default=0) <= CLOCK_STEP_DAYS
