"""Whose line it is: a program's that syslog names, or one of a server's own file, which names none.

Syslog is asked first. Where it cannot take a line apart, or finds a program that no format in force claims, the
formats that write files of their own are asked in their order; where none of them knows the line either, it is what
syslog said. Lines follow others of their kind, so the format of the line before is tried first; that changes nothing,
for a format does not take what a claimed program wrote through syslog.
"""

from collections.abc import Sequence
from datetime import timedelta, timezone
from typing import Final, NamedTuple, TypeAlias

from ingest.blocks import HEAD_BYTES, begins_entry
from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.formats.base import Format, Piece, Program
from ingest.framing import Frame, Framer
from ingest.text import encode

# The two stamps of a line are of one moment; where they differ by more, one clock is in a zone that nobody told us.
_SAME_MOMENT_US: Final = 10 * 60 * 1_000_000
_WRITERS_KEPT: Final = 512


_Writer: TypeAlias = tuple[str | None, str, str | None]  # host, tag, pid


class _Entry(NamedTuple):
    """An entry that comes in pieces: the text of its first line so far, None once it was read."""

    following: int
    text: str | None
    header: str


class Recogniser:
    """The formats in force, and what was found out about the lines so far."""

    def __init__(self, formats: Sequence[Format]) -> None:
        self.bare: Format | None = None  # whose own file the last line was of
        self.claims: dict[str, tuple[Format, Program] | None] = {}  # by tag, as far as `claim` was asked
        self._formats = formats
        self._with_files = tuple(each for each in formats if each.frame)
        self._clocks: dict[int, Clock] = {}
        self._alone = formats[0].frame if len(formats) == 1 and not formats[0].has_syslog else None
        self._entries: dict[_Writer, _Entry] = {}

    def framer(self, clock: Clock) -> Framer:
        """What takes syslog's lines apart, under a clock."""
        return Framer(clock, self._stamps)

    def claim(self, tag: str) -> tuple[Format, Program] | None:
        """The format that a program's lines belong to."""
        if tag not in self.claims:
            claims = ((each, each.claim(tag)) for each in self._formats)
            self.claims[tag] = next(((each, program) for each, program in claims if program), None)
        return self.claims[tag]

    def frame(self, line: str, framer: Framer) -> Frame:
        """Takes one line apart; ParseError says why it is no log line."""
        if self._alone:
            return self._alone(line, framer.clock)
        before = self.bare
        if before is not None:
            if frame := _bare(before, line, framer.clock):
                return frame
            self.bare = None
        try:
            frame = framer.frame(line)
        except ParseError:
            found = self._find_bare(line, framer.clock)
            if found is None:
                goes_on = before and before.has_continuations and not begins_entry(encode(line[:HEAD_BYTES]))
                self.bare = before if goes_on else None
                raise
            return found
        tag = frame.tag
        claimed = self.claims[tag] if tag in self.claims else self.claim(tag)
        if claimed is None:
            return self._find_bare(line, framer.clock) or frame
        return self._with_own_stamp(frame, claimed[0]) if claimed[0].frame else frame

    def join(self, frame: Frame, piece: Piece, line: str) -> tuple[Frame, str] | None:
        """A whole entry's frame and line, once the last piece of its first line is here; None for other pieces."""
        writer = frame.host, frame.tag, frame.pid
        entry = self._entries.get(writer)
        if piece.number == 1:
            header = line.removesuffix(frame.message)
            entry = _Entry(1, "", header)
        if entry is None or entry.following != piece.number:
            self._entries.pop(writer, None)
            return None
        text = None if entry.text is None else entry.text + piece.text
        is_read = text is None or piece.ends_line or piece.number == piece.total
        if len(self._entries) >= _WRITERS_KEPT:
            self._entries.clear()
        self._entries[writer] = _Entry(piece.number + 1, None if is_read else text, entry.header)
        if text is None or not is_read:
            return None
        whole = frame._replace(message=text)
        claimed = self.claim(frame.tag)
        return self._with_own_stamp(whole, claimed[0]) if claimed else whole, entry.header + text

    def go_on_from(self, before: "Recogniser") -> None:
        """What was found out about the lines before these."""
        self.bare = before.bare
        self._entries |= before._entries

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
