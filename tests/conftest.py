"""Lakes that several test modules read. A lake is built once per worker; tests must not write into it."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from pathlib import Path

import duckdb
import pytest

from analysis.stitch import stitch
from analysis.warehouse import open_lake
from ingest.headers.intake import ingest_messages
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

SAMPLE_LOGS = Path(__file__).parents[1] / "sample_logs"


def build_lake(lake: Path, logs: Iterable[Path]) -> Path:
    """Ingests and stitches logs into a new lake, as `mailscope ingest` does. Of lines that name no host, the folder is it."""
    for log in logs:
        host = log.name if log.is_dir() else log.parent.name
        sources = find_sources([str(log)])
        if mail := [source for source in sources if source.is_mail]:
            ingest_messages(Lake(lake), mail)
        else:
            ingest_sources(Lake(lake), sources, Settings(zone=UTC, host=host))
    stitch(lake)
    return lake


@pytest.fixture(scope="session")
def lake_of_files() -> Callable[[Path, Iterable[Path]], Path]:
    """`build_lake`, for tests that cannot import this file."""
    return build_lake


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the sample logs: a week of November 2026."""
    lake = tmp_path_factory.mktemp("sample") / "lake"
    return build_lake(lake, [SAMPLE_LOGS / "mx1", SAMPLE_LOGS / "out1", SAMPLE_LOGS / "ex1"])


@pytest.fixture(scope="session")
def sample_connection(sample_lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Its tables in DuckDB."""
    with open_lake(sample_lake) as connection:
        yield connection


@pytest.fixture(scope="session")
def make_lake(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds a lake of the lines given."""

    def make(lines: str) -> Path:
        folder = tmp_path_factory.mktemp("made")
        (folder / "mail.log").write_text(lines, encoding="utf-8")
        return build_lake(folder / "lake", [folder / "mail.log"])

    return make


@pytest.fixture
def ask(make_lake: Callable[[str], Path]) -> Iterator[Callable[[str], duckdb.DuckDBPyConnection]]:
    """Opens a lake of the lines given; closed at the end of the test."""
    opened = []

    def connect(lines: str) -> duckdb.DuckDBPyConnection:
        opened.append(open_lake(make_lake(lines)))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def simulate(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Path]]:
    """Writes a simulated world by the options of `sample_logs/make.py`; gives its logs, a host each."""

    def make(*options: str) -> list[Path]:
        folder = tmp_path_factory.mktemp("simulated")
        subprocess.run([sys.executable, SAMPLE_LOGS / "make.py", "--out", folder, *options], check=True)
        return sorted(folder.glob("*/mail.log"))

    return make
