"""The fields behind a flag, read from the left: `KEY=value`, bare words, quoted and bracketed text.

What a key means depends on the flag, so a field keeps its key. Remote servers and clients write much of what stands
in quotes; nothing is looked for inside. Exim specification, "Log files": "Summary of Fields in Log Lines".
"""

import re
from typing import Final, NamedTuple

from ingest.errors import ParseError

# A line has some twenty fields. More are somebody's attempt to keep us busy.
_MOST_FIELDS: Final = 64
_MOST_WORDS: Final = 128

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_KEYS: Final = r"id\*?|Ci|CV|DC|DKIM|DMARC|DN|DSN|DT|M8S|PRX|PS|QT|RT|SNI|SPF|ST|TFO|[ACDFHIPRSTUXQ]"
_KEY: Final = re.compile(rf"({_KEYS})=")
# Marks without a value: TLS offered, LMTP, chunking (K), pipelining (L), PRDR, success DSN, TCP fast open, proxied.
_MARK: Final = re.compile(r"(?:K|L[-.*]?|NS|PRDR|DS|DSN|TFO\*?|PS|PRX|SPF|DMARC|\*|\([^()]*\))(?=[\s:]|$)")
# A host: its verified name, what it called itself, and its address, of which only the last is sure. What it called
# itself may hold anything where helo_accept_junk_hosts is set: it ends before the first address that a blank follows.
_HOST: Final = re.compile(
    r"(?P<name>[^\s()\[\],:]+(?::[^\s()\[\],:]+)*)?"
    r"(?: ?\((?P<helo>[^\n]*?)\)(?= \[[0-9A-Za-z.:%]{1,64}\](?::\w+)?\*?(?:[\s:,]|$)| [A-Z]+=|$))?"
    r"(?: ?\[(?P<ip>[0-9A-Za-z.:%]{1,64})\](?::(?P<port>[0-9]{1,5}|[A-Z_]+[0-9]*))?(?P<reused>\*)?)?"
)
_ANGLED: Final = re.compile(rf"<(?:{_QUOTED}[^<>]*|[^<>]*)>(?=[\s:,)]|$)")
_TEXT: Final = re.compile(_QUOTED)
_WORD: Final = re.compile(r"\S+")
# Where a text follows, its colon ends the field before it.
_WORD_BEFORE_COLON: Final = re.compile(r"[^\s:]*(?::(?!\s|$)[^\s:]*)*")

_ADDRESS_WORD: Final = re.compile(rf'(?:{_QUOTED}|[^\s"])+')
_ADDRESS_ENDS: Final = re.compile(
    rf' (?:<"|<[^<>\s]*>(?:[ :]|$)|\([^()]*\) [(<]|(?:{_KEYS})=|: |defer \(|(?:routing|transport) defer|for |from <)|$'
)
# A command may look like fields; the address that it belongs to stands behind it.
_COMMAND_ENDS: Final = re.compile(r' (?:<"|<[^<>\s]*>(?: [A-Z]{1,3}=| ?:|$))')
_PARENT: Final = re.compile(r" \([^()]*\)(?= [(<])")
_ORIGINAL: Final = re.compile(rf" <({_QUOTED}[^<>\s]*|[^<>]*)>(?=[ :]|$)")


class Host(NamedTuple):
    """What `H=` says; `is_reused`: the connection served another message before."""

    name: str | None
    helo: str | None
    ip: str | None
    port: str | None
    is_reused: bool


class Fields(NamedTuple):
    """What was read: values by key (of two the last), marks, and where reading ended."""

    values: dict[str, str]
    host: Host | None
    marks: list[str]
    end: int


class Recipient(NamedTuple):
    """The address column: `final (parent) <original>`, and where it ends."""

    final: str
    original: str | None
    end: int


def read_host(text: str, position: int) -> tuple[Host, int]:
    """The host at a position, which may be as little as a name, and where it ends."""
    found = _HOST.match(text, position)
    assert found  # noqa: S101  # every part is optional
    port = found["port"] if found["port"] and found["port"].isdigit() else None
    return Host(found["name"], found["helo"], found["ip"], port, bool(found["reused"])), found.end()


def read_fields(text: str, position: int, stops: str | None = None, *, ends_at_colon: bool = False) -> Fields:
    """Reads fields until a word that is none, or a colon where a text may follow.

    Values without quotes may have blanks (`U=` a name, `id=` what a client made up): where `stops` is a pattern of
    the words that end the fields, all others belong to the value before them.
    """
    values: dict[str, str] = {}
    marks: list[str] = []
    host, last = None, ""
    word = _WORD_BEFORE_COLON if ends_at_colon else _WORD
    for _ in range(_MOST_FIELDS):
        while text[position : position + 1] == " ":
            position += 1
        if position >= len(text) or (ends_at_colon and text[position] == ":"):
            break
        if key := _KEY.match(text, position):
            last = key[1]
            if last == "H":
                host, position = read_host(text, key.end())
            else:
                values[last], position = _value(text, key.end(), word)
        elif mark := _MARK.match(text, position):
            marks.append(mark[0])
            position = mark.end()
        else:
            found = word.match(text, position)
            if not found or not last or stops is None or re.match(stops, found[0]):
                break
            values[last] = f"{values.get(last, '')} {found[0]}".strip()
            position = max(found.end(), position + 1)
    return Fields(values, host, marks, position)


def _value(text: str, position: int, word: re.Pattern[str]) -> tuple[str, int]:
    first = text[position : position + 1]
    if first in ('"', "<"):
        found = (_TEXT if first == '"' else _ANGLED).match(text, position)
        if found:
            return found[0][1:-1], found.end()
    found = word.match(text, position)
    return (found[0], found.end()) if found else ("", position)


def read_recipient(text: str, position: int = 0) -> Recipient:
    """The address column; a pipe's command may have blanks, and a file's name. ParseError if there is none."""
    end = _address_end(text, position)
    final, position = text[position:end], end
    for _ in range(_MOST_WORDS):
        parent = _PARENT.match(text, position)
        if not parent:
            break
        position = parent.end()
    original = _ORIGINAL.match(text, position)
    if original:
        return Recipient(final, original[1], original.end())
    return Recipient(final, None, position)


def _address_end(text: str, begin: int) -> int:
    """Behind the first word after which the address column may end. `:fail: text@domain` is one, colons and all."""
    has_colons, position = text.startswith(":", begin), begin
    ends = _ADDRESS_ENDS
    if text[begin : begin + 1] in ("|", "/", ">") and _COMMAND_ENDS.search(text, begin):
        ends = _COMMAND_ENDS
    for _ in range(_MOST_WORDS):
        found = _ADDRESS_WORD.match(text, position) or _WORD.match(text, position)
        if not found:
            break
        position = found.end()
        if text[position - 1] == ":" and not has_colons and ends is _ADDRESS_ENDS:
            return position - 1
        if ends.match(text, position):
            return position
        position += 1
    if position == begin:
        raise ParseError("an address is missing")
    return min(position, len(text))
