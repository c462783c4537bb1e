"""One chunk through the fast lane, and what it declines through the reference."""

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from ingest.batch import Gathered, Result, Segment
from ingest.blocks import REPEAT, Chunk
from ingest.clock import Clock
from ingest.fast.columns import schema_of, tables
from ingest.fast.lane import Lane, Scanned
from ingest.formats import find_formats
from ingest.framing import Framer
from ingest.parts import by_day
from ingest.text import decode
from ingest.times import SOME_LEAP_YEAR, Years, year_of

if TYPE_CHECKING:
    from ingest.parsing import Settings

_THREAD: Final = threading.local()


def read(chunk: Chunk, source_id: str, years: Years, settings: "Settings") -> Result:
    """What became of a chunk's lines."""
    lane = lane_of(settings.format_name)
    scanned = lane.read(chunk, years, settings.zone, settings.host)
    fast = tables(scanned, lane.programs, chunk.data, source_id)
    coverage = _coverage(scanned)
    slow = _by_reference(chunk, scanned, source_id, years, settings)
    for family, table in slow.events.items():
        fast.setdefault(family, []).extend(rows.cast(schema_of(family)) for _, rows in by_day(table))
    events = {family: pa.concat_tables(parts) for family, parts in fast.items()}
    return Result(
        events, slow.unparsed, coverage + slow.coverage, slow.is_host_assumed or scanned.own_lines > 0
    )


def declined_share(chunk: Chunk, settings: "Settings") -> float:
    """Which part of a chunk's lines is the reference's, if they are of a year that all days are in."""
    scanned = lane_of(settings.format_name).read(chunk, ((1, SOME_LEAP_YEAR),), settings.zone)
    return len(scanned.declined) / max(1, chunk.data.count(b"\n"))


def lane_of(format_name: str) -> Lane:
    """This thread's own."""
    lanes: dict[str, Lane] = _THREAD.__dict__.setdefault("lanes", {})
    if format_name not in lanes:
        lanes[format_name] = Lane(format_name)
    return lanes[format_name]


def _coverage(scanned: Scanned) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for result, counts in (("event", scanned.rows.tag_events), ("foreign", scanned.rows.tag_foreign)):
        for number in counts.nonzero()[0].tolist():
            found[scanned.tags[number], result] += int(
                counts[number]
            )  # a tag of own files may be in syslog, too
    if scanned.blank:
        found["", "blank"] = scanned.blank
    return found


def _by_reference(
    chunk: Chunk, scanned: Scanned, source_id: str, years: Years, settings: "Settings"
) -> Result:
    """The lines that were declined, each with its number and its year."""
    gathered = Gathered(source_id, find_formats(settings.format_name), settings.host)
    framers: dict[int | None, Framer] = {}
    own = next((each for each in gathered.formats if each.fixed and each.fixed.own_tag), None)
    data, added = chunk.data, 0
    if chunk.before:
        lines = [line.removesuffix("\r") for line in decode(chunk.before).split("\n")[:-1]]
        first, added = chunk.first_line - len(lines), chunk.first_line - 1
        gathered.prime([Segment(first, lines, Clock(year_of(years, first), settings.zone))])

    def framer(line_no: int) -> Framer:
        year = year_of(years, line_no)
        if year not in framers:
            framers[year] = gathered.recogniser.framer(Clock(year, settings.zone))
        return framers[year]

    for line_no, position, length, is_behind_own in scanned.declined.tolist():
        start = position - scanned.base
        line = data[start : start + length]
        if added != line_no - 1 and start:
            gathered.forget()
            gathered.recogniser.bare = own if is_behind_own else None
            if REPEAT in line:
                before = data[data.rfind(b"\n", 0, start - 1) + 1 : start - 1]
                gathered.recall(decode(before.removesuffix(b"\r")), framer(line_no - 1))
        gathered.add_line(line_no, decode(line), framer(line_no))
        added = line_no
    return gathered.result()
