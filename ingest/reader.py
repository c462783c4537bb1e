"""Batch ingest: sources into a lake, on all cores.

The parent reads and cuts (in order, so line numbers are right and pipes work); workers parse, type and write their
own Parquet parts. A part is numbered by its place in the source, so its content does not depend on which worker
wrote it.

A source is read on where it was left, under the format and zone of its beginning: it is one source, whenever it
was read. An empty file is no source yet.
"""

import socket
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import nullcontext
from dataclasses import replace
from typing import Final, NamedTuple

from ingest.archives import Stream
from ingest.blocks import count_lines, split_open_line
from ingest.detection import LOOK_BYTES, Pick, pick, plain_name
from ingest.drafts import Draft, begin, change_of
from ingest.errors import LakeError, SourceError
from ingest.finding import blaming, read_head
from ingest.formats import find_formats
from ingest.lake import RESULTS, Lake, damage_of, line_count
from ingest.ledger import Ledger
from ingest.overlaps import settle_overlaps
from ingest.parsing import Settings
from ingest.parts import PartSummary
from ingest.pseudonyms import Pseudonyms
from ingest.records import KnownSource
from ingest.sources import Chunk, Source, chunks_from
from ingest.surveys import Survey, archive_fingerprint, survey
from ingest.times import Years, find_zone
from ingest.workers import Task, Workers

CHUNK_BYTES: Final = 8 << 20
MAX_TASK_BYTES: Final = 32 << 20

# What is being done, the bytes done since it was last called, and their lines.
Progress = Callable[[str, int, int], None]


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
    duplicate_lines: int
    damage: str | None
    is_continued: bool = False  # the lines are those that were new in it
    assumed_host: str | None = None  # of lines that name none, where the user named none either
    format: str | None = None
    format_found: str | None = None  # how, where the user did not say it
    problem: str | None = None  # why it could not be read: the lake holds of it what it held before


def ingest_sources(
    lake: Lake, sources: Sequence[Source], settings: Settings, progress: Progress | None = None
) -> list[Report]:
    """Reads sources into a lake; what the lake holds already is left alone.

    A source that cannot be read keeps no other one out: its report says so. `progress` is called as chunks are done,
    and before what takes a while. Raises LakeError, UnknownFormatError.
    """
    find_formats(settings.format_name)
    lake.prepare()
    with lake.ledger() as ledger, Workers(settings, progress) as workers:
        refuse_to_mix(lake, ledger, settings.pseudonyms)

        def tried(source: Source) -> Report:
            try:
                return _ingest(lake, ledger, source, settings, workers, progress)
            except SourceError as error:
                return Report(source.name, "", False, 0, 0, 0, 0, 0, 0, None, problem=str(error))

        try:
            return list(map(tried, sources))
        finally:
            lake.export(ledger)


def refuse_to_mix(lake: Lake, ledger: Ledger, pseudonyms: Pseudonyms | None) -> None:
    """People and pseudonyms, or two keys, in one lake: neither counts nor privacy would be right."""
    given = pseudonyms.identity if pseudonyms else None
    held = ledger.claim_pseudonyms(given)
    if held == given:
        return
    what = (
        "pseudonyms of another key or other options"
        if held and given
        else "pseudonyms"
        if held
        else "real names"
    )
    right = "with the same --pseudonymise as before" if held else "without --pseudonymise"
    raise LakeError(f"{lake.path} holds {what}; ingest {right}, or let --lake name another folder")


def _ingest(
    lake: Lake,
    ledger: Ledger,
    source: Source,
    settings: Settings,
    workers: Workers,
    progress: Progress | None,
) -> Report:
    archive = archive_fingerprint(source)
    if archive and (held_by := ledger.archived(archive)):
        return _nothing_new(source, ledger.source(held_by))
    with source.open() as stream:
        surveyed = survey(source, stream, ledger)
        if surveyed.known and surveyed.is_all_known:
            if archive:
                ledger.remember_archive(archive, surveyed.known.source_id)
            return _nothing_new(source, surveyed.known)
        if not surveyed.size_bytes:
            return Report(source.name, surveyed.source_id, True, 0, 0, 0, 0, 0, 0, surveyed.damage)
        with blaming(source.name):
            head = read_head(source.path, LOOK_BYTES)
        picked = _pick(source, surveyed, settings, head)
        settings = replace(settings, format_name=picked.format_name)
        workers.expect(surveyed.size_bytes - (surveyed.known.offset if surveyed.known else 0), head, settings)
        draft = _begin(ledger, source, surveyed, settings)
        with lake.discarding():
            # A compressed stream was read to its end by the survey
            with source.open() if archive else nullcontext(stream) as content:
                _read(lake, source, content, draft, settings, workers, progress)
            settle_overlaps(lake, ledger, draft)
    change = change_of(draft, ledger.coverage(draft.source_id), archive, surveyed.damage)
    lake.commit(ledger, change, is_more_to_come=True)
    assumed = draft.host if draft.is_host_assumed and settings.host is None else None
    return _report(draft, damage_of(change.sources[0]), assumed, picked)


def _pick(source: Source, surveyed: Survey, settings: Settings, head: bytes) -> Pick:
    """The format of a source: once it was found out, it is that for ever."""
    if surveyed.known:
        return Pick(surveyed.known.format_name)
    try:
        return pick(settings.format_name, head, settings.zone)
    except SourceError as error:
        raise SourceError(f"{source.name}: {error}") from error


def _nothing_new(source: Source, known: KnownSource) -> Report:
    return Report(source.name, known.source_id, False, line_count(known), 0, 0, 0, 0, 0, None)


def _begin(ledger: Ledger, source: Source, surveyed: Survey, settings: Settings) -> Draft:
    known, zone, open_line = surveyed.known, settings.zone, []
    host = (known.host if known else settings.host) or socket.gethostname()
    if known:
        zone = find_zone(known.zone) if known.zone else zone
        open_line = [part for part in ledger.parts(known.source_id) if part.is_tail]
    return begin(
        source.name,
        surveyed,
        ledger.next_commit(),
        settings.format_name,
        zone,
        settings.year,
        host,
        open_line,
    )


def _read(
    lake: Lake,
    source: Source,
    stream: Stream,
    draft: Draft,
    settings: Settings,
    workers: Workers,
    progress: Progress | None,
) -> None:
    """Hands out the chunks of a source, and takes in what became of them in their order."""
    settings = replace(settings, format_name=draft.format_name, zone=draft.zone, host=draft.host)
    pending: deque[tuple[int, bool, Future[PartSummary]]] = deque()

    def collect() -> None:
        size, is_tail, future = pending.popleft()
        summary = future.result()
        draft.add(summary, is_tail)
        if progress:
            progress("reading", size, sum(summary.coverage.values()))

    def hand_out(chunks: Sequence[Chunk], *, is_open: bool) -> None:
        if not chunks:
            return
        todo = tuple((chunk, years_in(draft.numbers.years, chunk)) for chunk in chunks)
        task = Task(todo, draft.fresh_number(), draft.commit_no, draft.source_id, lake.staging, settings)
        pending.append((sum(len(chunk.data) for chunk in chunks), is_open, workers.submit(task)))
        while len(pending) > workers.count + 1:
            collect()

    held: list[Chunk] = []
    chunk = None
    enough = _task_bytes(draft.surveyed.size_bytes - draft.numbers.offset, workers.count)
    try:
        for chunk in chunks_from(source, stream, CHUNK_BYTES, draft.numbers, draft.surveyed.size_bytes):
            whole, open_line = split_open_line(chunk)
            held += [whole] if whole else []
            if open_line or sum(len(each.data) for each in held) >= enough:
                hand_out(held, is_open=False)
                held = []
            hand_out([open_line] if open_line else [], is_open=True)
            draft.cut_lines += chunk.cut_lines
            draft.has_open_line = open_line is not None
        hand_out(held, is_open=False)
        if chunk:
            draft.line_no = chunk.first_line - 1 + count_lines(chunk.data)
        while pending:
            collect()
    finally:
        wait([future for _, _, future in pending])  # what nobody wants any more would still write its files


def _task_bytes(size_bytes: int, workers: int) -> int:
    """Few files a day, but some tasks for each worker, and few bytes in memory."""
    return min(max(size_bytes // (4 * workers), CHUNK_BYTES), MAX_TASK_BYTES)


def years_in(years: Sequence[tuple[int, int]], chunk: Chunk) -> Years:
    """The years that a chunk needs: those that begin in it, and the two before, for the lines before it."""
    first = bisect_right(years, chunk.first_line, key=lambda change: change[0])
    return tuple(years[max(0, first - 2) :])


def _report(draft: Draft, damage: str | None, assumed_host: str | None, picked: Pick) -> Report:
    return Report(
        draft.name,
        draft.source_id,
        True,
        sum(map(draft.lines, RESULTS)),
        event_lines=draft.lines("event"),
        unparsed_lines=draft.lines("unparsed"),
        foreign_lines=draft.lines("foreign"),
        blank_lines=draft.lines("blank"),
        duplicate_lines=draft.lines("duplicate"),
        damage=damage,
        is_continued=draft.surveyed.known is not None,
        assumed_host=assumed_host,
        format=plain_name(picked.format_name),
        format_found=picked.why,
    )
