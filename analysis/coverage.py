"""Coverage: how much of the mail servers' lines was understood, by source and by program, with samples of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
from rich.console import Console

from analysis import metrics
from analysis.report import Column
from analysis.report.terminal import print_rows
from analysis.values import records

# Below this share of understood lines the numbers are not to be trusted.
ENOUGH: Final = 0.99
SAMPLES: Final = 10


@dataclass(frozen=True, slots=True)
class Coverage:
    """Lines by what became of them; `samples` are lines that were not understood, with the reason."""

    understood: float | None
    is_enough: bool
    sources: list[dict[str, Any]]
    programs: list[dict[str, Any]]
    samples: list[dict[str, Any]]


def coverage(connection: duckdb.DuckDBPyConnection) -> Coverage:
    """The coverage of a lake. `understood` is None, and not enough, where no mail server's line was seen at all."""
    sources = records(metrics.run(connection, "sources"))
    events = sum(row["event_lines"] for row in sources)
    claimed = events + sum(row["unparsed_lines"] for row in sources)
    understood = events / claimed if claimed else None
    return Coverage(
        understood,
        understood is not None and understood >= ENOUGH,
        sources,
        records(metrics.run(connection, "coverage")),
        records(metrics.run(connection, "unparsed_samples", limit=SAMPLES)),
    )


def print_sources(sources: Sequence[dict[str, Any]], console: Console) -> None:
    """What the lake holds, a row a source, with the identity that `forget` takes."""
    print_rows("Sources", _HELD, sources, console)


def print_mail_sources(sources: Sequence[dict[str, Any]], console: Console) -> None:
    """Where the lake's messages came from, by the name that `forget` takes."""
    print_rows("Messages", _MAIL, sources, console)


def print_coverage(found: Coverage, console: Console) -> None:
    """A sentence, then a row a source, a row a program, and samples."""
    if found.understood is None:
        console.print("No line of a mail server was recognised.")
    else:
        console.print(f"{100 * found.understood:.2f} % of the mail servers' lines were understood.")
    print_rows("Sources", _SOURCES, found.sources, console)
    print_rows("Programs", _PROGRAMS, found.programs, console)
    print_rows("Not understood", _SAMPLES, found.samples, console)


_SOURCES: Final = (
    Column("name", "source"),
    Column("line_count", "lines", "count"),
    Column("event_lines", "understood", "count"),
    Column("unparsed_lines", "not", "count"),
    Column("foreign_lines", "other programs", "count"),
    Column("blank_lines", "blank", "count"),
    Column("duplicate_lines", "duplicate", "count"),
    Column("first_at", "first", "moment"),
    Column("last_at", "last", "moment"),
    Column("damage", "damage"),
)
_HELD: Final = (
    Column("source_id", "identity"),
    Column("name", "source"),
    Column("size_bytes", "size", "bytes"),
    Column("line_count", "lines", "count"),
    Column("first_at", "first", "moment"),
    Column("last_at", "last", "moment"),
    Column("ingested_at", "last read", "moment"),
    Column("parser_version", "parser", "count"),
    Column("state", "state"),
)
_MAIL: Final = (
    Column("name", "source"),
    Column("files", "files", "count"),
    Column("messages", "messages", "count"),
)
_PROGRAMS: Final = (
    Column("program", "program"),
    Column("events", "understood", "count"),
    Column("unparsed", "not", "count"),
    Column("foreign", "not a mail server's", "count"),
    Column("duplicate", "duplicate", "count"),
    Column("understood", "share", "share"),
)
_SAMPLES: Final = (
    Column("lines", "lines", "count"),
    Column("reason", "why not"),
    Column("program", "program"),
    Column("source", "source"),
    Column("line_no", "line", "count"),
    Column("line", "sample"),
)
