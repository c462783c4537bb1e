"""Messages in a lake: each once, however often and in whatever file it comes."""

import gzip

import pyarrow.parquet as pq
import pytest

from analysis.warehouse import open_lake
from ingest.doctor import examine
from ingest.errors import LakeError
from ingest.headers.intake import MessagesReport, holds_messages, ingest_messages
from ingest.lake import Lake
from ingest.sources import find_sources


def message(number):
    return (
        f"Received: by mx1.example.org (Postfix) with ESMTP id 3F1A2B3C{number:02}; Mon, 2 Nov 2026 10:00:{number:02} +0000\n"
        f"Message-ID: <{number}@example.org>\n\nText {number}\n"
    )


def mailbox(*numbers):
    return "".join(f"From a@example.org Mon Nov  2 10:00:{n:02} 2026\n{message(n)}\n" for n in numbers)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def take(lake, *paths):
    return ingest_messages(lake, find_sources([str(path) for path in paths]))


def message_ids(lake):
    return sorted(pq.read_table(lake.path / "emails")["message_id"].to_pylist())


def test_each_message_of_a_maildir_is_a_row(tmp_path, lake):
    for number in range(3):
        (tmp_path / "Maildir/cur").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"Maildir/cur/{number}.M1:2,S").write_text(message(number))
    reports = take(lake, tmp_path / "Maildir")

    assert ([report.new_messages for report in reports], message_ids(lake)) == (
        [1, 1, 1],
        ["<0@example.org>", "<1@example.org>", "<2@example.org>"],
    )


def test_a_grown_mailbox_adds_what_is_new(tmp_path, lake):
    (tmp_path / "box").write_text(mailbox(1, 2))
    take(lake, tmp_path / "box")
    (tmp_path / "box").write_text(mailbox(1, 2, 3))

    assert take(lake, tmp_path / "box") == [MessagesReport(str(tmp_path / "box"), 3, 1, 1)]


def test_a_message_is_known_wherever_it_comes_from(tmp_path, lake):
    (tmp_path / "box").write_text(mailbox(1, 2))
    (tmp_path / "one.eml.gz").write_bytes(gzip.compress(message(1).encode()))
    take(lake, tmp_path / "box")
    take(lake, tmp_path / "one.eml.gz")

    assert message_ids(lake) == ["<1@example.org>", "<2@example.org>"]


def test_a_file_that_has_not_changed_is_not_opened_again(tmp_path, lake, monkeypatch):
    (tmp_path / "box").write_text(mailbox(1, 2))
    take(lake, tmp_path / "box")
    monkeypatch.setattr("ingest.headers.intake.read_messages", None)

    assert take(lake, tmp_path / "box") == [MessagesReport(str(tmp_path / "box"), 2, 0, 0)]


def test_many_messages_come_in_many_commits(tmp_path, lake, monkeypatch):
    monkeypatch.setattr("ingest.headers.intake._ENOUGH", 2)
    (tmp_path / "box").write_text(mailbox(*range(7)))
    take(lake, tmp_path / "box")

    assert (len(message_ids(lake)), len(list((lake.path / "hops").glob("*.parquet")))) == (7, 4)


def test_the_doctor_finds_such_a_lake_well(tmp_path, lake):
    (tmp_path / "box").write_text(mailbox(1, 2))
    take(lake, tmp_path / "box")

    assert all(finding.is_sound for finding in examine(lake))


def test_a_lake_of_pseudonyms_takes_no_messages(tmp_path, lake):
    (tmp_path / "box").write_text(mailbox(1))
    lake.prepare()
    with lake.ledger() as ledger:
        ledger.claim_pseudonyms("key")

    with pytest.raises(LakeError, match="headers name people everywhere"):
        take(lake, tmp_path / "box")


def test_a_log_is_no_file_of_messages(tmp_path):
    (tmp_path / "mail.log").write_text("Nov  2 10:00:01 mx1 postfix/smtpd[5]: connect from a[192.0.2.4]\n")
    [source] = find_sources([str(tmp_path / "mail.log")])

    assert not holds_messages(source)


def test_a_lake_without_emails_has_their_columns(make_lake):
    with open_lake(make_lake("Nov  2 10:00:01 mx1 postfix/qmgr[5]: 3F1A2B3C4D: removed\n")) as connection:
        assert connection.sql("SELECT hop, verdicts FROM hops JOIN emails USING (email_id)").fetchall() == []
