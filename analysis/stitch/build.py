"""One chunk of lines through all steps: the settled rows of every table, what is open, and what is carried on."""

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from analysis.stitch.chunks import FAMILIES, Chunk
from analysis.stitch.state import Own, Staging
from analysis.stitch.steps import CARRIED, OWN_ADDRESSES, TABLES, VIEWS, WORKERS, run_all, sql
from analysis.stitch.writing import Place, write_by_day, write_empty
from analysis.warehouse import empty_view, open_bare, view_table
from ingest.schema import SOURCES, Family, events_schema

_COPY: Final = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


def build(lake: Path, staging: Staging, chunk: Chunk, carried: Path | None, own: Own, memory_mb: int) -> None:
    """Writes a chunk's files below the staging folder. Raises duckdb.OutOfMemoryException."""
    with open_bare(lake) as connection:
        connection.execute("SET memory_limit = $limit", {"limit": f"{memory_mb}MB"})
        connection.execute("SET temp_directory = $folder", {"folder": str(staging.folder / "spill")})
        connection.execute("SET threads = $count", {"count": max(1, (os.cpu_count() or 1) // WORKERS)})
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(
            "SET parquet_metadata_cache = true"
        )  # every step that reads lines asks for the footers
        connection.execute("SET enable_progress_bar = false")  # it would write between our own lines
        connection.execute("SET checkpoint_threshold = '1TB'")  # steps are thrown away, not worth packing
        view_table(connection, "sources", lake / "sources", SOURCES)
        for family in FAMILIES:
            _view_lines(connection, family, chunk)
        for name in CARRIED:
            _view_carried(connection, name, carried)
        connection.execute(sql("setup"))
        _keep_names(connection, "own_domains", [domain.lower() for domain in own.domains])

        def make(name: str) -> None:
            with connection.cursor() as cursor:  # variables belong to a cursor
                cursor.execute("SET VARIABLE horizon = $horizon", {"horizon": chunk.checkpoint.horizon})
                _make(cursor, name, staging, chunk, own)

        def drop(name: str) -> None:
            if name not in VIEWS:
                connection.execute(f"DROP TABLE {name}")

        run_all(make, drop)


def _make(connection: duckdb.DuckDBPyConnection, name: str, staging: Staging, chunk: Chunk, own: Own) -> None:
    """A step as a table or view of its name, a table of the lake as files, or what is carried on as one file."""
    folder, _, table = name.rpartition("/")
    if name == OWN_ADDRESSES:
        _keep_own_addresses(connection, own)
    elif folder == "tables":
        _write(connection, staging, table, chunk)
    elif folder:
        target = staging.path(f".stitch/carry/{chunk.checkpoint.number:06}/{table}.parquet")
        connection.execute(f"COPY ({sql(name)}) TO {_quoted(target)} {_COPY}")
    else:
        connection.execute(f"CREATE {'VIEW' if name in VIEWS else 'TABLE'} {name} AS {sql(name)}")


def _keep_own_addresses(connection: duckdb.DuckDBPyConnection, own: Own) -> None:
    """The table `own_addresses`: of the clients' addresses in the chunk, those of own networks."""
    networks = [ipaddress.ip_network(network) for network in own.networks]
    query = "SELECT DISTINCT client_ip FROM message_states WHERE client_ip IS NOT NULL"
    seen = connection.sql(query).fetchall() if networks else []
    _keep_names(connection, OWN_ADDRESSES, [text for (text,) in seen if _is_within(text, networks)])


def _keep_names(connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str]) -> None:
    connection.execute(
        f"CREATE TABLE {table} AS SELECT DISTINCT unnest($names::VARCHAR[]) AS name", {"names": names}
    )


def _is_within(text: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _quoted(path: Path) -> str:
    """A path as an SQL literal: COPY and views take no parameters."""
    return "'" + str(path).replace("'", "''") + "'"


def _view_lines(connection: duckdb.DuckDBPyConnection, family: Family, chunk: Chunk) -> None:
    """The view `new_<family>`: the chunk's lines; what older files have no column for is NULL."""
    empty_view(connection, f"no_{family}", events_schema(family))
    selects = [f"FROM no_{family}"]
    for lines in chunk.lines:
        paths = ", ".join(_quoted(Path(part.path)) for part in lines.parts if part.family is family)
        if paths:
            since = max(lines.since, chunk.since)
            selects.append(
                f"SELECT * FROM read_parquet([{paths}], union_by_name = true, hive_partitioning = false) "  # noqa: S608
                f"WHERE logged_at >= '{since.isoformat()}' AND logged_at < '{chunk.until.isoformat()}'"
            )
    connection.execute(f"CREATE VIEW new_{family} AS {' UNION ALL BY NAME '.join(selects)}")


def _view_carried(connection: duckdb.DuckDBPyConnection, name: str, carried: Path | None) -> None:
    """The view `carried_<name>`: what an earlier chunk left open."""
    if carried:
        connection.execute(
            f"CREATE VIEW carried_{name} AS FROM read_parquet({_quoted(carried / f'{name}.parquet')})"
        )
    elif name == "notes":
        connection.execute(f"CREATE VIEW carried_notes AS {sql('carried/no_notes')}")
    else:
        connection.execute(
            f"CREATE VIEW carried_{name} AS SELECT source_id FROM new_{name} WHERE FALSE"  # noqa: S608
        )


def _write(connection: duckdb.DuckDBPyConnection, staging: Staging, table: str, chunk: Chunk) -> None:
    """A table's settled rows by day, and after the last chunk its open ones too."""
    query = f"SELECT *, CAST({TABLES[table]} AS DATE) AS date FROM ({sql(f'tables/{table}')})"  # noqa: S608
    rows = connection.sql(query if chunk.is_last else f"{query} WHERE NOT is_open").to_arrow_reader()

    def path_of(place: Place) -> Path | None:
        if place.date < chunk.frozen_before:
            return None
        name = "open" if place.is_open else f"{chunk.checkpoint.number:06}"
        return staging.path(f"{table}/date={place.date}/{name}.parquet")

    write_by_day(rows, path_of)
    empty = f"{table}/date=1970-01-01/empty.parquet"
    if not (staging.lake / empty).exists():
        write_empty(rows.schema, staging.path(empty))
