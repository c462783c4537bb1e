"""A lake as a DuckDB database: one view a table, the session in UTC.

A table that the lake does not hold yet is an empty view with the right columns, so every query works on every lake.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from ingest.errors import LakeError
from ingest.schema import (
    COVERAGE,
    EMAILS,
    HOPS,
    SCHEMA_VERSION,
    SOURCES,
    STATE_FILE,
    UNPARSED,
    Family,
    events_schema,
)

# The folders that the files lie in are columns too.
_FOLDER_COLUMNS: Final = (pa.field("family", pa.string()), pa.field("date", pa.date32()))
_FOLDERS: Final = {f"events_{family}": f"events/family={family}" for family in Family}
_EVENTS: Final = {
    f"events_{family}": pa.schema([*events_schema(family), *_FOLDER_COLUMNS]) for family in Family
}
_PLAIN: Final = {
    "unparsed": UNPARSED,
    "coverage": COVERAGE,
    "sources": SOURCES,
    "emails": EMAILS,
    "hops": HOPS,
}
_GROWN: Final = ("emails", "hops")
STITCHED: Final = ("messages", "deliveries", "sessions", "rejections", "outcomes")


def open_lake(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection whose views are the tables of the lake at `path`.

    Every call of a page or thread takes its own `.cursor()`: one connection shared by threads gives wrong rows.
    Raises LakeError if there is no lake, or if an ingest was stopped before it had stitched the lines together.
    """
    connection = open_bare(path)
    if not _has_tables(path):
        connection.close()
        raise LakeError(f"{path} has lines, but no messages yet; the next `mailscope ingest` finishes that")
    for name, schema in (_EVENTS | _PLAIN).items():
        view_table(connection, name, path / _FOLDERS.get(name, name), schema)
    connection.execute(
        "CREATE VIEW events AS " + " UNION ALL BY NAME ".join(f"FROM events_{family}" for family in Family)
    )
    for name in STITCHED:
        view_table(connection, name, path / name, None)
    return connection


def open_bare(path: Path) -> duckdb.DuckDBPyConnection:
    """The same without any view: to make one is to look into every file of a table. LakeError as above."""
    if not (path / "sources").is_dir():
        raise LakeError(f"{path} is no lake; `mailscope ingest PATH... --lake {path}` makes one")
    _refuse_other_versions(path)
    connection = duckdb.connect()
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def _refuse_other_versions(path: Path) -> None:
    state = path / STATE_FILE
    if not state.exists():
        raise LakeError(
            f"{path} has no {STATE_FILE}: it is of an older mailscope, or incomplete; `mailscope ingest` tells, or mends it"
        )
    version = json.loads(state.read_text("utf-8"))["schema_version"]
    if version > SCHEMA_VERSION:
        raise LakeError(f"{path} was written by a newer mailscope; update mailscope to read it")


def _has_tables(path: Path) -> bool:
    """Whether every table that stitching makes is there."""
    return all(any((path / name).rglob("*.parquet")) for name in STITCHED)


def view_table(
    connection: duckdb.DuckDBPyConnection, name: str, folder: Path, schema: pa.Schema | None
) -> None:
    """One table's view, empty where the folder holds no file; names are ours, the folder is quoted as a string literal because DDL takes no parameters."""
    if any(folder.rglob("*.parquet")):
        pattern = str(folder / "**" / "*.parquet").replace("'", "''")
        read = f"read_parquet('{pattern}', hive_partitioning = true, union_by_name = true)"
        # Files of an older mailscope lack columns that came later.
        later = f"SELECT {_no_row(schema)} UNION ALL BY NAME " if name in _GROWN and schema else ""
        connection.execute(f"CREATE VIEW {name} AS {later}FROM {read}")
    elif schema is not None:
        empty_view(connection, name, schema)


def empty_view(connection: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema) -> None:
    """A view with the columns of a table and no rows."""
    connection.execute(f"CREATE VIEW {name} AS SELECT {_no_row(schema)}")


def _no_row(schema: pa.Schema) -> str:
    columns = ", ".join(f"NULL::{_sql_type(field.type)} AS {field.name}" for field in schema)
    return f"{columns} WHERE false"


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        fields = (kind.field(number) for number in range(kind.num_fields))
        return f"STRUCT({', '.join(f'{field.name} {_sql_type(field.type)}' for field in fields)})"
    return _SQL_TYPES[str(kind)]


_SQL_TYPES: Final[Mapping[str, str]] = {
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "bool": "BOOLEAN",
    "double": "DOUBLE",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
    "date32[day]": "DATE",
}
