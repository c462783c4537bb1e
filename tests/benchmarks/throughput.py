"""Throughput of `mailscope ingest` beside pflogsumm and eximstats, and beside the floor, in one run. Gates nothing.

python tests/benchmarks/throughput.py [LINES...]     a simulated log of Postfix, and one of Exim, of about LINES lines
                                                     each (100,000 and a million)

Each program is run as a user runs it, a process of its own; peak memory is that of its largest process. The floor is
DuckDB copying the bare lines into zstd Parquet: nothing can be kept faster. A peer is left out where it is not
installed. A hundredth of each log comes last, on its own: what cron costs.
"""

import gc
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ingest import fast
from ingest.batch import Result
from ingest.blocks import Chunk
from ingest.dating import LineNumbers
from ingest.drafts import years_of
from ingest.ledger import Ledger
from ingest.parsing import Settings, read_chunk
from ingest.parts import write_part
from ingest.reader import CHUNK_BYTES
from ingest.sources import chunks_from, find_sources
from ingest.surveys import survey
from ingest.times import Years

ROOT = Path(__file__).parents[2]
MAILSCOPE = Path(sys.executable).with_name("mailscope")
LINES_A_CONVERSATION = 4.3  # of Exim, by its default selectors


class Run(NamedTuple):
    """Seconds by the clock and of the processors, and the peak memory of the largest process in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(*command: object) -> Run:
    """Runs a program to its end, its output thrown away."""
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)  # commands of this file
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed with status {status}")
    return Run(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def simulate(folder: Path, lines: int) -> Path:
    """A week of one Postfix' mail."""
    make = (sys.executable, ROOT / "sample_logs/make.py", "--out", folder, "--hosts", 1)
    run(*make, "--lines", lines, "--stamps", "bsd")
    return next(folder.glob("*/mail.log"))


def simulate_exim(folder: Path, lines: int) -> Path:
    """A week of one Exim's mail, the house to which it hands on beside it."""
    make = (sys.executable, ROOT / "sample_logs/make.py", "--out", folder, "--hosts", 1)
    run(*make, "--lines", 2_000, "--exim", int(lines / LINES_A_CONVERSATION))
    return next(folder.glob("*/mainlog"))


def measure(log: Path, peer_name: str) -> None:
    """One log through all programs, in turn."""
    lines = sum(1 for _ in log.open("rb"))
    print(f"\n{log.name}: {lines:,} lines, {log.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} processors")
    lake, live = log.parent / "lake", log.parent / "live.log"
    ingest = (MAILSCOPE, "ingest", live, "--lake", lake, "--timezone", "UTC")
    with log.open("rb") as source, live.open("wb") as target:
        target.writelines(islice(source, lines - lines // 100))
        ours = run(*ingest)
        row("mailscope ingest", ours, lines - lines // 100)
        target.writelines(source)
    more = run(*ingest)
    row("the last hundredth", more, lines // 100)
    print(f"{'  of the whole':24}{more.wall_s / ours.wall_s:>10.1%} {more.cpu_s / ours.cpu_s:>10.1%} CPU")
    row("floor", run(sys.executable, "-c", FLOOR, log, log.parent / "floor.parquet"), lines)
    if peer := shutil.which(peer_name):
        theirs = run(peer, log)
        row(peer_name, theirs, lines)
        print(f"{'ratio (wall)':24}{theirs.wall_s / ours.wall_s:>10.2f} x")
    row("report from the lake", run(MAILSCOPE, "report", "--lake", lake), lines)
    sizes(log, lake)
    lanes = {"reference lane, one core": read_chunk}
    if fast.is_available():
        fast.prepare(Settings(zone=UTC))
        lanes["fast lane, one core"] = fast.read_chunk
    for name, read in lanes.items():
        lane_s = lane(log, read)
        print(f"{name:24}{'':>8}   {lane_s:>8.2f} CPU s {lines / lane_s:>29,.0f} a CPU second")


FLOOR = """
import sys, duckdb
duckdb.sql(
    "SELECT * FROM read_csv($log, columns = {'line': 'VARCHAR'}, delim = '\\x01', quote = '', escape = '', header = false)",
    params={"log": sys.argv[1]},
).write_parquet(sys.argv[2], compression="zstd")
"""


def sizes(log: Path, lake: Path) -> None:
    """The lake beside the log, plain and packed."""
    packed = log.parent / "log.gz"
    with log.open("rb") as source, gzip.open(packed, "wb", 6) as target:
        shutil.copyfileobj(source, target)
    raw, gz = log.stat().st_size, packed.stat().st_size
    by_table = {
        table.name: sum(file.stat().st_size for file in table.rglob("*.parquet"))
        for table in sorted(lake.iterdir())
        if table.is_dir() and not table.name.startswith(".")
    }
    total = sum(by_table.values())
    print(
        f"lake {total / 1e6:.1f} MB: 1/{raw / total:.1f} of the log, {total / gz:.1f} times gzip -6 ({gz / 1e6:.1f} MB)"
    )
    print("  " + ", ".join(f"{name} {size / 1e6:.1f}" for name, size in by_table.items() if size > 50_000))


def lane(log: Path, read: Callable[[Chunk, str, Years, Settings], Result]) -> float:
    """CPU seconds that one worker needs from the bytes of a log to its Parquet parts, imports and stitching left out."""
    [source] = find_sources([str(log)])
    settings = Settings(zone=UTC)
    gc.disable()
    begun = time.process_time()
    with Ledger.open(log.parent) as ledger, source.open() as stream:
        surveyed = survey(source, stream, ledger)
        numbers = LineNumbers(years_of(surveyed.dates, surveyed.newest, None))
        for number, chunk in enumerate(chunks_from(source, stream, CHUNK_BYTES, numbers)):
            result = read(chunk, surveyed.source_id, tuple(numbers.years), settings)
            write_part(log.parent / "parts", 1, surveyed.source_id, number, [result])
    gc.enable()
    return time.process_time() - begun


def row(name: str, what: Run, lines: int) -> None:
    """One line of the table."""
    rate = f"{lines / what.wall_s:>10,.0f} lines/s {lines / what.cpu_s:>10,.0f} a CPU second"
    print(f"{name:24}{what.wall_s:>8.2f} s {what.cpu_s:>8.2f} CPU s {rate} {what.peak_mb:>7.0f} MB")


def main() -> None:
    """The smaller log first, so that a growing cost per line shows."""
    with tempfile.TemporaryDirectory() as folder:
        for count in map(int, sys.argv[1:] or ("100_000", "1_000_000")):
            measure(simulate(Path(folder) / f"postfix-{count}", count), "pflogsumm")
            measure(simulate_exim(Path(folder) / f"exim-{count}", count), "eximstats")


if __name__ == "__main__":
    main()
