"""A message to its row of `emails` and the rows of its `hops`."""

import ipaddress
import re
from collections.abc import Mapping
from email.errors import MessageError
from email.header import decode_header, make_header
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any, Final, NamedTuple

from ingest.headers.clocks import Clock, compare, transit_s
from ingest.headers.dates import Dated, find_date, read_usual
from ingest.headers.lexer import TokenKind, scan
from ingest.headers.messages import Block, Message
from ingest.headers.received import Hop, read_received
from ingest.headers.verdicts import read_signatures, read_verdicts

# A message that went further went round in circles; servers stop sooner (Postfix hopcount_limit 50, Exim 30).
MAX_HOPS: Final = 200
_MAX_TEXT: Final = 2_000
_QUOTED: Final = re.compile(r'"[^"]*"')
_DOMAIN: Final = re.compile(r"@([\w.-]{1,253})")

Row = Mapping[str, Any]


class Rows(NamedTuple):
    """The row of a message, and those of its hops, the oldest first."""

    email: Row
    hops: list[Row]


def rows_of(message: Message, *, with_subject: bool = True) -> Rows:
    """What a message's headers say, in the columns of the schemas EMAILS and HOPS."""
    block = message.block
    email_id = _id(block)
    received = block.values("received")
    defects = list(block.defects)
    if len(received) > MAX_HOPS:
        defects.append(f"{len(received)} Received headers; the newest {MAX_HOPS} were read")
    hops = [read_received(value) for value in reversed(received[:MAX_HOPS])]
    times = [hop.received_at.timestamp() if hop.received_at else None for hop in hops]
    # Who holds the message had it last: the newest clock counts more than all before it together.
    clocks = compare(times, [1] * (len(hops) - 1) + [len(hops)])
    sent = _date(block)
    email = {
        "email_id": email_id,
        "message_id": _first(block, "message-id", _MESSAGE_ID),
        "sent_at": sent.at if sent else None,
        "sent_offset_s": sent.offset_s if sent else None,
        "from_domains": _domains(block, "from"),
        "to_domains": _domains(block, "to", "cc"),
        "return_path": _return_path(block),
        "subject": _text(block, "subject") if with_subject else None,
        "size_bytes": message.size_bytes,
        "hop_count": len(received),
        "transit_s": transit_s(times, clocks),
        "verdicts": [verdict._asdict() for verdict in read_verdicts(block)],
        "signatures": [signature._asdict() for signature in read_signatures(block)],
        "list_id": _text(block, "list-id"),
        "list_unsubscribe": _text(block, "list-unsubscribe"),
        "auto_submitted": _text(block, "auto-submitted"),
        "spam_flag": _text(block, "x-spam-flag") or _found(block, "x-spam-status", _SPAM_FLAG),
        "spam_score": _text(block, "x-spam-score") or _found(block, "x-spam-status", _SPAM_SCORE),
        "exchange_scl": _scl(block),
        "refusal": message.refusal,
        "defects": defects,
    }
    rows = [
        _hop_row(email_id, number, *each)
        for number, each in enumerate(zip(hops, clocks, strict=True), start=1)
    ]
    return Rows(email, rows)


_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,998}>")
# SpamAssassin: `Yes, score=39.3 required=5.0 tests=...`; Exchange: a header of its own, or among other tags.
_SPAM_FLAG: Final = re.compile(r"\s*(Yes|No)\b", re.IGNORECASE)
_SPAM_SCORE: Final = re.compile(r"\s*(?:Yes|No),\s*(?:score|hits)=(-?[\d.]{1,16})", re.IGNORECASE)
_SCL: Final = re.compile(r"\s*(?:[^;]{0,512};)*?SCL:(-?\d{1,2})(?:;|$)")
_LEVEL: Final = re.compile(r"\s*(-?\d{1,2})\s*$")


def _scl(block: Block) -> int | None:
    """Exchange's spam confidence level, from -1 (not looked at) to 9."""
    found = _found(block, "x-ms-exchange-organization-scl", _LEVEL) or _found(
        block, "x-forefront-antispam-report", _SCL
    )
    return int(found) if found else None


def _found(block: Block, name: str, shape: re.Pattern[str]) -> str | None:
    """What a pattern finds at the beginning of the first header of a name."""
    values = block.values(name)
    found = shape.match(values[0][:_MAX_TEXT]) if values else None
    return found[1] if found else None


def _hop_row(email_id: str, number: int, hop: Hop, clock: Clock) -> Row:
    row: dict[str, Any] = dict(zip(_COLUMNS, hop, strict=True))
    row |= {"email_id": email_id, "hop": number, "delay_s": clock.delay_s, "skew_s": clock.skew_s}
    row["is_internal"] = _is_internal(hop)
    return row


_COLUMNS: Final = Hop._fields
# Addresses that only mean something within one organisation (RFC 1918, 3927, 4193, 4291, 6598). Those of documentation
# are none of them, unlike what `ipaddress` calls private.
_INTERNAL: Final = tuple(
    map(
        ipaddress.ip_network,
        "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 169.254.0.0/16 100.64.0.0/10 fc00::/7 fe80::/10 ::1/128".split(),
    )
)


def _is_internal(hop: Hop) -> bool:
    """Within one host or one organisation: loopback, private addresses, local protocols, or no client at all."""
    if hop.from_ip:
        return _is_private(hop.from_ip)
    if hop.from_helo is None:
        return hop.from_host is None
    return hop.with_protocol in ("LOCAL", "MAPI", "HTTP", "LMTP") or hop.from_helo == "localhost"


@lru_cache(maxsize=4096)
def _is_private(address: str) -> bool:
    return any(ipaddress.ip_address(address) in network for network in _INTERNAL)


def _id(block: Block) -> str:
    text = "\n".join(map(":".join, block.fields))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _date(block: Block) -> Dated | None:
    dates = block.values("date")
    if not dates:
        return None
    text = " ".join(dates[0][:_MAX_TEXT].split())
    usual = read_usual(text)
    return Dated(*usual, (), 0, len(text)) if usual else find_date(text)


def _first(block: Block, name: str, shape: re.Pattern[str]) -> str | None:
    found = (shape.search(value[:_MAX_TEXT]) for value in block.values(name))
    return next((match[0] for match in found if match), None)


def _text(block: Block, name: str) -> str | None:
    """The text of the first header of a name, decoded (RFC 2047) and on one line."""
    values = block.values(name)
    if not values:
        return None
    plain = " ".join(values[0][:_MAX_TEXT].split())
    try:
        return str(make_header(decode_header(plain))) if "=?" in plain else plain or None
    except (LookupError, MessageError, UnicodeError, ValueError):
        return plain


def _domains(block: Block, *names: str) -> list[str]:
    """The domains of the addresses in some headers, each once; names in quotation marks hold none."""
    found: set[str] = set()
    for value in chain.from_iterable(map(block.values, names)):
        plain = '"' not in value and "(" not in value
        words = [value] if plain else [text for kind, text in scan(value) if kind is TokenKind.WORD]
        found.update(domain.lower() for word in words for domain in _DOMAIN.findall(_QUOTED.sub("", word)))
    return sorted(found)


def _return_path(block: Block) -> str | None:
    """The envelope's sender; '' is the null reverse-path."""
    values = block.values("return-path")
    found = re.match(r"\s*<?([^<>\s]{0,998})>?", values[0]) if values else None
    return found[1] if found else None
