"""Where messages begin and their headers end: files, mboxes, folders of them, pasted header blocks.

Only the header block is read; what follows costs a message nothing, and a mailbox a search for the next `From ` line.
Nobody promises that a message is well formed: what is odd becomes a defect, and the rest is read all the same.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from ingest.archives import open_stream
from ingest.blocks import BLOCK_BYTES
from ingest.errors import SourceError
from ingest.finding import STDIN, blaming
from ingest.text import decode

# A header block longer than that is an attack, or no header block: mail servers refuse far smaller ones
# (Postfix header_size_limit 102,400 bytes a header, Exim's 1 MB a message).
MAX_BLOCK_BYTES: Final = 1 << 20
MAX_FIELDS: Final = 2_000

_NAME: Final = re.compile(rb"([!-9;-~]{1,128})[ \t]*:")
_END: Final = re.compile(rb"\r?\n[ \t]*\r?\n|\r[ \t]*\r")
# mbox(5): `From sender date`, behind an empty line; other lines that begin so are quoted by the writer, mostly.
_FROM_LINE: Final = re.compile(rb"From \S{1,320} .{0,80}\d\d:\d\d[^\n]{0,80}")
_LEAD: Final = re.compile(rb"(?:\xef\xbb\xbf|[ \t]*\r?\n|>?From [^\n:]*\n)+")


class Field(NamedTuple):
    """One header: its name in small letters, and its value with the line breaks that it was folded with."""

    name: str
    value: str


class Block(NamedTuple):
    """The headers of one message, in the order of the message: the newest Received first."""

    fields: tuple[Field, ...]
    defects: tuple[str, ...]

    def values(self, name: str) -> list[str]:
        """The values of all headers of a name, given in small letters."""
        return [value for known, value in self.fields if known == name]


class Message(NamedTuple):
    """A header block, and how long the whole message is, as far as its source tells."""

    block: Block
    size_bytes: int | None


def read_block(data: bytes) -> Block:
    """The headers at the beginning of `data`; what comes behind them is not looked at.

    Lines may end in LF, CRLF or CR. A header that was pasted without the blanks of its folding goes on in the next
    line, where it is one of those that servers write; otherwise a line that is no header ends the block.
    """
    start = found.end() if (found := _LEAD.match(data)) else 0
    end = found.start() if (found := _END.search(data, start)) else len(data)
    if (
        end - start <= MAX_BLOCK_BYTES
        and (fields := _plain_fields(decode(data[start:end].rstrip()))) is not None
    ):
        return Block(fields, ())
    return _read_odd(data, start, end)


# A header and the lines that it goes on in, where every line is either.
_FIELD: Final = re.compile(r"([!-9;-~]{1,128})[ \t]*:(.*(?:\n[ \t].*)*)(?:\n|\Z)")


def _plain_fields(text: str) -> tuple[Field, ...] | None:
    """The headers of a block in which nothing is odd; None for others."""
    text = text.replace("\r\n", "\n")
    if "\r" in text:
        return None
    fields: list[Field] = []
    place = 0
    while place < len(text):
        found = _FIELD.match(text, place)
        if not found or len(fields) == MAX_FIELDS or (fields and _goes_on(fields[-1].name, found[1])):
            return None
        fields.append(Field(found[1].lower(), found[2].strip()))
        place = found.end()
    return tuple(fields)


def _read_odd(data: bytes, start: int, end: int) -> Block:
    defects = []
    if end - start > MAX_BLOCK_BYTES:
        defects.append(f"header block longer than {MAX_BLOCK_BYTES:,} bytes; the rest was not read")
        end = start + MAX_BLOCK_BYTES
    fields: list[tuple[str, list[str]]] = []
    for line in _lines(data[start:end].rstrip()):
        name = _NAME.match(line)
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1].append(decode(line))
        elif name and not (fields and _goes_on(fields[-1][0], decode(name[1]))):
            if len(fields) == MAX_FIELDS:
                defects.append(f"more than {MAX_FIELDS:,} headers; the rest was not read")
                break
            fields.append((decode(name[1]).lower(), [decode(line[name.end() :])]))
        elif fields and fields[-1][0] in _STRUCTURED:
            fields[-1][1].append(" " + decode(line))
            _note(defects, "a header was not folded: its next line begins without a blank")
        else:
            _note(defects, "no empty line between headers and text" if fields else "a line that is no header")
            if fields:
                break
    return Block(tuple(Field(name, "\n".join(lines).strip()) for name, lines in fields), tuple(defects))


# Headers that servers write, whose next line is theirs though it begins without a blank.
_STRUCTURED: Final = frozenset(
    {"received", "authentication-results", "arc-authentication-results", "received-spf", "dkim-signature", "arc-seal"}
    | {"arc-message-signature", "x-received", "return-path"}
)  # fmt: skip
# What looks like the name of a header and is none: times and ids in a Received header that was not folded.
_NO_NAMES: Final = re.compile(r"(?:by|with|id|for|via|\d+)", re.IGNORECASE | re.ASCII)


def _goes_on(name: str, text: str) -> bool:
    return name in _STRUCTURED and _NO_NAMES.fullmatch(text) is not None


def _note(defects: list[str], what: str) -> None:
    if what not in defects:
        defects.append(what)


def _lines(data: bytes) -> list[bytes]:
    if b"\n" not in data:
        return data.split(b"\r")
    return [line.rstrip(b"\r") for line in data.split(b"\n")]


def looks_like_message(head: bytes) -> bool:
    """Whether a file that begins so holds messages: a mailbox, or one message whose first lines are headers."""
    start = found.end() if (found := _LEAD.match(head)) else 0
    if _FROM_LINE.match(head):
        return True
    first = [line for line in _lines(head[start:])[:-1] if line[:1] not in (b" ", b"\t", b"")][:3]
    names = [found[1].lower() for line in first if (found := _NAME.match(line))]
    return bool(first) and len(names) == len(first) and any(_is_header(name) for name in names)


_COMMON: Final = frozenset(
    b"received return-path delivered-to from to subject date message-id mime-version content-type reply-to sender cc bcc "
    b"references in-reply-to x-original-to envelope-to dkim-signature authentication-results arc-seal received-spf".split()
)  # fmt: skip


def _is_header(name: bytes) -> bool:
    return name in _COMMON or name.startswith(b"x-")


def read_messages(blocks: Iterable[bytes], size_bytes: int | None = None) -> Iterator[Message]:
    """The messages of a file, given as blocks of bytes: those of a mailbox, or the one that the file is.

    Of a single message no more blocks are taken than its headers need; `size_bytes` then is the file's length.
    """
    source = iter(blocks)
    head = next(source, b"")
    while len(head) < MAX_BLOCK_BYTES and not _END.search(head) and (more := next(source, b"")):
        head += more
    if _FROM_LINE.match(head):
        yield from _mailbox(head, source)
    elif head.strip():
        yield Message(read_block(head), size_bytes)


# An empty line, and behind it the `From ` line of the next message.
_NEXT: Final = re.compile(rb"\n\r?\n(?=From \S{1,320} [^\n]{0,80}\d\d:\d\d)")
_TAIL_BYTES: Final = 512  # in which a `From ` line may have begun that goes on in the next block


def _mailbox(buffer: bytes, source: Iterator[bytes]) -> Iterator[Message]:
    """Messages between `From ` lines; of each, bytes are kept until its headers are complete."""
    start, head, dropped = 0, None, 0
    while True:
        found = _NEXT.search(buffer, start)
        if head is None:
            end = _END.search(buffer, start)
            if end or found or len(buffer) - start > MAX_BLOCK_BYTES:
                head = buffer[start : end.end() if end else start + MAX_BLOCK_BYTES + 1]
        if found:
            yield Message(read_block(head or b""), dropped + found.end() - start)
            start, head, dropped = found.end(), None, 0
            continue
        more = next(source, b"")
        if not more:
            yield Message(read_block(buffer[start:] if head is None else head), dropped + len(buffer) - start)
            return
        keep = start if head is None else max(start, len(buffer) - _TAIL_BYTES)
        dropped += keep - start
        buffer, start = buffer[keep:] + more, 0


def messages_in(name: str) -> Iterator[Message]:
    """The messages of a file, or of standard input (`-`). SourceError if there is none."""
    found = False
    with blaming(name):
        path = Path(name)
        size = None if name == STDIN else path.stat().st_size
        with sys.stdin.buffer if name == STDIN else open_stream(path) as stream:
            for message in read_messages(iter(partial(stream.read, BLOCK_BYTES), b""), size):
                found = True
                yield message
    if not found:
        raise SourceError(f"{name} is empty; a message, or the headers of one, would be right")
