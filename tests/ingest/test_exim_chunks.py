"""Entries of many lines and pieces, wherever a source is cut."""

import random
from collections import Counter
from datetime import UTC
from pathlib import Path

import pytest

from ingest.blocks import Chunk, split_open_line, whole_lines
from ingest.parsing import Settings, read_chunk

LOGS = sorted((Path(__file__).parent / "golden/exim").glob("*.log"))
SETTINGS = Settings(zone=UTC)
YEARS = ((1, 2026),)


def read(chunks):
    """Rows and counts of some chunks."""
    rows, counts = Counter(), Counter()
    for chunk in chunks:
        result = read_chunk(chunk, "test", YEARS, SETTINGS)
        tables = [*result.events.values(), result.unparsed]
        rows.update(repr(sorted(row.items(), key=str)) for table in tables for row in table.to_pylist())
        counts += result.coverage
    return rows, counts


@pytest.mark.parametrize("size", [1, 100, 700, 3000])
@pytest.mark.parametrize("log", LOGS, ids=[log.stem for log in LOGS])
def test_size_of_chunks_makes_no_difference(log, size):
    data = log.read_bytes()

    assert read(whole_lines([data], size)) == read([Chunk(1, data)])


@pytest.mark.parametrize("log", LOGS, ids=[log.stem for log in LOGS])
def test_open_last_line_knows_what_stands_before_it(log):
    data = log.read_bytes()
    chance = random.Random(1)  # noqa: S311  # a test case, not a secret
    for _ in range(10):
        cut = chance.randrange(len(data))
        end = data.find(b"\n", cut)
        shorter = data[:end] if end >= 0 else data.rstrip(b"\n")
        parts = [part for part in split_open_line(Chunk(1, shorter)) if part]

        assert read(parts) == read([Chunk(1, shorter)])
