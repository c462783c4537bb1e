import errno
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from ingest import lake as ingest_lake
from ingest.errors import LakeError
from ingest.lake import Lake
from ingest.ledger import Ledger
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.schema import COVERAGE, SOURCES, UNPARSED, Family, events_schema
from ingest.sources import find_sources

LINES = (
    "2026-11-22T23:59:59+00:00 mx1 postfix/smtpd[7]: connect from mail.example.net[192.0.2.25]\n"
    "2026-11-23T08:00:01+00:00 mx1 postfix/smtpd[7]: 3F1A2B3C4D: client=mail.example.net[192.0.2.25]\n"
    "2026-11-23T08:00:02+00:00 mx1 postfix/smtpd[7]: words that Postfix never wrote\n"
    "2026-11-23T08:00:03+00:00 mx1 sshd: session: Login: user=<alice@example.com>\n"
    "\n"
    "2026-11-23T08:00:04+00:00 mx1 postfix/qmgr[8]: 3F1A2B3C4D: removed\n"
)


class Killed(BaseException):
    """What a test raises in the place of a kill."""


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "mail.log"
    path.write_text(LINES)
    return path


def ingest(lake: Path, *paths: Path, zone=UTC):
    return ingest_sources(Lake(lake), find_sources([str(path) for path in paths]), Settings(zone=zone))


def files(lake: Path, *parts: str) -> dict[str, bytes]:
    """Every file below the lake, or below parts of it, with its content."""
    folders = [lake / part for part in parts] or [lake]
    found = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(lake)): file.read_bytes() for file in sorted(found)}


def tables(lake: Path) -> dict[str, list[str]]:
    """All rows that ingest writes about the content; a source keeps the identity that it had at first sight."""
    rows: dict[str, list[str]] = {}
    for name in files(lake, "events", "unparsed", "coverage"):
        table = pq.ParquetFile(lake / name).read().drop_columns(["source_id"])
        rows.setdefault(str(Path(name).parent), []).extend(map(repr, table.to_pylist()))
    return {name: sorted(found) for name, found in rows.items()}


class TestPlaces:
    def test_events_lie_by_family_and_day(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        folders = {str(Path(name).parent) for name in files(tmp_path / "lake", "events")}

        assert folders == {
            "events/family=session/date=2026-11-22",
            "events/family=queue/date=2026-11-23",
        }

    def test_day_is_that_of_utc(self, tmp_path):
        log = tmp_path / "mail.log"
        log.write_text("2026-11-23T21:30:00 mx1 postfix/qmgr[8]: 3F1A2B3C4D: removed\n")
        ingest(tmp_path / "lake", log, zone=ZoneInfo("America/New_York"))
        [name] = files(tmp_path / "lake", "events")

        assert "date=2026-11-24" in name

    @pytest.mark.parametrize(
        "pattern, schema",
        [
            ("events/family=session/**/*.parquet", events_schema(Family.SESSION)),
            ("events/family=queue/**/*.parquet", events_schema(Family.QUEUE)),
            ("unparsed/*.parquet", UNPARSED),
            ("coverage/*.parquet", COVERAGE),
            ("sources/*.parquet", SOURCES),
        ],
    )
    def test_file_has_the_schema_of_its_table(self, tmp_path, log, pattern, schema):
        ingest(tmp_path / "lake", log)
        [file] = (tmp_path / "lake").glob(pattern)

        assert pq.ParquetFile(file).schema_arrow.equals(schema)

    def test_nothing_but_tables_and_the_ledger_is_left(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        others = {name for name in files(tmp_path / "lake") if not name.endswith(".parquet")}

        assert others == {"ledger.sqlite", ".state.json"}


class TestTwice:
    def test_same_file_again_changes_no_byte(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        before = files(tmp_path / "lake")
        ingest(tmp_path / "lake", log)

        assert files(tmp_path / "lake") == before

    def test_copy_under_another_name_changes_no_byte(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        before = files(tmp_path / "lake")
        log.rename(tmp_path / "mail.log.1")
        ingest(tmp_path / "lake", tmp_path / "mail.log.1")

        assert files(tmp_path / "lake") == before

    def test_order_of_the_files_makes_no_difference(self, tmp_path, log):
        later = tmp_path / "later.log"
        later.write_text(LINES.replace("2026-11", "2026-12"))
        ingest(tmp_path / "one", log, later)
        ingest(tmp_path / "two", later)
        ingest(tmp_path / "two", log)

        assert tables(tmp_path / "one") == tables(tmp_path / "two")

    def test_file_that_has_grown_gives_the_rows_of_the_whole(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        with log.open("a") as file:
            file.write("2026-11-23T08:00:05+00:00 mx1 postfix/qmgr[8]: 3F1A2B3C4E: removed\n")
        ingest(tmp_path / "lake", log)
        ingest(tmp_path / "fresh", log)

        assert tables(tmp_path / "lake") == tables(tmp_path / "fresh")


class TestKilledRun:
    def test_part_of_an_unknown_source_is_swept_away(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        before = files(tmp_path / "lake")
        for folder in ("events/family=queue/date=2026-11-23", "unparsed"):
            (tmp_path / "lake" / folder / "00000001-0123456789abcdef-00000.parquet").write_bytes(b"PAR1")
        ingest(tmp_path / "lake", log)

        assert files(tmp_path / "lake") == before

    def test_staging_of_a_killed_run_is_swept_away(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        before = files(tmp_path / "lake")
        leftover = tmp_path / "lake/.staging/unparsed/00000001-0123456789abcdef-00000.42.tmp"
        leftover.parent.mkdir(parents=True)
        leftover.write_bytes(b"half")
        ingest(tmp_path / "lake", log)

        assert files(tmp_path / "lake") == before

    @pytest.mark.parametrize("survived", range(12))
    def test_run_after_a_kill_gives_the_tables_of_no_kill(self, tmp_path, log, monkeypatch, survived):
        ingest(tmp_path / "whole", log)
        left, replace = [survived], Path.replace

        def replace_or_die(self, target):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return replace(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace_or_die)
            with pytest.raises(Killed):
                ingest(tmp_path / "lake", log)
        ingest(tmp_path / "lake", log)

        assert tables(tmp_path / "lake") == tables(tmp_path / "whole")

    @pytest.mark.parametrize("survived", range(0, 40, 3))
    def test_kill_while_a_grown_log_takes_lines_from_another_harms_nothing(
        self, tmp_path, log, monkeypatch, survived
    ):
        (tmp_path / "mail.warn").write_text("".join(LINES.splitlines(keepends=True)[1:3]))
        log.write_text(LINES[:90])
        for lake in ("whole", "lake"):
            ingest(tmp_path / lake, log, tmp_path / "mail.warn")
        log.write_text(LINES)
        ingest(tmp_path / "whole", log)
        left, steps = [survived], {name: getattr(Path, name) for name in ("replace", "unlink")}

        def or_die(step):
            def do(self, *given, **named):
                left[0] -= 1
                if left[0] < 0:
                    raise Killed
                return step(self, *given, **named)

            return do

        with monkeypatch.context() as patch, suppress(Killed):
            for name, step in steps.items():
                patch.setattr(Path, name, or_die(step))
            ingest(tmp_path / "lake", log)
        ingest(tmp_path / "lake", log)

        assert tables(tmp_path / "lake") == tables(tmp_path / "whole")

    def test_source_is_known_only_when_all_of_it_is_staged(self, tmp_path, log, monkeypatch):
        def die(*_):
            raise Killed

        monkeypatch.setattr(Ledger, "commit", die)
        with pytest.raises(Killed):
            ingest(tmp_path / "lake", log)

        assert Lake(tmp_path / "lake").known_sources() == frozenset()

    def test_no_half_written_file_is_ever_called_parquet(self, tmp_path, log, monkeypatch):
        replace, unreadable = Path.replace, []

        def replace_and_look(self, target):
            unreadable.extend(file for file in tmp_path.rglob("*.parquet") if not pq.read_schema(file))
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", replace_and_look)
        ingest(tmp_path / "lake", log)

        assert not unreadable


class TestUnwritable:
    def test_lake_below_a_file_is_a_lake_error(self, tmp_path, log):
        with pytest.raises(LakeError) as caught:
            ingest(log / "lake", log)

        assert str(log) in str(caught.value)

    def test_lake_that_is_a_file_is_a_lake_error(self, tmp_path, log):
        with pytest.raises(LakeError) as caught:
            ingest(log, log)

        assert "--lake" in str(caught.value)

    @pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
    def test_folder_without_permission_is_a_lake_error(self, tmp_path, log):
        (tmp_path / "lake").mkdir(mode=0o500)
        with pytest.raises(LakeError) as caught:
            ingest(tmp_path / "lake", log)

        assert "--lake" in str(caught.value)

    def test_disk_that_fills_up_is_a_lake_error(self, tmp_path, log, monkeypatch):
        def fill_up(self, target):
            raise OSError(errno.ENOSPC, "No space left on device", str(target))

        monkeypatch.setattr(Path, "replace", fill_up)
        with pytest.raises(LakeError) as caught:
            ingest(tmp_path / "lake", log)

        assert "No space left" in str(caught.value)

    def test_damaged_ledger_is_a_lake_error(self, tmp_path, log):
        ingest(tmp_path / "lake", log)
        ledger = tmp_path / "lake/ledger.sqlite"
        ledger.write_bytes(b"SQLite but not really")
        with pytest.raises(LakeError) as caught:
            ingest(tmp_path / "lake", log)

        assert str(tmp_path / "lake") in str(caught.value)


def test_sources_row_tells_what_became_of_the_lines(tmp_path, log):
    ingest(tmp_path / "lake", log)
    [row] = pq.read_table(tmp_path / "lake/sources").to_pylist()
    told = {name: row[name] for name in ("name", "size_bytes", "first_at", "last_at", "damage")}

    assert told == {
        "name": str(log),
        "size_bytes": len(LINES),
        "first_at": datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC),
        "last_at": datetime(2026, 11, 23, 8, 0, 4, tzinfo=UTC),
        "damage": None,
    }


def test_coverage_counts_lines_by_program_and_result(tmp_path, log):
    ingest(tmp_path / "lake", log)
    rows = pq.read_table(tmp_path / "lake/coverage").to_pylist()

    assert {(row["program"], row["result"]): row["lines"] for row in rows} == {
        ("", "blank"): 1,
        ("sshd", "foreign"): 1,
        ("postfix/qmgr", "event"): 1,
        ("postfix/smtpd", "event"): 2,
        ("postfix/smtpd", "unparsed"): 1,
    }


HOLD = """
import sys, time
from pathlib import Path
from ingest.lake import Lake
from ingest.ledger import Ledger
with Lake(Path(sys.argv[1])).locked(print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lake until its stdin ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "lake"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        yield process


def test_second_ingest_waits_and_says_for_whom(tmp_path, holder):
    told = []

    def let_go(name):
        told.append(name)
        holder.stdin.close()

    with Lake(tmp_path / "lake").locked(let_go):
        told.append("mine")

    assert [told[0].partition(",")[0], *told[1:]] == [f"process {holder.pid}", "mine"]


def test_lock_of_a_killed_ingest_is_gone(tmp_path, holder):
    holder.kill()
    holder.wait()
    told = []
    with Lake(tmp_path / "lake").locked(told.append):
        pass

    assert told == []


def test_the_account_of_sources_is_written_once_for_many_files(tmp_path, monkeypatch):
    written = []
    write = ingest_lake.write_table
    monkeypatch.setattr(
        ingest_lake, "write_table", lambda rows, path: written.append(path.parent.name) or write(rows, path)
    )
    logs = [tmp_path / f"mail.log.{number}" for number in range(1, 6)]
    for day, path in enumerate(logs, 1):
        path.write_text(LINES.replace("2026-11-2", f"2026-0{day}-2"))
    ingest(tmp_path / "lake", *logs)

    assert (written.count("sources"), pq.read_table(tmp_path / "lake/sources").num_rows) == (
        2,
        5,
    )  # the empty lake's too


def test_a_source_that_cannot_be_read_keeps_no_other_one_out(log, tmp_path):
    [found] = find_sources([str(log)])
    gone = replace(found, name="gone.log", path=tmp_path / "gone")
    reports = ingest_sources(Lake(tmp_path / "lake"), [gone, found], Settings(UTC))

    assert [(each.line_count, each.problem and each.problem[:21]) for each in reports] == [
        (0, "gone.log has vanished"),
        (6, None),
    ]
