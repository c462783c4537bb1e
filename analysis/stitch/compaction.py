"""Few files a day: settled rows of one day that came in many runs are put together.

Files are merged with neighbours of their size only, so a row is rewritten about as often as the number of files
doubles; and never across a checkpoint that is kept, because going back to it means leaving out what came after.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from analysis.stitch.state import Staging, TableFile, read_state, table_files

MANY: Final = 8


def compact(lake: Path) -> None:
    """Merges files of settled rows where there are MANY of one day."""
    state = read_state(lake)
    barriers = [checkpoint.number for checkpoint in state.checkpoints]
    groups: defaultdict[tuple[Path, int], list[TableFile]] = defaultdict(list)
    for file in table_files(lake):
        groups[file.path.parent, bisect_left(barriers, file.last)].append(file)
    crowded = [_alike(files) for files in groups.values() if len(files) >= MANY]
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


def _alike(files: Sequence[TableFile]) -> list[TableFile]:
    """The last files, back to the first that is larger than all after it together."""
    ordered = sorted(files, key=lambda file: file.first)
    taken, size = ordered[-MANY // 2 :], sum(file.path.stat().st_size for file in ordered[-MANY // 2 :])
    for file in reversed(ordered[: -MANY // 2]):
        if (own := file.path.stat().st_size) > size:
            break
        taken, size = [file, *taken], size + own
    return taken
