"""A message to its row of `emails` and the rows of its `hops`."""

import re
from collections.abc import Mapping
from email.header import decode_header, make_header
from hashlib import blake2b
from itertools import chain
from typing import Any, Final, NamedTuple

from ingest.headers.dates import Dated, find_date
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
    hops = [read_received(value) for value in received[:MAX_HOPS]]
    sent = _date(block)
    email = {
        "email_id": email_id,
        "message_id": _first(block, "message-id", re.compile(r"<[^<>\s]{1,998}>")),
        "sent_at": sent.at if sent else None,
        "sent_offset_s": sent.offset_s if sent else None,
        "from_domains": _domains(block, "from"),
        "to_domains": _domains(block, "to", "cc"),
        "return_path": _return_path(block),
        "subject": _text(block, "subject") if with_subject else None,
        "size_bytes": message.size_bytes,
        "hop_count": len(received),
        "verdicts": [verdict._asdict() for verdict in read_verdicts(block)],
        "signatures": [signature._asdict() for signature in read_signatures(block)],
        "list_id": _text(block, "list-id"),
        "auto_submitted": _text(block, "auto-submitted"),
        "spam_flag": _text(block, "x-spam-flag"),
        "spam_score": _text(block, "x-spam-score") or _text(block, "x-ms-exchange-organization-scl"),
        "defects": defects,
    }
    return Rows(
        email, [_hop_row(email_id, number, hop) for number, hop in enumerate(reversed(hops), start=1)]
    )


def _hop_row(email_id: str, number: int, hop: Hop) -> Row:
    return {"email_id": email_id, "hop": number} | hop._asdict()


def _id(block: Block) -> str:
    text = "\n".join(f"{name}:{value}" for name, value in block.fields)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _date(block: Block) -> Dated | None:
    dates = block.values("date")
    return find_date(re.sub(r"\s+", " ", dates[0][:_MAX_TEXT])) if dates else None


def _first(block: Block, name: str, shape: re.Pattern[str]) -> str | None:
    found = (shape.search(value[:_MAX_TEXT]) for value in block.values(name))
    return next((match[0] for match in found if match), None)


def _text(block: Block, name: str) -> str | None:
    """The text of the first header of a name, decoded (RFC 2047) and on one line."""
    values = block.values(name)
    if not values:
        return None
    plain = re.sub(r"\s+", " ", values[0][:_MAX_TEXT]).strip()
    try:
        return str(make_header(decode_header(plain))) if "=?" in plain else plain or None
    except (LookupError, UnicodeError, ValueError):
        return plain


def _domains(block: Block, *names: str) -> list[str]:
    """The domains of the addresses in some headers, each once; names in quotation marks hold none."""
    values = chain.from_iterable(map(block.values, names))
    words = (text for value in values for kind, text in scan(value) if kind is TokenKind.WORD)
    return sorted({found.lower() for word in words for found in _DOMAIN.findall(_QUOTED.sub("", word))})


def _return_path(block: Block) -> str | None:
    """The envelope's sender; '' is the null reverse-path."""
    values = block.values("return-path")
    found = re.match(r"\s*<?([^<>\s]{0,998})>?", values[0]) if values else None
    return found[1] if found else None
