"""One chunk of lines through all steps: the settled rows of every table, what is open, and what is carried on.

Each step is one SELECT in one file, kept as a temporary table of the file's name.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb

from analysis.stitch.chunks import FAMILIES, Chunk
from analysis.stitch.state import Own, Staging
from analysis.stitch.writing import Place, write_by_day, write_empty
from analysis.warehouse import empty_view, open_bare, view_table
from ingest.schema import SOURCES, Family, events_schema

# Table: the moment that decides its day. The largest first: the writers then end together.
TABLES: Final = {
    "deliveries": "attempted_at",
    "outcomes": "accepted_at",
    "sessions": "started_at",
    "messages": "accepted_at",
    "rejections": "rejected_at",
}
# The steps in the order of their dependence, and those that nothing later needs: memory is the limit.
ORDER: Final[Mapping[str, tuple[str, ...]]] = {
    "queue": (),
    "rejects": (),
    "dialogue": (),
    "delivery": (),
    "queue_marks": (),
    "queue_ids": (),
    "lives": ("queue_marks", "queue_ids"),
    "later_lines": ("lives",),
    "milestones": (),
    "queue_histories": ("milestones",),
    "decided": (),
    "dropped": (),
    "session_lines": (),
    "session_notes": (),
    "open_sessions": (),
    "attempts": (),
    "outbound_tls": (),
    "histories": (),
    "links": (),
    "roots": (),
    "handoffs": (),
    "followed": (),
    "message_states": ("decided",),
    "open_messages": (),
    "last_attempts": (),
    "fates": (),
}
# Cheaper to make again than to keep.
VIEWS: Final = frozenset({"attempts", "histories"})
CARRIED: Final = ("queue", "delivery", "session", "reject", "notes")
# Carried before anything was: columns that the lines of the lake do not have.
_FLAGS: Final = {
    Family.QUEUE: ", FALSE AS session_done",
    Family.DELIVERY: ", 1::BIGINT AS attempts, FALSE AS is_emitted",
    Family.REJECT: ", FALSE AS session_done, FALSE AS is_emitted",
}
_COPY: Final = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


def build(lake: Path, staging: Staging, chunk: Chunk, carried: Path | None, own: Own, memory_mb: int) -> None:
    """Writes a chunk's files below the staging folder. Raises duckdb.OutOfMemoryException."""
    with open_bare(lake) as connection:
        connection.execute("SET memory_limit = $limit", {"limit": f"{memory_mb}MB"})
        connection.execute("SET temp_directory = $folder", {"folder": str(staging.folder / "spill")})
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")  # it would write between our own lines
        connection.execute("SET checkpoint_threshold = '1TB'")  # steps are thrown away, not worth packing
        view_table(connection, "sources", lake / "sources", SOURCES)
        for family in FAMILIES:
            _view_lines(connection, family, chunk)
        for name in CARRIED:
            _view_carried(connection, name, carried)
        _set_horizon(connection, chunk)
        connection.execute(sql("setup"))
        for name, freed in ORDER.items():
            connection.execute(f"CREATE {'VIEW' if name in VIEWS else 'TABLE'} {name} AS {sql(name)}")
            for step in freed:
                connection.execute(f"DROP TABLE {step}")
        _view_own(connection, own)
        _write_all(connection, staging, chunk)


def _write_all(connection: duckdb.DuckDBPyConnection, staging: Staging, chunk: Chunk) -> None:
    """All tables and what is carried on, two at a time: a query alone seldom keeps two processors busy."""

    def write(name: str) -> None:
        with connection.cursor() as own:
            _set_horizon(own, chunk)
            if name in TABLES:
                _write(own, staging, name, chunk)
            else:
                target = staging.path(
                    f".stitch/carry/{chunk.checkpoint.number:06}/{name.partition('/')[2]}.parquet"
                )
                own.execute(f"COPY ({sql(name)}) TO {_quoted(target)} {_COPY}")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, [*TABLES, *(f"carried/{name}" for name in CARRIED)]))


def _view_own(connection: duckdb.DuckDBPyConnection, own: Own) -> None:
    """The tables `own_domains` and `own_addresses`: of the addresses in the chunk, those of own networks."""
    networks = [ipaddress.ip_network(network) for network in own.networks]
    seen = (
        connection.sql("SELECT DISTINCT client_ip FROM message_states WHERE client_ip IS NOT NULL").fetchall()
        if networks
        else []
    )
    addresses = [text for (text,) in seen if _is_within(text, networks)]
    for table, texts in (
        ("own_domains", [domain.lower() for domain in own.domains]),
        ("own_addresses", addresses),
    ):
        connection.execute(
            f"CREATE TABLE {table} AS SELECT DISTINCT unnest($texts::VARCHAR[]) AS name", {"texts": texts}
        )


def _is_within(text: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _set_horizon(connection: duckdb.DuckDBPyConnection, chunk: Chunk) -> None:
    """Variables belong to a cursor, not to the database."""
    connection.execute("SET VARIABLE horizon = $horizon", {"horizon": chunk.checkpoint.horizon})


def sql(name: str) -> str:
    """The text of a step."""
    return files("analysis.stitch").joinpath(f"{name}.sql").read_text("utf-8")


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
        flags = _FLAGS.get(Family(name), "")
        connection.execute(
            f"CREATE VIEW carried_{name} AS SELECT * EXCLUDE (line){flags} FROM new_{name} WHERE FALSE"  # noqa: S608
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
