"""Throughput of `mailscope ingest` beside pflogsumm, in one run, on simulated logs. Prints; gates nothing.

python tests/benchmarks/throughput.py [LINES]     a log of LINES lines (a million), and one of a tenth of it

Each program is run as a user runs it, a process of its own; peak memory is that of its largest process. pflogsumm is
left out where it is not installed.
"""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
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
    """A week of one host's mail."""
    run(
        sys.executable,
        ROOT / "sample_logs/make.py",
        "--out",
        folder,
        "--hosts",
        1,
        "--days",
        7,
        "--lines",
        lines,
        "--seed",
        1,
        "--stamps",
        "bsd",
    )
    return next(folder.glob("*/mail.log"))


def measure(log: Path) -> None:
    """One log through both programs, in turn."""
    lines = sum(1 for _ in log.open("rb"))
    print(f"\n{lines:,} lines, {log.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} processors")
    lake = log.parent / "lake"
    ours = run(MAILSCOPE, "ingest", log, "--lake", lake, "--timezone", "UTC")
    row("mailscope ingest", ours, lines)
    lanes = {"reference lane, one core": read_chunk}
    if fast.is_available():
        fast.prepare(Settings(zone=UTC))
        lanes["fast lane, one core"] = fast.read_chunk
    for name, read in lanes.items():
        lane_s = lane(log, read)
        print(f"{name:24}{'':>8}   {lane_s:>8.2f} CPU s {lines / lane_s:>29,.0f} a CPU second")
    if peer := shutil.which("pflogsumm"):
        theirs = run(peer, log)
        row("pflogsumm", theirs, lines)
        print(f"{'ratio (wall)':24}{theirs.wall_s / ours.wall_s:>10.2f} x")
    row("report from the lake", run(MAILSCOPE, "report", "--lake", lake), lines)


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
    """The small log first, so that a growing cost per line shows."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        for count in (lines // 10, lines):
            measure(simulate(Path(folder) / str(count), count))


if __name__ == "__main__":
    main()
