from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

import pytest

from ingest.dating import LineNumbers
from ingest.drafts import years_of
from ingest.ledger import Ledger
from ingest.parsing import Settings, read_chunk
from ingest.sources import Chunk, Source, chunks_from, encode
from ingest.surveys import Survey, survey
from ingest.times import Years


class Read(NamedTuple):
    """What became of a log: its events and unparsed rows in the order of the lines, and lines by outcome."""

    events: list[dict[str, Any]]
    unparsed: list[dict[str, Any]]
    counts: Counter[str]


def read_log(text: str, zone: tzinfo = UTC, year: int = 2026) -> Read:
    """Reads text as one source whose stamps without year are of one year."""
    result = read_chunk(Chunk(1, encode(text)), "test", ((1, year),), Settings(zone=zone))
    rows = [row for table in result.events.values() for row in table.to_pylist()]
    counts = Counter[str]()
    for (_, outcome), lines in result.coverage.items():
        counts[outcome] += lines
    return Read(
        sorted(rows, key=lambda row: (row["line_no"], row["repeat_no"] or 0)),
        result.unparsed.to_pylist(),
        counts,
    )


@pytest.fixture(scope="session")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Source], Survey]]:
    """Surveys a source that no ledger knows."""
    with Ledger.open(tmp_path_factory.mktemp("ledger")) as ledger:

        def surveyed(source: Source) -> Survey:
            with source.open() as stream:
                return survey(source, stream, ledger)

        yield surveyed


@pytest.fixture(scope="session")
def cut(look: Callable[[Source], Survey]) -> Callable[..., list[tuple[Chunk, Years]]]:
    """A source in chunks, each with the years of its lines."""

    def dated(source: Source, size: int = 1 << 20, year: int | None = None) -> list[tuple[Chunk, Years]]:
        surveyed = look(source)
        numbers = LineNumbers(years_of(surveyed.dates, surveyed.newest, year))
        with source.open() as stream:
            chunks = chunks_from(source, stream, size, numbers)
            return [(chunk, tuple(numbers.years)) for chunk in chunks]

    return dated


@pytest.fixture(scope="session")
def read() -> Callable[..., Read]:
    """Reads the text of a log."""
    return read_log


@pytest.fixture(scope="session")
def event_of() -> Callable[..., dict[str, Any]]:
    """The one event of one message, with a header in front."""

    def event(message: str, program: str = "postfix/smtpd") -> dict[str, Any]:
        found = read_log(f"Nov 23 08:15:01 mx1 {program}[4101]: {message}\n")
        assert len(found.events) == 1, found.unparsed or found.counts
        return found.events[0]

    return event
