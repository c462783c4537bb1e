"""Retention of the stitched tables: rows of days that are old enough are thrown away."""

from datetime import UTC, date, datetime, time
from pathlib import Path

from analysis.stitch.state import Staging, ingested, read_state, table_files
from ingest.errors import LakeError


def prune_tables(lake: Path, before: date) -> int:
    """Removes the settled rows of earlier days; how many bytes they took. What is still in the queue stays.

    Raises LakeError where the events of these days are still there: the tables would be made anew from them.
    """
    state, now = read_state(lake), ingested(lake)
    if not state.is_of(now):
        raise LakeError(f"{lake}: the tables are not those of its lines; `mailscope ingest` makes them so")
    if now.pruned_at is None or now.pruned_at < datetime.combine(before, time(), UTC):
        raise LakeError(f"{lake} holds events from before {before}; they go before the tables made of them")
    old = [file.path for file in table_files(lake) if date.fromisoformat(file.path.parent.name[5:]) < before]
    size = sum(path.stat().st_size for path in old)
    Staging(lake).commit(state, old)
    return size
