"""Where messages begin and their headers end: files, mboxes, folders of them, pasted header blocks, Exim's rejectlog.

Only the header block is read; what follows costs a message nothing, and a mailbox a search for the next `From ` line.
Nobody promises that a message is well formed: what is odd becomes a defect, and the rest is read all the same.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from io import FileIO
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from ingest.archives import codec_of, open_stream
from ingest.blocks import BLOCK_BYTES
from ingest.errors import SourceError
from ingest.finding import STDIN, blaming, find_files, read_head
from ingest.headers.rejectlog import is_exim_log, read_rejectlog
from ingest.text import decode

# A header block longer than that is an attack, or no header block: mail servers refuse far smaller ones
# (Postfix header_size_limit 102,400 bytes a header, Exim's 1 MB a message).
MAX_BLOCK_BYTES: Final = 1 << 20
MAX_FIELDS: Final = 2_000

_NAME: Final = re.compile(rb"([!-9;-~]{1,128})[ \t]*:")
# An empty line; where lines end in CR alone, no LF is there at all.
_END: Final = re.compile(rb"\n[ \t]*\r?\n")
_CR_END: Final = re.compile(rb"\r[ \t]*\r")
# mbox(5): `From sender date`, behind an empty line; other lines that begin so are quoted by the writer, mostly.
_FROM_LINE: Final = re.compile(rb"From \S{1,320} .{0,80}\d\d:\d\d[^\n]{0,80}")
_LEAD: Final = re.compile(rb"(?:\xef\xbb\xbf|[ \t]*\r?\n|>?From (?!:)[^\n]{0,998}\n)+")


# One header: its name in small letters, and its value with the line breaks that it was folded with.
Field: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class Block:
    """The headers of one message, in the order of the message: the newest Received first."""

    fields: Sequence[Field]
    defects: tuple[str, ...] = ()
    _values: dict[str, list[str]] | None = field(default=None, init=False, repr=False, compare=False)

    def values(self, name: str) -> list[str]:
        """The values of all headers of a name, given in small letters."""
        if self._values is None:
            self._values = {}
            for known, value in self.fields:
                self._values.setdefault(known, []).append(value)
        return self._values.get(name, _NONE)


_NONE: Final[list[str]] = []


class Message(NamedTuple):
    """A header block, how long the whole message is as far as its source tells, and what a log says of its refusal."""

    block: Block
    size_bytes: int | None = None
    refusal: str | None = None

    def messages(self) -> "list[Message]":
        """Itself, as what is read already."""
        return [self]


class Head(NamedTuple):
    """A message that is still to be read: its first bytes, with the whole header block, and how long it is."""

    data: bytes
    size_bytes: int | None

    def messages(self) -> list[Message]:
        """The message, read."""
        return [Message(read_block(self.data), self.size_bytes)]

    def plain_block(self) -> bytes:
        """What `plain_block` finds behind the `From ` line of a mailbox."""
        lead = _LEAD.match(self.data)
        return plain_block(self.data[lead.end() :] if lead else self.data)


def read_block(data: bytes) -> Block:
    """The headers at the beginning of `data`; what comes behind them is not looked at.

    Lines may end in LF, CRLF or CR. A header that was pasted without the blanks of its folding goes on in the next
    line, where it is one of those that servers write; otherwise a line that is no header ends the block.
    """
    if common := _common_block(data):
        return common
    start = found.end() if (found := _LEAD.match(data)) else 0
    end = found.start() if (found := _find_end(data, start)) else len(data)
    block = data[start : min(end, start + MAX_BLOCK_BYTES)].rstrip()
    if len(block) < MAX_BLOCK_BYTES and (fields := _plain_fields(decode(block))) is not None:
        return Block(fields)
    defects = []
    if end - start > MAX_BLOCK_BYTES:
        defects.append(f"header block longer than {MAX_BLOCK_BYTES:,} bytes; the rest was not read")
    return _read_odd(_without_indent(block, defects), defects)


def _common_block(data: bytes) -> Block | None:
    """The block of a message that begins with a header, and whose headers end within `data` with nothing odd in them."""
    end = _END.search(data)
    if end is None or end.start() > MAX_BLOCK_BYTES:
        return None
    fields = _plain_fields(decode(data[: end.start()]))
    return Block(fields) if fields else None


def plain_block(data: bytes) -> bytes:
    """The headers of a message that begins with one, lines ended by LF; nothing where they do not surely end within `data`.

    The first line of nothing but blanks ends them: whoever takes the block apart has to look for one.
    """
    if not _NAME.match(data):
        return b""
    block = data[: max(0, data.find(b"\n\n"))]
    if not block or b"\r" in block:
        found = None if _LEAD.match(data) else _END.search(data)
        block = data[: found.start()].removesuffix(b"\r").replace(b"\r\n", b"\n") if found else b""
    return block if b"\r" not in block else b""


_HEADS: Final = re.compile(r"\n(?![ \t])")


def _find_end(data: bytes, start: int = 0) -> re.Match[bytes] | None:
    found = _END.search(data, start)
    return found or (None if b"\n" in data else _CR_END.search(data, start))


def _plain_fields(text: str) -> list[Field] | None:
    """The headers of a block in which nothing is odd; None for others."""
    if "\r" in text and "\r" in (text := text.replace("\r\n", "\n")):
        return None
    if not text:
        return []
    heads = _HEADS.split(text)
    if len(heads) > MAX_FIELDS:
        return None
    written, colons, values = zip(*[head.partition(":") for head in heads], strict=True)
    names = list(map(name_of, written))
    return None if None in names or "" in colons else list(zip(names, map(str.strip, values), strict=True))  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def name_of(written: str) -> str | None:
    """The name of a header; None for what is none, and for what may be more of one that was not folded: times, `id:`."""
    found = _NAME.fullmatch(written.encode("utf-8", "replace") + b":")
    name = found[1].decode().lower() if found else ""
    return name if name and not name.isdecimal() and name not in _NO_NAMES else None


# How a block was pasted: each of its lines behind the same blanks, or quoted as in a reply.
_INDENT: Final = re.compile(rb"[> \t]{1,64}(?=[!-9;-=?-~][!-9;-~]{0,127}[ \t]*:)")
_AT_MARGIN: Final = re.compile(rb"\n[!-9;-=?-~][!-9;-~]{0,127}:")


def _without_indent(block: bytes, defects: list[str]) -> bytes:
    found = _INDENT.match(block)
    if not found:
        return block
    defects.append("the headers were pasted with something before their lines")
    rest = block[found.end() :]
    if not _AT_MARGIN.search(rest):  # not the first line alone
        rest = rest.replace(b"\n" + found[0], b"\n")
    rest = rest.replace(b"\n>", b"\n") if b">" in found[0] else rest
    return rest[: end.start()] if (end := _find_end(rest)) else rest


def _read_odd(block: bytes, defects: list[str]) -> Block:
    fields: list[tuple[str, list[str]]] = []
    for line in _lines(block):
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
    return _block(fields, defects)


def _block(fields: Iterable[tuple[str, list[str]]], defects: Iterable[str] = ()) -> Block:
    return Block([(name, "\n".join(lines).strip()) for name, lines in fields], tuple(defects))


# Headers that servers write, whose next line is theirs though it begins without a blank.
_STRUCTURED: Final = frozenset(
    {"received", "authentication-results", "arc-authentication-results", "received-spf", "dkim-signature", "arc-seal"}
    | {"arc-message-signature", "x-received", "return-path"}
)  # fmt: skip
# What looks like the name of a header and is none: times and ids in a Received header that was not folded.
_NO_NAMES: Final = frozenset({"by", "with", "id", "for", "via"})


def _goes_on(name: str, text: str) -> bool:
    return name in _STRUCTURED and (text.lower() in _NO_NAMES or text.isdecimal())


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
    if _FROM_LINE.match(head) or _TRACE.match(head, start):
        return True
    first = list(islice(_whole_lines(head[start:]), 3))
    names = [found[1].lower() for line in first if (found := _NAME.match(line))]
    return bool(first) and len(names) == len(first) and any(_is_header(name) for name in names)


def _whole_lines(data: bytes) -> Iterator[bytes]:
    """The lines that are whole, but for empty ones and those that a header goes on in."""
    mark, start = b"\n" if b"\n" in data else b"\r", 0
    while (end := data.find(mark, start)) >= 0:
        if data[start : start + 1] not in (b" ", b"\t") and (line := data[start:end].rstrip(b"\r")):
            yield line
        start = end + 1


_TRACE: Final = re.compile(rb"[> \t]{0,64}Received:\s{1,8}(?:from|by)\s", re.IGNORECASE)
_COMMON: Final = frozenset(
    b"received return-path delivered-to from to subject date message-id mime-version content-type reply-to sender cc bcc "
    b"references in-reply-to x-original-to envelope-to dkim-signature authentication-results arc-seal received-spf".split()
)  # fmt: skip


def _is_header(name: bytes) -> bool:
    return name in _COMMON or name.startswith(b"x-")


def is_mailbox(head: bytes) -> bool:
    """Whether a file that begins so is a mailbox (mbox)."""
    return _FROM_LINE.match(head) is not None


def read_messages(blocks: Iterable[bytes], size_bytes: int | None = None) -> Iterator[Message]:
    """The messages of a file, given as blocks of bytes: those of a mailbox, or the one that the file is.

    Of a single message no more blocks are taken than its headers need; `size_bytes` then is the file's length.
    """
    return _read(_unread(blocks, size_bytes))


def _read(found: Iterable[Head | Message]) -> Iterator[Message]:
    return chain.from_iterable(each.messages() for each in found)


def _unread(blocks: Iterable[bytes], size_bytes: int | None) -> Iterator[Head | Message]:
    source = iter(blocks)
    head = next(source, b"")
    while len(head) < MAX_BLOCK_BYTES and not _find_end(head) and (more := next(source, b"")):
        head += more
    if is_mailbox(head):
        yield from _mailbox(head, source)
    elif is_exim_log(head):
        for refused in read_rejectlog(chain([head], source)):
            yield Message(_block(refused.fields), None, refused.refusal)
    elif head.strip():
        yield Head(head, size_bytes)


# An empty line, and behind it the `From ` line of the next message.
_NEXT: Final = re.compile(rb"\n\r?\n(?=From \S{1,320} [^\n]{0,80}\d\d:\d\d)")
_TAIL_BYTES: Final = 512  # in which a `From ` line may have begun that goes on in the next block


def _mailbox(buffer: bytes, source: Iterator[bytes], size_bytes: int = sys.maxsize) -> Iterator[Head]:
    """Messages between `From ` lines that begin within so many bytes; of each, bytes are kept until its headers are complete."""
    start, head, dropped = 0, None, 0
    place = 0  # of the buffer
    while True:
        found = _NEXT.search(buffer, start)
        if head is None:
            end = _find_end(buffer, start)
            if end or found or len(buffer) - start > MAX_BLOCK_BYTES:
                head = buffer[start : end.end() if end else start + MAX_BLOCK_BYTES + 1]
        if found:
            yield Head(head or b"", dropped + found.end() - start)
            start, head, dropped = found.end(), None, 0
            if place + start >= size_bytes:
                return
            continue
        more = next(source, b"")
        if not more:
            yield Head(buffer[start:] if head is None else head, dropped + len(buffer) - start)
            return
        keep = start if head is None else max(start, len(buffer) - _TAIL_BYTES)
        dropped += keep - start
        place += keep
        buffer, start = buffer[keep:] + more, 0


def messages_in(name: str) -> Iterator[Message]:
    """The messages of a file, of all files in a folder, or of standard input (`-`). SourceError if there is none."""
    found = False
    with blaming(name):
        for message in _messages_named(name):
            found = True
            yield message
    if not found:
        raise SourceError(f"{name} holds no message; a message, or the headers of one, would be right")


def _messages_named(name: str) -> Iterator[Message]:
    if name == STDIN:
        yield from stream_messages(sys.stdin.buffer)
        return
    try:
        yield from messages_of(name)
    except IsADirectoryError:
        for _, file in find_files(name):  # beside the messages a mail server keeps files of its own
            if looks_like_message(read_head(file, LOOK_BYTES)):
                yield from messages_of(file)


def messages_of(file: str | Path, begin: int = 0, end: int | None = None) -> Iterator[Message]:
    """The messages of a file; of a mailbox maybe those alone that begin between two places in it."""
    return _read(unread_in(file, begin, end))


def unread_in(file: str | Path, begin: int = 0, end: int | None = None) -> Iterator[Head | Message]:
    """The same, those unread that need not be read to tell where they end."""
    with open(file, "rb", buffering=0) as raw:  # noqa: PTH123  # one call reads all that is wanted of most
        if end is not None:
            yield from _within(raw, begin, end)
            return
        head = raw.read(FIRST_BYTES) or b""
        if codec_of(head) is None:
            size = os.fstat(raw.fileno()).st_size
            if block := _common_block(head):
                yield Message(block, size)
            else:
                yield from _unread(chain([head], _blocks(raw)), size)
            return
    with open_stream(Path(file)) as stream:
        yield from stream_messages(stream)


def _within(raw: FileIO, begin: int, end: int) -> Iterator[Head]:
    """Of a mailbox the messages that begin there; the last one may go on behind."""
    place = max(0, begin - _BEFORE_BYTES)
    raw.seek(place)
    source = _blocks(raw)
    buffer = next(source, b"")
    start = _first_from(buffer, begin - place) if begin else 0
    while start is None and place + len(buffer) - _TAIL_BYTES < end and (more := next(source, b"")):
        kept = buffer[-_TAIL_BYTES:]
        place, buffer = place + len(buffer) - len(kept), kept + more
        start = _first_from(buffer, begin - place)
    if start is not None and place + start < end:
        yield from _mailbox(buffer[start:], source, end - place - start)


def _first_from(buffer: bytes, least: int) -> int | None:
    """Where the first `From ` line begins that does not begin before a place."""
    found = _NEXT.finditer(buffer)
    return next((each.end() for each in found if each.end() >= least), None)


def _blocks(raw: FileIO) -> Iterator[bytes]:
    return iter(partial(raw.read, BLOCK_BYTES), b"")


_BEFORE_BYTES: Final = 3  # an empty line before a `From ` line, and the end of the line before that


FIRST_BYTES: Final = 16 << 10  # in which nearly all headers end
LOOK_BYTES: Final = 64 << 10  # in which most headers end


def stream_messages(stream: BinaryIO) -> Iterator[Message]:
    """The messages of an open file; the size of a single one is known if it is a file that is not packed."""
    is_file = isinstance(getattr(stream, "raw", None), FileIO) and stream.seekable()
    size = os.fstat(stream.fileno()).st_size if is_file else None
    blocks = chain([stream.read(LOOK_BYTES)], iter(partial(stream.read, BLOCK_BYTES), b""))
    yield from read_messages(blocks, size)
