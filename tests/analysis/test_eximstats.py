"""The totals that eximstats (Exim 4.96) prints of a log with default selectors, from what the lake holds of it.

It reads no log of `log_selector = +all` with its zones, milliseconds and processes. What it counts under "Rejects" are
also deliveries without a transport (`:blackhole:`), and every host of another's that refused a connection.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from analysis.warehouse import open_lake

LOG = Path(__file__).parents[2] / "sample_logs/ex1/mainlog.1"
# "Received", "Delivered" and "Rejects" of `eximstats -ne -nr -nt -tnl -q0 -h0 -t0 mainlog.1`, so that a machine without
# it has something to compare with
PRINTED = {"received": 182, "delayed": 10, "failed": 13, "delivered": 239, "rejects": 42}

TOTALS = """
SELECT count(*) FILTER (kind = 'arrival') AS received,
       count(DISTINCT queue_id) FILTER (status = 'deferred') AS delayed,
       count(DISTINCT queue_id) FILTER (status IN ('bounced', 'expired')) AS failed,
       count(*) FILTER (status IN ('sent', 'discarded')) AS delivered,
       count(*) FILTER (
           action = 'reject' OR status = 'discarded' OR kind = 'connect_failure' AND reason LIKE '%refused%'
       ) AS rejects
FROM events
"""
RECEIVED = re.compile(r"Received +\S+ +(\d+) +\d+ +(\d+) +\S+ +(\d+) ")
DELIVERED = re.compile(r"Delivered +\S+ +(\d+) +\d+ ")
REJECTS = re.compile(r"Rejects +(\d+) ")


@pytest.fixture(scope="module")
def ours(tmp_path_factory, lake_of_files):
    lake = lake_of_files(tmp_path_factory.mktemp("eximstats") / "lake", [LOG])
    with open_lake(lake) as connection:
        return connection.sql(TOTALS).to_arrow_table().to_pylist()[0]


def test_totals_are_those_that_eximstats_printed(ours):
    assert ours == PRINTED


@pytest.mark.skipif(shutil.which("eximstats") is None, reason="eximstats is not installed")
def test_totals_are_those_that_eximstats_prints(ours):
    options = ["-ne", "-nr", "-nt", "-tnl", "-q0", "-h0", "-t0"]
    printed = subprocess.run(["eximstats", *options, LOG], capture_output=True, text=True, check=True).stdout
    received, delayed, failed = map(int, RECEIVED.search(printed).groups())
    delivered, rejects = int(DELIVERED.search(printed)[1]), int(REJECTS.search(printed)[1])

    assert ours == {
        "received": received,
        "delayed": delayed,
        "failed": failed,
        "delivered": delivered,
        "rejects": rejects,
    }
