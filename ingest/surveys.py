"""What a look at a source tells before it is read: how long it is, which source it continues, the dates in it.

A plain file is looked at in a few places, whatever its size. A compressed one must be unpacked to be known, once:
`archive_fingerprint` recognises it the next time by its own bytes.

A source is known by its first bytes and by the bytes before an end that it once had: it may then be called as it
likes, be compressed, or have grown. What begins alike and goes on otherwise is another source.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ingest.blocks import BLOCK_BYTES, date_changes
from ingest.dating import sampled_dates
from ingest.finding import blaming, read_head
from ingest.heads import HEAD_BYTES
from ingest.records import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from ingest.archives import Stream
    from ingest.ledger import Ledger
    from ingest.records import KnownSource
    from ingest.sources import Source
    from ingest.times import DateSeen

TAIL_BYTES = 64 << 10
MAX_DATES = 1 << 18  # changes of date that are kept: 700 years of days, or a hostile file


class Survey(NamedTuple):
    """One look at a source, as it is now."""

    head: bytes
    size_bytes: int  # decompressed
    tail: str
    known: KnownSource | None  # the source that this is, or that it continues
    dates: Sequence[DateSeen]  # of what is new
    newest: datetime  # the time that the file, or the archive, says it was written
    damage: str | None

    @property
    def is_all_known(self) -> bool:
        """Whether there is nothing new in it."""
        return self.known is not None and self.size_bytes <= self.known.size_bytes

    @property
    def source_id(self) -> str:
        """Of the source that it is; of the content at first sight if it is new."""
        if self.known:
            return self.known.source_id
        return fingerprint(b"%b %d %b" % (self.head, self.size_bytes, self.tail.encode()))[:16]


def survey(source: Source, stream: Stream, ledger: Ledger) -> Survey:
    """Looks at a source; the stream is at its beginning, and of a plain file it stays there."""
    with blaming(source.name):
        return (
            _survey_archive(source, stream, ledger)
            if source.compression
            else _survey_plain(source, stream, ledger)
        )


def archive_fingerprint(source: Source) -> str | None:
    """Of a compressed file's own bytes, from a few of them."""
    if not source.compression:
        return None
    with blaming(source.name), source.path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        ends = os.pread(file.fileno(), HEAD_BYTES, 0) + os.pread(
            file.fileno(), TAIL_BYTES, max(0, size - TAIL_BYTES)
        )
    return fingerprint(b"%d %b" % (size, ends))


def _survey_plain(source: Source, stream: Stream, ledger: Ledger) -> Survey:
    file = stream.fileno()
    size = os.fstat(file).st_size

    def read_at(count: int, offset: int) -> bytes:
        return os.pread(file, count, offset)

    def tail_at(end: int) -> str:
        start = max(0, end - TAIL_BYTES)
        return fingerprint(read_at(end - start, start))

    head = read_at(min(HEAD_BYTES, size), 0)
    known = _recognised(ledger.candidates(head), size, tail_at, ledger)
    start = known.offset if known else 0
    dates = _bounded(sampled_dates(read_at, start, size)) if size > start else []
    return Survey(head, size, tail_at(size), known, dates, source.written_at, None)


def _survey_archive(source: Source, stream: Stream, ledger: Ledger) -> Survey:
    head = read_head(source.path)
    candidates = ledger.candidates(head)
    tails = _Tails(size for known in candidates for size in ledger.checkpoints(known.source_id))
    dates = _bounded(date_changes(tails.of(iter(lambda: stream.read(BLOCK_BYTES), b""))))
    known = _recognised(candidates, tails.size_bytes, tails.found.__getitem__, ledger)
    start = known.offset if known else 0
    newest = max(source.written_at, stream.member_written_at or source.written_at)
    new = [date for date in dates if date.at >= start]
    return Survey(head, tails.size_bytes, tails.last, known, new, newest, stream.damage)


def _recognised(
    candidates: Iterable[KnownSource], size: int, tail_at: Callable[[int], str], ledger: Ledger
) -> KnownSource | None:
    """The first candidate that this file continues, or that once was as long as the file is now."""
    for known in candidates:
        end = min(size, known.size_bytes)
        checkpoint = ledger.checkpoints(known.source_id).get(end)
        if checkpoint is not None and tail_at(end) == checkpoint:
            return known
    return None


class _Tails:
    """Fingerprints of what stands before some ends of a source, while its blocks pass by."""

    def __init__(self, ends: Iterable[int]) -> None:
        self.found: dict[int, str] = {}
        self.size_bytes = 0
        self._ends = sorted(ends, reverse=True)
        self._window = b""

    @property
    def last(self) -> str:
        """The fingerprint of what stands before the end."""
        return fingerprint(self._window)

    def of(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks, one by one."""
        for block in blocks:
            seen = self._window + block
            while self._ends and self._ends[-1] <= self.size_bytes + len(block):
                end = len(self._window) + self._ends[-1] - self.size_bytes
                self.found[self._ends.pop()] = fingerprint(seen[max(0, end - TAIL_BYTES) : end])
            self.size_bytes += len(block)
            self._window = seen[-TAIL_BYTES:]
            yield block


def _bounded(dates: Iterable[DateSeen]) -> list[DateSeen]:
    """All dates, or the first very many and the last: years are counted back from that."""
    kept: list[DateSeen] = []
    for date in dates:
        del kept[MAX_DATES:]
        kept.append(date)
    return kept
