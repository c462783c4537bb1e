"""Entries of many lines and pieces, wherever a source is cut."""

import random
from collections import Counter
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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


TAG = b"Nov 23 08:15:01 mx2 exim[502]: "
OWN = b"2026-11-23 08:15:01 1vN8qP-0003aB-7k "
FIRST_OF_3 = TAG + b"[1/3] " + OWN + b"<= anna@example.org H=client.example.net [192.0.2.7]"
SECOND_OF_3 = TAG + rb"[2\3] P=esmtpsa S=1834"
DONE = OWN + b"Completed"
JSON = b'{"MESSAGE":"hello"}'
REPEATED = b"Nov 23 08:15:01 mx1 last message repeated 2 times"
# Whatever may stand side by side where Exim writes its own file and to syslog, and others write, too
MIXED = st.lists(
    st.sampled_from(
        [
            FIRST_OF_3, SECOND_OF_3, TAG + rb"[3\3] id=20261123.a1@example.org",
            TAG + b"[1/2] " + OWN + b"=> bob@example.net R=dnslookup T=remote_smtp", TAG + rb'[2\2] H=mx.example.net [192.0.2.9] C="250 ok"',
            DONE, TAG + DONE, OWN + b"<= anna@example.org U=anna P=local S=12", b"  goes on here", b"550 and here", b"", JSON, REPEATED,
            b"Nov 23 08:15:01 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed", b"Nov 23 08:15:01 mx1 cron[7]: (root) CMD (true)",
        ]
    ),
    min_size=1,
    max_size=9,
)  # fmt: skip


@example(lines=[DONE, JSON, b"  goes on here", SECOND_OF_3], size=1)
@settings(deadline=None, max_examples=300)
@given(lines=MIXED, size=st.integers(1, 500))
def test_size_of_chunks_makes_no_difference_to_any_mixture(lines, size):
    data = b"\n".join(lines) + b"\n"

    assert read(whole_lines([data], size)) == read([Chunk(1, data)])


@example(lines=[FIRST_OF_3, DONE, REPEATED])
@settings(deadline=None, max_examples=300)
@given(lines=MIXED.filter(lambda lines: lines[-1] != b""))
def test_open_last_line_of_any_mixture_knows_what_stands_before_it(lines):
    data = b"\n".join(lines)
    parts = [part for part in split_open_line(Chunk(1, data)) if part]

    assert read(parts) == read([Chunk(1, data)])
