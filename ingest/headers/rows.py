"""A message to its row of `emails` and the rows of its `hops`."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from functools import lru_cache
from hashlib import blake2b
from itertools import count
from typing import Any, Final, NamedTuple, TypeAlias

from ingest.headers.clocks import tell
from ingest.headers.dates import find_date, read_usual
from ingest.headers.lexer import MAX_LENGTH, TokenKind, scan
from ingest.headers.messages import Field, Message
from ingest.headers.received import Hop, read_received
from ingest.headers.verdicts import SAYING, SIGNING, read_signatures, read_verdicts
from ingest.schema import EMAILS, HOPS
from ingest.text import encode

# A message that went further went round in circles; servers stop sooner (Postfix hopcount_limit 50, Exim 30).
MAX_HOPS: Final = 200
_MAX_TEXT: Final = 2_000
_QUOTED: Final = re.compile(r'"[^"]*"')
_DOMAIN: Final = re.compile(r"@([\w.-]{1,253})")

Row = Mapping[str, Any]


# The values of a row in the order of its schema.
Values: TypeAlias = tuple[Any, ...]


class Rows(NamedTuple):
    """The row of a message, and those of its hops, the oldest first."""

    email: Row
    hops: list[Row]


def rows_of(message: Message, *, with_subject: bool = True) -> Rows:
    """What a message's headers say, in the columns of the schemas EMAILS and HOPS."""
    email, hops = values_of(message, with_subject=with_subject)
    return Rows(_row(EMAILS.names, email), [_row(HOPS.names, hop) for hop in hops])


def _row(names: Sequence[str], values: Values) -> Row:
    return dict(zip(names, values, strict=True))


def values_of(message: Message, *, with_subject: bool = True) -> tuple[Values, list[Values]]:
    """The same as values without their names, for whoever makes columns of many."""
    block, size_bytes, refusal = message
    fields = block.fields
    first = dict(fields[::-1]).get  # header of a name
    email_id = _id(fields)
    several: dict[str, list[str]] = {"received": [], "message-id": [], "from": [], "to": [], "cc": []}
    for name, value in fields:
        if name in several:
            several[name].append(value)
    received = several["received"]
    defects = list(block.defects)
    if len(received) > MAX_HOPS:
        defects.append(f"{len(received)} Received headers; the newest {MAX_HOPS} were read")
    hops, passed_s = hop_values(email_id, [read_received(value) for value in received[MAX_HOPS - 1 :: -1]])
    sent_at, sent_offset_s = date_of(first("date"))
    email = (
        email_id,
        message_id(several["message-id"]),
        sent_at,
        sent_offset_s,
        domains(several["from"]),
        domains([*several["to"], *several["cc"]]),
        return_path(first("return-path")),
        text_of(first("subject")) if with_subject else None,
        size_bytes,
        len(received),
        passed_s,
        [verdict._asdict() for verdict in read_verdicts(block)]
        if any(first(name) is not None for name in SAYING)
        else [],
        [signature._asdict() for signature in read_signatures(block)] if first(SIGNING) is not None else [],
        text_of(first("list-id")),
        text_of(first("list-unsubscribe")),
        text_of(first("auto-submitted")),
        spam_flag(*map(first, SPAM_FLAG)),
        spam_score(*map(first, SPAM_SCORE)),
        scl(*map(first, SCL)),
        refusal,
        defects,
    )
    return email, hops


def hop_values(email_id: str, hops: Sequence[Hop]) -> tuple[list[Values], float | None]:
    """The rows of a message's hops, the oldest first, as values; and how long it was on its way, in seconds."""
    times = [hop.received_at.timestamp() if hop.received_at else None for hop in hops]
    delays, skews, passed_s = tell(times)
    rows = [
        (email_id, number) + hop[:13] + (delay_s, skew_s, is_internal(hop)) + hop[13:]  # noqa: RUF005  # sooner
        for number, hop, delay_s, skew_s in zip(count(1), hops, delays, skews)
    ]
    return rows, passed_s


_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,998}>")
# SpamAssassin: `Yes, score=39.3 required=5.0 tests=...`; Exchange: a header of its own, or among other tags.
_SPAM_FLAG: Final = re.compile(r"\s*(Yes|No)\b", re.IGNORECASE)
_SPAM_SCORE: Final = re.compile(r"\s*(?:Yes|No),\s*(?:score|hits)=(-?[\d.]{1,16})", re.IGNORECASE)
_SCL: Final = re.compile(r"\s*(?:[^;]{0,512};)*?SCL:(-?\d{1,2})(?:;|$)")
_LEVEL: Final = re.compile(r"\s*(-?\d{1,2})\s*$")

# The headers that say so, as the functions below take them.
SPAM_FLAG: Final = ("x-spam-flag", "x-spam-status")
SPAM_SCORE: Final = ("x-spam-score", "x-spam-status")
SCL: Final = ("x-ms-exchange-organization-scl", "x-forefront-antispam-report")


def spam_flag(flag: str | None, status: str | None) -> str | None:
    """What a filter decided, in its own word."""
    return text_of(flag) or _found(status, _SPAM_FLAG)


def spam_score(score: str | None, status: str | None) -> str | None:
    """A filter's score, as it is written."""
    return text_of(score) or _found(status, _SPAM_SCORE)


def scl(level: str | None, report: str | None) -> int | None:
    """Exchange's spam confidence level, from -1 (not looked at) to 9."""
    found = _found(level, _LEVEL) or _found(report, _SCL)
    return int(found) if found else None


def _found(value: str | None, shape: re.Pattern[str]) -> str | None:
    """What a pattern finds at the beginning of a header, if there is one."""
    found = shape.match(value[:_MAX_TEXT]) if value else None
    return found[1] if found else None


# Addresses that only mean something within one organisation (RFC 1918, 3927, 4193, 4291, 6598). Those of documentation
# are none of them, unlike what `ipaddress` calls private.
_INTERNAL: Final = tuple(
    map(
        ipaddress.ip_network,
        "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 169.254.0.0/16 100.64.0.0/10 fc00::/7 fe80::/10 ::1/128".split(),
    )
)


def is_internal(hop: Hop) -> bool:
    """Within one host or one organisation: loopback, private addresses, local protocols, or no client at all."""
    if hop.from_ip:
        return _is_private(hop.from_ip)
    if hop.from_helo is None:
        return hop.from_host is None
    return hop.with_protocol in ("LOCAL", "MAPI", "HTTP", "LMTP") or hop.from_helo == "localhost"


def _is_private(address: str) -> bool:
    if ":" not in address:
        return address.rsplit(".", 2)[0] in _INTERNAL_V4
    return _is_private_v6(address)


@lru_cache(maxsize=4096)
def _is_private_v6(address: str) -> bool:
    known = ipaddress.ip_address(address)
    return any(known in network for network in _INTERNAL)


# No network of IPv4 among them is smaller than a /16: the first two numbers of an address tell.
_INTERNAL_V4: Final = frozenset(
    str(part.network_address).removesuffix(".0.0")
    for network in _INTERNAL
    if isinstance(network, ipaddress.IPv4Network)
    for part in network.subnets(new_prefix=16)
)


def _id(fields: Iterable[Field]) -> str:
    text = "\n".join(map(":".join, fields))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def date_of(value: str | None) -> tuple[datetime | None, int | None]:
    """The moment of a Date header, and how far its clock is from UTC in seconds."""
    if value is None:
        return None, None
    text = " ".join(value[:_MAX_TEXT].split())
    if usual := read_usual(text):
        return usual
    found = find_date(text)
    return (found.at, found.offset_s) if found else (None, None)


def message_id(values: Iterable[str]) -> str | None:
    """The first one in headers that should hold one."""
    found = (_MESSAGE_ID.search(value[:_MAX_TEXT]) for value in values)
    return next((match[0] for match in found if match), None)


def text_of(value: str | None) -> str | None:
    """The text of a header, decoded (RFC 2047) and on one line."""
    if not value:
        return None
    plain = " ".join(value[:_MAX_TEXT].split())
    try:
        return _ENCODED_WORDS.sub(_decoded, plain) if "=?" in plain else plain or None
    except (LookupError, MessageError, UnicodeError, ValueError):
        return plain


# Encoded words (RFC 2047) in a row: what one character needs may be in two of them.
_WORD: Final = r"=\?[^?\s]{1,64}\?[BbQq]\?[^?]{0,998}\?="
_ENCODED_WORDS: Final = re.compile(rf"{_WORD}(?:\s*{_WORD})*")


def _decoded(words: re.Match[str]) -> str:
    """Their text. Bytes that are not allowed there, but were written, are of the charset: as Latin-1 they stay bytes."""
    return str(make_header(decode_header(encode(words[0]).decode("latin-1"))))


def domains(values: Sequence[str]) -> list[str]:
    """The domains of the addresses in some headers, each once; names in quotation marks hold none."""
    found: set[str] = set()
    for value in values:
        if "(" not in value and '"' not in value and "\\" not in value and ")" not in value:
            found.update(map(str.lower, _DOMAIN.findall(value)))
            continue
        plain = _COMMENT.sub(" ", value) if "(" in value else value
        if not _ODD.search(plain) and len(value) <= MAX_LENGTH:
            found.update(map(str.lower, _DOMAIN.findall(plain)))
            continue
        words = (text for kind, text in scan(value) if kind is TokenKind.WORD)
        found.update(domain.lower() for word in words for domain in _DOMAIN.findall(_QUOTED.sub("", word)))
    return sorted(found)


_COMMENT: Final = re.compile(r"\([^()\\]*+\)")
_ODD: Final = re.compile(r'["()\\]')


def return_path(value: str | None) -> str | None:
    """The envelope's sender; '' is the null reverse-path."""
    found = _PATH.match(value) if value is not None else None
    return found[1] if found else None


_PATH: Final = re.compile(r"\s*<?([^<>\s]{0,998})>?")
