"""Stitching takes new lines only: what it leaves alone, what it goes back for, and how a killed run goes on."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import analysis.stitch.state
from analysis.stitch import barriers, is_current, stitch
from analysis.stitch.state import read_state, table_files
from analysis.warehouse import open_lake
from ingest.compaction import compact
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


def message(at, queue_id, *attempts, removed=True):
    """Lines of a message that comes at some moment, with attempts at (later by, status)."""
    lines = [
        (timedelta(), f"smtpd[5]: {queue_id}: client=c.example.net[192.0.2.9]"),
        (timedelta(), f"cleanup[6]: {queue_id}: message-id=<{queue_id}@example.net>"),
        (timedelta(), f"qmgr[7]: {queue_id}: from=<a@example.net>, size=900, nrcpt=1 (queue active)"),
    ]
    for later, status in attempts:
        reply = (
            "250 2.0.0 Ok" if status == "sent" else "host mx.example.org[198.51.100.7] said: 451 4.7.1 Later"
        )
        code = "2.0.0" if status == "sent" else "4.7.1"
        tail = f"delay=1, delays=0.1/0/0.4/0.5, dsn={code}, status={status} ({reply})"
        relay = "relay=mx.example.org[198.51.100.7]:25"
        lines.append((later, f"smtp[8]: {queue_id}: to=<b@example.org>, {relay}, {tail}"))
    if removed:
        lines.append((attempts[-1][0], f"qmgr[7]: {queue_id}: removed"))
    return [(at + later, text) for later, text in lines]


def log(path, lines):
    path.write_text(
        "".join(f"{at:%Y-%m-%dT%H:%M:%S}+00:00 mx1 postfix/{text}\n" for at, text in sorted(lines)), "utf-8"
    )
    return path


def ordinary(day, count=6):
    at = MONDAY + timedelta(days=day)
    return [
        line
        for number in range(count)
        for line in message(
            at + timedelta(hours=2 * number), f"{day:02}{number:08X}", (timedelta(seconds=1), "sent")
        )
    ]


def run(lake, *files):
    ingest_sources(Lake(lake), find_sources([str(file) for file in files]), Settings(zone=UTC))
    stitch(lake)
    Lake(lake).clear_dirty()
    compact(Lake(lake), Lake(lake).last_commit(), barriers(lake))


def ask(lake, query):
    with open_lake(lake) as connection:
        return connection.sql(query).fetchall()


@pytest.fixture(scope="module")
def made_of_three_days(tmp_path_factory):
    folder = tmp_path_factory.mktemp("three_days")
    waiting = message(MONDAY, "ABCDEF0001", (timedelta(seconds=1), "deferred"), removed=False)
    for day in range(3):
        run(folder / "lake", log(folder / f"{day}.log", ordinary(day) + (waiting if day == 0 else [])))
    return folder


@pytest.fixture
def three_days(made_of_three_days, tmp_path):
    """A lake that Monday, Tuesday and Wednesday came to one by one; one message of Monday is still deferred."""
    shutil.copytree(made_of_three_days, tmp_path, dirs_exist_ok=True)
    return tmp_path / "lake"


def thursday(folder):
    later = message(MONDAY, "ABCDEF0001", (timedelta(days=3), "sent"))[3:]
    return log(folder / "3.log", ordinary(3) + later)


@pytest.fixture(scope="module")
def tried_for_days(tmp_path_factory):
    """A lake of three days in which the queue manager tried one message every hour, in vain."""
    folder = tmp_path_factory.mktemp("tried")
    for day in range(3):
        tries = [(timedelta(hours=hour), "deferred") for hour in range(24 * day, 24 * day + 24)]
        lines = message(MONDAY, "ABCDEF0004", *tries, removed=False)
        again = [(MONDAY + later, lines[2][1]) for later, _ in tries]
        run(folder / "lake", log(folder / f"{day}.log", [*(lines if day == 0 else lines[3:]), *again]))
    return folder / "lake"


def test_a_message_tried_for_days_is_carried_in_few_lines(tried_for_days):
    [newest] = [read_state(tried_for_days).newest]
    folder = tried_for_days / ".stitch/carry" / f"{newest.number:06}"

    assert [pq.read_metadata(folder / f"{name}.parquet").num_rows for name in ("queue", "delivery")] == [4, 3]


def test_attempts_that_another_followed_are_written_once(tried_for_days):
    rows = "SELECT count(*)::INTEGER FROM read_parquet($files)"
    with open_lake(tried_for_days) as connection:
        files = [str(file) for file in tried_for_days.glob("deliveries/*/open.parquet")]
        still_open = connection.sql(rows, params={"files": files}).fetchall()
        whole = connection.sql(
            "SELECT count(*)::INTEGER, count_if(is_final)::INTEGER FROM deliveries"
        ).fetchall()
    outcome = ask(
        tried_for_days, "SELECT attempts::INTEGER, last_attempt_at - first_attempt_at FROM outcomes"
    )

    assert (still_open, whole, outcome) == ([(2,)], [(72, 1)], [(72, timedelta(hours=71))])


WAITING = "SELECT outcome, attempts::INTEGER FROM outcomes WHERE message_id = '<ABCDEF0001@example.net>'"


def test_a_message_deferred_on_monday_is_deferred_until_a_log_says_otherwise(three_days):
    assert ask(three_days, WAITING) == [("deferred", 1)]


def test_a_message_deferred_on_monday_and_delivered_on_thursday_is_sent(tmp_path, three_days):
    run(three_days, thursday(tmp_path))

    assert ask(three_days, WAITING) == [("delivered", 2)]


def test_it_is_sent_also_when_thursday_comes_before_monday(tmp_path):
    waiting = message(MONDAY, "ABCDEF0001", (timedelta(seconds=1), "deferred"), removed=False)
    run(tmp_path / "lake", thursday(tmp_path))
    run(tmp_path / "lake", log(tmp_path / "0.log", ordinary(0) + waiting))

    assert ask(tmp_path / "lake", WAITING) == [("delivered", 2)]


def settled(lake):
    """Files of settled rows, as the file system knows them."""
    return {file.path: file.path.stat().st_ino for file in table_files(lake)}


def test_settled_rows_of_finished_days_are_not_written_again(tmp_path, three_days):
    before = settled(three_days)
    run(three_days, thursday(tmp_path))

    assert before.items() <= settled(three_days).items()


def test_a_run_without_news_writes_nothing(tmp_path, three_days):
    before = (three_days / ".stitch/state.json").stat().st_mtime_ns
    run(three_days, tmp_path / "2.log")

    assert (three_days / ".stitch/state.json").stat().st_mtime_ns == before


def test_late_lines_go_back_no_further_than_they_must(tmp_path, three_days):
    monday = {path: inode for path, inode in settled(three_days).items() if "2026-11-02" in str(path)}
    late = message(MONDAY + timedelta(days=2), "ABCDEF0002", (timedelta(seconds=1), "sent"))
    run(three_days, log(tmp_path / "late.log", late))

    assert monday.items() <= settled(three_days).items()


def test_late_lines_of_a_settled_day_are_in_the_tables(tmp_path, three_days):
    late = message(MONDAY + timedelta(hours=1), "ABCDEF0003", (timedelta(seconds=1), "sent"))
    run(three_days, log(tmp_path / "late.log", late))

    assert ask(three_days, "SELECT count(*)::INTEGER FROM messages") == [(20,)]


def test_files_of_a_day_stay_few_however_often_cron_runs(tmp_path):
    lake = tmp_path / "lake"
    for number in range(17):
        at = MONDAY + timedelta(minutes=15 * number)
        lines = message(at, f"AA{number:08X}", (timedelta(seconds=1), "sent"))
        run(lake, log(tmp_path / f"{number}.log", lines))
    most = max(sum(1 for _ in day.glob("*.parquet")) for day in lake.rglob("date=2026-11-02"))

    assert most <= 16


def test_a_run_that_is_killed_after_its_commit_is_finished_by_the_next(tmp_path, three_days, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(analysis.stitch.state, "_move", None)
        with pytest.raises(TypeError):
            run(three_days, thursday(tmp_path))
    run(three_days, tmp_path / "3.log")

    assert (ask(three_days, WAITING), is_current(three_days)) == ([("delivered", 2)], True)


def test_a_run_that_is_killed_before_its_commit_leaves_the_tables_as_they_were(
    tmp_path, three_days, monkeypatch
):
    before = settled(three_days)
    with monkeypatch.context() as killed:
        killed.setattr(analysis.stitch.state.Staging, "commit", None)
        with pytest.raises(TypeError):
            run(three_days, thursday(tmp_path))

    assert (settled(three_days), ask(three_days, WAITING)) == (before, [("deferred", 1)])


def test_a_day_that_somebody_deleted_comes_back(tmp_path, three_days):
    for file in three_days.glob("messages/date=2026-11-03/*"):
        file.unlink()
    run(three_days, tmp_path / "2.log")

    assert ask(three_days, "SELECT count(*)::INTEGER FROM messages") == [(19,)]


def test_files_of_an_older_version_need_not_have_every_column(three_days):
    for file in three_days.glob("events/family=queue/*/*.parquet"):
        pq.write_table(
            pq.read_table(file, partitioning=None).drop_columns(["related_queue_id", "orig_client_ip"]), file
        )
    shutil.rmtree(three_days / ".stitch")
    stitch(three_days)

    assert ask(three_days, "SELECT count(*)::INTEGER FROM messages") == [(19,)]


@pytest.fixture(scope="module")
def twelve_days(tmp_path_factory):
    """A lake whose first day came in five runs, and eleven more in one each."""
    folder = tmp_path_factory.mktemp("twelve_days")
    for hour in range(5):
        lines = message(MONDAY + timedelta(hours=hour), f"AA{hour:08X}", (timedelta(seconds=1), "sent"))
        run(folder / "lake", log(folder / f"0_{hour}.log", lines))
    for day in range(1, 12):
        run(folder / "lake", log(folder / f"{day}.log", ordinary(day, 2)))
    return folder / "lake"


def test_checkpoints_reach_back_a_week(twelve_days):
    days = [checkpoint.upto.date() for checkpoint in read_state(twelve_days).checkpoints]

    assert (days[0], len(days)) == (date(2026, 11, 6), 8)


def test_a_day_before_all_checkpoints_is_left_with_two_files_a_table(twelve_days):
    days = [folder for folder in twelve_days.rglob("date=2026-11-02") if ".stitch" not in folder.parts]

    assert (len(days), max(sum(1 for _ in day.glob("*.parquet")) for day in days) <= 2) == (6, True)


def test_late_lines_of_a_day_before_all_checkpoints_are_in_the_tables(twelve_days, tmp_path):
    shutil.copytree(twelve_days, tmp_path / "lake")
    run(
        tmp_path / "lake",
        log(
            tmp_path / "late.log",
            message(MONDAY + timedelta(hours=7), "BB00000001", (timedelta(seconds=1), "sent")),
        ),
    )

    assert ask(tmp_path / "lake", "SELECT count(*)::INTEGER FROM messages WHERE date = '2026-11-02'") == [
        (6,)
    ]


def test_what_is_carried_is_only_what_is_open(three_days):
    [newest] = [read_state(three_days).newest]
    folder = Path(three_days / ".stitch/carry" / f"{newest.number:06}")
    with open_lake(three_days) as connection:
        carried = connection.sql(
            "SELECT DISTINCT queue_id FROM read_parquet($file) ORDER BY queue_id",
            params={"file": str(folder / "queue.parquet")},
        ).fetchall()

    assert carried == [("0200000004",), ("0200000005",), ("ABCDEF0001",)]
