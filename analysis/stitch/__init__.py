"""Events to messages: the steps from log lines to the tables that all answers come from.

`stitch` takes the lines that came since it ran last, together with those that it carried from then: the lines of
messages that had not left the queue and of sessions that went on. What is settled is written once and not touched
again; rows of what is open lie in files of their own, which the next run replaces. Lines that are older than what is
settled make it go back to an earlier checkpoint. Many lines are taken in chunks of log time, so memory is bounded.
The tables depend on the lines alone, not on how they were cut into files, runs or chunks.
"""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from analysis.stitch.build import build
from analysis.stitch.chunks import Chunk, plan
from analysis.stitch.compaction import compact
from analysis.stitch.state import Own, Staging, carry_folder, ingested, read_state, recover, table_files
from analysis.stitch.steps import TABLES
from analysis.warehouse import open_bare
from ingest.errors import LakeError

__all__ = ["TABLES", "Own", "barriers", "is_current", "stitch"]

# What DuckDB may hold in memory to begin with, but no more than half of what the machine has; beyond it, it uses the
# disk beside the lake, which takes half as long again. Not every operator can, so a chunk that needs more gets more.
ENOUGH_MB: Final = 1152
DOUBLINGS: Final = 5


def stitch(
    lake: Path,
    own: Own | None = None,
    memory_mb: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Brings messages, deliveries, sessions, rejections and outcomes of a lake up to its events.

    `own` is what the site says is its own (None: as last time); where that changed, all tables are made anew.
    `memory_mb` is where to begin; it is doubled while DuckDB finds it too little. New files are complete before they
    take their place; a killed run changes nothing, or is finished by the next. `progress` is told how many of how many
    chunks are done. Raises LakeError if there is no lake, or no memory.
    """
    recover(lake)
    state, now = read_state(lake, own), ingested(lake)
    with open_bare(lake) as connection:
        start, chunks, frozen = plan(connection, lake, state, now)
    if not chunks:
        return
    state, staging = state.back_to(start), Staging(lake)
    carried = carry_folder(lake, start) if start else None
    for done, chunk in enumerate(chunks):
        if progress:
            progress(done, len(chunks))
        _build(lake, staging, chunk, carried, state.own, memory_mb or _memory_mb())
        carried = staging.path(carry_folder(Path(), chunk.checkpoint))
        if chunk.is_resumable:
            state = state.with_checkpoint(chunk.checkpoint)
    after = start.number if start else 0
    outdated = [file.path for file in table_files(lake) if file.last > after]
    outdated += lake.glob("*/date=*/open.parquet")
    staging.commit(state.done(now), [path for path in outdated if _day_of(path) >= frozen])
    compact(lake)


def _build(
    lake: Path, staging: Staging, chunk: Chunk, carried: Path | None, own: Own, memory_mb: int
) -> None:
    pa.default_memory_pool().release_unused()  # what reading lines, or the chunk before, has given back
    for doubling in range(DOUBLINGS + 1):
        try:
            build(lake, staging, chunk, carried, own, memory_mb << doubling)
            break
        except duckdb.OutOfMemoryException as error:
            if doubling == DOUBLINGS:
                raise LakeError(
                    f"{lake}: stitching needs more than {memory_mb << doubling} MB of memory; `forget` the oldest sources"
                ) from error


def _memory_mb() -> int:
    machine_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return min(ENOUGH_MB, machine_mb // 2)


def _day_of(path: Path) -> date:
    return date.fromisoformat(path.parent.name.removeprefix("date="))


def barriers(lake: Path) -> list[int]:
    """Commits that stitching may go back to: files of lines are not to be merged across them."""
    return [checkpoint.commit for checkpoint in read_state(lake).checkpoints]


def is_current(lake: Path, own: Own | None = None) -> bool:
    """Whether the tables are those of the lines that the lake holds now; a killed run leaves them otherwise."""
    state = read_state(lake, own)
    return state.newest is not None and state.is_of(ingested(lake))
