"""However a log is cut into files at line boundaries, and in whatever order these come, the tables are the same."""

import random
from datetime import UTC
from pathlib import Path

import pytest

from analysis.stitch import TABLES, stitch
from analysis.warehouse import open_lake
from ingest.lake import Lake
from ingest.reader import Settings, ingest_sources
from ingest.sources import find_sources

LOG = Path(__file__).parents[2] / "sample_logs/out1/mail.log"
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


def pieces(folder, chance):
    """The log in some pieces, in disorder."""
    lines = LOG.read_bytes().splitlines(keepends=True)
    cuts = sorted(chance.sample(range(1, len(lines)), chance.randint(2, 7)))
    files = []
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(lines)], strict=True)):
        files.append(folder / f"{number}.log")
        files[-1].write_bytes(b"".join(lines[start:end]))
    chance.shuffle(files)
    return files


@pytest.mark.parametrize("seed", range(3))
def test_any_cut_in_any_order_and_number_of_runs_gives_the_same_tables(tmp_path, lake_of_files, seed):
    chance = random.Random(seed)  # noqa: S311  # a test case, not a secret
    files = pieces(tmp_path, chance)
    while files:
        run = [files.pop() for _ in range(min(len(files), chance.randint(1, 3)))]
        ingest_sources(Lake(tmp_path / "cut"), find_sources([str(file) for file in run]), Settings(zone=UTC))
    stitch(tmp_path / "cut")

    assert tables(tmp_path / "cut") == tables(lake_of_files(tmp_path / "whole", [LOG]))
