"""Exim: mainlog, rejectlog and paniclog, as files or through syslog, with any `log_selector`.

A site's configuration may log any text (`logwrite`, `log_message`); what has none of Exim's own forms is a remark.
"""

import re
from functools import lru_cache
from typing import Final

from ingest.errors import ParseError
from ingest.formats.base import Event, Format, Program
from ingest.formats.exim.fields import read_fields
from ingest.formats.exim.forms import CLIENT, MESSAGE, MESSAGE_LOG, SERVER, Form
from ingest.formats.exim.frame import MESSAGE_ID, TAG, frame, piece
from ingest.formats.exim.mail import FLAGS, event, parse_flagged
from ingest.formats.exim.refusals import parse_refusal
from ingest.formats.exim.shapes import FORMS
from ingest.schema import Kind

_PID: Final = re.compile(r"\[\d{1,10}\] ")
_ID: Final = re.compile(rf"({MESSAGE_ID})(?: |$)")
_FLAG: Final = re.compile(rf"({'|'.join(map(re.escape, sorted(FLAGS)))}) (?!blackhole \()")
# `H=host [address]: what it said` and `H=host [address] Connection refused`, behind an id; before 4.85 without `H=`.
_RELAY: Final = re.compile(
    r"(?:H=)?(?P<relay_name>[^\s()\[\]=]+) \[(?P<relay_ip>[0-9A-Za-z.:%]{1,64})\](?::(?P<relay_port>[0-9]{1,5}|[A-Z_]+[0-9]*))?\*?"
    r"(?P<colon>:)? (?P<reason>.*)",
    re.S,
)


@lru_cache(maxsize=4096)
def claim(tag: str) -> Program | None:
    """`exim`, `exim4`, whatever `syslog_processname` adds, and whatever path stands before; None for others."""
    name = tag.rpartition("/")[2]
    if not re.fullmatch(r"exim[0-9]?(?:[-._][\w.-]*)?", name):
        return None
    return Program("exim", None if name in (TAG, "exim4") else name, None, None)


def parse(program: Program, message: str) -> Event:
    """One Exim message as an event; ParseError for a line with a flag that is not complete."""
    del program
    if message[-1:].isspace():
        message = message.rstrip()
    pid = _PID.match(message) if message[:1] == "[" else None  # syslog_pid and +pid each write it
    found = _ID.match(message, pid.end() if pid else 0)
    if not found:
        return _without_id(message[pid.end() :] if pid else message)
    message_id, text = found[1], message[found.end() :]
    flag = _FLAG.match(text)
    if flag:
        return parse_flagged(message_id, flag[1], text[flag.end() :])
    if text in FLAGS:
        raise ParseError(f"nothing behind the flag {text}")
    return _with_id(message_id, text)


def _with_id(message_id: str, text: str) -> Event:
    return (
        _by_form(message_id, text, MESSAGE)
        or parse_refusal(message_id, text)
        or _trouble(message_id, text)
        or _by_form(message_id, text, CLIENT)
        or _by_form(message_id, text, SERVER)
        or event(Kind.MESSAGE_NOTE, message_id, {"reason": text})
    )


def _without_id(text: str) -> Event:
    return (
        parse_refusal(None, text)
        or _by_form(None, text, CLIENT)
        or _by_form(None, text, SERVER)
        or _by_form(None, text, MESSAGE_LOG)
        or _note(text)
        or event(Kind.REMARK, None, {"reason": text})
    )


def _by_form(message_id: str | None, text: str, forms: tuple[Form, ...]) -> Event | None:
    for kind, pattern, constants in forms:
        found = pattern.match(text)
        if found:
            return event(kind, message_id, found.groupdict() | constants)
    return None


def _trouble(message_id: str, text: str) -> Event | None:
    """A host that could not be reached, or misbehaved; the result for the recipient follows in a line of its own."""
    found = _RELAY.fullmatch(text)
    if not found:
        return None
    columns = found.groupdict()
    kind = Kind.REMOTE_TROUBLE if columns.pop("colon") else Kind.CONNECT_FAILURE
    if columns["relay_port"] and not columns["relay_port"].isdigit():
        columns["relay_port"] = None
    return event(kind, message_id, columns)


def _note(text: str) -> Event | None:
    """A remark that begins with a client's fields."""
    read = read_fields(text, 0)
    if read.host is None or not read.host.ip:
        return None
    columns = {"client_name": read.host.name, "client_ip": read.host.ip, "client_port": read.host.port}
    return event(Kind.CLIENT_NOTE, None, columns | {"reason": text[read.end :] or None})


# What goes to mainlog and also to rejectlog or paniclog.
_COPIED: Final = frozenset(
    (
        Kind.DECISION,
        Kind.AUTH_FAILURE,
        Kind.LOST_CONNECTION,
        Kind.RATE_LIMIT,
        Kind.ERROR,
        Kind.FATAL,
        Kind.PANIC,
    )
)
EXIM: Final = Format(
    "exim",
    claim,
    parse,
    FORMS,
    frame=frame,
    has_continuations=True,
    piece=piece,
    copied=_COPIED,
    about="Exim 4: mainlog, rejectlog and paniclog, as files or through syslog",
)
