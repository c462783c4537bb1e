"""What servers found out about a message's origin: Authentication-Results (RFC 8601), Received-SPF (RFC 7208 section 9.1),
ARC (RFC 8617) and the domains of DKIM-Signature (RFC 6376).

A verdict is worth as much as the server that wrote it: `authserv_id` says which it claims to be, and anybody can write
that into a message. Which ones to believe is for the reader to say.
"""

import re
from collections.abc import Container, Iterator
from typing import Final, NamedTuple

from ingest.headers.lexer import MAX_LENGTH, TokenKind, scan
from ingest.headers.messages import Block


class Verdict(NamedTuple):
    """One method's result. `instance` is ARC's i=, None outside of ARC; `domain` and `selector` are what was checked.

    `received_above` counts the Received headers that stand above: a server writes its verdict above its own Received
    header, so what stands below those of one's own servers was in the message when it came.
    """

    header: str
    authserv_id: str | None
    instance: int | None
    method: str  # spf, dkim, dmarc, arc, ...
    result: str  # pass, fail, none, ...
    domain: str | None = None
    selector: str | None = None
    reason: str | None = None
    received_above: int = 0


class Signature(NamedTuple):
    """A DKIM signature's domain and selector."""

    domain: str | None
    selector: str | None


_RESULT: Final = re.compile(r"([A-Za-z][\w-]{0,31})(?:/\d+)?=([A-Za-z]{1,32})", re.ASCII)
_PROPERTY: Final = re.compile(r"([A-Za-z][\w-]{0,31})\.([A-Za-z][\w-]{0,31})=(.{1,512})", re.ASCII | re.S)
# Whose property names the domain that was checked, the most telling first (RFC 8601 section 2.7).
_DOMAINS: Final = ("header.d", "header.i", "header.from", "smtp.mailfrom", "smtp.helo")

# The headers that are read here.
SAYING: Final = ("authentication-results", "arc-authentication-results", "received-spf", "arc-seal")
SIGNING: Final = "dkim-signature"


def read_verdicts(block: Block) -> list[Verdict]:
    """The verdicts of all headers of a message, in the order of the message."""
    verdicts: list[Verdict] = []
    above = 0
    for kind, value in block.fields:
        above += kind == "received"
        verdicts += (Verdict._make((*each[:-1], above)) for each in _said(kind, value))
    return verdicts


def _said(kind: str, value: str) -> Iterator[Verdict]:
    if kind in ("authentication-results", "arc-authentication-results"):
        yield from _results(kind, value)
    elif kind == "received-spf":
        yield from _received_spf(value)
    elif kind == "arc-seal":
        yield from _seal(value)


def read_signatures(block: Block) -> list[Signature]:
    """Who signed the message; whether a signature holds is for a verdict to say."""
    tags = (_tags(value, _SIGNATURE_TAGS) for value in block.values(SIGNING))
    return [Signature(each.get("d"), each.get("s")) for each in tags]


def _tags(value: str, wanted: Container[str]) -> dict[str, str]:
    """Of `a=1; b=2` (RFC 6376 section 3.2) the tags that are wanted, blanks within values taken out."""
    found: dict[str, str] = {}
    for part in value[:65_536].split(";"):
        name, mark, text = part.partition("=")
        if mark and (name := name.strip(_BLANKS)) in wanted:
            found[name] = "".join(text.lstrip(_BLANKS)[:4_096].split())
    return found


_BLANKS: Final = " \t\n\r\f\v"
_SEAL_TAGS: Final = frozenset({"i", "cv", "d", "s"})
_SIGNATURE_TAGS: Final = frozenset({"d", "s"})


def _results(header: str, value: str) -> Iterator[Verdict]:
    sections = list(_sections(value))
    instance = None
    if header.startswith("arc-") and sections[0] and sections[0][0].lower().startswith("i="):
        number = sections.pop(0)[0][2:6]
        instance = int(number) if number.isdecimal() else None
    authserv_id = None
    if sections and sections[0] and not _RESULT.fullmatch(sections[0][0]):
        authserv_id = sections.pop(0)[0].lower()  # behind it may stand the version of RFC 8601, which is 1
    for words in sections:
        found = _RESULT.fullmatch(words[0]) if words else None
        if found:
            yield _verdict(header, authserv_id, instance, found, words[1:])


def _sections(value: str) -> Iterator[list[str]]:
    """Words between semicolons, without comments; blanks around `=` taken out."""
    text = " ".join(value.split()).replace(" =", "=").replace("= ", "=")
    plain = _COMMENT.sub(" ", text) if "(" in text else text
    if len(text) <= MAX_LENGTH and not _ODD.search(plain):  # nearly always, and sooner told
        return map(str.split, plain.split(";"))
    return _scanned_sections(text)


_COMMENT: Final = re.compile(r'\([^()\\"<\[]*+\)')
_ODD: Final = re.compile(r'["()<\[\\]')  # what may hold a semicolon


def _scanned_sections(text: str) -> Iterator[list[str]]:
    words: list[str] = []
    for kind, word in scan(text):
        if kind is TokenKind.SEMICOLON:
            yield words
            words = []
        elif kind is TokenKind.WORD:
            words.append(word)
    yield words


def _verdict(
    header: str, authserv_id: str | None, instance: int | None, found: re.Match[str], words: list[str]
) -> Verdict:
    said = {
        f"{each[1]}.{each[2]}".lower(): each[3].strip('"') for each in map(_PROPERTY.fullmatch, words) if each
    }
    reason = next((word[7:].strip('"') for word in words if word.lower().startswith("reason=")), None)
    named = next((said[name] for name in _DOMAINS if name in said), None)
    return Verdict(
        header,
        authserv_id,
        instance,
        found[1].lower(),
        found[2].lower(),
        named.rpartition("@")[2].strip("<>").lower() or None if named else None,
        said.get("header.s"),
        reason,
    )


def _received_spf(value: str) -> Iterator[Verdict]:
    """`pass (comment) client-ip=192.0.2.1; envelope-from=a@example.org; receiver=mx.example.net`."""
    words = [word.rstrip(";") for section in _sections(value) for word in section]
    if not words or not words[0].isalpha():
        return
    pairs = {key.lower(): text.strip('"<>') for key, _, text in (word.partition("=") for word in words[1:])}
    sender = pairs.get("envelope-from") or pairs.get("helo")
    domain = sender.rpartition("@")[2].lower() or None if sender else None
    yield Verdict("received-spf", pairs.get("receiver"), None, "spf", words[0].lower(), domain)


def _seal(value: str) -> Iterator[Verdict]:
    """The state of the chain as the sealing domain found it (RFC 8617 section 4.1.3)."""
    tags = _tags(value, _SEAL_TAGS)
    if "cv" in tags:
        instance = int(tags["i"][:4]) if tags.get("i", "").isdecimal() else None
        yield Verdict("arc-seal", None, instance, "arc", tags["cv"].lower(), tags.get("d"), tags.get("s"))
