"""The dates that lines begin with, from as few bytes of a file as will do: the years of BSD stamps hang on them.

A year changes where dates go back, so between two samples of one date nothing has to be read. Read whole are the
blocks where samples differ or are missing, and those near New Year and February 29, where years are decided. Where
all dates have their year nothing is decided, and the samples do.
"""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

from ingest.blocks import HEAD_BYTES, date_changes
from ingest.times import day_of_year

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ingest.times import DateSeen, Years

    ReadAt = Callable[[int, int], bytes]  # how many bytes, and where, as in pread(2)

SAMPLE_BYTES = 64 << 10
PEEK_BYTES = 4 << 10
NEAR_DAYS = 3
NEW_YEAR, LEAP_DAY, YEAR_DAYS = 1, 60, 366  # counted in a leap year, as `day_of_year` does


def sampled_dates(read_at: ReadAt, start: int, end: int) -> Iterator[DateSeen]:
    """What `date_changes` finds between two offsets, as far as years depend on it. A line begins at `start`."""
    return _news(_dates(read_at, start, end))


def _dates(read_at: ReadAt, start: int, end: int) -> Iterator[DateSeen]:
    sample = _sample(read_at, start, start, end)
    for place, following in pairwise(chain(range(start, end, SAMPLE_BYTES), (end,))):
        after = _sample(read_at, following, start, end) if following < end else None
        if sample and after and _nothing_between(sample, after):
            yield sample
        else:
            yield from _scan(read_at, place, following, start, end)
        sample = after


def _nothing_between(one: DateSeen, other: DateSeen) -> bool:
    if _decides(one) or _decides(other):
        return False
    return one[1:] == other[1:] or bool(one.year and other.year)


def _decides(date: DateSeen) -> bool:
    day = day_of_year(date)
    return min(abs(day - LEAP_DAY), day - NEW_YEAR, YEAR_DAYS - day) <= NEAR_DAYS


def _sample(read_at: ReadAt, place: int, start: int, end: int) -> DateSeen | None:
    return next(_scan(read_at, place, min(place + PEEK_BYTES, end), start, end), None)


def _scan(read_at: ReadAt, place: int, limit: int, start: int, end: int) -> Iterator[DateSeen]:
    """The dates of the lines that begin from `place` to before `limit`."""
    begin = max(place - 1, start)  # a line begins at `place` if a newline stands before it
    data = read_at(min(limit + HEAD_BYTES, end) - begin, begin)
    skip = data.find(b"\n") + 1 if begin < place else 0
    if begin < place and not skip:
        return
    for date in date_changes([data[skip:]], begin + skip):
        if date.at < limit:
            yield date


def _news(dates: Iterable[DateSeen]) -> Iterator[DateSeen]:
    known = None
    for date in dates:
        if date[1:] != known:
            yield date
        known = date[1:]


class LineNumbers:
    """Offsets to line numbers, while the blocks of a source pass by.

    `years` are those of BSD stamps by line number, as far as was read; those before the beginning count from line 0.
    """

    def __init__(self, years: Years = (), offset: int = 0, line_no: int = 1) -> None:
        self.years: list[tuple[int, int]] = [(0, year) for at, year in years if at < offset][-1:]
        self.offset, self.line_no = offset, line_no  # where reading begins
        self.last_line_at = offset  # where the last line begins; the end if that is a newline's
        self._ahead = [change for change in reversed(years) if change[0] >= offset]
        self._end, self._counted = offset, line_no

    def of(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks, one by one."""
        for block in blocks:
            if self._ahead:
                self._number(block)
            self.last_line_at = self._end + block.rfind(b"\n") + 1 if b"\n" in block else self.last_line_at
            self._end += len(block)
            yield block

    def _number(self, block: bytes) -> None:
        begun = 0
        while self._ahead and self._ahead[-1][0] < self._end + len(block):
            at, year = self._ahead.pop()
            self._counted += block.count(b"\n", begun, at - self._end)
            begun = at - self._end
            self.years.append((self._counted, year))
        self._counted += block.count(b"\n", begun)
