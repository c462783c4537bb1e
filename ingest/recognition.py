"""Whose line it is: a program's that syslog names, or one of a server's own file, which names none.

Syslog is asked first. Where it cannot take a line apart, or finds a program that no format in force claims, the
formats that write files of their own are asked in their order; where none of them knows the line either, it is what
syslog said. Lines follow others of their kind, so the format of the line before is tried first; that changes nothing,
for a format does not take what a claimed program wrote through syslog.
"""

from collections.abc import Sequence
from datetime import timedelta, timezone
from typing import Final

from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.formats.base import Format, Program
from ingest.framing import Frame, Framer

# The two stamps of a line are of one moment; where they differ by more, one clock is in a zone that nobody told us.
_SAME_MOMENT_US: Final = 10 * 60 * 1_000_000


class Recogniser:
    """The formats in force, and what was found out about the lines so far."""

    def __init__(self, formats: Sequence[Format]) -> None:
        self.bare: Format | None = None  # whose own file the last line was of
        self._formats = formats
        self._with_files = tuple(each for each in formats if each.frame)
        self._claims: dict[str, tuple[Format, Program] | None] = {}
        self._clocks: dict[int, Clock] = {}
        self._alone = formats[0].frame if len(formats) == 1 and not formats[0].has_syslog else None

    def framer(self, clock: Clock) -> Framer:
        """What takes syslog's lines apart, under a clock."""
        return Framer(clock, self._stamps)

    def claim(self, tag: str) -> tuple[Format, Program] | None:
        """The format that a program's lines belong to."""
        if tag not in self._claims:
            claims = ((each, each.claim(tag)) for each in self._formats)
            self._claims[tag] = next(((each, program) for each, program in claims if program), None)
        return self._claims[tag]

    def frame(self, line: str, framer: Framer) -> Frame:
        """Takes one line apart; ParseError says why it is no log line."""
        if self._alone:
            return self._alone(line, framer.clock)
        if self.bare and (frame := _bare(self.bare, line, framer.clock)):
            return frame
        before, self.bare = self.bare, None
        try:
            frame = framer.frame(line)
        except ParseError:
            found = self._find_bare(line, framer.clock)
            if found is None:
                self.bare = before if before and before.has_continuations else None
                raise
            return found
        claimed = self._claims[frame.tag] if frame.tag in self._claims else self.claim(frame.tag)
        if claimed is None:
            return self._find_bare(line, framer.clock) or frame
        return self._with_own_stamp(frame, claimed[0]) if claimed[0].frame else frame

    def _stamps(self, tag: str) -> bool:
        claimed = self.claim(tag)
        return claimed is not None and claimed[0].frame is not None

    def _find_bare(self, line: str, clock: Clock) -> Frame | None:
        for each in self._with_files:
            if frame := _bare(each, line, clock):
                self.bare = each
                return frame
        return None

    def _with_own_stamp(self, frame: Frame, server: Format) -> Frame:
        """The message without its own stamp. It names no zone as a rule: then it is of syslog's."""
        offset_s = frame.moment.offset_s
        if offset_s not in self._clocks:
            self._clocks[offset_s] = Clock(None, timezone(timedelta(seconds=offset_s)))
        inner = _bare(server, frame.message, self._clocks[offset_s])
        if inner is None:
            return frame
        is_same = abs(inner.moment.utc_us - frame.moment.utc_us) <= _SAME_MOMENT_US
        moment = inner.moment if is_same else frame.moment
        return frame._replace(moment=moment, pid=inner.pid or frame.pid, message=inner.message)


def _bare(server: Format, line: str, clock: Clock) -> Frame | None:
    if server.frame is None:
        return None
    try:
        return server.frame(line, clock)
    except ParseError:
        return None
