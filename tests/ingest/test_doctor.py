"""A lake in trouble: what its owner is told, and the way back. A kill, a full disk, a lost file lose nothing for good."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingest.doctor import examine, repair
from ingest.errors import LakeError
from ingest.lake import Lake
from ingest.ledger import Ledger
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

LINE = "2026-11-{:02}T08:00:{:02}+00:00 {} postfix/qmgr[7]: {:010X}: removed\n"


def ingest(lake, *paths):
    sources = find_sources([str(path) for path in paths])
    return ingest_sources(Lake(lake), sources, Settings(zone=UTC, workers=1))


def rows(lake):
    files = (lake / "events").rglob("*.parquet")
    return sorted(repr(row) for file in files for row in pq.ParquetFile(file).read().to_pylist())


def faults(lake):
    """Faults by what was looked at; how much room there is is the machine's affair."""
    return {each.check: each for each in examine(Lake(lake)) if not each.is_sound and each.check != "space"}


@pytest.fixture
def logs(tmp_path):
    for host in ("mx1", "mx2"):
        lines = [LINE.format(20 + number // 60, number % 60, host, number) for number in range(180)]
        (tmp_path / f"{host}.log").write_text("".join(lines))
    return [tmp_path / "mx1.log", tmp_path / "mx2.log"]


@pytest.fixture
def lake(tmp_path, logs):
    ingest(tmp_path / "lake", *logs)
    return tmp_path / "lake"


def part_of(lake, host):
    return next(
        file
        for file in sorted((lake / "events").rglob("*.parquet"))
        if host in pq.ParquetFile(file).read()["host"].to_pylist()
    )


class TestExamine:
    def test_sound_lake_has_no_faults(self, lake):
        assert faults(lake) == {}

    def test_damaged_file_is_named_with_its_source(self, lake, logs):
        file = part_of(lake, "mx1")
        file.write_bytes(b"PAR1 or something like it PAR1")
        fault = faults(lake)["parts"]

        assert (str(file) in fault.found, str(logs[0]) in fault.found, "--repair" in fault.remedy) == (
            True,
        ) * 3

    def test_file_that_is_damaged_inside_is_named(self, lake):
        file = part_of(lake, "mx1")
        data = bytearray(file.read_bytes())
        data[4:400] = bytes(396)
        file.write_bytes(data)

        assert str(file) in faults(lake)["parts"].found

    def test_missing_file_is_named(self, lake):
        file = part_of(lake, "mx1")
        file.unlink()

        assert f"{file}: is missing" in faults(lake)["parts"].found

    def test_file_of_somebody_else_is_named(self, lake):
        stranger = lake / "events/family=queue/date=2026-11-20/mine.parquet"
        stranger.write_bytes(part_of(lake, "mx1").read_bytes())

        assert str(stranger) in faults(lake)["files"].found

    def test_interrupted_commit_is_told(self, lake, logs, monkeypatch):
        monkeypatch.setattr(Lake, "_settle", lambda *_: None)
        logs[0].write_text(logs[0].read_text() + LINE.format(28, 0, "mx1", 999))
        ingest(lake, logs[0])

        assert "next `mailscope ingest` finishes that" in faults(lake)["commits"].remedy

    def test_lock_holder_is_told(self, lake):
        with Lake(lake).locked(print):
            [lock] = [each for each in examine(Lake(lake)) if each.check == "lock"]

        assert f"process {os.getpid()}" in lock.found

    def test_folder_that_is_no_lake_is_a_fault(self, tmp_path):
        assert "is no lake" in faults(tmp_path / "nothing")["ledger"].found


class TestRepair:
    @pytest.mark.parametrize("harm", ["damage", "remove"])
    def test_lost_rows_come_back_when_their_log_is_ingested_again(self, lake, logs, harm):
        before = rows(lake)
        file = part_of(lake, "mx1")
        file.write_bytes(b"") if harm == "damage" else shutil.rmtree(file.parent)
        repair(Lake(lake))
        ingest(lake, *logs)

        assert (rows(lake), faults(lake)) == (before, {})

    def test_sources_to_ingest_again_are_named(self, lake, logs):
        part_of(lake, "mx1").write_bytes(b"")

        assert [source.name for source in repair(Lake(lake))] == [str(logs[0])]

    def test_rows_of_other_sources_stay(self, lake):
        others = [row for row in rows(lake) if "'mx2'" in row]
        part_of(lake, "mx1").write_bytes(b"")
        repair(Lake(lake))

        assert rows(lake) == others

    def test_repair_finishes_an_interrupted_commit(self, lake, logs, monkeypatch):
        logs[0].write_text(logs[0].read_text() + LINE.format(28, 0, "mx1", 999))
        with monkeypatch.context() as patch:
            patch.setattr(Lake, "_settle", lambda *_: None)
            ingest(lake, logs[0])
        repair(Lake(lake))

        assert (len(rows(lake)), faults(lake)) == (361, {})

    def test_repair_of_a_sound_lake_changes_nothing(self, lake):
        before = rows(lake)
        repair(Lake(lake))

        assert rows(lake) == before


class TestVersions:
    def test_lake_of_a_newer_mailscope_is_refused(self, lake, logs):
        with sqlite3.connect(lake / "ledger.sqlite") as connection:
            connection.execute("UPDATE meta SET value = 99 WHERE key = 'schema_version'")
        connection.close()

        with pytest.raises(LakeError, match=r"newer mailscope.*99"):
            ingest(lake, *logs)

    def test_lake_without_ledger_is_refused(self, lake, logs):
        (lake / "ledger.sqlite").unlink()

        with pytest.raises(LakeError, match=r"older mailscope.*into another folder"):
            ingest(lake, *logs)


class TestNoRoom:
    def test_full_disk_is_one_clear_error_and_nothing_is_lost(self, tmp_path, logs):
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
            pytest.skip("mounting a small disk is not permitted here")
        code = (
            "import sys; from datetime import UTC; from pathlib import Path\n"
            "from ingest.errors import LakeError\n"
            "from ingest.lake import Lake\n"
            "from ingest.parsing import Settings\n"
            "from ingest.reader import ingest_sources\n"
            "from ingest.sources import find_sources\n"
            "def run(*logs):\n"
            "    try: print(sum(each.is_new for each in ingest_sources(Lake(Path(sys.argv[1])), find_sources(logs), Settings(zone=UTC))))\n"
            "    except LakeError as error: print(error)\n"
            "run(sys.argv[2]); run(sys.argv[3]); Path(sys.argv[4]).unlink(); run(sys.argv[2], sys.argv[3])\n"
        )
        disk = tmp_path / "disk"
        disk.mkdir()
        ballast = disk / "ballast"
        fill = f"mount -t tmpfs -o size=400k tmpfs {disk} && head -c 250k /dev/zero > {ballast}"
        command = f'{fill} && exec "$0" -c "$@"'
        big = tmp_path / "big.log"
        big.write_text(
            "".join(LINE.format(1 + number % 28, number % 60, "mx3", number) for number in range(3000))
        )
        done = subprocess.run(
            [
                "unshare",
                "-m",
                "sh",
                "-c",
                command,
                sys.executable,
                code,
                disk / "lake",
                logs[0],
                big,
                ballast,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        first, second, third = done.stdout.splitlines() or [done.stderr] * 3

        assert (first, "No space left on device; make room" in second, third) == ("1", True, "1")

    def test_file_that_may_not_grow_is_a_lake_error(self, tmp_path, logs):
        code = (
            "import resource, signal, sys; from datetime import UTC; from pathlib import Path\n"
            "from ingest.errors import LakeError\n"
            "from ingest.lake import Lake\n"
            "from ingest.parsing import Settings\n"
            "from ingest.reader import ingest_sources\n"
            "from ingest.sources import find_sources\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))\n"
            "try: ingest_sources(Lake(Path(sys.argv[1])), find_sources([sys.argv[2]]), Settings(zone=UTC))\n"
            "except LakeError as error: print(error)\n"
        )
        log = tmp_path / "big.log"
        log.write_text(
            "".join(LINE.format(20, number % 60, "mx3", number**5 % 16**10) for number in range(30_000))
        )
        command = [sys.executable, "-c", code, tmp_path / "lake", log]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert "make room" in done.stdout, done.stderr

    def test_ledger_that_cannot_be_written_leaves_the_lake_as_it_was(self, lake, logs, monkeypatch):
        before = rows(lake)

        def fail(*_):
            raise sqlite3.OperationalError("database or disk is full")

        logs[0].write_text(logs[0].read_text() + LINE.format(28, 0, "mx1", 999))
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "commit", fail)
            with pytest.raises(LakeError, match="disk is full; make room"):
                ingest(lake, *logs)
        unharmed = rows(lake)
        ingest(lake, *logs)

        assert (unharmed, len(rows(lake))) == (before, len(before) + 1)

    def test_failed_ingest_leaves_no_staged_files(self, lake, logs, monkeypatch):
        def fail(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        logs[0].write_text(logs[0].read_text() + LINE.format(28, 0, "mx1", 999))
        monkeypatch.setattr("ingest.parts.pq.write_table", fail)
        with pytest.raises(LakeError, match="No space left on device; make room"):
            ingest(lake, *logs)

        assert not (lake / ".staging").exists()


def test_read_only_lake_is_one_clear_error(tmp_path, lake, logs):
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a read-only mount is not permitted here")
    mailscope = Path(sys.executable).with_name("mailscope")
    mount = f"mount --bind {lake} {lake} && mount -o remount,ro,bind {lake}"
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            f'{mount} && exec "$0" "$@"',
            mailscope,
            "ingest",
            logs[0],
            "--lake",
            lake,
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (
        1,
        f"mailscope: {lake}: Read-only file system; make room, or let --lake name another folder that you may write\n",
    )
