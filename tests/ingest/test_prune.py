"""Retention: what goes, what stays, and that what was made of pruned lines outlives them."""

import shutil
from datetime import UTC, date, datetime, timedelta

import pytest

import ingest.lake
from analysis.stitch import barriers, is_current, stitch
from analysis.stitch.prune import prune_tables
from analysis.trace import search, tell
from analysis.warehouse import open_lake
from ingest.compaction import compact
from ingest.errors import LakeError, SourceError
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.prune import prune_events, prune_text
from ingest.reader import ingest_sources
from ingest.reparse import reparse
from ingest.sources import find_sources

FIRST = datetime(2026, 11, 2, 9, tzinfo=UTC)
LIMIT = date(2026, 11, 4)


def lines_of(day, queue_id):
    at = FIRST + timedelta(days=day)
    relay = "relay=mx.example.org[198.51.100.7]:25, delay=1, delays=0.1/0/0.4/0.5, dsn=2.0.0"
    texts = [
        f"smtpd[5]: {queue_id}: client=c.example.net[192.0.2.9]",
        f"cleanup[6]: {queue_id}: message-id=<{queue_id}@example.net>",
        f"qmgr[7]: {queue_id}: from=<a@example.net>, size=900, nrcpt=1 (queue active)",
        f"smtp[8]: {queue_id}: to=<b@example.org>, {relay}, status=sent (250 2.0.0 Ok)",
        f"qmgr[7]: {queue_id}: removed",
        "smtpd[5]: what no grammar knows: \x01",
    ]
    return [
        f"{at + timedelta(seconds=n):%Y-%m-%dT%H:%M:%S}+00:00 mx1 postfix/{text}\n"
        for n, text in enumerate(texts)
    ]


def run(lake, *files):
    ingest_sources(Lake(lake), find_sources([str(file) for file in files]), Settings(zone=UTC))
    stitch(lake)
    Lake(lake).clear_dirty()
    compact(Lake(lake), Lake(lake).last_commit(), barriers(lake))


@pytest.fixture(scope="module")
def four_days(tmp_path_factory):
    """The folder of a lake and its logs: a file and a message each day."""
    folder = tmp_path_factory.mktemp("days")
    for day in range(4):
        (folder / f"{day}.log").write_text("".join(lines_of(day, f"AAAA00000{day}")), "utf-8")
        run(folder / "lake", folder / f"{day}.log")
    return folder


@pytest.fixture
def lake(four_days, tmp_path):
    shutil.copytree(four_days, tmp_path, dirs_exist_ok=True)
    return Lake(tmp_path / "lake")


def pruned(lake, prune, limit=LIMIT):
    with lake.ledger() as ledger:
        return prune(lake, ledger, limit)


def ask(lake, query):
    with open_lake(lake.path) as connection:
        return connection.sql(query).fetchall()


def everything(lake):
    return {
        "messages": ask(lake, "SELECT message_key, state FROM messages ORDER BY ALL"),
        "outcomes": ask(lake, "SELECT first_message_key, recipient, outcome FROM outcomes ORDER BY ALL"),
    }


def test_text_goes_with_the_days_before(lake):
    pruned(lake, prune_text)

    assert ask(lake, "SELECT count(*)::INTEGER, count(line)::INTEGER FROM events") == [(20, 10)]


def test_lines_not_understood_go_with_their_source(lake):
    before = ask(lake, "SELECT count(*)::INTEGER FROM unparsed")
    pruned(lake, prune_text)

    assert (before, ask(lake, "SELECT count(*)::INTEGER FROM unparsed")) == ([(4,)], [(2,)])


def test_text_is_pruned_once(lake):
    pruned(lake, prune_text)

    assert pruned(lake, prune_text).size_bytes == 0


def test_pruning_frees_what_it_says(lake):
    before = sum(file.stat().st_size for file in lake.path.glob("events/**/*.parquet"))
    told = pruned(lake, prune_events)
    after = sum(file.stat().st_size for file in lake.path.glob("events/**/*.parquet"))

    assert before - after == told.size_bytes > 0


@pytest.mark.parametrize("prune", [prune_text, prune_events])
def test_what_was_made_of_pruned_lines_stays(lake, prune):
    before = everything(lake)
    pruned(lake, prune)

    assert (everything(lake), is_current(lake.path)) == (before, True)


def test_a_trace_answers_when_all_its_lines_are_pruned(lake):
    pruned(lake, prune_events, date(2027, 1, 1))
    with open_lake(lake.path) as connection:
        story = tell(connection, search(connection, "AAAA000000").messages[0]["message_key"])

    assert (story.recipients[0]["outcome"], story.lines) == ("delivered", [])


@pytest.mark.parametrize("day", [4, 2])
def test_later_and_late_lines_leave_pruned_days_as_they_are(tmp_path, lake, day):
    before = set(everything(lake)["messages"])
    pruned(lake, prune_events)
    (tmp_path / "more.log").write_text("".join(lines_of(day, "BBBB000001")), "utf-8")
    run(lake.path, tmp_path / "more.log")

    assert len(before - set(everything(lake)["messages"])) == 0


def test_tables_made_anew_keep_the_rows_of_pruned_days(lake):
    before = everything(lake)["messages"]
    pruned(lake, prune_events)
    (lake.path / ".stitch/state.json").unlink()
    stitch(lake.path)

    assert everything(lake)["messages"] == before


def test_tables_go_by_days(lake):
    pruned(lake, prune_events)
    prune_tables(lake.path, LIMIT)

    assert ask(lake, "SELECT min(accepted_at)::DATE::VARCHAR, count(*)::INTEGER FROM messages") == [
        ("2026-11-04", 2)
    ]


def test_tables_do_not_go_before_the_events_that_would_bring_them_back(lake):
    with pytest.raises(LakeError, match="events from before 2026-11-04; they go before"):
        prune_tables(lake.path, LIMIT)


def test_a_pruned_file_does_not_come_back(tmp_path, lake):
    pruned(lake, prune_events)
    run(lake.path, tmp_path / "0.log")

    assert ask(lake, "SELECT count(*)::INTEGER FROM events") == [(10,)]


def test_lines_that_were_pruned_are_not_parsed_again(lake):
    pruned(lake, prune_text)
    with lake.ledger() as ledger, pytest.raises(SourceError, match="lines of it are pruned"):
        reparse(lake, ledger, ledger.sources()[0])


def test_a_source_of_kept_days_can_be_parsed_again(lake):
    pruned(lake, prune_text)
    with lake.ledger() as ledger:
        told = reparse(lake, ledger, ledger.sources()[-1])

    assert told.event_lines == 5


@pytest.mark.parametrize("step", ["_settle", "_export"])
def test_a_prune_that_is_killed_is_finished_or_undone(lake, monkeypatch, step):
    with monkeypatch.context() as killed:
        killed.setattr(ingest.lake.Lake, step, None)
        with pytest.raises(TypeError):
            pruned(lake, prune_text)
    lake.prepare()

    assert ask(lake, "SELECT count(*)::INTEGER, count(line)::INTEGER FROM events") == [(20, 10)]
