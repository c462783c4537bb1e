import lzma
from collections import Counter
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest import fast
from ingest.blocks import Chunk, whole_lines
from ingest.fast.chunk import lane_of
from ingest.parsing import Settings, read_chunk

ROOT = Path(__file__).parents[3]
GOLDEN = sorted((ROOT / "tests/ingest/golden").glob("*/*.log"))
LAB = sorted((ROOT / "tests/analysis/lab").glob("*log.xz"))
SAMPLES = sorted(
    path for pattern in ("*/mail.log", "*/mainlog*") for path in (ROOT / "sample_logs").glob(pattern)
)
YEARS = ((1, 2026),)


def rows_of(result):
    """Each row of a result once, with the names of its columns: their order within a table is nobody's promise."""
    tables = [*result.events.items(), ("unparsed", result.unparsed)]
    return Counter(
        (family, *zip(table.schema.names, row, strict=True))
        for family, table in tables
        for row in zip(*(table[name].to_pylist() for name in table.schema.names), strict=True)
    )


def differences(data, zone=UTC, years=YEARS, size=None, format_name="auto", host=None):
    """What the fast lane and the reference read differently in the bytes of a log; empty if nothing."""
    settings = Settings(zone=zone, format_name=format_name, host=host)
    chunks = list(whole_lines([data], size or len(data) + 1)) or [Chunk(1, data)]
    return [each for chunk in chunks for each in compared(chunk, years, settings)]


def compared(chunk, years, settings):
    """The rows of one chunk that only one lane gives, and what they count differently."""
    ours, theirs = (read(chunk, "source", years, settings) for read in (fast.read_chunk, read_chunk))
    rows, expected = rows_of(ours), rows_of(theirs)
    told = [(result.coverage, result.is_host_assumed) for result in (ours, theirs)]
    return [
        *(("fast", row) for row in rows - expected),
        *(("reference", row) for row in expected - rows),
        *([] if told[0] == told[1] else [("counts", *told)]),
    ]


def declined_share(data):
    """Which part of a log's lines the reference had to read."""
    scanned = lane_of("auto").read(Chunk(1, data), YEARS, UTC)
    return len(scanned.declined) / data.count(b"\n")


@pytest.fixture(scope="session")
def lanes():
    """The two lanes side by side, the logs to compare them on, and lines to damage."""
    golden, samples = ([path.read_bytes() for path in paths] for paths in (GOLDEN, SAMPLES))
    lab = [lzma.decompress(path.read_bytes()) for path in LAB]
    seeds = [line for log in (*golden, *samples) for line in log.splitlines()[:400]]
    return SimpleNamespace(
        differences=differences,
        declined_share=declined_share,
        golden=golden,
        lab=lab,
        samples=samples,
        seeds=seeds + [line for log in lab for line in log.splitlines()[::60]],
    )
