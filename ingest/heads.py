"""What the first bytes of a file tell: that it is no log, or when it begins."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from ingest.blocks import BOM, MONTH_DAY, date_of
from ingest.errors import ParseError
from ingest.times import Moment, infer_years, parse_bsd, parse_iso

HEAD_BYTES = 4096


class Misfit(NamedTuple):
    """A kind of file that is known to be no log."""

    offset: int
    magic: bytes
    what: str
    remedy: str


# Sources: systemd's Journal File Format, "The File Header"; Parquet's "File Format"; file(1)'s magic/Magdir
MISFITS = (
    Misfit(0, b"LPKSHHRH", "a binary journal", "the output of journalctl --file=… --output=json"),
    Misfit(0, b"PAR1", "a Parquet file", "the logs that it was made of"),
    Misfit(0, b"SQLite format 3\0", "an SQLite database", "a log"),
    Misfit(0, b"\x7fELF", "a program", "a log"),
    Misfit(0, b"PK\x03\x04", "a zip archive", "the files in it, unpacked"),
    Misfit(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "the files in it, unpacked"),
    Misfit(0, b"\x1f\x9d", "compressed with compress(1)", "the file uncompressed, or as .gz .bz2 .xz .zst"),
    Misfit(0, b"\x04\x22\x4d\x18", "compressed with lz4", "the file uncompressed, or as .gz .bz2 .xz .zst"),
    *(
        Misfit(
            0, mark, "text in UTF-16, as PowerShell writes it", "the same in UTF-8: iconv -f UTF-16 -t UTF-8"
        )
        for mark in (b"\xff\xfe", b"\xfe\xff")
    ),
    Misfit(257, b"ustar", "a tar archive", "the files in it, unpacked"),
)
# Bytes that text does not have; the hole that a crash or copytruncate leaves in a log is one run of NULs
CONTROLS = re.compile(rb"\0+|[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_NO_TEXT = bytes(code for code in range(256) if CONTROLS.match(bytes([code])))


def misfit(head: bytes) -> Misfit | None:
    """The kind of file that begins so, if it is known to be no log."""
    return next((kind for kind in MISFITS if head.startswith(kind.magic, kind.offset)), None)


def is_binary(sample: bytes) -> bool:
    """More control characters than lines: wtmp, images and the like, but no log with a damaged line."""
    if len(sample.translate(None, _NO_TEXT)) == len(sample):  # nearly always, and sooner told
        return False
    return len(CONTROLS.findall(sample)) > sample.count(b"\n")


STAMP = re.compile(
    rb"(?:^(?:" + BOM + rb")?|\n)(?:<\d{1,3}>)?((?P<date>" + MONTH_DAY + rb") \d\d:\d\d:\d\d)"
    rb"|(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?)"
)


def first_moment(head: bytes, newest: datetime) -> Moment | None:
    """The first time stamp, local ones as if they were UTC: to order files, not to date lines."""
    match = STAMP.search(head)
    if not match:
        return None
    try:
        if match["iso"]:
            return parse_iso(match["iso"].decode(), UTC)
        date = date_of(match["date"])
        return parse_bsd(match[1].decode(), infer_years([date], newest)[0][1], UTC) if date else None
    except ParseError:
        return None
