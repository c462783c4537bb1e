"""Exim's rejectlog: the headers of messages that were refused after their data.

Behind the line of the log stand the envelope and the headers, each after a letter for its kind and a blank
(Exim specification, chapters "Log files" and "Access control lists"; `log_write` in log.c). What a sender folded with
two blanks looks like a header of no kind, so a header that Exim has a letter for counts with that letter only.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ingest.text import decode


class Refused(NamedTuple):
    """What the log says of the refusal, and the headers: names in small letters, and their lines."""

    refusal: str
    fields: list[tuple[str, list[str]]]


_STAMP: Final = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})? (?:[+-]\d{4} )?(?:\[\d+\] )?")
_HEADER: Final = re.compile(rb"([A-Za-z* ]) ([!-9;-~]{1,128})[ \t]*:(.*)", re.DOTALL)
_ENVELOPE: Final = re.compile(rb"Envelope-(from|to): (.*)", re.DOTALL)
_KINDS: Final = {
    "received": b"P", "from": b"F", "to": b"T", "cc": b"C", "bcc": b"B", "sender": b"S", "reply-to": b"R", "message-id": b"I",
}  # fmt: skip
_GONE: Final = b"*"  # rewritten or removed; what it became is there too
_MAX_LINES: Final = 4_000  # of one message; Exim itself stops sooner


def is_exim_log(head: bytes) -> bool:
    """Whether a file begins with a line of Exim's logs."""
    return _STAMP.match(head) is not None


def holds_headers(blocks: Iterable[bytes]) -> bool:
    """Whether an Exim log has headers between its lines. A mainlog never has, and says soon that it is one."""
    rest = b""
    for block in blocks:
        found = _DUMP_OR_MAIL.search(data := rest + block)
        if found:
            return found[1] is None
        rest = data[-_LONGEST_BEGIN:]
    return False


# Headers; or a message that arrived or went, which only a mainlog has.
_DUMP_OR_MAIL: Final = re.compile(
    rb"\nP Received: |^\d{4}-\d\d-\d\d [^\n]{8,48}? (\w{6}-\w{6,11}-\w{2,4} (?:<=|[=*-]>|==|Completed))",
    re.MULTILINE,
)
_LONGEST_BEGIN: Final = 120


def read_rejectlog(blocks: Iterable[bytes]) -> Iterator[Refused]:
    """The refused messages of a rejectlog, given as blocks of bytes."""
    refusal, lines = b"", list[bytes]()
    for line in _lines(blocks):
        if found := _STAMP.match(line):
            yield from _refused(refusal, lines)
            refusal, lines = line[found.end() :], []
        elif len(lines) < _MAX_LINES:
            lines.append(line)
    yield from _refused(refusal, lines)


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    yield rest


def _refused(refusal: bytes, lines: list[bytes]) -> Iterator[Refused]:
    fields: list[tuple[str, list[str]]] = []
    is_gone = False
    for line in lines:
        header, envelope = _HEADER.match(line), _ENVELOPE.match(line)
        if envelope:
            fields.append(("return-path" if envelope[1] == b"from" else "envelope-to", [decode(envelope[2])]))
        elif header and header[1] in (_GONE, _KINDS.get(decode(header[2]).lower(), header[1])):
            is_gone = header[1] == _GONE
            if not is_gone:
                fields.append((decode(header[2]).lower(), [decode(header[3])]))
        elif fields and not is_gone and not line.startswith(b"-----"):
            fields[-1][1].append(decode(line))
    if any(name not in ("return-path", "envelope-to") for name, _ in fields):
        yield Refused(decode(refusal), fields)
