"""The line before the message: who logged it, when, and what stands behind it.

Forms, recognised line by line because one file may mix them: BSD syslog (RFC 3164), the same with an RFC 3339 stamp,
RFC 5424, JSON objects (journald's `-o json`, rsyslog, docker), Kubernetes' CRI lines, and any of these nested in
another's message, as forwarding collectors write them. The innermost stamp is the mail server's and wins.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeAlias

from ingest.clock import Clock, in_calendar
from ingest.errors import ParseError
from ingest.text import decode
from ingest.times import Moment, parse_epoch

MAX_REPEAT: Final = 10_000
_WRITERS_KEPT: Final = 65_536
_HALF_A_YEAR_US: Final = 183 * 86_400 * 1_000_000
_MAX_NESTING: Final = 4

# RFC 3164 with the liberties of the field: a priority, FreeBSD's `<mail.info>` (syslogd -v), a relay chain as host,
# Solaris' message ids; the stamp may be of either kind. A tag has no blank, colon or bracket.
_BSD_STAMP: Final = r"([^\W\d_]{3,5}\.? [ \d]?\d \d\d:\d\d:\d\d)(\.\d+)?"
_ISO_STAMP: Final = r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)([.,]\d+)?(Z|[+-]\d\d(?::?\d\d)?)?"
_MICROSECONDS: Final = re.compile(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{6}[+-][0-9]{2}:[0-9]{2} ")
_HOST: Final = r" (?:<[\w.]+> )?(\S+)"
_TAG: Final = r"([^\s:\[\]]+)(?:\[([0-9]{1,10})\])?: ?(?:\[ID \d+ [\w.]+\] )?"
_PRIORITY: Final = r"(?:<\d{1,3}>)?"
_BSD: Final = re.compile(f"{_PRIORITY}{_BSD_STAMP}{_HOST} {_TAG}")
_ISO: Final = re.compile(f"{_PRIORITY}{_ISO_STAMP}{_HOST} {_TAG}")
# RFC 5424 section 6: VERSION, stamp, host, app-name, procid, msgid, structured data, then the message (maybe a BOM).
_RFC5424: Final = re.compile(
    rf"<\d{{1,3}}>\d {_ISO_STAMP} (\S+) (\S+) (\S+) \S+ (?:-|(?:\[(?:[^\]\\\"]|\\.|\"(?:[^\"\\]|\\.)*\")*\])+)"
    r"(?: ?﻿? ?| )"
)
_BARE: Final = re.compile(_TAG)
_CRI: Final = re.compile(rf"{_ISO_STAMP} (?:stdout|stderr) [FP] ")
_COMPOSE: Final = re.compile(r"[\w.-]+ +\| (?=\S)")
_REPEATED: Final = re.compile(r"message repeated (\d+) times: \[ ?(.*)\]$", re.S)
LAST_REPEATED: Final = re.compile(
    rf"(?:{_BSD_STAMP}|{_ISO_STAMP}) (?:<[\w.]+> )?(?P<host>\S+) last message repeated (?P<count>\d+) times$"
)
_DATED: Final = re.compile(rf"{_PRIORITY}(?:{_BSD_STAMP}|{_ISO_STAMP}) ")

# Where JSON writers put things: journald, rsyslog, docker, fluentd, Vector. The first key present counts.
_JSON_MESSAGE: Final = ("MESSAGE", "message", "msg", "log")
_JSON_TAG: Final = ("tag", "SYSLOG_IDENTIFIER", "syslogtag", "appname", "program", "ident")
_JSON_PID: Final = ("SYSLOG_PID", "_PID", "pid", "procid")
_JSON_HOST: Final = ("_HOSTNAME", "host", "hostname", "HOSTNAME")
_JSON_STAMP: Final = ("@timestamp", "time", "timestamp", "timereported")
_JOURNAL_STAMP: Final = ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")


class Frame(NamedTuple):
    """A line taken apart: its moment, its logging host, the tag and pid of its program, and the message."""

    moment: Moment
    host: str | None
    tag: str
    pid: str | None
    message: str
    repeat: int = 1


# Whether a program's messages may begin with a stamp of its own: then they are no line inside another's message.
Stamps: TypeAlias = Callable[[str], bool]


def _nobody(tag: str) -> bool:
    del tag
    return False


def _add_fraction(moment: Moment, fraction: str | None) -> Moment:
    if not fraction:
        return moment
    return moment._replace(utc_us=moment.utc_us + int(fraction[1:7].ljust(6, "0")))


def origin(host: str) -> str:
    """The first of a relay chain (syslog-ng, chain_hostnames): who logged it, not who passed it on."""
    return host if "/" not in host else host.partition("/")[0] or host


def frame_line(line: str, clock: Clock, depth: int = 0, stamps: Stamps = _nobody) -> Frame:
    """Takes one line apart; ParseError says why it is no log line."""
    first = line[:1]
    if first == "{":
        return _frame_json(line, clock, depth, stamps)
    if first.isdigit() or first == "<":
        found = _ISO.match(line)
        if found:
            second, fraction, offset, host, tag, pid = found.groups()
            moment = _add_fraction(clock.iso(second, offset), fraction)
            return _unwrap(Frame(moment, origin(host), tag, pid, line[found.end() :]), clock, depth, stamps)
    found = _BSD.match(line)
    if found:
        second, fraction, host, tag, pid = found.groups()
        moment = _add_fraction(clock.bsd(second), fraction)
        return _unwrap(Frame(moment, origin(host), tag, pid, line[found.end() :]), clock, depth, stamps)
    return _frame_rare(line, clock, depth, stamps)


def _frame_rare(line: str, clock: Clock, depth: int, stamps: Stamps) -> Frame:
    found = _RFC5424.match(line)
    if found:
        second, fraction, offset, host, tag, pid = found.groups()
        moment = _add_fraction(clock.iso(second, offset), fraction)
        frame = Frame(moment, None if host == "-" else origin(host), tag, _digits(pid), line[found.end() :])
        return _unwrap(frame, clock, depth, stamps)
    found = _CRI.match(line)
    if found and depth < _MAX_NESTING:
        outer = _add_fraction(clock.iso(found[1], found[3]), found[2])
        return _frame_inner(line[found.end() :], Frame(outer, None, "", None, ""), clock, depth, stamps)
    found = _COMPOSE.match(line)
    if found and depth < _MAX_NESTING:
        return frame_line(line[found.end() :], clock, depth + 1, stamps)
    raise ParseError("no known form of a log line")


def _unwrap(frame: Frame, clock: Clock, depth: int, stamps: Stamps) -> Frame:
    """What a collector wrapped: a whole log line as the message, or `message repeated N times: [...]`."""
    message = frame.message
    if message.startswith("message repeated "):
        return _repeated(frame)
    if _may_be_dated(message) and depth < _MAX_NESTING and _DATED.match(message) and not stamps(frame.tag):
        try:
            return _frame_within(message, frame, clock, depth, stamps)
        except ParseError:
            return frame
    return frame


def _may_be_dated(message: str) -> bool:
    """Where a date has its blank or dash, most messages have something else: a cheap look before the expensive one."""
    return message[3:4] == " " or message[4:5] == "-" or message[:1] == "<"


class Framer:
    """`frame_line` for many lines of one clock, remembering who writes them.

    Host, tag and pid of a busy process stand in thousands of lines in the same words: once the grammar has read
    them, finding the same words between a plain stamp and a colon is enough. Everything else goes the long way, so
    the result is that of `frame_line`, always.
    """

    def __init__(self, clock: Clock, stamps: Stamps = _nobody) -> None:
        self.clock = clock
        self._stamps = stamps
        self._known: dict[str, tuple[str | None, str, str | None]] = {}
        self._stamp, self._at = "", Moment(0, 0)  # neighbours often share a second

    def frame(self, line: str) -> Frame:
        """Takes one line apart; ParseError says why it is no log line."""
        blank = 15 if line[3:4] == " " else 32
        end = line.find(": ", blank)
        who = self._known.get(line[blank + 1 : end]) if end > 0 else None
        if who:
            message = line[end + 2 :]
            is_plain = not (_may_be_dated(message) or message.startswith(("message repeated ", "[ID ")))
            stamp = line[: blank + 1]
            if is_plain and (stamp == self._stamp or self._reads(stamp)):
                return Frame(self._at, *who, message)
        frame = frame_line(line, self.clock, 0, self._stamps)
        if (
            end > 0
            and frame.message == line[end + 2 :]
            and self._reads(line[: blank + 1])
            and self._at == frame.moment
        ):
            self._remember(line[blank + 1 : end], frame)
        return frame

    def _reads(self, stamp: str) -> bool:
        """Whether it is `Nov 23 19:00:28 ` or `2026-11-23T19:00:28.123456+00:00 `, whose moment is kept then."""
        try:
            if len(stamp) == 16 and stamp[15] == " ":
                self._at = self.clock.bsd(stamp[:15])
            elif _MICROSECONDS.fullmatch(stamp):
                second = self.clock.iso(stamp[:19], stamp[26:32])
                self._at = Moment(second.utc_us + int(stamp[20:26]), second.offset_s)
            else:
                return False
        except ParseError:
            return False
        self._stamp = stamp
        return True

    def _remember(self, words: str, frame: Frame) -> None:
        if len(self._known) >= _WRITERS_KEPT:
            self._known.clear()
        self._known[words] = (frame.host, frame.tag, frame.pid)


def _frame_within(text: str, outer: Frame, clock: Clock, depth: int, stamps: Stamps) -> Frame:
    """A line inside another's message: its BSD stamp is of the year that brings it nearest to the outer stamp."""
    year = datetime.fromtimestamp(outer.moment.utc_us / 1_000_000, UTC).year
    inner = frame_line(text, Clock(year, clock.zone), depth + 1, stamps)
    distance = inner.moment.utc_us - outer.moment.utc_us
    if abs(distance) > _HALF_A_YEAR_US:
        nearer = Clock(year + (1 if distance < 0 else -1), clock.zone)
        return frame_line(text, nearer, depth + 1, stamps)
    return inner


def _repeated(frame: Frame) -> Frame:
    """rsyslog's compression stands for N more copies of the message (RepeatedMsgReduction)."""
    found = _REPEATED.match(frame.message)
    if not found:
        return frame
    return frame._replace(message=found[2], repeat=repeat_count(found[1]))


def repeat_count(digits: str) -> int:
    """The N of `repeated N times`; ParseError if it is none, or an attack on our memory."""
    if len(digits) > 6 or not 0 < int(digits) <= MAX_REPEAT:
        raise ParseError(f"repeated {digits[:12]} times: not expanded; 1 to {MAX_REPEAT} would be")
    return int(digits)


def _frame_json(line: str, clock: Clock, depth: int, stamps: Stamps) -> Frame:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"begins like JSON, but is not: {error}") from error
    if not isinstance(record, dict):
        raise ParseError("a JSON line that is no object")
    message = _text(record, _JSON_MESSAGE)
    if message is None:
        raise ParseError(f"a JSON object without any of {', '.join(_JSON_MESSAGE)}")
    moment = _json_moment(record, clock)
    tag = re.match(_TAG, (_text(record, _JSON_TAG) or "").rstrip(": ") + ": ")
    host = _text(record, _JSON_HOST)
    frame = Frame(
        moment or Moment(0, 0),
        origin(host) if host else None,
        tag[1] if tag else "",
        (tag and tag[2]) or _digits(_text(record, _JSON_PID)),
        message.strip("\r\n").removeprefix(" "),
    )
    if tag and moment:
        return _unwrap(frame, clock, depth, stamps)
    if depth >= _MAX_NESTING:
        raise ParseError("wrapped too often")
    return _frame_inner(frame.message, frame if moment else None, clock, depth, stamps)


def _frame_inner(text: str, outer: Frame | None, clock: Clock, depth: int, stamps: Stamps) -> Frame:
    """A container's line: a whole log line, or `tag[pid]: message` whose stamp and host the container tells."""
    try:
        if outer:
            return _frame_within(text, outer, clock, depth, stamps)
        return frame_line(text, clock, depth + 1, stamps)
    except ParseError:
        bare = _BARE.match(text)
        if not bare or outer is None:
            raise
        frame = Frame(outer.moment, outer.host, bare[1], bare[2], text[bare.end() :])
        return _repeated(frame) if frame.message.startswith("message repeated ") else frame


def _text(record: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = record.get(key)
        if isinstance(value, str) and value:
            return storable(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, list):  # journald writes text that is not UTF-8 as an array of bytes
            return decode(bytes(byte for byte in value if isinstance(byte, int) and 0 <= byte < 256))
    return None


def storable(text: str) -> str:
    """JSON can escape what no Parquet string holds: half of a surrogate pair, and NUL."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return decode(text.encode("utf-8", "surrogatepass"))
    return text


def _digits(text: str | None) -> str | None:
    return text if text and re.fullmatch(r"[0-9]{1,18}", text) else None


def _json_moment(record: Mapping[str, Any], clock: Clock) -> Moment | None:
    for key in _JOURNAL_STAMP:
        digits = _digits(_text(record, (key,)))
        if digits:
            return in_calendar(parse_epoch(digits))
    stamp = _text(record, _JSON_STAMP)
    found = re.match(_ISO_STAMP, stamp) if stamp else None
    if not found:
        return None
    return _add_fraction(clock.iso(found[1], found[3]), found[2])
