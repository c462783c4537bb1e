"""The same lines in two sources count once: mail.info beside mail.log, concatenated archives, copies cut elsewhere.

Where a source has events of the same hosts in the same time as another one, the lines of both in their common time
are compared by their exact text: a line that one has n times and the other m times counts max(n, m) times. The
source that has more lines there keeps them all, the other loses what is double, whichever of the two came first; its
lines are then counted as `duplicate`. If both have as many, the one that spans more time keeps them (then the one
with the smaller identity): a file within another one's time must not tear a hole into it, for the order of lines
within a source is what stitching relies on.

A source that is forgotten takes the lines with it that it kept for both: `forget` names who misses them then.

Limits. Lines of other programs and blank ones are not kept, so both sources count them. Times that only touch are
no overlap: a log that was cut within a second keeps equal lines on both sides of the cut. Of a source that is read
in several runs each run's lines are compared by themselves, so equal lines of the one second in which a run ended
may count once where they were written twice. The same message in another form of line is another line.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.framing import frame_line
from ingest.lake import moment
from ingest.rewriting import Mask, Place, rewritten
from ingest.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from ingest.drafts import Draft
    from ingest.lake import Lake
    from ingest.ledger import Ledger
    from ingest.records import Coverage, KnownSource


class _Side(NamedTuple):
    """One of two sources that overlap."""

    source_id: str
    span_us: int
    places: Sequence[Place]
    line_no: int  # complete lines; beyond them is an open one
    coverage: Coverage


class _Loss(NamedTuple):
    """Double lines of one program that were read as the same, with one of them."""

    program: str
    result: str
    is_tail: bool
    lines: int
    line: str | None
    first_at: int | None


def settle_overlaps(lake: Lake, ledger: Ledger, draft: Draft) -> None:
    """Takes the lines out of a draft, or by it out of other sources, that would count twice."""
    span = draft.span()
    if span is None:
        return
    others = ledger.overlapping(draft.source_id, *span, draft.hosts)
    if others:
        with scratch(lake) as connection:
            # A line stands for one line of the others together, not of each
            connection.execute("CREATE TABLE matched (line_no BIGINT)")
            for other in others:
                _settle(connection, lake, ledger, draft, other, span)


def _settle(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    ledger: Ledger,
    draft: Draft,
    other: KnownSource,
    span: tuple[int, int],
) -> None:
    theirs_counted = draft.others.setdefault(other.source_id, ledger.coverage(other.source_id))
    common = max(span[0], other.first_at or span[0]), min(span[1], other.last_at or span[1])
    known = draft.surveyed.known
    first_at = span[0] if not known or known.first_at is None else min(span[0], known.first_at)
    ours = [Place(lake.staging, part) for part in draft.files]
    mine = _Side(draft.source_id, span[1] - first_at, _within(ours, common), draft.line_no, draft.coverage)
    theirs = _Side(
        other.source_id,
        (other.last_at or 0) - (other.first_at or 0),
        _within(_places(lake, ledger, draft, other), common),
        other.line_no,
        theirs_counted,
    )
    hosts = sorted(draft.hosts.intersection(other.hosts))
    [(_, _, winner, _), (_, _, loser, side)] = sorted(
        (-_take(connection, name, side, common, hosts), (-side.span_us, side.source_id), name, side)
        for name, side in (("mine", mine), ("theirs", theirs))
    )
    connection.execute("DELETE FROM mine WHERE line_no IN (FROM matched)")
    losses = _find_losses(connection, loser, winner, side.line_no)
    if losses:
        _lose(connection, lake, draft, side, losses)
    if losses and loser == "theirs":
        connection.execute(f"INSERT INTO matched SELECT line_no FROM ({_common_lines('mine', 'theirs')})")  # noqa: S608
        draft.make_dirty(loss.first_at for loss in losses)


def _places(lake: Lake, ledger: Ledger, draft: Draft, other: KnownSource) -> list[Place]:
    """The files of another source, as they would be after what the draft has changed already."""
    held = [
        Place(lake.path, part) for part in ledger.parts(other.source_id) if part.path not in draft.removed
    ]
    return held + [
        Place(lake.staging, part) for part in draft.rewritten if other.source_id in part.source_ids
    ]


def _within(places: Sequence[Place], common: tuple[int, int]) -> list[Place]:
    """The files that may have lines of the common time; unparsed ones have no time."""
    return [
        place
        for place in places
        for first_at, last_at in [(place.part.first_at, place.part.last_at)]
        if first_at is None or last_at is None or (first_at <= common[1] and last_at >= common[0])
    ]


def _files(side: _Side, kind: str) -> list[str]:
    return [str(place.folder / place.part.path) for place in side.places if place.part.kind == kind]


def _take(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    side: _Side,
    common: tuple[int, int],
    hosts: Sequence[str],
) -> int:
    """The lines of a source in the common time as a table; how many they are. Unparsed ones have no time but a place."""
    connection.execute(
        f"CREATE OR REPLACE TABLE {name} (line_no BIGINT, line VARCHAR, logged_us BIGINT, program VARCHAR, result VARCHAR)"
    )
    events, unparsed = _files(side, "events"), _files(side, "unparsed")
    if not events:
        return 0
    given = {
        "files": events,
        "id": side.source_id,
        "hosts": list(hosts),
        "first": common[0],
        "last": common[1],
    }
    connection.execute(
        f"INSERT INTO {name} SELECT line_no, any_value(line), min(epoch_us(logged_at)), "  # noqa: S608  # names are constants
        "any_value(concat_ws('/', server, instance, service, daemon)), 'event' "
        "FROM read_parquet($files, union_by_name = true, hive_partitioning = false) "
        "WHERE source_id = $id AND list_contains($hosts, host) "
        "AND logged_at BETWEEN make_timestamptz($first) AND make_timestamptz($last) GROUP BY line_no",
        given,
    )
    if unparsed:
        connection.execute(
            f"INSERT INTO {name} SELECT line_no, line, NULL, coalesce(program, ''), 'unparsed' "  # noqa: S608
            "FROM read_parquet($files, hive_partitioning = false) WHERE source_id = $id "
            f"AND line_no BETWEEN (SELECT min(line_no) FROM {name}) AND (SELECT max(line_no) FROM {name})",
            {"files": unparsed, "id": side.source_id},
        )
    [(count,)] = connection.sql(f"SELECT count(*) FROM {name}").fetchall()  # noqa: S608
    return int(count)


def _find_losses(connection: duckdb.DuckDBPyConnection, loser: str, winner: str, line_no: int) -> list[_Loss]:
    """Makes the table `doubled` of the loser's lines that the winner has, as often as it has them."""
    connection.execute(f"CREATE OR REPLACE TABLE doubled AS {_common_lines(loser, winner)}")
    found = connection.execute(
        "SELECT program, result, line_no > $line_no AS is_tail, count(*), "
        "min(line) FILTER (NOT contains(line, ' last message repeated ')), min(logged_us) "
        "FROM doubled GROUP BY ALL ORDER BY ALL",
        {"line_no": line_no},
    )
    return [_Loss(*row) for row in found.fetchall()]


def _common_lines(one: str, other: str) -> str:
    """A query of the lines of one table that the other has, as often as it has them."""
    return (
        "SELECT line_no, line, logged_us, program, result FROM "  # noqa: S608  # names are constants
        "(SELECT *, md5_number(line) AS text, row_number() OVER (PARTITION BY md5_number(line) ORDER BY line_no) AS nth "
        f"FROM {one}) JOIN (SELECT md5_number(line) AS text, count(*) AS times FROM {other} GROUP BY ALL) USING (text) "
        "WHERE nth <= times"
    )


def _lose(
    connection: duckdb.DuckDBPyConnection, lake: Lake, draft: Draft, side: _Side, losses: Sequence[_Loss]
) -> None:
    """Rewrites the loser's files without the doubled lines, and counts these as duplicate."""

    def keeps(rows: pa.Table) -> Mask:
        span = pc.min_max(rows["line_no"]).as_py()
        numbers = connection.execute(
            "SELECT line_no FROM doubled WHERE line_no BETWEEN $min AND $max", span
        ).fetchall()
        is_its_own = pc.equal(rows["source_id"], pa.scalar(side.source_id))
        is_doubled = pc.is_in(
            rows["line_no"], value_set=pa.array([number for (number,) in numbers], pa.int64())
        )
        return pc.invert(pc.and_(is_its_own, is_doubled))  # type: ignore[arg-type]  # the stubs know whole arrays only

    kinds = {"events" if loss.result == "event" else "unparsed" for loss in losses}
    for place in [place for place in side.places if place.part.kind in kinds]:
        successor = rewritten(place, keeps, lake.staging, draft.commit_no, side.source_id, draft.fresh_number)
        if successor != place.part:
            draft.replace_part(place.part, successor)
    for loss in losses:
        _count_as_duplicate(side.coverage, loss)


def _count_as_duplicate(coverage: Coverage, loss: _Loss) -> None:
    """Files know no syslog tag, coverage does: it is read from one line; where that fails, the busiest will do."""
    tag = loss.program if loss.result == "unparsed" else _tag(loss)
    alike = [key for key in coverage if key[1:] == (loss.result, loss.is_tail)]
    left = loss.lines
    for key in sorted(alike, key=lambda key: (key[0] != tag, -coverage[key], key[0])):
        taken = min(left, coverage[key])
        coverage[key] -= taken
        coverage[key[0], "duplicate", loss.is_tail] += taken
        left -= taken


def _tag(loss: _Loss) -> str | None:
    if loss.line is None or loss.first_at is None:
        return None
    try:
        return frame_line(loss.line, Clock(moment(loss.first_at).year, UTC)).tag
    except ParseError:
        return None
