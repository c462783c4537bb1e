"""Postfix: every daemon of it that writes about mail.

A program is `NAME[/label...]/daemon` (master(5), `-o syslog_name=`): the first part is the instance, the last the
daemon, what lies between the service. rsyslog's RFC 5424 output cuts the tag at the slash: then the daemon is
inferred from what was said, and where several could have said it, it stays unknown.
"""

import re
from functools import cache, lru_cache
from typing import Final, TypeAlias

from ingest.errors import ParseError
from ingest.formats.base import Event, FixedForms, Format, Program, Row, Turn
from ingest.formats.postfix.rest import parse_rest
from ingest.formats.postfix.shapes import TALKERS, WITH_ID, WITHOUT_ID
from ingest.schema import Kind
from ingest.shapes import CaptureClass, Shape, compile_shape

DAEMONS: Final = frozenset(
    (
        "anvil bounce cleanup defer discard dnsblog error flush lmtp local master nqmgr oqmgr pickup pipe "
        "postalias postcat postconf postdrop postfix-script postfix-tls-script postkick postlock postlog "
        "postlogd postmap postmulti postqueue postscreen postsuper post-install proxymap proxywrite qmgr "
        "qmqpd retry scache sendmail set-permissions showq smtp smtpd spawn tlsmgr tlsproxy trace "
        "trivial-rewrite verify virtual "
    ).split()
)
# These speak like a daemon that is far more common: qmgr, smtpd, smtp, bounce.
_LIKE_ANOTHER: Final = frozenset({"oqmgr", "nqmgr", "qmqpd", "tlsproxy", "lmtp", "defer", "trace"})
# Address verification (verify(8), sendmail -bv) speaks of deliveries that are not traffic.
PROBE_STATUS: Final = frozenset({"deliverable", "undeliverable", "undeliverable-but-not-cached"})

# Short ids are hexadecimal; long ids (enable_long_queue_ids) are base 52 without vowels, `z`, and the inode in
# base 51 (postconf(5)). NOQUEUE marks a refusal before there was an id.
_QUEUE_IDS: Final = (CaptureClass("0-9A-F", 5, 20), CaptureClass("0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z", 10, 20))
_NO_QUEUE_ID: Final = "NOQUEUE: "
_QUEUE_ID: Final = re.compile(
    rf"{_NO_QUEUE_ID}|({'|'.join(f'[{each}]{{{least},{most}}}' for each, least, most in _QUEUE_IDS)}): "
)


ByFirst: TypeAlias = dict[str, tuple[Shape, ...]]


def _by_first(rows: tuple[Row, ...], daemon: str | None) -> ByFirst:
    """The shapes of a daemon by a message's first character, in the order of the data.

    Of the daemon None, for lines that lost theirs, all of them; under the character '' those that may start with any.
    """
    shapes: list[tuple[str, Shape]] = []
    for kind, daemons, template, *constants in rows:
        # who may say anything must be known by name
        if daemon in (daemons or DAEMONS) or (daemon is None and daemons is not TALKERS):
            shape = compile_shape(kind, template, constants[0] if constants else {})
            shapes.append(("" if template[0] == "{" else template[0], shape))
    return {
        character: tuple(shape for first, shape in shapes if first in ("", character))
        for character in {"", *(first for first, _ in shapes)}
    }


# Compiled when a daemon's first line asks for them: most commands read no line.
@cache
def _shapes_with_id(daemon: str | None) -> ByFirst:
    return _by_first(WITH_ID, daemon)


@cache
def _shapes_without_id(daemon: str | None) -> ByFirst:
    return _by_first(WITHOUT_ID, daemon)


_DELIVERY: Final = Kind.DELIVERY
_DAEMONS_BY_KIND: Final = {
    kind: {daemon for row in (*WITH_ID, *WITHOUT_ID) if row[0] == kind for daemon in row[1]} for kind in Kind
}


@lru_cache(maxsize=4096)
def claim(tag: str) -> Program | None:
    """The Postfix program behind a syslog tag such as `postfix-in/submission/smtpd`, or None."""
    instance, *labels = tag.split("/")
    if labels and labels[-1] in DAEMONS:
        return Program("postfix", instance or None, "/".join(labels[:-1]) or None, labels[-1])
    if re.fullmatch(r"postfix([-.].*)?", instance):
        return Program(
            "postfix", instance, "/".join(labels[:-1]) or None, (labels[-1] or None) if labels else None
        )
    return None


def parse(program: Program, message: str) -> Event:
    """One Postfix message as an event; ParseError if no grammar here understands it."""
    if message[-1:].isspace():  # some collectors append blanks
        message = message.rstrip()
    _, _, _, daemon = program
    found = _QUEUE_ID.match(message)
    queue_id, text = (found[1], message[found.end() :]) if found else (None, message)
    by_first = _shapes_with_id(daemon) if queue_id else _shapes_without_id(daemon)
    for kind, columns, match, constants in by_first.get(text[:1]) or by_first[""]:
        fields = match(text)
        if fields:
            event = Event(kind, queue_id, columns, fields.groups() + constants)
            break
    else:
        event = parse_rest(queue_id, text)
    if event.kind is _DELIVERY and event.values[event.columns.index("status")] in PROBE_STATUS:
        event = event._replace(kind=Kind.PROBE)
    return event if daemon else event._replace(daemon=_infer_daemon(event))


def _infer_daemon(event: Event) -> str | None:
    """The daemon that must have written an event, or None where several can."""
    fields = dict(zip(event.columns, event.values, strict=True))
    if event.kind in (Kind.DELIVERY, Kind.PROBE):
        return _infer_agent(fields)
    if event.kind is Kind.DECISION and fields.get("client_port") and not fields.get("client_name"):
        return "postscreen"  # it does not look up names
    candidates = _DAEMONS_BY_KIND[event.kind] - _LIKE_ANOTHER
    return candidates.pop() if len(candidates) == 1 else None


def _infer_agent(fields: dict[str, str | None]) -> str | None:
    """Which delivery agent writes such a `relay=`.

    `local` and `virtual` name themselves, pipe its transport, LMTP a socket's path (kept by no column), discard alone
    sends without a relay; an error(8) line speaks of an earlier attempt.
    """
    relay, reply = fields.get("relay_name"), fields.get("reply") or ""
    if fields.get("relay_ip"):
        return "smtp"
    if relay in ("local", "virtual"):
        return relay
    if relay == "none":
        if fields.get("status") == "sent":
            return "discard"
        if reply.startswith("delivery temporarily suspended"):
            return "error"
        return "smtp" if reply.startswith(("connect to ", "Host or domain name not found")) else None
    return "pipe" if "relay_ip" in fields else "lmtp"


def _rows_of(daemon: str, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    return tuple(row for row in rows if not row[1] or daemon in row[1])


_FIXED: Final = FixedForms(
    queue_ids=_QUEUE_IDS,
    no_queue_id=_NO_QUEUE_ID,
    with_id={daemon: _rows_of(daemon, WITH_ID) for daemon in DAEMONS},
    without_id={daemon: _rows_of(daemon, WITHOUT_ID) for daemon in DAEMONS},
    turns={"status": Turn(PROBE_STATUS, Kind.PROBE)},
)
POSTFIX: Final = Format("postfix", claim, parse, _FIXED, about="Postfix 2.3 to 3.11, every daemon of it")

__all__ = ["POSTFIX", "ParseError", "claim", "parse"]
