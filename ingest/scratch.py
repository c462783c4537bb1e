"""A DuckDB for one question about lines of the lake, in bounded memory: beyond it, the disk beside the lake is used."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

import duckdb

from ingest.errors import LakeError
from ingest.lake import Lake

_MEMORY: Final = "512MB"


@contextmanager
def scratch(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database. LakeError where a file of the lake is missing or damaged, or memory or disk are full."""
    with closing(duckdb.connect()) as connection:
        connection.execute("SET memory_limit = $limit", {"limit": _MEMORY})
        connection.execute("SET temp_directory = $folder", {"folder": str(lake.staging / "spill")})
        connection.execute("SET TimeZone = 'UTC'")
        try:
            yield connection
        except (duckdb.IOException, duckdb.InvalidInputException, duckdb.OutOfMemoryException) as error:
            what = str(error).partition("\n")[0]
            raise LakeError(f"{lake.path}: {what}; `mailscope doctor` says what to do") from error
