"""One chunk of whole lines to rows, by the reference parser."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from itertools import pairwise

from ingest.batch import Result, Segment, read_batch
from ingest.blocks import Chunk
from ingest.clock import Clock
from ingest.formats import AUTO, find_formats
from ingest.pseudonyms import Pseudonyms
from ingest.text import decode
from ingest.times import Years, year_of


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user said about the sources: their format, the zone of stamps without one, the year of the last line."""

    zone: tzinfo
    format_name: str = AUTO
    year: int | None = None
    workers: int | None = None  # None: as many as there are processors
    host: str | None = None  # for lines that name none
    pseudonyms: Pseudonyms | None = None  # for people, in every byte that is kept
    reference: bool = False  # every line by the reference parser, though the fast lane be installed


def read_chunk(chunk: Chunk, source_id: str, years: Years, settings: Settings) -> Result:
    """Parses one chunk of whole lines."""
    before = Chunk(chunk.first_line - chunk.before.count(b"\n"), chunk.before)
    return read_batch(
        _segments(chunk, years, settings.zone),
        source_id,
        find_formats(settings.format_name),
        _segments(before, years, settings.zone) if chunk.before else (),
        settings.host,
    )


def _segments(chunk: Chunk, years: Years, zone: tzinfo) -> Iterator[Segment]:
    """The chunk's lines, cut where the year of its stamps changes."""
    lines = _lines(chunk.data)
    ends = [line_no for line_no, _ in years if chunk.first_line < line_no < chunk.first_line + len(lines)]
    for first, end in pairwise((chunk.first_line, *ends, chunk.first_line + len(lines))):
        clock = Clock(year_of(years, first), zone)
        yield Segment(first, lines[first - chunk.first_line : end - chunk.first_line], clock)


def _lines(data: bytes) -> list[str]:
    lines = decode(data).split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if b"\r" in data else lines
