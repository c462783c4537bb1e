"""Where lines come from: files, glob patterns, directories, pipes and stdin, plain or compressed.

`find_sources` says what there is to read, in the order of time: rotated logs then arrive as they were
written, and progress and errors read naturally (the tables do not depend on it). The order is that of the
first time stamp in each file, because modification times are lost when files are copied, and names turn
around (mail.log.2.gz is older than mail.log.1) or hold dates. Where no stamp is near the beginning, and of a
message, the file's own time decides, then its name.

`chunks_from` reads a source from some offset on, in bounded memory.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest.archives import Stream, codec_of, gzip_written_at, open_stream
from ingest.blocks import BLOCK_BYTES, MAX_CONTEXT_BYTES, Chunk, context, whole_lines
from ingest.dating import LineNumbers
from ingest.errors import NoMatchError, SourceError
from ingest.finding import blaming, blaming_found, find_files, read_head
from ingest.headers.messages import LOOK_BYTES, looks_like_message
from ingest.heads import first_moment
from ingest.text import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Chunk", "Source", "chunks", "chunks_from", "decode", "encode", "find_sources", "first_lines"]

CHUNK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or the copy of a pipe."""

    name: str  # as the user wrote it, bytes that are no UTF-8 as \xff
    path: Path
    written_at: datetime  # what gzip noted, else the file's modification time
    compression: str | None = None
    is_mail: bool = False  # a message or a mailbox, by its first bytes
    size_bytes: int = 0  # of the file, when it was found

    def open(self) -> Stream:
        """The decompressed bytes."""
        with blaming_found(self.name):
            return open_stream(self.path)


def first_lines(path: Path, count: int) -> list[str]:
    """The first lines of a file, plain or compressed. SourceError if it cannot be read."""
    with blaming(str(path)), open_stream(path) as stream:
        data = b""
        while data.count(b"\n") < count and (block := stream.read(BLOCK_BYTES)):
            data += block
    return [line.removesuffix("\r") for line in decode(data.removesuffix(b"\n")).split("\n")[:count]]


def find_sources(paths: Sequence[str]) -> list[Source]:
    """What the paths mean, in the order of time. A file named twice appears once, by its first name.

    Raises SourceError.
    """
    found, problems = _look_for(paths)
    if problems:
        raise problems[0]
    return found


def find_standing_sources(paths: Sequence[str]) -> tuple[list[Source], list[SourceError]]:
    """The same of paths that are said once for many runs, and what is wrong with some of them: the others are read.

    A pattern may match nothing yet (no log was rotated so far), if another path is there.
    """
    found, problems = _look_for(paths)
    return found, [each for each in problems if not (found and isinstance(each, NoMatchError))]


def _look_for(paths: Sequence[str]) -> tuple[list[Source], list[SourceError]]:
    found: dict[tuple[int, int], Source] = {}
    problems: list[SourceError] = []
    for path in dict.fromkeys(paths):
        try:
            with blaming(path):
                for name, file in find_files(path):
                    try:
                        status = file.stat()
                        source = _source(name, file, status)
                    except FileNotFoundError:
                        if name == path:
                            raise
                        continue  # listed a moment ago: a message of a Maildir has moved on
                    found.setdefault((status.st_dev, status.st_ino), source)
        except SourceError as error:
            problems.append(error)
    return sorted(found.values(), key=_time_order), problems


def chunks(source: Source, size: int = CHUNK_BYTES, upto_bytes: int | None = None) -> Iterator[Chunk]:
    """The content in whole lines; `whole_lines` says where a chunk ends and what becomes of endless lines.

    A live log grows while it is read: `upto_bytes` ends where it was.
    """
    with source.open() as stream:
        yield from chunks_from(source, stream, size, LineNumbers(), upto_bytes)


def chunks_from(
    source: Source, stream: Stream, size: int, numbers: LineNumbers, upto_bytes: int | None = None
) -> Iterator[Chunk]:
    """The same of a stream at its beginning, from where `numbers` begin; they then reach to the end of the chunk.

    The first chunk has the context that a REPEAT at the start needs.
    """
    with blaming(source.name):
        before = context(_skip(source, stream, numbers.offset))
        left = None if upto_bytes is None else upto_bytes - numbers.offset
        blocks = numbers.of(_blocks(source, stream, min(size, BLOCK_BYTES), left))
        yield from whole_lines(blocks, size, numbers.line_no, before)


def _skip(source: Source, stream: Stream, offset: int) -> bytes:
    """Goes to the offset; gives the last bytes before it, with a newline in front where the source begins."""
    window = b"\n"
    if source.compression is None and offset > MAX_CONTEXT_BYTES:
        stream.seek(offset - MAX_CONTEXT_BYTES)
        offset, window = MAX_CONTEXT_BYTES, b""
    for block in _blocks(source, stream, BLOCK_BYTES, offset):
        window = (window + block)[-MAX_CONTEXT_BYTES:]
    return window


def _blocks(source: Source, stream: Stream, size: int, upto_bytes: int | None = None) -> Iterator[bytes]:
    left = sys.maxsize if upto_bytes is None else upto_bytes
    while block := stream.read(min(size, left)):
        left -= len(block)
        yield block
    if upto_bytes and left:
        raise SourceError(
            f"{source.name} became {left:,} bytes shorter while it was read; if rotated, run again"
        )


def _source(name: str, path: Path, status: os.stat_result) -> Source:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # a folder of messages has very many files
        head = file.read(LOOK_BYTES)
    codec = codec_of(head)
    written_at = gzip_written_at(head) or datetime.fromtimestamp(status.st_mtime, UTC)
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")  # the ledger holds text
    is_mail = looks_like_message(read_head(path) if codec else head)
    return Source(shown, path, written_at, codec.name if codec else None, is_mail, status.st_size)


def _time_order(source: Source) -> tuple[int, datetime, str]:
    try:
        moment = None if source.is_mail else first_moment(read_head(source.path), source.written_at)
    except OSError:
        moment = None  # who reads it will say why
    own_us = int(source.written_at.timestamp() * 10**6)
    return moment.utc_us if moment else own_us, source.written_at, source.name
