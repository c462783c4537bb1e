"""Batch ingest: sources into a lake, on all cores.

The parent reads and cuts (in order, so line numbers are right and pipes work); workers parse, type and write their
own Parquet parts, because sending rows between processes costs more than parsing them. A part is numbered by its
place in the source, so its content does not depend on which worker wrote it.
"""

import gc
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from ingest import fast
from ingest.batch import Result, Segment, read_batch
from ingest.blocks import MAX_LINE_BYTES
from ingest.clock import Clock
from ingest.finding import blaming, read_head
from ingest.formats import AUTO, find_formats
from ingest.lake import Lake, PartSummary, write_part
from ingest.sources import Chunk, Source, Survey, chunks, decode, survey
from ingest.times import Years, year_of

CHUNK_BYTES: Final = 4 << 20
# Starting workers costs about a second of imports: small inputs are read by the parent itself.
_WORTH_WORKERS_BYTES: Final = 24 << 20

# Loading numba takes as long as the reference needs for this much.
_WORTH_FAST_LANE_BYTES: Final = 4 << 20
_SAMPLED_SOURCES: Final = 8

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user said about the sources: their format, the zone of stamps without one, the year of the last line."""

    zone: tzinfo
    format_name: str = AUTO
    year: int | None = None
    workers: int | None = None  # None: as many as there are processors
    reference: bool = False  # every line by the reference parser, though the fast lane be installed


class Report(NamedTuple):
    """What became of one source."""

    name: str
    source_id: str
    is_new: bool
    line_count: int
    event_lines: int
    unparsed_lines: int
    foreign_lines: int
    blank_lines: int
    damage: str | None


class _Task(NamedTuple):
    """One chunk to parse, with all that a worker needs to know."""

    chunk: Chunk
    number: int
    source_id: str
    staging: Path
    years: Years
    settings: Settings


def read_chunk(chunk: Chunk, source_id: str, years: Years, settings: Settings) -> Result:
    """Parses one chunk of whole lines."""
    return read_batch(_segments(chunk, years, settings.zone), source_id, find_formats(settings.format_name))


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


def _work(task: _Task) -> PartSummary:
    read = read_chunk if task.settings.reference else fast.read_chunk
    result = read(task.chunk, task.source_id, task.years, task.settings)
    return write_part(task.staging, task.source_id, task.number, result)


def ingest_sources(
    lake: Lake, sources: Sequence[Source], settings: Settings, progress: Progress | None = None
) -> list[Report]:
    """Reads sources into a lake; content that the lake holds already is left alone.

    `progress(name, bytes, lines)` is called as chunks are done. Raises SourceError, LakeError, UnknownFormatError.
    """
    find_formats(settings.format_name)
    settings = replace(settings, reference=settings.reference or not _suits_fast_lane(sources, settings))
    lake.prepare()
    reports = []
    with _workers(sources, settings) as submit:
        for source in sources:
            reports.append(_ingest_if_new(lake, source, settings, submit, progress))
    return reports


def _suits_fast_lane(sources: Sequence[Source], settings: Settings) -> bool:
    """Whether the fast lane is there, worth its start, and reads what most bytes are; the largest sources tell."""
    sizes = {source: source.path.stat().st_size * (8 if source.compression else 1) for source in sources}
    if not fast.is_available() or sum(sizes.values()) < _WORTH_FAST_LANE_BYTES:
        return False
    largest = sorted(sources, key=lambda source: -sizes[source])[:_SAMPLED_SOURCES]
    suited = []
    for source in largest:
        with blaming(source.name):
            suited += [source] if fast.suits(read_head(source.path), settings) else []
    return 2 * sum(sizes[source] for source in suited) >= sum(sizes[source] for source in largest)


def _ingest_if_new(
    lake: Lake, source: Source, settings: Settings, submit: "Submit", progress: Progress | None
) -> Report:
    """Content that is known is left alone; a file that has grown replaces what it was."""
    known = {source_id: size for source_id, size in lake.source_sizes().items() if size}
    surveyed = survey(source, settings.year, frozenset(known.values()))
    if surveyed.source_id in lake.known_sources():
        return Report(source.name, surveyed.source_id, False, surveyed.line_count, 0, 0, 0, 0, None)
    report = _ingest_one(lake, source, surveyed, settings, submit, progress)
    for beginning in known.keys() & set(surveyed.beginnings):
        lake.forget(beginning)
    return report


Submit = Callable[[_Task], "Future[PartSummary]"]


def _ingest_one(
    lake: Lake,
    source: Source,
    surveyed: Survey,
    settings: Settings,
    submit: Submit,
    progress: Progress | None,
) -> Report:
    staging = lake.staging(surveyed.source_id)
    pending: deque[tuple[int, Future[PartSummary]]] = deque()
    parts: list[PartSummary] = []
    cut_lines: list[int] = []

    def collect() -> None:
        size, future = pending.popleft()
        parts.append(future.result())
        if progress:
            progress(source.name, size, sum(parts[-1].coverage.values()))

    bound = 2 * (settings.workers or os.cpu_count() or 1)
    for number, chunk in enumerate(chunks(source, CHUNK_BYTES, upto_bytes=surveyed.size_bytes)):
        task = _Task(chunk, number, surveyed.source_id, staging, surveyed.years, settings)
        pending.append((len(chunk.data), submit(task)))
        cut_lines += chunk.cut_lines
        if len(pending) >= bound:
            collect()
    while pending:
        collect()
    surveyed = surveyed._replace(damage=_damage(surveyed, cut_lines))
    lake.commit(
        {
            "source_id": surveyed.source_id,
            "name": source.name,
            "size_bytes": surveyed.size_bytes,
            "line_count": surveyed.line_count,
            "damage": surveyed.damage,
            "ingested_at": datetime.now(UTC),
        },
        parts,
    )
    return _report(source, surveyed, parts)


def _damage(surveyed: Survey, cut_lines: Sequence[int]) -> str | None:
    """What of a source is not in the lake: the rest of a broken archive, and the ends of endless lines."""
    cuts = f"lines longer than {MAX_LINE_BYTES:,} bytes are cut there: {', '.join(map(str, cut_lines[:10]))}"
    return "; ".join(filter(None, (surveyed.damage, cuts if cut_lines else None))) or None


def _report(source: Source, surveyed: Survey, parts: Sequence[PartSummary]) -> Report:
    lines = {"event": 0, "unparsed": 0, "foreign": 0, "blank": 0}
    for part in parts:
        for (_, result), count in part.coverage.items():
            lines[result] += count
    return Report(
        source.name,
        surveyed.source_id,
        True,
        surveyed.line_count,
        lines["event"],
        lines["unparsed"],
        lines["foreign"],
        lines["blank"],
        surveyed.damage,
    )


@contextmanager
def _workers(sources: Sequence[Source], settings: Settings) -> Iterator[Submit]:
    """A way to hand out tasks: to threads, which the fast lane lets run side by side; without it to other processes,
    where that is worth their start, else right here.
    """
    count = settings.workers or os.cpu_count() or 1
    if not settings.reference:
        fast.prepare(settings)
        with ThreadPoolExecutor(count) as threads:
            yield lambda task: threads.submit(_work, task)
        return
    if count == 1 or sum(source.path.stat().st_size for source in sources) < _WORTH_WORKERS_BYTES:
        yield _right_here
        return
    # A batch makes no reference cycles; a collector that looks for them in its millions of tuples costs 7 %.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=gc.disable) as pool:
        yield lambda task: pool.submit(_work, task)


def _right_here(task: _Task) -> "Future[PartSummary]":
    future: Future[PartSummary] = Future()
    future.set_result(_work(task))
    return future
