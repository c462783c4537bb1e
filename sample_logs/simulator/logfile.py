"""From lines with moments to log files in order of time: stamps, rotation, compression."""

import gzip
import os
import struct
from bisect import bisect_left
from collections.abc import Iterable
from datetime import timedelta
from operator import itemgetter
from pathlib import Path

from .plan import EPOCH, SECOND, EximPlan, HostPlan, Part, Stamps, microseconds

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FOREVER = 1 << 62
GZIP_MTIME_OFFSET = 4  # RFC 1952, 2.3: ID1 ID2 CM FLG MTIME(4)

Line = tuple[int, str]
moment_of = itemgetter(0)


def bsd(second: int) -> str:
    """RFC 3164: no year, no zone, the day padded with a blank."""
    moment = EPOCH + timedelta(seconds=second)
    return f"{MONTHS[moment.month - 1]} {moment.day:2} {moment:%H:%M:%S}"


def iso(second: int) -> str:
    """RFC 3339 up to the second."""
    return (EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")


def stamped(lines: Iterable[Line], stamps: Stamps, host: str) -> Iterable[str]:
    """Whole log lines; a second is spelt once, for all its lines."""
    last, spelt = -1, ""
    for t, text in lines:
        second, microsecond = divmod(t, SECOND)
        if second != last:
            last, spelt = second, bsd(second) if stamps == "bsd" else iso(second)
        if stamps == "bsd":
            yield f"{spelt} {host} {text}\n"
        elif stamps == "rfc3339":
            yield f"{spelt}.{microsecond:06d}+00:00 {host} {text}\n"
        elif stamps == "exim":
            yield f"{spelt.replace('T', ' ')} {text}\n"
        else:
            yield f"{spelt.replace('T', ' ')}.{microsecond // 1000:03d} +0000 {text}\n"


class PartFile:
    """One file of a log. A .gz carries the time of its last line, as gzip(1) keeps it, and no name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._raw = path.open("wb")
        self._gzip = gzip.GzipFile("", "wb", 9, self._raw, mtime=0) if path.suffix == ".gz" else None

    def write(self, lines: list[Line], stamps: Stamps, host: str) -> None:
        """Append these lines."""
        if lines:
            self._last = lines[-1][0] // SECOND
            (self._gzip or self._raw).write("".join(stamped(lines, stamps, host)).encode())

    def close(self) -> None:
        """Finish the file, its header and its time."""
        if self._gzip:
            self._gzip.close()
            self._raw.seek(GZIP_MTIME_OFFSET)
            self._raw.write(struct.pack("<I", self._last))
        self._raw.close()
        os.utime(self._path, (self._last, self._last))  # readers infer the year of BSD stamps from it


class LogFile:
    """The log of one host. Lines may be added out of order, ahead of the clock, but never behind a flush."""

    def __init__(self, folder: Path, plan: HostPlan | EximPlan, end: int) -> None:
        self._host = plan.name
        self._end = end
        self._pending: list[Line] = []
        self._written = 0
        self._parts = [
            (
                microseconds(part.until) if part.until else FOREVER,
                part,
                PartFile(folder / plan.name / part.file),
            )
            for part in plan.parts
        ]

    def add(self, t: int, text: str) -> None:
        """A line without its stamp and host."""
        self._pending.append((t, text))

    @property
    def count(self) -> int:
        """Lines so far, those ahead of the clock included."""
        return self._written + len(self._pending)

    def part_at(self, t: int) -> Part:
        """The file that a line of `t` goes to."""
        return next(part for until, part, _ in self._parts if t < until)

    def stamp(self, t: int) -> str:
        """`t` as precise as the log has it, in ISO 8601."""
        second, microsecond = divmod(t, SECOND)
        fraction = {"rfc3339": f".{microsecond:06d}", "exim-all": f".{microsecond // 1000:03d}000"}.get(
            self.part_at(t).stamps, ""
        )
        return f"{iso(second)}{fraction}+00:00"

    def flush(self, until: int) -> None:
        """Write the lines before `until`. The sort is stable: lines of one moment stay as they were added."""
        self._pending.sort(key=moment_of)
        cut = bisect_left(self._pending, min(until, self._end), key=moment_of)
        ready, self._pending = self._pending[:cut], self._pending[cut:]
        self._written += cut
        for part_end, part, file in self._parts:
            cut = bisect_left(ready, part_end, key=moment_of)
            file.write(ready[:cut], part.stamps, self._host)
            ready = ready[cut:]

    def close(self) -> None:
        """Write the rest, up to the end of the plan."""
        self.flush(self._end)
        for _, _, file in self._parts:
            file.close()
