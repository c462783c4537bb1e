"""Taking rows out of files of the lake: a new file without them is staged, and replaces the old one by a commit."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.errors import LakeError
from ingest.parts import described, part_name, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ingest.records import Part


Mask: TypeAlias = "pa.ChunkedArray[Any]"
Keeps: TypeAlias = "Callable[[pa.Table], Mask]"  # which rows stay


class Place(NamedTuple):
    """A file of the lake, or one that is still staged."""

    folder: Path
    part: Part


@contextmanager
def opened(place: Place) -> Iterator[pq.ParquetFile]:
    """A file to read. LakeError if it is missing or damaged."""
    path = place.folder / place.part.path
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        what = str(error).partition("\n")[0]
        raise LakeError(f"{path}: {what}; `mailscope doctor` says what to do") from error


def read_part(place: Place) -> pa.Table:
    """All rows of a file."""
    with opened(place) as file:
        return file.read()


def rewritten(
    place: Place,
    keeps: Keeps,
    staging: Path,
    commit_no: int,
    source_id: str | None,
    number: Callable[[], int],
) -> Part | None:
    """Stages what of a file is kept. The file itself if that is all of it, None if it is nothing."""
    rows = read_part(place)
    kept = rows.filter(keeps(rows))
    if kept.num_rows == rows.num_rows:
        return place.part
    if not kept.num_rows:
        return None
    folder = place.part.path.rpartition("/")[0]
    path = f"{folder}/{part_name(commit_no, source_id, number())}.parquet"
    write_table(kept, staging / path)
    source_ids = tuple(sorted(map(str, pc.unique(kept["source_id"]).to_pylist())))
    return described(staging, path, kept, commit_no, source_ids)._replace(is_tail=place.part.is_tail)
