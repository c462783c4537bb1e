"""Decompression that keeps what it can.

What a file is shows in its first bytes, not in its name. Members and frames that follow one another are read
through. Where the data end too early or are damaged the stream ends, and `damage` says so: a value, not an
exception, because the lines up to there are as good as any.

Archives are fed to the decompressors in fixed small pieces, for two reasons:
- what a failing call had already decompressed is lost with it, so a call must not decompress much; and as the
  pieces do not depend on who reads how much, a damaged file gives the same bytes to everyone;
- zeros compress well: memory stays bounded only if a piece cannot expand to gigabytes.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import zlib
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

XZ_MEMORY_BYTES = 256 << 20  # `xz -9` needs 65 MiB; a hostile header may ask for 4 GiB
ARCHIVE_BUFFER_BYTES = 1 << 20


class Member(Protocol):
    """One gzip member, bzip2 or xz stream, zstd frame: the interface that the four libraries share."""

    @property
    def eof(self) -> bool:
        """Whether the member is complete."""

    @property
    def unused_data(self) -> bytes:
        """What followed the member in the bytes that it was fed."""

    def decompress(self, data: bytes, /) -> bytes:
        """What these bytes add."""


class Codec(NamedTuple):
    """A kind of archive."""

    name: str
    magic: re.Pattern[bytes]
    member: Callable[[], Member]
    feed_bytes: int


def _gzip() -> Member:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)  # 16: with gzip's header and checksum


def _xz() -> Member:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)


def _zstd() -> Member:
    return zstandard.ZstdDecompressor().decompressobj()


# Sources: RFC 1952 2.3.1; bzip2's BZ_HDR, then its block or end-of-stream mark; xz-file-format 2.1.1.1;
# RFC 8878 3.1.1 and 3.1.2 (pzstd begins with a skippable frame).
# Measured on zeros, a byte expands to 1 kB (gzip), 1.1 MB (bzip2), 7 kB (xz), 33 kB (zstd).
CODECS = (
    Codec("gzip", re.compile(rb"\x1f\x8b\x08"), _gzip, 512),
    Codec("bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.BZ2Decompressor, 32),
    Codec("xz", re.compile(rb"\xfd7zXZ\0"), _xz, 512),
    Codec("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd, 512),
)
_ANY_MAGIC = re.compile(b"|".join(codec.magic.pattern for codec in CODECS))
MAGIC_BYTES = 16
GZIP_STAMP = slice(4, 8)  # RFC 1952 2.3.1, MTIME: seconds since 1970, little-endian, 0 when unknown
DAMAGES = (OSError, EOFError, MemoryError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


class Stream(io.BufferedReader):
    """A file's bytes, decompressed. At its end `damage` and `member_written_at` are known."""

    @property
    def damage(self) -> str | None:
        """Where and how the archive is damaged."""
        return self.raw.damage if isinstance(self.raw, _Unpacker) else None

    @property
    def member_written_at(self) -> datetime | None:
        """The newest time that a gzip member states: after `cat mail.log.*.gz` the first one's is old."""
        stamp = self.raw.newest_stamp if isinstance(self.raw, _Unpacker) else 0
        return datetime.fromtimestamp(stamp, UTC) if stamp else None


def open_stream(path: Path) -> Stream:
    """The decompressed bytes of a file; its first bytes decide how."""
    file = path.open("rb", buffering=0)
    codec = codec_of(file.read(MAGIC_BYTES))
    file.seek(0)
    if codec is None:
        return Stream(file)
    return Stream(_Unpacker(io.BufferedReader(file, ARCHIVE_BUFFER_BYTES), codec))


def codec_of(head: bytes) -> Codec | None:
    """The kind of archive that begins with these bytes; None if none does."""
    if not _ANY_MAGIC.match(head):  # nearly always, and sooner told
        return None
    return next((codec for codec in CODECS if codec.magic.match(head)), None)


def gzip_written_at(head: bytes) -> datetime | None:
    """When the file in a gzip archive was last written, if gzip was told."""
    codec = codec_of(head)
    stamp = int.from_bytes(head[GZIP_STAMP], "little") if codec and codec.name == "gzip" else 0
    return datetime.fromtimestamp(stamp, UTC) if stamp else None


class _DamageError(Exception):
    """Internal: how the data are damaged. Becomes `_Unpacker.damage`."""


class _Unpacker(io.RawIOBase):
    def __init__(self, file: BinaryIO, codec: Codec) -> None:
        super().__init__()
        self.damage: str | None = None
        self.newest_stamp = 0
        self._file = file
        self._codec = codec
        self._blocks = self._until_damage()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        # The generator knows this object and this object the generator: what it has unpacked would stay for a while
        self._blocks.close()
        self._ready = memoryview(b"")
        self._file.close()
        super().close()

    def readinto(self, buffer: WriteableBuffer) -> int:
        into = memoryview(buffer).cast("B")
        if not self._ready:
            self._ready = memoryview(next(self._blocks, b""))
        size = min(len(into), len(self._ready))
        into[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _until_damage(self) -> Generator[bytes, None, None]:
        size = 0
        try:
            for block in filter(None, self._members()):
                size += len(block)
                yield block
        except _DamageError as error:
            self.damage = f"{self._codec.name} data {error} after {size:,} bytes; lines up to there were kept"

    def _members(self) -> Iterator[bytes]:
        rest = b""
        while start := self._member_start(rest):
            member = self._codec.member()
            for piece in chain([start], iter(self._feed, b"")):
                yield _decompress(member, piece)
                if member.eof:
                    break
            else:
                raise _DamageError("ends too early")
            rest = member.unused_data

    def _feed(self) -> bytes:
        return self._file.read(self._codec.feed_bytes)

    def _member_start(self, rest: bytes) -> bytes:
        """Skip NULs before a member (tapes and xz pad with them); note the time that gzip states in it."""
        rest = rest.lstrip(b"\0")
        while not rest and (piece := self._feed()):
            rest = piece.lstrip(b"\0")
        if rest and self._codec.name == "gzip":
            rest += self._file.read(max(0, GZIP_STAMP.stop - len(rest)))
            self.newest_stamp = max(self.newest_stamp, int.from_bytes(rest[GZIP_STAMP], "little"))
        return rest


def _decompress(member: Member, piece: bytes) -> bytes:
    try:
        return member.decompress(piece)
    except DAMAGES as error:
        raise _DamageError(f"is damaged ({error})") from error
