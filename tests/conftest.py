"""What tests share: lakes built by the real ingest from the real sample."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path

import duckdb
import pytest

from analysis.stitch import stitch
from analysis.warehouse import open_lake
from ingest.lake import Lake
from ingest.reader import Settings, ingest_sources
from ingest.sources import find_sources

SAMPLE_LOGS = Path(__file__).parent.parent / "sample_logs"


def build_lake(lake: Path, paths: Sequence[str | Path], settings: Settings | None = None) -> Path:
    """Ingests and stitches, as `mailscope ingest` does."""
    ingest_sources(Lake(lake), find_sources([str(path) for path in paths]), settings or Settings(zone=UTC))
    stitch(lake)
    return lake


@pytest.fixture(scope="session")
def make_lake():
    """`build_lake`, for tests that cannot import this file."""
    return build_lake


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the checked-in sample logs."""
    return build_lake(tmp_path_factory.mktemp("sample") / "lake", [SAMPLE_LOGS / "mx1", SAMPLE_LOGS / "out1"])


@pytest.fixture(scope="session")
def sample_connection(sample_lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Its tables in DuckDB."""
    with open_lake(sample_lake) as connection:
        yield connection


@pytest.fixture
def lake_of(tmp_path: Path):
    """A function from log lines to a connection to their lake."""

    def build(text: str, name: str = "mail.log", settings: Settings | None = None) -> duckdb.DuckDBPyConnection:
        log = tmp_path / name
        log.write_text(text, "utf-8")
        return open_lake(build_lake(tmp_path / "lake", [log], settings))

    return build
