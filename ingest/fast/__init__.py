"""The fast lane: the reference's rows from frequent lines at six times its speed, files included; the rest from the reference.

Formats say as data what their frequent lines look like; here the same data becomes programs for a scanner of bytes.
Whatever the scanner does not surely read as the reference would, it declines, and the reference reads it: switching
the fast lane off changes no row. It needs numba (`pip install mailscope[fast]`).
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from ingest.batch import Result
from ingest.blocks import Chunk
from ingest.formats import find_formats
from ingest.times import Years

if TYPE_CHECKING:
    from ingest.parsing import Settings


# It has a number, a fraction, a text of a dictionary and one without
_SAMPLE: Final = (
    b"Nov 23 08:15:01 mx1 postfix/smtp[7]: 3F1A2B3C4D: to=<a@example.com>, relay=mx.example.com[192.0.2.1]:25, "
    b"delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n"
)


def is_available() -> bool:
    """Whether numba is installed. Importing it takes a while, so nothing here does it before it is needed."""
    return find_spec("numba") is not None


def prepare(settings: "Settings") -> None:
    """Loads the machine code, or compiles it on the first run of a machine: threads would do it one by one."""
    from ingest.fast.chunk import read  # noqa: PLC0415  # numba

    read(Chunk(1, _SAMPLE), "", ((1, 2026),), settings)


def suits(head: bytes, settings: "Settings") -> bool:
    """Whether most lines of a log are such that the scanner reads them, to judge by its first ones.

    Where it leaves most to the reference (JSON, RFC 5424), processes are faster than threads. It takes apart what
    syslog wrote, so a file that syslog is not to be asked about is none for it, unless its stamp is spelt out.
    """
    formats = find_formats(settings.format_name)
    if not all(each.has_syslog or (each.fixed and each.fixed.stamp) for each in formats):
        return False
    from ingest.fast.chunk import declined_share  # noqa: PLC0415  # numba

    return declined_share(Chunk(1, head[: head.rfind(b"\n") + 1]), settings) <= 0.5


def read_chunk(chunk: Chunk, source_id: str, years: Years, settings: "Settings") -> Result:
    """Parses one chunk of whole lines, as `ingest.parsing.read_chunk` does; the order of rows may differ."""
    from ingest.fast.chunk import read  # noqa: PLC0415  # numba

    return read(chunk, source_id, years, settings)
