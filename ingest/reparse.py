"""A source taken out of the lake, or parsed anew from the lines that the lake holds.

What a parser took for another program's, or a blank line, is counted but not kept: only the log itself could tell
more about it. All else is the line itself with its number, so today's parser gives the rows that it would give of
the log. Lines between two kept ones become blank here: to a parser, as to a `last message repeated` behind them, a
line of another program and a blank one are alike.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ingest.blocks import REPEAT, Chunk, context
from ingest.errors import SourceError
from ingest.formats import PARSER_VERSION
from ingest.lake import now_us
from ingest.parsing import Settings, read_chunk
from ingest.parts import write_part
from ingest.reader import CHUNK_BYTES, years_in
from ingest.records import Change, Coverage
from ingest.rewriting import Mask, Place, rewritten
from ingest.scratch import scratch
from ingest.text import encode
from ingest.times import find_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from ingest.lake import Lake
    from ingest.ledger import Ledger
    from ingest.records import KnownSource, Part

# A gap of more lines begins another chunk; so would any, as a REPEAT behind a gap refers to nothing.
MAX_GAP: Final = 1_000
_REPEAT: Final = REPEAT.decode()


class Reparsed(NamedTuple):
    """What became of a source's lines."""

    source_id: str
    name: str
    event_lines_before: int
    event_lines: int
    unparsed_lines: int


def forget(lake: Lake, ledger: Ledger, source: KnownSource) -> list[KnownSource]:
    """Takes a source out of the lake. Returns those that may have lost lines to it as duplicates, and miss them now."""
    commit_no = ledger.next_commit()
    removed, added = without_sources(lake, ledger, {source.source_id}, commit_no)
    losers = _losers(ledger, source)
    lake.commit(
        ledger,
        Change(
            f"forget {source.name}",
            now_us(),
            added,
            removed,
            forgotten=[source.source_id],
            dirty_at=source.first_at,
        ),
    )
    return losers


def _losers(ledger: Ledger, source: KnownSource) -> list[KnownSource]:
    if source.first_at is None or source.last_at is None:
        return []
    others = ledger.overlapping(source.source_id, source.first_at, source.last_at, source.hosts)
    return [
        other for other in others if any(key[1] == "duplicate" for key in ledger.coverage(other.source_id))
    ]


def is_pruned(ledger: Ledger, source: KnownSource) -> bool:
    """Whether lines of a source were thrown away by retention."""
    limits = (ledger.pruned_at("text") or 0, ledger.pruned_at("events") or 0)
    return source.first_at is not None and source.first_at < max(limits)


def reparse(lake: Lake, ledger: Ledger, source: KnownSource) -> Reparsed:
    """Parses what the lake holds of a source with today's parser. SourceError if some of its lines were pruned."""
    if is_pruned(ledger, source):
        raise SourceError(f"{source.name}: lines of it are pruned; sources that begin later can be reparsed")
    commit_no, number = ledger.next_commit(), count().__next__
    settings = Settings(find_zone(source.zone) if source.zone else UTC, source.format_name, host=source.host)
    before = ledger.coverage(source.source_id)
    kept = {key: lines for key, lines in before.items() if key[1] not in ("event", "unparsed")}
    coverage = Coverage(kept)
    added: list[Part] = []
    hosts = set[str]()
    for chunk, is_tail in _chunks(lake, ledger, source):
        result = read_chunk(chunk, source.source_id, years_in(source.years, chunk), settings)
        summary = write_part(lake.staging, commit_no, source.source_id, number(), [result])
        added += [part._replace(is_tail=is_tail) for part in summary.files]
        hosts |= summary.hosts
        for (program, told), lines in summary.coverage.items():
            if told != "blank":
                coverage[program, told, is_tail] += lines
    removed, rest = without_sources(lake, ledger, {source.source_id}, commit_no, (), number)
    moments = [part.first_at for part in added if part.first_at is not None]
    dirty = [at for at in (*moments, source.first_at) if at is not None]
    lake.commit(
        ledger,
        Change(
            f"reparse {source.name}",
            now_us(),
            [*added, *rest],
            removed,
            [_reparsed(source, added, hosts)],
            {source.source_id: coverage},
            dirty_at=min(dirty, default=None),
        ),
    )
    return Reparsed(
        source.source_id,
        source.name,
        _lines_of(before, "event"),
        _lines_of(coverage, "event"),
        _lines_of(coverage, "unparsed"),
    )


def _lines_of(coverage: Coverage, result: str) -> int:
    return sum(lines for key, lines in coverage.items() if key[1] == result)


def _reparsed(source: KnownSource, added: Iterable[Part], hosts: Iterable[str]) -> KnownSource:
    """Its span is that of all its lines, those that another source keeps included."""
    firsts = [part.first_at for part in added if part.first_at is not None]
    lasts = [part.last_at for part in added if part.last_at is not None]
    return replace(
        source,
        first_at=min([*firsts, *([] if source.first_at is None else [source.first_at])], default=None),
        last_at=max([*lasts, *([] if source.last_at is None else [source.last_at])], default=None),
        hosts=tuple(sorted({*source.hosts, *hosts})),
        parser_version=PARSER_VERSION,
    )


def without_sources(
    lake: Lake,
    ledger: Ledger,
    source_ids: Collection[str],
    commit_no: int,
    lost: Collection[str] = (),
    number: Callable[[], int] | None = None,
) -> tuple[list[str], list[Part]]:
    """The files that go with some sources, and what stays of those that they share with others, if not `lost`."""
    number = number or count().__next__
    gone = pa.array(sorted(source_ids), pa.string())

    def keeps(rows: pa.Table) -> Mask:
        return pc.invert(pc.is_in(rows["source_id"], value_set=gone))  # type: ignore[arg-type]  # the stubs know whole arrays only

    parts = [part for part in ledger.parts() if not set(source_ids).isdisjoint(part.source_ids)]
    shared = [
        part for part in parts if not set(source_ids).issuperset(part.source_ids) and part.path not in lost
    ]
    rest = [
        rewritten(Place(lake.path, part), keeps, lake.staging, commit_no, None, number) for part in shared
    ]
    return [part.path for part in parts], [part for part in rest if part]


def _chunks(lake: Lake, ledger: Ledger, source: KnownSource) -> Iterator[tuple[Chunk, bool]]:
    """The lines of a source in chunks; and whether it is the open last line, which has a chunk of its own."""
    held: list[str] = []
    first = size = 0
    for line_no, line in _lines(lake, ledger, source):
        is_tail = line_no > source.line_no
        gap = line_no - first - len(held)
        if held and (is_tail or gap > MAX_GAP or (size > CHUNK_BYTES and _REPEAT not in line)):
            chunk = _chunk(first, held)
            yield chunk, False
            before = context(b"\n" + chunk.data) if is_tail and not gap else b""
            held, size = [], 0
            if is_tail:
                yield Chunk(line_no, encode(line), (), before), True
                return
        if not held:
            first, gap = line_no, 0
        held += [""] * gap + [line]
        size += len(line) + gap
    if held:
        yield _chunk(first, held), first > source.line_no


def _chunk(first: int, lines: list[str]) -> Chunk:
    return Chunk(first, encode("\n".join(lines)) + b"\n")


def _lines(lake: Lake, ledger: Ledger, source: KnownSource) -> Iterator[tuple[int, str]]:
    """Numbers and texts of the lines that the lake holds, each once, in order."""
    files = [str(lake.path / part.path) for part in ledger.parts(source.source_id)]
    if not files:
        return
    with scratch(lake) as connection:
        found = connection.execute(
            "SELECT line_no, any_value(line) FROM read_parquet($files, union_by_name = true, hive_partitioning = false) "
            "WHERE source_id = $id GROUP BY line_no ORDER BY line_no",
            {"files": files, "id": source.source_id},
        )
        while rows := found.fetchmany(10_000):
            yield from rows
