"""Small files become few; their rows stay."""

from collections import Counter
from datetime import UTC
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import compaction
from ingest.compaction import ENOUGH_FILES, SETTLED_FILES, _group, compact
from ingest.errors import LakeError
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.records import Part
from ingest.sources import find_sources

LINE = "2026-11-23T08:{:02}:{:02}+00:00 mx1 postfix/qmgr[7]: {:010X}: {}\n"


def text_of(count):
    return "".join(
        LINE.format(number // 60, number % 60, number, "what?" if number % 5 == 0 else "removed")
        for number in range(count)
    )


def grown_in(folder, runs):
    for run in range(1, runs + 1):
        (folder / "mail.log").write_text(text_of(10 * run))
        sources = find_sources([str(folder / "mail.log")])
        ingest_sources(Lake(folder / "lake"), sources, Settings(zone=UTC))
    return Lake(folder / "lake")


@pytest.fixture
def grown(tmp_path):
    """A lake of a log that grew twenty times."""
    return grown_in(tmp_path, 20)


def rows(lake):
    files = [*(lake.path / "events").rglob("*.parquet"), *(lake.path / "unparsed").rglob("*.parquet")]
    return sorted(repr(row) for file in files for row in pq.ParquetFile(file).read().to_pylist())


def counts(lake):
    return Counter(part.path.rpartition("/")[0] for part in lake.new_parts(0)).values()


def test_rows_are_those_of_before(grown):
    before = rows(grown)
    compact(grown, grown.last_commit())

    assert rows(grown) == before


def test_few_files_are_left(grown):
    compact(grown, grown.last_commit())

    assert max(counts(grown)) <= ENOUGH_FILES


def test_two_are_left_where_stitching_will_not_stop_again(tmp_path):
    lake = grown_in(tmp_path, 5)
    compact(lake, lake.last_commit(), [6, 7, 8])

    assert max(counts(lake)) <= SETTLED_FILES


def test_the_run_that_brought_some_files_does_not_rewrite_them(tmp_path):
    lake = grown_in(tmp_path, 5)
    compact(lake, lake.last_commit(), [6])

    assert max(counts(lake)) == 5


def test_ledger_lists_the_files_that_are_there(grown):
    compact(grown, grown.last_commit())
    there = {
        str(file.relative_to(grown.path))
        for table in ("events", "unparsed")
        for file in (grown.path / table).rglob("*.parquet")
    }

    assert {part.path for part in grown.new_parts(0)} == there


def test_nothing_is_new_to_who_has_stitched_before(grown):
    stitched = grown.last_commit()
    compact(grown, stitched)

    assert (grown.last_commit(), grown.new_parts(stitched), grown.dirty_at()) == (stitched, [], None)


def test_files_that_are_not_stitched_yet_are_left_alone(grown):
    compact(grown, 10)
    names = {Path(part.path).name.partition("-")[0] for part in grown.new_parts(10)}

    assert names == {f"{number:08}" for number in range(11, 21)}


def test_second_compaction_finds_nothing_to_do(grown):
    compact(grown, grown.last_commit())

    assert compact(grown, grown.last_commit()) == 0


def test_log_that_grows_after_a_compaction_is_read_on(grown, tmp_path):
    compact(grown, grown.last_commit())
    (tmp_path / "mail.log").write_text(text_of(300))
    [report] = ingest_sources(grown, find_sources([str(tmp_path / "mail.log")]), Settings(zone=UTC))

    assert (report.line_count, len(rows(grown))) == (100, 300)


def test_damaged_file_is_named(grown):
    part = grown.new_parts(0)[0]
    (grown.path / part.path).write_bytes(b"PAR1 but not really PAR1")
    with pytest.raises(LakeError, match=rf"{part.path}.*doctor"):
        compact(grown, grown.last_commit())


def test_rows_come_in_the_row_groups_of_readers(grown, monkeypatch):
    monkeypatch.setattr(compaction, "_GROUP_ROWS", 30)
    compact(grown, grown.last_commit())
    [merged] = (grown.path / "events").rglob("*_00000020-*.parquet")
    file = pq.ParquetFile(merged)

    assert all(file.metadata.row_group(number).num_rows >= 30 for number in range(file.num_row_groups - 1))


def simulated(sizes):
    """Files left, and the most often that a row was rewritten, when files come one by one."""
    files: list[tuple[int, int]] = []  # rows, rewritten how often
    for size in sizes:
        files.append((size, 0))
        if len(files) > ENOUGH_FILES:
            parts = [
                Part(f"{number:05}", "events", None, None, (str(often),), rows, rows, 0, 0, 0)
                for number, (rows, often) in enumerate(files)
            ]
            group = _group(parts)
            if len(group) > 1:
                merged = (
                    sum(part.rows for part in group),
                    1 + max(int(part.source_ids[0]) for part in group),
                )
                files = [(part.rows, int(part.source_ids[0])) for part in parts if part not in group]
                files.append(merged)
    return len(files), max(often for _, often in files)


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=600))
def test_a_day_has_few_files_however_many_runs(sizes):
    assert simulated(sizes)[0] <= ENOUGH_FILES


@given(st.integers(1, 50), st.integers(100, 3000))
def test_a_row_is_rewritten_a_logarithmic_number_of_times(size, count):
    assert simulated([size] * count)[1] <= 2 * (size * count).bit_length()
