"""However a log is cut into files at line boundaries, and in whatever order these come, the tables are the same."""

import gzip
import random
from datetime import UTC
from pathlib import Path

import pytest

from analysis.stitch import TABLES, stitch
from analysis.warehouse import open_lake
from ingest.compaction import compact
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

LOG = Path(__file__).parents[2] / "sample_logs/out1/mail.log"
# Where a row comes from is the one thing that the cut decides.
FROM_LINES = ("deliveries", "rejections")


def tables(lake, origin="source_id, line_no"):
    with open_lake(lake) as connection:
        return {
            name: sorted(
                map(
                    repr,
                    connection.sql(
                        f"SELECT * {f'EXCLUDE ({origin})' if name in FROM_LINES else ''} FROM {name}"
                    )
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


def grow(lake, folder, chance):
    """The log as a server writes it: cut at any byte, rotated and compressed on the way."""
    data = LOG.read_bytes()
    ends = [*sorted(chance.sample(range(1, len(data)), 5)), len(data)]
    for end, name in zip(
        ends,
        ("mail.log", "mail.log", "mail.log.1", "mail.log.1", "mail.log.2.gz", "mail.log.3.gz"),
        strict=True,
    ):
        content = data[:end]
        (folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
        ingest_sources(Lake(lake), find_sources([str(folder / name)]), Settings(zone=UTC))
        if chance.random() < 0.5:
            stitch(lake)
            compact(Lake(lake), Lake(lake).last_commit())
    stitch(lake)


@pytest.mark.parametrize("seed", range(2))
def test_a_log_that_grows_byte_by_byte_gives_the_tables_of_one_reading(tmp_path, lake_of_files, seed):
    grow(tmp_path / "grown", tmp_path, random.Random(seed))  # noqa: S311  # a test case, not a secret

    assert tables(tmp_path / "grown", "source_id") == tables(
        lake_of_files(tmp_path / "whole", [LOG]), "source_id"
    )


def test_overlapping_copies_give_the_tables_of_one_reading(tmp_path, lake_of_files):
    lines = LOG.read_bytes().splitlines(keepends=True)
    thirds = len(lines) // 3
    (tmp_path / "begin.log").write_bytes(b"".join(lines[: 2 * thirds]))
    (tmp_path / "end.log").write_bytes(b"".join(lines[thirds:]))
    (tmp_path / "middle.log").write_bytes(b"".join(lines[thirds // 2 : thirds]))
    copies = [tmp_path / "middle.log", tmp_path / "end.log", tmp_path / "begin.log"]
    for copy in copies:
        ingest_sources(Lake(tmp_path / "copies"), find_sources([str(copy)]), Settings(zone=UTC))
    stitch(tmp_path / "copies")

    assert tables(tmp_path / "copies") == tables(lake_of_files(tmp_path / "whole", [LOG]))


@pytest.mark.parametrize("seed", range(3))
def test_any_cut_in_any_order_and_number_of_runs_gives_the_same_tables(tmp_path, lake_of_files, seed):
    chance = random.Random(seed)  # noqa: S311  # a test case, not a secret
    files = pieces(tmp_path, chance)
    while files:
        run = [files.pop() for _ in range(min(len(files), chance.randint(1, 3)))]
        ingest_sources(Lake(tmp_path / "cut"), find_sources([str(file) for file in run]), Settings(zone=UTC))
    stitch(tmp_path / "cut")

    assert tables(tmp_path / "cut") == tables(lake_of_files(tmp_path / "whole", [LOG]))
