"""A table's rows to one Parquet file a day.

Rows come as Arrow batches straight from the query: a table in between would cost as much as the query itself.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.errors import LakeError

# What hardly repeats gets no dictionary: it would be built only to be given up. Moments are written as differences.
_NO_DICTIONARY: Final = frozenset(
    {
        "message_key",
        "first_message_key",
        "next_message_key",
        "parent_key",
        "session_key",
        "queue_id",
        "message_id",
        "reply",
        "line_no",
        "size_bytes",
    }
)
_EPOCH: Final = date(1970, 1, 1).toordinal()


class Place(NamedTuple):
    """Which of a table's files a row lies in; these columns are the file's path, not its content."""

    date: date
    is_open: bool


def write_by_day(rows: pa.RecordBatchReader, path_of: Callable[[Place], Path | None]) -> None:
    """Writes rows with the columns of `Place` to the files that they belong to; none where `path_of` says None.

    Raises LakeError where the system refuses.
    """
    schema = _stored(rows.schema)
    writers: dict[Place, pq.ParquetWriter] = {}
    with ExitStack() as stack:
        for batch in rows:
            for place, part in _placed(batch):
                path = path_of(place)
                if path is None:
                    continue
                try:
                    if place not in writers:
                        writers[place] = stack.enter_context(_writer(path, schema))
                    writers[place].write_batch(part)
                except OSError as error:
                    raise _refused(path, error) from error


def write_empty(schema: pa.Schema, path: Path) -> None:
    """A file that says which columns a table has, for readers of a table that has no rows."""
    try:
        _writer(path, _stored(schema)).close()
    except OSError as error:
        raise _refused(path, error) from error


def _stored(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in Place._fields])


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    moments = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    return pq.ParquetWriter(
        path,
        schema,
        store_schema=False,
        use_dictionary=[name for name in schema.names if name not in (*moments, *_NO_DICTIONARY)],  # type: ignore[arg-type]  # the stubs know bool only
        write_statistics=moments,
        column_encoding=dict.fromkeys(moments, "DELTA_BINARY_PACKED"),
        compression="zstd",
        compression_level=1,
    )


def _placed(batch: pa.RecordBatch) -> Iterator[tuple[Place, pa.RecordBatch]]:
    """The rows of each place: brought together in one go, then cut."""
    days = batch["date"].cast(pa.int32()).to_numpy()
    keys = days * 2 + batch["is_open"].to_numpy(zero_copy_only=False)
    places, starts, counts = np.unique(np.sort(keys), return_index=True, return_counts=True)
    rows = batch.drop_columns(list(Place._fields))
    if len(places) > 1:
        rows = rows.take(np.argsort(keys, kind="stable"))
    for key, start, count in zip(places.tolist(), starts.tolist(), counts.tolist(), strict=True):
        yield Place(date.fromordinal(_EPOCH + key // 2), bool(key % 2)), rows.slice(start, count)


def _refused(path: Path, error: OSError) -> LakeError:
    return LakeError(
        f"{path}: {error.strerror or error}; make room, then `mailscope ingest` finishes the tables"
    )
