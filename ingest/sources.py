"""Where lines come from: files, glob patterns, directories, pipes and stdin, plain or compressed.

`find_sources` says what there is to read, in the order of time: rotated logs then arrive as they were
written, and progress and errors read naturally (the tables do not depend on it). The order is that of the
first time stamp in each file, because modification times are lost when files are copied, and names turn
around (mail.log.2.gz is older than mail.log.1) or hold dates. Where no stamp is near the beginning, the
file's own time decides, then its name.

`survey` and `chunks` each read a source once, from first byte to last, in bounded memory.
"""

from __future__ import annotations

import hashlib
import sys
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ingest.archives import MAGIC_BYTES, Stream, codec_of, gzip_written_at, open_stream
from ingest.blocks import BLOCK_BYTES, Chunk, date_changes, whole_lines
from ingest.errors import SourceError
from ingest.finding import blaming, find_files, read_head
from ingest.heads import first_moment
from ingest.text import decode, encode
from ingest.times import DateSeen, Years, infer_years

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Chunk", "Source", "Survey", "chunks", "decode", "encode", "find_sources", "survey"]

CHUNK_BYTES = 8 << 20
MAX_DATES = 1 << 18  # changes of date that a survey keeps: 700 years of days, or a hostile file


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or the copy of a pipe."""

    name: str  # as the user wrote it
    path: Path
    written_at: datetime  # what gzip noted, else the file's modification time
    compression: str | None = None

    def open(self) -> Stream:
        """The decompressed bytes."""
        with blaming(self.name):
            try:
                return open_stream(self.path)
            except FileNotFoundError as error:
                raise SourceError(
                    f"{self.name} has vanished since it was found; if rotated, run again"
                ) from error


class Survey(NamedTuple):
    """What one pass over a source tells."""

    source_id: str  # of the decompressed content: a copy, a renamed or a compressed file has the same
    size_bytes: int  # decompressed
    line_count: int
    years: Years
    damage: str | None
    last_line_complete: bool  # False: no newline at the end, it may still be being written
    beginnings: tuple[str, ...] = ()  # identities of its own first bytes, at the sizes asked for


def find_sources(paths: Sequence[str]) -> list[Source]:
    """What the paths mean, in the order of time. A file named twice appears once, by its first name."""
    found: dict[tuple[int, int], Source] = {}
    for path in dict.fromkeys(paths):
        with blaming(path):
            for name, file in find_files(path):
                status = file.stat()
                found.setdefault((status.st_dev, status.st_ino), _source(name, file, status.st_mtime))
    return sorted(found.values(), key=_time_order)


def survey(source: Source, year: int | None = None, sizes: Collection[int] = ()) -> Survey:
    """One pass over the content. `year` is the user's word for the year of the last line.

    At each of the `sizes` (bytes) within the content, the identity of what lies before is noted: a file that has
    grown is recognised by it.
    """
    tally, dates = _Tally(sizes=deque(sorted(sizes))), list[DateSeen]()
    with blaming(source.name), source.open() as stream:
        for date in date_changes(tally.of(_blocks(source, stream, BLOCK_BYTES))):
            del dates[MAX_DATES:]  # beyond it only the last one is of use: years are counted back from it
            dates.append(date)
    newest = max(source.written_at, stream.member_written_at or source.written_at)
    return Survey(
        source_id=_identity(tally.digest),
        size_bytes=tally.size_bytes,
        line_count=tally.newlines + (not tally.ends_line),
        years=infer_years(dates, newest, year),
        damage=stream.damage,
        last_line_complete=tally.ends_line,
        beginnings=tuple(tally.beginnings),
    )


def chunks(source: Source, size: int = CHUNK_BYTES, upto_bytes: int | None = None) -> Iterator[Chunk]:
    """The content in whole lines; `whole_lines` says where a chunk ends and what becomes of endless lines.

    A live log grows between `survey` and `chunks`: `upto_bytes=survey.size_bytes` shows both the same lines.
    """
    with blaming(source.name), source.open() as stream:
        yield from whole_lines(_blocks(source, stream, min(size, BLOCK_BYTES), upto_bytes), size)


def _identity(digest: hashlib._Hash) -> str:
    return digest.hexdigest()[:16]


@dataclass(slots=True)
class _Tally:
    sizes: deque[int]
    beginnings: list[str] = field(default_factory=list)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    size_bytes: int = 0
    newlines: int = 0
    ends_line: bool = True

    def of(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            while self.sizes and self.sizes[0] < self.size_bytes + len(block):
                beginning = self.digest.copy()
                beginning.update(block[: self.sizes.popleft() - self.size_bytes])
                self.beginnings.append(_identity(beginning))
            self.digest.update(block)
            self.size_bytes += len(block)
            self.newlines += block.count(b"\n")
            self.ends_line = block.endswith(b"\n")
            yield block


def _blocks(source: Source, stream: Stream, size: int, upto_bytes: int | None = None) -> Iterator[bytes]:
    left = sys.maxsize if upto_bytes is None else upto_bytes
    while block := stream.read(min(size, left)):
        left -= len(block)
        yield block
    if upto_bytes and left:
        raise SourceError(
            f"{source.name} became {left:,} bytes shorter while it was read; if rotated, run again"
        )


def _source(name: str, path: Path, modified: float) -> Source:
    with path.open("rb") as file:
        head = file.read(MAGIC_BYTES)
    codec = codec_of(head)
    written_at = gzip_written_at(head) or datetime.fromtimestamp(modified, UTC)
    return Source(name, path, written_at, codec.name if codec else None)


def _time_order(source: Source) -> tuple[int, datetime, str]:
    with blaming(source.name):
        moment = first_moment(read_head(source.path), source.written_at)
    own_us = int(source.written_at.timestamp() * 10**6)
    return moment.utc_us if moment else own_us, source.written_at, source.name
