"""Sources taken out of the lake, and read anew from the lines that the lake holds."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import ingest.reader
import ingest.reparse
from ingest.compaction import compact
from ingest.errors import SourceError
from ingest.lake import Lake, find_source
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.reparse import forget, reparse
from ingest.sources import find_sources

GOLDEN = Path(__file__).parent / "golden"
LINES = [line for file in sorted(GOLDEN.glob("*/*.log")) for line in file.read_bytes().splitlines()]
REPEATED = b"Nov 23 08:15:01 mx1 last message repeated 2 times"
REMOVED = b"Nov 23 08:15:01 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed"
FOREIGN = b"Nov 23 08:15:01 mx1 cron[7]: (root) CMD (true)"
PIECE = b"Nov 23 08:15:01 mx2 exim[502]: [1/3] 2026-11-23 08:15:01 1vN8qP-0003aB-7k <= anna@example.org"
BARE = b"2026-11-23 08:15:01 1vN8qP-0003aB-7k Completed"


def run(lake, *paths, year=2026):
    sources = find_sources([str(path) for path in paths])
    return ingest_sources(Lake(lake), sources, Settings(zone=UTC, year=year, workers=1))


def rows(lake):
    """Every row of every table that ingest writes, but for moments of reading."""
    return {
        table: sorted(
            repr({name: value for name, value in row.items() if name != "ingested_at"})
            for file in (lake / table).rglob("*.parquet")
            for row in pq.ParquetFile(file).read().to_pylist()
        )
        for table in ("events", "unparsed", "coverage", "sources")
    }


def reparse_all(lake):
    with Lake(lake).ledger() as ledger:
        for source in ledger.sources():
            reparse(Lake(lake), ledger, source)


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "one.log").write_bytes(
        b"\n".join([*LINES, REMOVED, REPEATED, FOREIGN, REPEATED, b"", REMOVED])
    )
    december = b"Dec 31 23:59:59 mx2 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
    january = december.replace(b"Dec 31 23:59:59", b"Jan  1 00:00:01")
    (tmp_path / "two.gz").write_bytes(gzip.compress(december * 3 + january + january * 2))
    return [tmp_path / "one.log", tmp_path / "two.gz"]


class TestReparse:
    def test_same_parser_gives_the_same_tables(self, tmp_path, logs):
        run(tmp_path / "lake", *logs)
        before = rows(tmp_path / "lake")
        reparse_all(tmp_path / "lake")

        assert rows(tmp_path / "lake") == before

    def test_logs_themselves_are_not_needed(self, tmp_path, logs):
        run(tmp_path / "lake", *logs)
        before = rows(tmp_path / "lake")
        for log in logs:
            log.unlink()
        reparse_all(tmp_path / "lake")

        assert rows(tmp_path / "lake") == before

    @example(lines=[REMOVED, REPEATED, FOREIGN, REPEATED, REMOVED, b"", REPEATED], gap=0, size=1)
    @example(lines=[PIECE, BARE, REPEATED], gap=0, size=1)
    @settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        lines=st.lists(
            st.one_of(st.sampled_from(LINES), st.sampled_from([REPEATED, REMOVED, FOREIGN, b""])),
            min_size=1,
            max_size=40,
        ),
        gap=st.integers(0, 3),
        size=st.integers(1, 2000),
    )
    def test_size_of_chunks_and_gaps_makes_no_difference(self, tmp_path_factory, lines, gap, size):
        folder = tmp_path_factory.mktemp("reparsed")
        (folder / "mail.log").write_bytes(b"\n".join(lines))
        run(folder / "lake", folder / "mail.log")
        before = rows(folder / "lake")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ingest.reparse, "MAX_GAP", gap)
            patch.setattr(ingest.reparse, "CHUNK_BYTES", size)
            reparse_all(folder / "lake")

        assert rows(folder / "lake") == before

    def test_source_that_grew_in_many_runs_and_was_merged_is_the_same(self, tmp_path, logs):
        data = logs[0].read_bytes()
        for part in range(1, 13):
            logs[0].write_bytes(data[: len(data) * part // 12])
            run(tmp_path / "lake", *logs)
        compact(Lake(tmp_path / "lake"), Lake(tmp_path / "lake").last_commit())
        before = rows(tmp_path / "lake")
        reparse_all(tmp_path / "lake")

        assert rows(tmp_path / "lake") == before

    def test_log_that_grows_after_it_is_read_on(self, tmp_path, logs):
        data = logs[0].read_bytes()
        logs[0].write_bytes(data[: len(data) // 2])
        run(tmp_path / "lake", logs[0])
        reparse_all(tmp_path / "lake")
        logs[0].write_bytes(data)
        [report] = run(tmp_path / "lake", logs[0])
        run(tmp_path / "fresh", logs[0])

        assert (report.is_continued, len(rows(tmp_path / "lake")["events"])) == (
            True,
            len(rows(tmp_path / "fresh")["events"]),
        )

    def test_duplicates_stay_counted(self, tmp_path, logs):
        (tmp_path / "copy.log").write_bytes(b"\n".join(LINES[len(LINES) // 2 :]))
        run(tmp_path / "lake", *logs, tmp_path / "copy.log")
        before = rows(tmp_path / "lake")
        reparse_all(tmp_path / "lake")

        assert rows(tmp_path / "lake") == before

    def test_new_parser_gives_new_rows_and_its_version(self, tmp_path, logs, monkeypatch):
        run(tmp_path / "lake", logs[0])
        monkeypatch.setattr("ingest.reparse.PARSER_VERSION", 99)
        monkeypatch.setattr(
            "ingest.reader.find_formats",
            lambda name: [each for each in find_formats(name) if each.name != "amavis"],
        )
        find_formats = ingest.formats.find_formats
        reparse_all(tmp_path / "lake")
        [row] = pq.read_table(tmp_path / "lake/sources").to_pylist()
        servers = {
            server
            for file in (tmp_path / "lake/events").rglob("*.parquet")
            for server in pq.ParquetFile(file).read()["server"].to_pylist()
        }

        assert (row["parser_version"], servers) == (99, {"postfix", "exim"})

    def test_reparsed_rows_are_to_be_stitched_again(self, tmp_path, logs):
        run(tmp_path / "lake", logs[1])
        reparse_all(tmp_path / "lake")

        assert Lake(tmp_path / "lake").dirty_at() == datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)


class TestForget:
    def test_forgotten_source_leaves_the_lake_of_the_others(self, tmp_path, logs):
        [report, *_] = run(tmp_path / "lake", *logs)
        lake = Lake(tmp_path / "lake")
        with lake.ledger() as ledger:
            forget(lake, ledger, ledger.source(report.source_id))
        other = logs[1] if report.name.endswith("one.log") else logs[0]
        run(tmp_path / "fresh", other)

        assert rows(tmp_path / "lake") == rows(tmp_path / "fresh")

    def test_source_in_merged_files_is_forgotten_alone(self, tmp_path, logs):
        for number in range(12):
            (tmp_path / f"{number}.log").write_bytes(REMOVED.replace(b"mx1", b"mx%d" % number) + b"\n")
            run(tmp_path / "lake", tmp_path / f"{number}.log")
        lake = Lake(tmp_path / "lake")
        compact(lake, lake.last_commit())
        with lake.ledger() as ledger:
            forget(lake, ledger, find_source(ledger, str(tmp_path / "3.log")))
        hosts = sorted(
            host
            for file in (tmp_path / "lake/events").rglob("*.parquet")
            for host in pq.ParquetFile(file).read()["host"].to_pylist()
        )

        assert hosts == sorted(f"mx{number}" for number in range(12) if number != 3)

    def test_forgotten_source_can_be_ingested_again(self, tmp_path, logs):
        run(tmp_path / "lake", *logs)
        before = rows(tmp_path / "lake")
        lake = Lake(tmp_path / "lake")
        with lake.ledger() as ledger:
            for source in ledger.sources():
                forget(lake, ledger, source)
        run(tmp_path / "lake", *logs)

        assert rows(tmp_path / "lake") == before

    def test_sources_that_lost_lines_to_it_are_named(self, tmp_path, logs):
        its_own = REMOVED.replace(b"3F1A2B3C4D", b"3F1A2B3C99")
        (tmp_path / "copy.log").write_bytes(b"\n".join([*LINES[len(LINES) // 2 :], its_own]))
        run(tmp_path / "lake", logs[0], tmp_path / "copy.log")
        lake = Lake(tmp_path / "lake")
        with lake.ledger() as ledger:
            losers = forget(lake, ledger, find_source(ledger, str(logs[0])))

        assert [loser.name for loser in losers] == [str(tmp_path / "copy.log")]


class TestFinding:
    def test_beginning_of_an_identity_is_enough(self, tmp_path, logs):
        [report] = run(tmp_path / "lake", logs[0])
        with Lake(tmp_path / "lake").ledger() as ledger:
            found = find_source(ledger, report.source_id[:5])

        assert found.source_id == report.source_id

    def test_words_that_mean_nothing_are_an_error(self, tmp_path, logs):
        run(tmp_path / "lake", logs[0])
        with (
            Lake(tmp_path / "lake").ledger() as ledger,
            pytest.raises(SourceError, match="`mailscope sources`"),
        ):
            find_source(ledger, "nothing")

    def test_name_of_two_sources_is_an_error_that_tells_both(self, tmp_path, logs):
        [first] = run(tmp_path / "lake", logs[0])
        logs[0].write_bytes(REMOVED + b"\n")
        [second] = run(tmp_path / "lake", logs[0])
        with Lake(tmp_path / "lake").ledger() as ledger, pytest.raises(SourceError) as caught:
            find_source(ledger, str(logs[0]))

        assert first.source_id in str(caught.value) and second.source_id in str(caught.value)  # noqa: PT018
