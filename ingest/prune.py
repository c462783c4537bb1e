"""Retention: what is old enough is thrown away, the words of the lines before what was made of them.

`text` are the lines as they were written, and those that were not understood; `events` the normalised lines. Whole
days go, by the commit protocol of the lake. Messages and their hops are tables, the headers as written their text. The stitched tables are left as they are: they are told before which day
they can no longer be made anew. The ledger keeps its sources, so that an old file does not come back.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import PurePosixPath
from typing import Final, NamedTuple

import pyarrow as pa

from ingest.headers.keeping import emails_before, without_emails, without_text
from ingest.lake import Lake, now_us
from ingest.ledger import Ledger
from ingest.parts import described, write_table
from ingest.records import Change, Part
from ingest.rewriting import Place, read_part

# At the end of a part's name: its lines are gone.
_WORDLESS: Final = "-wordless"


class Pruned(NamedTuple):
    """What was thrown away: days before `before`, so many bytes."""

    what: str
    before: date
    size_bytes: int


def prune_text(lake: Lake, ledger: Ledger, before: date) -> Pruned:
    """Takes the lines out of events of earlier days; lines not understood go with sources that ended earlier."""
    limit = _midnight_us(before)
    ended = {
        source.source_id for source in ledger.sources() if source.last_at is None or source.last_at < limit
    }
    events = [
        part for part in _days_before(ledger, before) if not PurePosixPath(part.path).stem.endswith(_WORDLESS)
    ]
    unparsed = [
        part for part in ledger.parts() if part.kind == "unparsed" and ended.issuperset(part.source_ids)
    ]
    headers, wordless = without_text(lake, ledger, emails_before(lake, ledger, limit))
    added = [*(_without_text(lake, part) for part in events), *wordless]
    removed = [*events, *unparsed, *headers]
    _commit(lake, ledger, "text", before, added, removed)
    return _told("text", before, removed, added)


def prune_events(lake: Lake, ledger: Ledger, before: date) -> Pruned:
    """Throws away the events of earlier days."""
    events = list(_days_before(ledger, before))
    _commit(lake, ledger, "events", before, [], events)
    return _told("events", before, events, [])


def prune_emails(lake: Lake, ledger: Ledger, before: date) -> Pruned:
    """Throws away the messages of earlier days and their hops; the ledger knows them, so that they stay away."""
    removed, added = without_emails(lake, ledger, emails_before(lake, ledger, _midnight_us(before)))
    _commit(lake, ledger, "emails", before, added, removed)
    return _told("emails", before, removed, added)


def _days_before(ledger: Ledger, before: date) -> Iterator[Part]:
    return (
        part for part in ledger.parts() if part.date is not None and date.fromisoformat(part.date) < before
    )


def _without_text(lake: Lake, part: Part) -> Part:
    """Stages the part without its lines, under the commits of its name: to stitching it is nothing new."""
    rows = read_part(Place(lake.path, part))
    at = rows.schema.get_field_index("line")
    wordless = rows.set_column(at, rows.schema.field(at), pa.nulls(rows.num_rows, rows.schema.field(at).type))
    path = PurePosixPath(part.path)
    renamed = str(path.with_stem(path.stem + _WORDLESS))
    write_table(wordless, lake.staging / renamed)
    return described(lake.staging, renamed, wordless, part.commit_no, part.source_ids)


def _commit(
    lake: Lake, ledger: Ledger, what: str, before: date, added: list[Part], removed: list[Part]
) -> None:
    limit = max(_midnight_us(before), ledger.pruned_at(what) or 0)
    paths = [part.path for part in removed]
    lake.commit(
        ledger,
        Change(f"prune {what}", now_us(), added, paths, is_silent=True, pruned_at={what: limit}),
    )


def _told(what: str, before: date, removed: list[Part], added: list[Part]) -> Pruned:
    return Pruned(what, before, sum(part.bytes for part in removed) - sum(part.bytes for part in added))


def _midnight_us(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000
