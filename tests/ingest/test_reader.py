import gzip
import lzma
import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingest.blocks import MAX_LINE_BYTES
from ingest.errors import UnknownFormatError
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

GOLDEN = Path(__file__).parent / "golden/postfix"
LINE = "Nov 23 08:00:01 mx1 postfix/qmgr[8]: 3F1A2B3C4D: removed\n"


def ingest(lake, *paths, **settings):
    sources = find_sources([str(path) for path in paths])
    return ingest_sources(
        Lake(lake), sources, Settings(**{"zone": UTC, "year": 2026, "workers": 1} | settings)
    )


def rows(lake, table="events"):
    """All rows of a table of the lake, in the order of the lines."""
    found = [
        row for file in (lake / table).rglob("*.parquet") for row in pq.ParquetFile(file).read().to_pylist()
    ]
    return sorted(found, key=lambda row: (row["source_id"], row.get("line_no") or 0))


def files(lake):
    """The tables' files with their content; `sources` also tells when they were ingested."""
    found = [
        file for table in ("events", "unparsed", "coverage") for file in (lake / table).rglob("*.parquet")
    ]
    return {str(file.relative_to(lake)): file.read_bytes() for file in sorted(found)}


@pytest.fixture
def mixed(tmp_path):
    """A directory as a mail server's: a live log, rotated ones, another program's, one in JSON."""
    folder = tmp_path / "logs"
    (folder / "old").mkdir(parents=True)
    (folder / "mail.log").write_text(LINE + "Nov 23 08:00:02 mx1 cron[1]: (root) CMD (true)\n\n")
    (folder / "old/mail.log.1.gz").write_bytes(gzip.compress(LINE.replace("Nov 23", "Nov 22").encode()))
    (folder / "old/mail.log.2.xz").write_bytes(lzma.compress(LINE.replace("Nov 23", "Nov 21").encode()))
    (folder / "old/mail.json").write_text(
        '{"__REALTIME_TIMESTAMP": "1795460428000000", "SYSLOG_IDENTIFIER": "postfix/qmgr", "MESSAGE": "3F1A2B3C4D: removed"}\n'
        '{"__REALTIME_TIMESTAMP": "1795460428000000", "SYSLOG_IDENTIFIER": "postfix/qmgr", "MESSAGE": "what?"}\n'
    )
    (folder / "auth.log").write_text("Nov 23 08:00:02 mx1 sshd[1]: Connection closed by 192.0.2.1 port 22\n")
    return folder


class TestCounts:
    def test_directory_of_mixed_files_is_read_whole(self, tmp_path, mixed):
        reports = ingest(tmp_path / "lake", mixed)

        assert {Path(report.name).name: report.event_lines for report in reports} == {
            "mail.log": 1,
            "mail.log.1.gz": 1,
            "mail.log.2.xz": 1,
            "mail.json": 1,
            "auth.log": 0,
        }

    def test_lines_of_a_report_add_up(self, tmp_path, mixed):
        reports = ingest(tmp_path / "lake", mixed, *GOLDEN.glob("*.log"))
        wrong = [
            report
            for report in reports
            if report.line_count
            != report.event_lines + report.unparsed_lines + report.foreign_lines + report.blank_lines
        ]

        assert not wrong

    def test_lines_in_sources_add_up(self, tmp_path, mixed):
        ingest(tmp_path / "lake", mixed, *GOLDEN.glob("*.log"))
        outcomes = ("event_lines", "unparsed_lines", "foreign_lines", "blank_lines")
        wrong = [
            row
            for row in rows(tmp_path / "lake", "sources")
            if row["line_count"] != sum(row[name] for name in outcomes)
        ]

        assert not wrong

    def test_lines_of_coverage_are_those_of_the_tables(self, tmp_path, mixed):
        ingest(tmp_path / "lake", mixed, *GOLDEN.glob("*.log"))
        lake = tmp_path / "lake"
        told = {"event": 0, "unparsed": 0}
        for row in rows(lake, "coverage"):
            if row["result"] in told:
                told[row["result"]] += row["lines"]
        events = {(row["source_id"], row["line_no"]) for row in rows(lake)}

        assert told == {"event": len(events), "unparsed": len(rows(lake, "unparsed"))}

    def test_source_without_any_line_of_a_mail_server_reports_no_event(self, tmp_path, mixed):
        [report] = ingest(tmp_path / "lake", mixed / "auth.log")

        assert (report.is_new, report.event_lines, report.foreign_lines) == (True, 0, 1)

    def test_empty_file_is_a_source_without_lines(self, tmp_path):
        (tmp_path / "empty.log").write_bytes(b"")
        [report] = ingest(tmp_path / "lake", tmp_path / "empty.log")

        assert (report.is_new, report.line_count) == (True, 0)

    def test_known_content_is_reported_as_not_new(self, tmp_path, mixed):
        ingest(tmp_path / "lake", mixed)
        reports = ingest(tmp_path / "lake", mixed)

        assert not any(report.is_new for report in reports)

    def test_progress_counts_every_line(self, tmp_path, mixed):
        seen = []
        sources = find_sources([str(mixed / "mail.log")])
        ingest_sources(
            Lake(tmp_path / "lake"),
            sources,
            Settings(zone=UTC, year=2026),
            progress=lambda name, size, lines: seen.append((size, lines)),
        )

        assert seen == [((mixed / "mail.log").stat().st_size, 3)]


class TestIdentity:
    def test_plain_and_compressed_copy_are_one_source(self, tmp_path):
        (tmp_path / "mail.log").write_text(LINE)
        (tmp_path / "mail.log.gz").write_bytes(gzip.compress(LINE.encode()))
        ingest(tmp_path / "lake", tmp_path / "mail.log")
        before = files(tmp_path / "lake")
        ingest(tmp_path / "lake", tmp_path / "mail.log.gz")

        assert files(tmp_path / "lake") == before

    def test_copies_named_in_one_run_are_one_source(self, tmp_path):
        (tmp_path / "mail.log").write_text(LINE)
        (tmp_path / "mail.log.gz").write_bytes(gzip.compress(LINE.encode()))
        ingest(tmp_path / "lake", tmp_path / "mail.log", tmp_path / "mail.log.gz")

        assert len(rows(tmp_path / "lake")) == 1

    def test_unknown_format_is_refused_before_a_lake_is_made(self, tmp_path):
        (tmp_path / "mail.log").write_text(LINE)
        with pytest.raises(UnknownFormatError):
            ingest(tmp_path / "lake", tmp_path / "mail.log", format_name="smail")

        assert not (tmp_path / "lake").exists()


class TestYears:
    def test_new_year_inside_a_file_reaches_the_rows(self, tmp_path):
        log = tmp_path / "mail.log"
        stamps = ["Dec 30 12:00:00", "Dec 31 23:59:59", "Jan  1 00:00:01", "Jan  2 12:00:00"]
        log.write_text("".join(LINE.replace("Nov 23 08:00:01", stamp) for stamp in stamps))
        os.utime(log, (datetime(2027, 1, 3, tzinfo=UTC).timestamp(),) * 2)
        ingest(tmp_path / "lake", log, year=None)

        assert [row["logged_at"].year for row in rows(tmp_path / "lake")] == [2026, 2026, 2027, 2027]

    def test_year_of_the_user_is_that_of_the_last_line(self, tmp_path):
        log = tmp_path / "mail.log"
        log.write_text(LINE.replace("Nov 23", "Dec 31") + LINE.replace("Nov 23", "Jan  1"))
        ingest(tmp_path / "lake", log, year=2020)

        assert [row["logged_at"].year for row in rows(tmp_path / "lake")] == [2019, 2020]


class TestMarks:
    @pytest.mark.parametrize("reference", [True, False])
    @pytest.mark.parametrize("line", [LINE, LINE.replace("Nov 23 08:00:01", "2026-11-23T08:00:01+00:00")])
    def test_byte_order_mark_before_the_first_line_is_none_of_it(self, tmp_path, line, reference):
        (tmp_path / "mail.log").write_text("\ufeff" + line + line.replace("08:00", "09:00"), "utf-8")
        ingest(tmp_path / "lake", tmp_path / "mail.log", year=None, reference=reference)

        assert [
            (row["logged_at"].strftime("%m-%d %H"), row["line"][0]) for row in rows(tmp_path / "lake")
        ] == [("11-23 08", "\ufeff"), ("11-23 09", line[0])]


class TestDamage:
    def test_truncated_gzip_keeps_the_lines_before_the_damage(self, tmp_path):
        log = tmp_path / "mail.log.gz"
        text = "".join(LINE.replace("3F1A2B3C4D", f"{n:010X}") for n in range(5000))
        log.write_bytes(gzip.compress(text.encode())[:-2000])
        [report] = ingest(tmp_path / "lake", log)

        assert 0 < report.event_lines < 5000

    def test_truncated_gzip_is_reported(self, tmp_path):
        log = tmp_path / "mail.log.gz"
        log.write_bytes(gzip.compress(LINE.encode() * 5000)[:-20])
        [report] = ingest(tmp_path / "lake", log)

        assert report.damage

    def test_damage_is_kept_in_sources(self, tmp_path):
        log = tmp_path / "mail.log.gz"
        log.write_bytes(gzip.compress(LINE.encode() * 5000)[:-20])
        [report] = ingest(tmp_path / "lake", log)
        [row] = rows(tmp_path / "lake", "sources")

        assert row["damage"] == report.damage

    @pytest.mark.parametrize(
        "header",
        [
            "9999-12-31T23:59:59-02:00 mx1 postfix/qmgr[8]: ",
            "0001-01-01T00:00:00+02:00 mx1 postfix/qmgr[8]: ",
            "Feb 29 08:00:00 mx1 postfix/qmgr[8]: ",
            "Nov 31 08:00:00 mx1 postfix/qmgr[8]: ",
        ],
    )
    def test_impossible_moment_does_not_stop_the_ingest(self, tmp_path, header):
        log = tmp_path / "mail.log"
        log.write_text(LINE + header + "3F1A2B3C4E: removed\n" + LINE)
        [report] = ingest(tmp_path / "lake", log)

        assert (report.event_lines, report.unparsed_lines) == (2, 1)

    def test_line_that_is_no_utf8_is_kept_to_the_byte(self, tmp_path):
        log = tmp_path / "mail.log"
        log.write_bytes(b"Nov 23 08:00:01 mx1 postfix/smtpd[7]: warning: caf\xe9 \x00 \xf4\x8f\xbf\xbf\n")
        ingest(tmp_path / "lake", log)
        [row] = rows(tmp_path / "lake")

        assert row["reason"] == "caf\U0010ffe9 \U0010ff00 \U0010fff4\U0010ff8f\U0010ffbf\U0010ffbf"


@pytest.mark.slow
@pytest.mark.parametrize("reference", [False, True])
def test_workers_give_the_files_of_one(tmp_path, reference):
    log = tmp_path / "mail.log"
    text = b"".join(file.read_bytes() for file in sorted(GOLDEN.glob("*.log")))
    log.write_bytes(text * ((26 << 20) // len(text)))  # what is worth other processes
    ingest(tmp_path / "one", log, workers=1, reference=reference)
    ingest(tmp_path / "two", log, workers=2, reference=reference)

    assert files(tmp_path / "one") == files(tmp_path / "two")


@pytest.mark.parametrize("reference", [False, True])
def test_few_workers_on_a_small_log_give_the_same_files(tmp_path, monkeypatch, reference):
    monkeypatch.setattr("ingest.workers.WORTH_THREADS_BYTES", 1)
    monkeypatch.setattr("ingest.workers.WORTH_PROCESSES_BYTES", 1)
    monkeypatch.setattr("ingest.reader.CHUNK_BYTES", 4096)
    logs = sorted(GOLDEN.glob("*.log"))
    ingest(tmp_path / "one", *logs, workers=1, reference=reference)
    ingest(tmp_path / "two", *logs, workers=2, reference=reference)

    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_line_that_is_cut_is_told_as_damage(tmp_path):
    log = tmp_path / "mail.log"
    log.write_bytes(LINE.encode() + b"x" * (MAX_LINE_BYTES + 1) + b"\n")
    [report] = ingest(tmp_path / "lake", log)

    assert report.damage == "lines longer than 16,777,216 bytes are cut there: 2"
