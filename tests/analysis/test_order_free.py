"""However a log is cut into files, runs and chunks, and in whatever order these come, the tables are the same."""

import random
from datetime import UTC
from pathlib import Path

import pytest

import analysis.stitch.chunks
from analysis.stitch import TABLES, barriers, stitch
from analysis.warehouse import open_lake
from ingest.compaction import compact
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

SAMPLE_LOGS = Path(__file__).parents[2] / "sample_logs"
LOG = SAMPLE_LOGS / "out1/mail.log"
EXIM = [SAMPLE_LOGS / "ex1/mainlog.1", SAMPLE_LOGS / "ex1/mainlog"]
# Where a row comes from is the one thing that the cut decides.
ORIGIN = {"deliveries": "EXCLUDE (source_id, line_no)", "rejections": "EXCLUDE (source_id, line_no)"}


def tables(lake):
    with open_lake(lake) as connection:
        return {
            name: sorted(
                map(
                    repr,
                    connection.sql(f"SELECT * {ORIGIN.get(name, '')} FROM {name}")
                    .to_arrow_table()
                    .to_pylist(),
                )
            )
            for name in TABLES
        }


def pieces(folder, log, chance, most=7):
    """The log in some pieces."""
    lines = log.read_bytes().splitlines(keepends=True)
    cuts = sorted(chance.sample(range(1, len(lines)), chance.randint(2, most)))
    folder.mkdir(exist_ok=True)
    files = []
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(lines)], strict=True)):
        files.append(folder / f"{log.parent.name}-{log.name}-{number:02}.log")
        files[-1].write_bytes(b"".join(lines[start:end]))
    return files


def run(lake, files):
    """What `mailscope ingest` does; a piece is named by its host."""
    for file in files:
        settings = Settings(zone=UTC, host=file.name.partition("-")[0])
        ingest_sources(Lake(lake), find_sources([str(file)]), settings)
    stitch(lake)
    Lake(lake).clear_dirty()
    compact(Lake(lake), Lake(lake).last_commit(), barriers(lake))


def in_runs(lake, files, chance, most=3):
    files = list(files)
    while files:
        count = min(len(files), chance.randint(1, most))
        run(lake, files[:count])
        del files[:count]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, lake_of_files):
    return tables(lake_of_files(tmp_path_factory.mktemp("whole"), [LOG]))


@pytest.mark.parametrize("seed", range(3))
def test_any_cut_in_any_order_and_number_of_runs_gives_the_same_tables(tmp_path, whole, seed):
    chance = random.Random(seed)  # noqa: S311  # a test case, not a secret
    files = pieces(tmp_path / "cut", LOG, chance)
    chance.shuffle(files)
    in_runs(tmp_path / "lake", files, chance)

    assert tables(tmp_path / "lake") == whole


def test_many_runs_in_the_order_of_time_give_the_same_tables(tmp_path, whole):
    chance = random.Random(7)  # noqa: S311  # as above
    in_runs(tmp_path / "lake", pieces(tmp_path / "cut", LOG, chance, most=16), chance, most=1)

    assert tables(tmp_path / "lake") == whole


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_any_cut_of_an_exim_log_gives_the_same_tables(tmp_path, lake_of_files, monkeypatch, seed):
    chance = random.Random(seed)  # noqa: S311  # as above
    monkeypatch.setattr(analysis.stitch.chunks, "LINES", chance.choice([1_000, 1_000_000]))
    files = [file for log in EXIM for file in pieces(tmp_path / "cut", log, chance)]
    chance.shuffle(files)
    in_runs(tmp_path / "lake", files, chance)

    assert tables(tmp_path / "lake") == tables(lake_of_files(tmp_path / "whole", EXIM))


@pytest.mark.parametrize("lines", [pytest.param(700, marks=pytest.mark.slow), 2_000])
def test_any_chunks_of_log_time_give_the_same_tables(tmp_path, whole, lake_of_files, monkeypatch, lines):
    monkeypatch.setattr(analysis.stitch.chunks, "LINES", lines)
    lake = lake_of_files(tmp_path / "lake", [LOG])

    assert tables(lake) == whole


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_two_hosts_in_any_pieces_order_runs_and_chunks_give_the_same_tables(
    tmp_path, sample_lake, monkeypatch, seed
):
    chance = random.Random(seed)  # noqa: S311  # as above
    monkeypatch.setattr(analysis.stitch.chunks, "LINES", chance.choice([500, 4_000, 1_000_000]))
    files = [SAMPLE_LOGS / "mx1/mail.log.1.gz"]
    for log in (LOG, SAMPLE_LOGS / "mx1/mail.log", *EXIM):
        files += pieces(tmp_path / "cut", log, chance)
    chance.shuffle(files)
    in_runs(tmp_path / "lake", files, chance)

    assert tables(tmp_path / "lake") == tables(sample_lake)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "stamps", [["--stamps", "bsd", "--short-ids"], ["--stamps", "rfc3339", "--long-ids"]]
)
def test_simulated_farms_in_any_pieces_give_the_same_tables(tmp_path, lake_of_files, simulate, stamps, seed):
    chance = random.Random(seed)  # noqa: S311  # as above
    logs = simulate("--hosts", "2", "--days", "9", "--lines", "40000", "--seed", str(seed), *stamps)
    files = [file for log in logs for file in pieces(tmp_path / "cut", log, chance)]
    chance.shuffle(files)
    in_runs(tmp_path / "lake", files, chance)

    assert tables(tmp_path / "lake") == tables(lake_of_files(tmp_path / "whole", logs))
