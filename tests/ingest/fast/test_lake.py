"""What the fast lane writes into a lake: the same files' schemas, and rows, as the reference."""

import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingest import fast
from ingest.fast.compile import UNIQUE_TEXTS, compile_formats
from ingest.fast.kernel.contract import DECLINE
from ingest.formats.postfix.shapes import WITH_ID, WITHOUT_ID
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.parts import _NO_DICTIONARY
from ingest.readable import is_readable
from ingest.reader import ingest_sources
from ingest.sources import find_sources

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/ingest/golden/postfix"
SETTINGS = {"zone": UTC, "year": 2026, "workers": 2}


@pytest.fixture(autouse=True)
def _always_worth_it(monkeypatch):
    """The logs of these tests are small."""
    monkeypatch.setattr("ingest.workers.WORTH_THREADS_BYTES", 0)


def ingest(lake, *paths, **settings):
    """Ingests paths; what is in the lake's events and counts then, by file."""
    sources = find_sources([str(path) for path in paths])
    reports = ingest_sources(Lake(lake), sources, Settings(**SETTINGS | settings))
    return [report._replace(is_new=True) for report in reports], {
        str(file.relative_to(lake)): (
            pq.read_schema(file),
            sorted(map(repr, pq.ParquetFile(file).read().to_pylist())),
        )
        for table in ("events", "unparsed", "coverage")
        for file in sorted((lake / table).rglob("*.parquet"))
    }


@pytest.mark.parametrize("path", ["sample_logs/out1/mail.log", "tests/ingest/golden/postfix"])
def test_lake_is_that_of_the_reference(tmp_path, monkeypatch, path):
    monkeypatch.setattr("ingest.reader.CHUNK_BYTES", 300_000)
    ours = ingest(tmp_path / "fast", ROOT / path)
    theirs = ingest(tmp_path / "reference", ROOT / path, reference=True)

    assert ours == theirs


def test_rows_of_several_days_in_one_chunk_are_parted(tmp_path):
    log = tmp_path / "mail.log"
    days = [f"Nov {day} 08:15:01 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n" for day in (21, 22, 23) * 5]
    log.write_text("".join(days))
    _, found = ingest(tmp_path / "lake", log)

    assert [len(rows) for name, (_, rows) in found.items() if name.startswith("events")] == [5, 5, 5]


def test_without_numba_the_reference_reads_everything(tmp_path):
    program = (
        "import sys; sys.modules['numba'] = None; import importlib.util as util; find = util.find_spec;"
        "util.find_spec = lambda name, *rest: None if name == 'numba' else find(name, *rest);"
        "import ingest.workers; ingest.workers.WORTH_THREADS_BYTES = 0;"
        "import mailscope; mailscope.main()"
    )
    log = tmp_path / "mail.log"
    log.write_bytes(
        b"".join((ROOT / "sample_logs/out1/mail.log").read_bytes().splitlines(keepends=True)[:300])
    )
    command = [sys.executable, "-c", program, "ingest", log, "--lake", tmp_path / "lake", "--timezone", "UTC"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "300 understood, 0 not understood, 0 of other programs" in done.stdout


def test_numba_is_not_imported_before_it_is_needed():
    program = "import sys, mailscope; sys.exit('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=False)

    assert done.returncode == 0


@pytest.mark.parametrize(
    "head, is_suited",
    [
        (b"Nov 23 08:15:01 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n", True),
        (b"Feb 29 08:15:01 mx1 cron[7]: other programs are counted\n", True),
        (b'{"MESSAGE": "removed", "SYSLOG_IDENTIFIER": "postfix/qmgr"}\n', False),
        (b"<22>1 2026-11-23T08:15:01Z mx1 postfix/qmgr 7 - - 3F1A2B3C4D: removed\n", False),
        (b"", True),
    ],
)
def test_logs_that_the_scanner_leaves_to_the_reference_are_not_for_threads(head, is_suited):
    found = fast.suits(head * 3, Settings(zone=UTC))

    assert found == is_suited


def test_every_row_of_the_formats_is_read_by_the_scanner():
    programs = compile_formats("auto")
    declined = [
        shape
        for shape, start in zip(programs.shapes, programs.tables.starts.tolist(), strict=True)
        if programs.tables.ops[start, 0] == DECLINE
    ]

    assert not declined


@pytest.mark.parametrize(
    "template, expected",
    [
        ("a{?:{uid:int}?}: {reason:rest}", True),
        ("a{?:{uid:int}?}:1{reason:rest}", False),
        ("a{? {reason:word}?} b", False),
        ("{reason:rest} b{?c?}", False),
        ("a{? {reason:rest}?}", True),
    ],
)
def test_a_template_is_readable_if_no_group_may_be_skipped_where_it_begins(template, expected):
    assert is_readable(template) == expected


def test_texts_without_dictionary_are_those_of_the_lake():
    numbers = {"line_no", "logged_at", "size_bytes"}

    assert _NO_DICTIONARY - numbers == UNIQUE_TEXTS


def test_no_shape_of_postfix_is_left_to_the_reference():
    unreadable = [row for row in (*WITH_ID, *WITHOUT_ID) if not is_readable(row[2])]

    assert not unreadable
