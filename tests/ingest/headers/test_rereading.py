"""Messages in a lake read anew by a later parser: the same rows as of a fresh ingest, as far as their text is kept."""

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.headers.intake import ingest_messages
from ingest.headers.received import Hop
from ingest.headers.rereading import Reread, reread
from ingest.lake import Lake
from ingest.prune import prune_text
from ingest.pseudonyms import Pseudonyms
from ingest.schema import HOPS
from ingest.sources import find_sources


def message(number):
    return (
        f"Received: from a.example.com (a.example.com [203.0.113.7]) by mx1.example.org (Postfix) with ESMTPS id 3F1A2B3C{number:02}\n"
        f"\tfor <eva@example.org>; Mon, {number} Nov 2026 10:00:09 +0100\n"
        f"Received: by a.example.com (Postfix, from userid 33) id 4F1A2B3C{number:02}; Mon, {number} Nov 2026 10:00:01 +0100\n"
        f"From: bob@example.com\nSubject: s{number}\nMessage-ID: <{number}@example.org>\n\n"
    )


@pytest.fixture
def files(tmp_path):
    (tmp_path / "box").mkdir()
    for number in (1, 2, 3):
        (tmp_path / f"box/{number}.eml").write_text(message(number))
    return tmp_path / "box"


def take(folder, files, pseudonyms=None):
    lake = Lake(folder)
    ingest_messages(lake, find_sources([str(files)]), pseudonyms)
    return lake


def an_older_parser(value):
    """It knew nothing but that there was a header."""
    return Hop(raw=value, defects=("no date",))


@pytest.fixture
def old(tmp_path, files, monkeypatch):
    """A lake that an older parser made."""
    with monkeypatch.context() as before:
        before.setattr("ingest.headers.batches.plain_block", lambda _head: b"")
        before.setattr("ingest.headers.rows.read_received", an_older_parser)
        return take(tmp_path / "old", files)


def again(lake, name=None):
    with lake.ledger() as ledger:
        return reread(lake, ledger, name)


def rows(lake):
    return {
        name: sorted(map(repr, pq.read_table(lake.path / name).to_pylist())) for name in ("emails", "hops")
    }


def test_the_rows_are_those_of_a_fresh_ingest(tmp_path, files, old):
    again(old)

    assert rows(old) == rows(take(tmp_path / "fresh", files))


def test_it_tells_how_many_messages_read_otherwise(old):
    assert [again(old), again(old)] == [Reread(3, 3, 0), Reread(3, 0, 0)]


def test_what_reads_as_before_is_not_written_anew(old):
    again(old)
    before = sorted(path.name for path in (old.path / "hops").iterdir())
    again(old)

    assert sorted(path.name for path in (old.path / "hops").iterdir()) == before


def test_one_file_of_messages_can_be_read_anew(files, old):
    again(old, str(files / "2.eml"))
    servers = pq.read_table(old.path / "hops")["server"].to_pylist()

    assert servers.count("postfix") == 2


def test_a_message_without_its_text_stays_as_it_is(old):
    with old.ledger() as ledger:
        prune_text(old, ledger, date.max)

    assert again(old) == Reread(3, 0, 3)


def test_pseudonyms_stay_pseudonyms(tmp_path, files, monkeypatch):
    key = Pseudonyms(b"k" * 32)
    with monkeypatch.context() as before:
        before.setattr("ingest.headers.batches.plain_block", lambda _head: b"")
        before.setattr("ingest.headers.rows.read_received", an_older_parser)
        old = take(tmp_path / "old", files, key)
    again(old)

    assert rows(old) == rows(take(tmp_path / "fresh", files, key))


def test_a_column_that_came_later_is_filled(tmp_path, files):
    lake = take(tmp_path / "lake", files)
    [part] = (lake.path / "hops").glob("*.parquet")
    pq.write_table(pq.read_table(part, partitioning=None).drop_columns(["skew_s", "is_internal"]), part)
    again(lake)

    assert pq.read_table(lake.path / "hops", schema=pa.schema(list(HOPS)))["skew_s"].to_pylist() == [0.0] * 6
