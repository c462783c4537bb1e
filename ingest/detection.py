"""Which format a source is of, to judge by its first lines. Nothing is guessed: who is not sure says so and asks.

Most logs say line by line whose they are, and may mix programs: that is `auto`. A file that a server writes itself
(JSON, CSV, a stamp of its own) is of one format, and is read as that from its first line to its last. The header of
a table is found here too, for every part of the file needs it.
"""

from collections import Counter
from datetime import tzinfo
from typing import Final, NamedTuple

from ingest.batch import Result, Segment, read_batch
from ingest.clock import Clock
from ingest.errors import SourceError
from ingest.formats import AUTO, FORMATS, find_formats, full_name, with_columns
from ingest.formats.declared import SUFFIX, declaration_of, file_formats, header_of
from ingest.schema import Family
from ingest.text import decode
from ingest.times import SOME_LEAP_YEAR

# Enough for a header and some records; a record of Amazon SES has three thousand bytes.
LOOK_BYTES: Final = 256 << 10
LOOK_LINES: Final = 200
# Who understands less of the first lines is not what they are of.
LEAST_SHARE: Final = 0.5


class Pick(NamedTuple):
    """The format of a source, as the lake notes it, and how that was found out; None where the user said it."""

    format_name: str
    why: str | None = None


def pick(format_name: str, head: bytes, zone: tzinfo) -> Pick:
    """The format of a source that begins so. SourceError if several are as likely."""
    text = decode(head)
    if format_name != AUTO:
        return Pick(_with_header(full_name(format_name), text))
    lines = text.split("\n")[:-1] or [text]
    return _picked([line.removesuffix("\r") for line in lines[:LOOK_LINES]], text, zone)


def _with_header(name: str, head: str) -> str:
    if name in (AUTO, *FORMATS):
        return name
    return with_columns(name, header_of(declaration_of(name), head))


def _picked(lines: list[str], head: str, zone: tzinfo) -> Pick:
    by_line = _read(AUTO, lines, zone)
    share = _understood(by_line)
    if share > LEAST_SHARE or not by_line.unparsed.num_rows:
        return Pick(AUTO)
    tables = {name for name in file_formats() if declaration_of(name).framing.header is not None}
    shares = {AUTO: share} | {
        name: _understood(_read(name, lines, zone))
        for name in (_with_header(each, head) for each in file_formats())
        if name not in tables  # a table without its header may be anything
    }
    best = max(shares.values())
    names = [name for name, share in shares.items() if share == best]
    if AUTO in names or best < LEAST_SHARE:
        return Pick(AUTO)
    if len(names) > 1:
        plain = " or ".join(map(plain_name, names))
        raise SourceError(f"these lines may be of {plain}: each reads as many of them; --format says which")
    others = sorted(((share, name) for name, share in shares.items() if name != names[0]), reverse=True)
    second = f"{plain_name(others[0][1])} {others[0][0]:.0%}" if others[0][0] else "nothing else reads any"
    return Pick(names[0], f"it reads {best:.0%} of the first lines, {second}")


def plain_name(format_name: str) -> str:
    """A format's name without the columns of a header, and without the folder of a file."""
    name = format_name.partition("|")[0]
    return name.rpartition("/")[2] if name.endswith(SUFFIX) else name


def _read(name: str, lines: list[str], zone: tzinfo) -> Result:
    return read_batch([Segment(1, lines, Clock(SOME_LEAP_YEAR, zone))], "", find_formats(name))


def _understood(result: Result) -> float:
    """The share of lines that tell of mail, of those that say something. A format may take any remark of its server."""
    counts = Counter[str]()
    for (_, what), lines in result.coverage.items():
        counts[what] += lines
    remarks = result.events.get(Family.OTHER)
    telling = counts["event"] - (remarks.num_rows if remarks else 0)
    return telling / max(1, counts["event"] + counts["unparsed"] + counts["foreign"])
