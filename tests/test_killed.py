"""An ingest that is killed at any moment and run again leaves the same tables as one that was not."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.stitch import TABLES
from analysis.warehouse import open_lake

SAMPLE_LOGS = Path(__file__).parents[1] / "sample_logs"
COMMAND = [
    Path(sys.executable).with_name("mailscope"),
    "ingest",
    SAMPLE_LOGS / "out1",
    "--timezone",
    "UTC",
]


def ingest(lake, kill_after_s=None):
    with subprocess.Popen(
        [*COMMAND, "--lake", lake], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            process.kill()
        process.wait()


def tables(lake):
    """Every table, sorted; when a source was ingested is not of its content."""
    queries = {name: f"SELECT * FROM {name}" for name in (*TABLES, "events", "coverage")}
    queries["sources"] = "SELECT * EXCLUDE (ingested_at) FROM sources"
    with open_lake(lake) as connection:
        return {
            name: sorted(map(repr, connection.sql(query).to_arrow_table().to_pylist()))
            for name, query in queries.items()
        }


def check(tmp_path, kills):
    begun = time.monotonic()
    ingest(tmp_path / "whole")
    span_s = time.monotonic() - begun
    moments = random.Random(kills)  # noqa: S311  # any moments will do, the same ones each time
    for _ in range(kills):
        ingest(tmp_path / "killed", moments.uniform(0.3 * span_s, span_s))
    ingest(tmp_path / "killed")
    return tables(tmp_path / "killed"), tables(tmp_path / "whole")


def test_killed_twice(tmp_path):
    killed, whole = check(tmp_path, 2)

    assert killed == whole


@pytest.mark.slow
@pytest.mark.parametrize("kills", range(3, 13))
def test_killed_often(tmp_path, kills):
    killed, whole = check(tmp_path, kills)

    assert killed == whole


def test_a_reader_meets_complete_files_only(tmp_path):
    damaged, lake = [], tmp_path / "lake"
    command = [*map(str, COMMAND), "--lake", str(lake)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            for file in lake.glob("[a-z]*/**/*.parquet"):
                try:
                    pq.read_table(file)
                except FileNotFoundError:
                    continue  # it was replaced in the meantime
                except pa.ArrowException as error:
                    damaged.append((file, error))

    assert damaged == []
