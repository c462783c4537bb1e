"""Many small files of a day become few: cron leaves one for each run, and a reader opens them all.

When a day has more than a few files, they are merged from the smallest on, while the next one is not larger than
twice what is merged already: so a row is rewritten when what it lies in grows by half, which is as often as the
logarithm of the day's size, and the large files of a day are left alone when cron adds small ones. A day has no more
files of a family than eight, and one for every two megabytes that it has; two, when it lies so far back that stitching
cannot stop within it again: who keeps years opens every file of them. Left alone are also files that are not stitched
yet: a merged file bears the numbers of the first and last commit in it, and is not new to who has stitched up to that.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.lake import Lake, now_us
from ingest.parts import write_options, writing
from ingest.records import Change, Part
from ingest.rewriting import Place, opened
from ingest.schema import commits_of

ENOUGH_FILES: Final = 8
SETTLED_FILES: Final = 2
_RUNS: Final = 3  # that must have come after: the run that brings many days does not rewrite them
LARGE_BYTES: Final = 2 << 20  # what a bulk ingest makes is not worth rewriting
_GROUP_ROWS: Final = 1 << 17  # of a row group: as many as DuckDB's own


def compact(lake: Lake, upto_commit: int, barriers: Sequence[int] = ()) -> int:
    """Merges small files of commits up to that one; how many files that made fewer.

    Commits on two sides of a barrier stay apart: stitching may have to go back to where it stood between them.
    """
    ordered = sorted(set(barriers))
    settled = ordered[0] if len(ordered) >= _RUNS else 0
    with lake.ledger() as ledger:
        by_folder = defaultdict(list)
        for part in ledger.parts():
            folder, enough = (
                part.path.rpartition("/")[0],
                ENOUGH_FILES if part.commit_no >= settled else SETTLED_FILES,
            )
            by_folder[folder, enough, bisect_left(ordered, part.commit_no)].append(part)
        merges = [
            (group, _merged_path(folder, group))
            for (folder, enough, _), parts in by_folder.items()
            for group in [_group([part for part in parts if _may_merge(part, upto_commit)], enough)]
            if len(group) > 1
        ]
        if not merges:
            return 0
        added = [_merge(lake, group, path) for group, path in merges]
        removed = [part.path for group, _ in merges for part in group]
        lake.commit(ledger, Change("compact", now_us(), added, removed, is_silent=True))
        return len(removed) - len(added)


def _may_merge(part: Part, upto_commit: int) -> bool:
    return part.commit_no <= upto_commit and part.bytes < LARGE_BYTES and not part.is_tail


def _group(parts: Sequence[Part], enough: int = ENOUGH_FILES) -> list[Part]:
    """The files to merge into one: so many that few are left, and those that are not much larger."""
    least = len(parts) - enough + 1
    if least <= 1:
        return []
    group: list[Part] = []
    rows = size = 0
    for part in sorted(parts, key=lambda part: (part.rows, part.path)):
        if size + part.bytes > LARGE_BYTES or (len(group) >= least and part.rows > 2 * rows):
            break
        group.append(part)
        rows, size = rows + part.rows, size + part.bytes
    return group


def _merged_path(folder: str, group: Sequence[Part]) -> str:
    commits = [commits_of(part.path.rpartition("/")[2]) for part in group]
    first, last = min(first for first, _ in commits), max(last for _, last in commits)
    # The rows tell merges of the same commits apart: what is merged again has more of them.
    return f"{folder}/{first:08}_{last:08}-{sum(part.rows for part in group):09}.parquet"


def _merge(lake: Lake, group: Sequence[Part], path: str) -> Part:
    """Stages one file with the rows of several, in the order of their commits."""
    group = sorted(group, key=lambda part: part.path)
    target = lake.staging / path
    with ExitStack() as stack, writing(target):
        files = [stack.enter_context(opened(Place(lake.path, part))) for part in group]
        target.parent.mkdir(parents=True, exist_ok=True)
        schema = files[0].schema_arrow
        with pq.ParquetWriter(target, schema, **write_options(schema)) as writer:  # type: ignore[arg-type]
            for rows in _in_groups(batch for file in files for batch in file.iter_batches(_GROUP_ROWS)):
                writer.write_table(rows, rows.num_rows)
    moments = [at for part in group for at in (part.first_at, part.last_at) if at is not None]
    return group[-1]._replace(
        path=path,
        source_ids=tuple(sorted({source_id for part in group for source_id in part.source_ids})),
        rows=sum(part.rows for part in group),
        bytes=target.stat().st_size,
        first_at=min(moments, default=None),
        last_at=max(moments, default=None),
        commit_no=max(part.commit_no for part in group),
    )


def _in_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of enough rows for a row group each."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= _GROUP_ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)
