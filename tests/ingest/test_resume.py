"""A log that grows, is rotated and compressed is one source, read on where it was left."""

import bz2
import gzip
import lzma
import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.archives import _Unpacker
from ingest.blocks import MAX_LINE_BYTES
from ingest.lake import Lake
from ingest.ledger import Ledger
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

GOLDEN = Path(__file__).parent / "golden/postfix"
LINES = [line for file in sorted(GOLDEN.glob("*.log")) for line in file.read_bytes().splitlines()]
REPEATED = b"Nov 23 08:15:01 mx1 last message repeated 2 times"
REMOVED = b"Nov 23 08:15:01 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed"
ISO = b"2026-11-23T08:%02d:%02d+00:00 mx1 postfix/qmgr[7]: %010X: removed\n"
WRITTEN_AT = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
COMPRESS = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def log_of(count, start=0):
    return b"".join(ISO % (number // 60 % 60, number % 60, number) for number in range(start, start + count))


def ingest(lake, *paths, year=None):
    for path in paths:
        os.utime(path, (WRITTEN_AT, WRITTEN_AT))
    sources = find_sources([str(path) for path in paths])
    return ingest_sources(Lake(lake), sources, Settings(zone=UTC, workers=1, year=year))


def rows(lake, *without):
    """All rows that ingest writes about the content, by table; the identity of a source is that of its first sight."""
    tables = {}
    for table in ("events", "unparsed", "coverage"):
        found = [
            {name: value for name, value in row.items() if name not in ("source_id", *without)}
            for file in (lake / table).rglob("*.parquet")
            for row in pq.ParquetFile(file).read().to_pylist()
        ]
        tables[table] = sorted(map(repr, found))
    return tables


def account(lake):
    [row] = pq.read_table(lake / "sources").to_pylist()
    return {name: row[name] for name in row if name not in ("source_id", "name", "ingested_at")}


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "mail.log"
    path.write_bytes(log_of(3000))
    return path


CONTENTS = st.lists(st.one_of(st.sampled_from(LINES), st.just(REPEATED)), min_size=1, max_size=30).filter(
    lambda lines: lines != [b""]  # an empty file is no source yet
)


class TestGrowth:
    @example(lines=[REMOVED, REPEATED, REPEATED, REMOVED], cuts=[0.26, 0.5, 0.75, 0.9], packed="gz")
    @example(lines=[REPEATED, REMOVED, REPEATED], cuts=[0.1, 0.34, 0.67], packed=None)
    @example(lines=[REMOVED, b"", REPEATED], cuts=[0.5, 0.53, 0.54, 0.55, 0.6], packed=None)
    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        lines=CONTENTS,
        cuts=st.lists(st.floats(0, 1), max_size=5),
        packed=st.sampled_from([None, "gz", "bz2", "xz", "zst"]),
    )
    def test_growth_at_any_bytes_gives_the_rows_of_one_reading(self, tmp_path_factory, lines, cuts, packed):
        folder = tmp_path_factory.mktemp("grown")
        data = b"\n".join(lines)
        names = [folder / "mail.log", folder / "mail.log.1", folder / "mail.log.2"]
        for run, cut in enumerate(sorted(cuts)):
            names[run // 2].write_bytes(data[: int(cut * len(data))])
            ingest(folder / "grown", names[run // 2])
        last = folder / f"mail.log.3.{packed or 'log'}"
        last.write_bytes(COMPRESS[packed](data) if packed else data)
        ingest(folder / "grown", last)
        ingest(folder / "whole", last)

        assert (rows(folder / "grown"), account(folder / "grown")) == (
            rows(folder / "whole"),
            account(folder / "whole"),
        )

    @pytest.mark.parametrize("codec", COMPRESS)
    def test_grown_log_that_was_compressed_is_read_on(self, tmp_path, log, codec):
        ingest(tmp_path / "lake", log)
        packed = tmp_path / f"mail.log.2.{codec}"
        packed.write_bytes(COMPRESS[codec](log_of(3010)))
        [report] = ingest(tmp_path / "lake", packed)

        assert (report.is_continued, report.event_lines) == (True, 10)

    def test_grown_log_costs_only_its_new_part(self, tmp_path, log, monkeypatch):
        ingest(tmp_path / "lake", log)
        log.write_bytes(log_of(3001))
        read = []
        commit = Ledger.commit
        monkeypatch.setattr(
            Ledger, "commit", lambda self, change: read.append(change) or commit(self, change)
        )
        ingest(tmp_path / "lake", log)

        assert [part.rows for change in read for part in change.added] == [1]

    def test_source_keeps_its_identity_while_it_grows(self, tmp_path, log):
        [first] = ingest(tmp_path / "lake", log)
        log.write_bytes(log_of(3010))
        [second] = ingest(tmp_path / "lake", log)

        assert second.source_id == first.source_id

    def test_identity_does_not_depend_on_the_name(self, tmp_path, log):
        [first] = ingest(tmp_path / "one", log)
        [second] = ingest(tmp_path / "two", log.rename(tmp_path / "other"))

        assert first.source_id == second.source_id

    def test_archive_that_was_cut_off_is_read_on_when_it_is_whole(self, tmp_path):
        packed = tmp_path / "mail.log.gz"
        data = gzip.compress(log_of(3000))
        packed.write_bytes(data[: len(data) // 2])
        [cut] = ingest(tmp_path / "lake", packed)
        packed.write_bytes(data)
        [whole] = ingest(tmp_path / "lake", packed)
        ingest(tmp_path / "fresh", packed)

        assert (
            bool(cut.damage),
            whole.is_continued,
            rows(tmp_path / "lake"),
            account(tmp_path / "lake"),
        ) == (
            True,
            True,
            rows(tmp_path / "fresh"),
            account(tmp_path / "fresh"),
        )

    def test_shorter_copy_that_ends_where_the_log_once_ended_is_known(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        log.write_bytes(log_of(4000))
        ingest(tmp_path / "lake", log)
        (tmp_path / "yesterday").write_bytes(log_of(3000))
        [report] = ingest(tmp_path / "lake", tmp_path / "yesterday")

        assert not report.is_new

    def test_empty_file_is_no_source_yet(self, tmp_path):
        (tmp_path / "mail.log").touch()
        ingest(tmp_path / "lake", tmp_path / "mail.log")

        assert Lake(tmp_path / "lake").known_sources() == frozenset()

    def test_known_archive_is_not_unpacked_again(self, tmp_path, log, monkeypatch):
        packed = tmp_path / "mail.log.gz"
        packed.write_bytes(gzip.compress(log.read_bytes()))
        ingest(tmp_path / "lake", packed)
        sizes = []
        read = _Unpacker.readinto

        def counted(self, buffer):
            size = read(self, buffer)
            sizes.append(size)
            return size

        monkeypatch.setattr(_Unpacker, "readinto", counted)
        ingest(tmp_path / "lake", packed)

        assert sum(sizes) < 20_000  # only what tells a log from other files


class TestOtherSources:
    def test_log_that_was_truncated_and_filled_again_is_another_source(self, tmp_path, log):
        [first] = ingest(tmp_path / "lake", log)
        log.write_bytes(log_of(3000, start=3000))
        [second] = ingest(tmp_path / "lake", log)

        assert (second.source_id != first.source_id, second.event_lines) == (True, 3000)

    def test_logs_with_the_same_beginning_are_two_sources(self, tmp_path):
        ours, theirs = tmp_path / "a.log", tmp_path / "b.log"
        ours.write_bytes(log_of(100) + log_of(3000, start=1000).replace(b" mx1 ", b" mx2 "))
        theirs.write_bytes(log_of(100) + log_of(3000, start=1000).replace(b" mx1 ", b" mx3 "))
        reports = ingest(tmp_path / "lake", ours, theirs)

        assert len({report.source_id for report in reports}) == 2

    def test_two_copies_that_grow_apart_become_two_sources(self, tmp_path, log):
        other = tmp_path / "other.log"
        other.write_bytes(log.read_bytes())
        ingest(tmp_path / "lake", log, other)
        log.write_bytes(log_of(3000) + log_of(10, start=4000).replace(b" mx1 ", b" mx2 "))
        other.write_bytes(log_of(3000) + log_of(10, start=4000).replace(b" mx1 ", b" mx3 "))
        ingest(tmp_path / "lake", log, other)

        assert (len(Lake(tmp_path / "lake").known_sources()), len(rows(tmp_path / "lake")["events"])) == (
            2,
            3020,
        )


class TestLastLine:
    def test_line_without_newline_is_read_as_it_stands(self, tmp_path, log):
        log.write_bytes(log_of(2)[:-1])
        [report] = ingest(tmp_path / "lake", log)

        assert (report.event_lines, account(tmp_path / "lake")["is_last_line_open"]) == (2, True)

    def test_line_without_newline_lies_in_a_file_of_its_own(self, tmp_path, log):
        log.write_bytes(log_of(2)[:-1])
        ingest(tmp_path / "lake", log)

        assert sorted((part.rows, part.is_tail) for part in Lake(tmp_path / "lake").new_parts(0)) == [
            (1, False),
            (1, True),
        ]

    def test_newline_alone_makes_the_line_complete(self, tmp_path, log):
        log.write_bytes(log_of(2)[:-1])
        ingest(tmp_path / "lake", log)
        log.write_bytes(log_of(2))
        ingest(tmp_path / "lake", log)
        ingest(tmp_path / "fresh", log)

        assert (rows(tmp_path / "lake"), account(tmp_path / "lake")) == (
            rows(tmp_path / "fresh"),
            account(tmp_path / "fresh"),
        )

    def test_line_that_was_replaced_makes_its_moment_dirty(self, tmp_path, log):
        log.write_bytes(log_of(2)[:-1])
        ingest(tmp_path / "lake", log)
        log.write_bytes(log_of(2))
        ingest(tmp_path / "lake", log)

        assert Lake(tmp_path / "lake").dirty_at() == datetime(2026, 11, 23, 8, 0, 1, tzinfo=UTC)

    def test_growth_by_whole_lines_makes_nothing_dirty(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        log.write_bytes(log_of(3001))
        ingest(tmp_path / "lake", log)

        assert Lake(tmp_path / "lake").dirty_at() is None


def bsd(stamp):
    return f"{stamp} mx1 postfix/qmgr[8]: 3F1A2B3C4D: removed\n".encode()


class TestYears:
    def test_new_part_counts_its_years_from_the_last_date(self, tmp_path):
        log = tmp_path / "mail.log"
        log.write_bytes(bsd("Dec 31 23:00:00"))
        ingest(tmp_path / "lake", log, year=2020)
        log.write_bytes(bsd("Dec 31 23:00:00") + bsd("Jan  1 00:00:00") + bsd("Jan  2 00:00:00"))
        ingest(tmp_path / "lake", log)
        moments = [row.partition("logged_at")[2][:40] for row in rows(tmp_path / "lake")["events"]]

        assert [moment.partition("(")[2][:4] for moment in moments] == ["2020", "2021", "2021"]

    def test_repeat_behind_new_year_has_the_year_of_the_line_before(self, tmp_path):
        log = tmp_path / "mail.log"
        whole = bsd("Dec 31 23:59:59") + b"Jan  1 00:00:29 mx1 last message repeated 2 times\n"
        whole += bsd("Jan  1 00:01:00")
        for size in (len(bsd("Dec 31 23:59:59")), len(whole)):
            log.write_bytes(whole[:size])
            ingest(tmp_path / "lake", log, year=2020 if size < len(whole) else 2021)
        ingest(tmp_path / "fresh", log, year=2021)

        assert rows(tmp_path / "lake") == rows(tmp_path / "fresh")


class TestTrouble:
    def test_log_that_becomes_shorter_while_it_is_read_is_none_of_the_lake_s(
        self, tmp_path, log, monkeypatch
    ):
        [source] = find_sources([str(log)])

        def shrink(self):
            log.write_bytes(log_of(10))
            return 1

        monkeypatch.setattr("ingest.ledger.Ledger.next_commit", shrink)

        [report] = ingest_sources(Lake(tmp_path / "lake"), [source], Settings(zone=UTC))

        assert ("shorter while it was read" in report.problem, rows(tmp_path / "lake")["events"]) == (
            True,
            [],
        )

    def test_cut_of_an_open_line_is_told_once(self, tmp_path):
        log = tmp_path / "mail.log"
        log.write_bytes(log_of(1) + b"x" * (MAX_LINE_BYTES + 1))
        ingest(tmp_path / "lake", log)
        log.write_bytes(log_of(1) + b"x" * (MAX_LINE_BYTES + 2) + b"\n")
        [report] = ingest(tmp_path / "lake", log)

        assert report.damage == "lines longer than 16,777,216 bytes are cut there: 2"
