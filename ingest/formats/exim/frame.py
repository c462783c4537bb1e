"""A line of Exim's own files: stamp, process and message id; and what syslog does to long ones.

`log_selector = +millisec +pid` and `log_timezone` each add a part to `2026-11-23 19:00:28 `. Exim specification,
"Log files": "Where log files are written", "Logging to syslog", "Log line flags".
"""

import re
from typing import Final

from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.formats.base import Piece
from ingest.framing import Frame
from ingest.times import Moment

TAG: Final = "exim"
# 6-6-2 before 4.97 and 6-11-4 since, in base 62, or base 36 on systems that do not tell a from A in file names.
MESSAGE_ID: Final = r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})"
_STAMP: Final = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{3}))?(?: ([+-]\d{4}))? (?:\[(\d{1,10})\] ?)?"
)
# What a syslog writer with the same stamp would write: `HOST TAG[PID]: `, or `host tag: `. Exim's own second words
# before a colon follow an id, or begin with a capital (`SMTP error: ...`).
_SYSLOG: Final = re.compile(rf"(?!{MESSAGE_ID} |pid )(?:\S+ [^\s:\[\]]+\[\d+\]|[a-z0-9][\w.-]* [\w./-]+): ")
_PIECE: Final = re.compile(r"\[([1-9]\d{0,3})([/\\])([1-9]\d{0,3})\] ?")


def frame(line: str, clock: Clock) -> Frame:
    """Takes a line of mainlog, rejectlog or paniclog apart; ParseError for any other."""
    found = _STAMP.match(line)
    if not found or _SYSLOG.match(line, found.end()):
        raise ParseError("no line of Exim's own files: it would begin like '2026-11-23 19:00:28 '")
    second, fraction, offset, pid = found.groups()
    moment = clock.iso(second, offset)
    if fraction:
        moment = Moment(moment.utc_us + 1000 * int(fraction), moment.offset_s)
    return Frame(moment, None, TAG, pid, line[found.end() :])


def piece(message: str) -> Piece | None:
    """The piece that a syslog message is, or None for a whole entry: `[n/m]` was cut, with `[n\\m]` a line ends."""
    found = _PIECE.match(message)
    if not found or int(found[1]) > int(found[3]):
        return None
    return Piece(int(found[1]), int(found[3]), found[2] == "\\", message[found.end() :])
