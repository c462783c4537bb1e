"""Few files a day: settled rows of one day that came in many runs are put together.

Files are merged with neighbours of their size only, so a row is rewritten about as often as the number of files
doubles; and never across a checkpoint that is kept, because going back to it means leaving out what came after. Days
before all of these are left with two small files: who keeps years opens every file of them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from analysis.stitch.state import Staging, TableFile, read_state, table_files

MANY: Final = 8
_MANY_SETTLED: Final = 3
_RUNS: Final = 3  # that must have come after: the run that brings many days does not rewrite them
_LARGE_BYTES: Final = 2 << 20  # what is settled and so large is not worth rewriting


def compact(lake: Path) -> None:
    """Merges files of settled rows where there are MANY of one day."""
    state = read_state(lake)
    barriers = [checkpoint.number for checkpoint in state.checkpoints]
    has_runs = len({checkpoint.commit for checkpoint in state.checkpoints}) >= _RUNS
    groups: defaultdict[tuple[Path, int, int], list[TableFile]] = defaultdict(list)
    for file in table_files(lake):
        is_settled = has_runs and file.last < barriers[0]
        if not (is_settled and file.path.stat().st_size >= _LARGE_BYTES):
            many = _MANY_SETTLED if is_settled else MANY
            groups[file.path.parent, many, bisect_left(barriers, file.last)].append(file)
    crowded = [
        _alike(files, max(2, many // 2)) for (_, many, _), files in groups.items() if len(files) >= many
    ]
    if not crowded:
        return
    staging = Staging(lake)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for files in crowded:
            target = staging.path(
                files[0].path.parent.relative_to(lake) / f"{files[0].first:06}_{files[-1].last:06}.parquet"
            )
            connection.sql(
                "SELECT * FROM read_parquet($files, union_by_name = true, hive_partitioning = false)",
                params={"files": [str(file.path) for file in files]},
            ).write_parquet(str(target), compression="zstd")
    staging.commit(state, [file.path for files in crowded for file in files])


def _alike(files: Sequence[TableFile], least: int) -> list[TableFile]:
    """The last files, back to the first that is larger than all after it together."""
    ordered = sorted(files, key=lambda file: file.first)
    taken, size = ordered[-least:], sum(file.path.stat().st_size for file in ordered[-least:])
    for file in reversed(ordered[:-least]):
        if (own := file.path.stat().st_size) > size:
            break
        taken, size = [file, *taken], size + own
    return taken
