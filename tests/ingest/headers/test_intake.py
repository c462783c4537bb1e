"""Messages in a lake: each once, however often and in whatever file it comes."""

import gzip
import re

import pyarrow.parquet as pq
import pytest

from analysis.warehouse import open_lake
from ingest.doctor import examine
from ingest.errors import LakeError
from ingest.headers.intake import MessagesReport, holds_refused, ingest_messages
from ingest.lake import Lake
from ingest.pseudonyms import Pseudonyms
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
    monkeypatch.setattr("ingest.headers.intake.read_batches", None)

    assert take(lake, tmp_path / "box") == [MessagesReport(str(tmp_path / "box"), 2, 0, 0)]


def test_many_messages_come_in_many_commits(tmp_path, lake, monkeypatch):
    monkeypatch.setattr("ingest.headers.intake._ENOUGH", 2)
    (tmp_path / "box").write_text(mailbox(*range(7)))
    take(lake, tmp_path / "box")

    assert (len(message_ids(lake)), len(list((lake.path / "hops").glob("*.parquet")))) == (7, 4)


def tables(lake):
    return [pq.read_table(lake.path / name).to_pylist() for name in ("emails", "hops")]


@pytest.mark.parametrize("kind", ["box", "Maildir"])
def test_the_number_of_workers_changes_no_row(tmp_path, monkeypatch, kind):
    for name, value in {"_WORTH_TASKS": 1, "_TASK_FILES": 2, "_TASK_BYTES": 600}.items():
        monkeypatch.setattr(f"ingest.headers.intake.{name}", value)
    if kind == "box":
        (tmp_path / kind).write_text(mailbox(*range(9), *range(12)))
    else:
        (tmp_path / "Maildir/cur").mkdir(parents=True)
        for place, number in enumerate((*range(9), *range(12))):
            (tmp_path / f"Maildir/cur/{place:02}.M1:2,S").write_text(message(number))
    one, two = Lake(tmp_path / "one"), Lake(tmp_path / "two")
    reports = [
        ingest_messages(lake, find_sources([str(tmp_path / kind)]), workers=workers)
        for lake, workers in ((one, 1), (two, 2))
    ]

    assert (tables(one), reports[0], len(tables(one)[0])) == (tables(two), reports[1], 12)


def test_a_message_that_two_tasks_met_is_one(tmp_path, lake, monkeypatch):
    monkeypatch.setattr("ingest.headers.intake._TASK_FILES", 1)
    for name in ("a.eml", "b.eml"):
        (tmp_path / name).write_text(message(1))
    reports = take(lake, tmp_path / "a.eml", tmp_path / "b.eml")

    assert ([report.new_messages for report in reports], len(message_ids(lake))) == ([1, 0], 1)


def test_the_doctor_finds_such_a_lake_well(tmp_path, lake):
    (tmp_path / "box").write_text(mailbox(1, 2))
    take(lake, tmp_path / "box")

    assert all(finding.is_sound for finding in examine(lake))


@pytest.fixture
def pseudonyms():
    return Pseudonyms(b"k" * 32)


def test_a_lake_of_people_takes_no_pseudonyms(tmp_path, lake, pseudonyms):
    (tmp_path / "box").write_text(mailbox(1))
    take(lake, tmp_path / "box")

    with pytest.raises(LakeError, match="holds real names"):
        ingest_messages(lake, find_sources([str(tmp_path / "box")]), pseudonyms)


def test_with_pseudonyms_no_byte_of_the_tables_names_anybody(tmp_path, lake, pseudonyms):
    (tmp_path / "one.eml").write_text(
        "Return-Path: <eva@example.com>\n"
        "Received: from alice-pc (alice-pc.example.com [203.0.113.7])\n"
        "\t(Authenticated sender: eva.m) by mx1.example.org (Postfix) with ESMTPSA id 3F1A2B3C4D\n"
        "\tfor <bob@example.net>; Mon, 2 Nov 2026 10:00:00 +0000\n"
        "Received: from evam by app.example.com with local (Exim 4.96) (envelope-from <eva@example.com>)\n"
        "\tid 1rLgPw-0005pI-08; Mon, 2 Nov 2026 09:59:59 +0000\n"
        "From: Eva M <eva@example.com>\nSubject: Eva M is getting married\nMessage-ID: <eva.1@example.com>\n\n"
    )
    ingest_messages(lake, find_sources([str(tmp_path / "one.eml")]), pseudonyms)
    kept = str([pq.read_table(lake.path / name).to_pylist() for name in ("emails", "hops")])

    assert not re.search(r"\beva|evam|Eva M|bob@|203\.0\.113\.7", kept)


REJECTLOG = """\
2026-11-02 10:00:00 H=mail.example.net [192.0.2.9] F=<bob@example.net> rejected RCPT <nobody@example.org>: Unknown user
2026-11-02 10:00:01 1xVZCp-0005Lf-2z H=mail.example.net [192.0.2.9] temporarily rejected after DATA: try again later
Envelope-from: <bob@example.net>
Envelope-to: <eva@example.org>
    <max@example.org>
P Received: from mail.example.net ([192.0.2.9])
\tby mx2.example.org with esmtp (Exim 4.96)
\tid 1xVZCp-0005Lf-2z;
\tMon, 02 Nov 2026 10:00:01 +0000
* From: bob@localhost
F From: bob@example.net
I Message-ID: <one@example.net>
  Subject: one
  X-Note: folded
  Received: by forged.example; Mon, 2 Nov 2026 10:00:00 +0000
2026-11-02 10:00:02 H=mail.example.net [192.0.2.9] rejected EXPN team
"""


def test_refused_messages_come_from_a_rejectlog_with_what_exim_said(tmp_path, lake):
    (tmp_path / "rejectlog").write_text(REJECTLOG)
    take(lake, tmp_path / "rejectlog")
    [email] = pq.read_table(lake.path / "emails").to_pylist()

    assert {
        name: email[name] for name in ("message_id", "return_path", "from_domains", "hop_count", "refusal")
    } == {
        "message_id": "<one@example.net>",
        "return_path": "bob@example.net",
        "from_domains": ["example.net"],
        "hop_count": 1,
        "refusal": "1xVZCp-0005Lf-2z H=mail.example.net [192.0.2.9] temporarily rejected after DATA: try again later",
    }


def test_a_rejectlog_is_known_by_its_headers_and_a_mainlog_is_none(tmp_path):
    (tmp_path / "rejectlog").write_text(REJECTLOG)
    (tmp_path / "mainlog").write_text("2026-11-02 10:00:00 1rLgPw-0005pI-08 Completed\n" + REJECTLOG[:1000])

    assert [holds_refused(*find_sources([str(tmp_path / name)])) for name in ("rejectlog", "mainlog")] == [
        True,
        False,
    ]


def test_a_log_is_no_file_of_messages(tmp_path):
    (tmp_path / "mail.log").write_text("Nov  2 10:00:01 mx1 postfix/smtpd[5]: connect from a[192.0.2.4]\n")
    [source] = find_sources([str(tmp_path / "mail.log")])

    assert not source.is_mail


def test_a_lake_without_emails_has_their_columns(make_lake):
    with open_lake(make_lake("Nov  2 10:00:01 mx1 postfix/qmgr[5]: 3F1A2B3C4D: removed\n")) as connection:
        assert connection.sql("SELECT hop, verdicts FROM hops JOIN emails USING (email_id)").fetchall() == []


def test_a_lake_of_before_a_column_came_has_it_empty(tmp_path, lake_of_files):
    (tmp_path / "box").write_text(mailbox(1))
    folder = lake_of_files(tmp_path / "lake", [tmp_path / "box"])
    [part] = (folder / "hops").glob("*.parquet")
    pq.write_table(pq.read_table(part).drop_columns(["delay_s", "skew_s", "is_internal"]), part)
    with open_lake(folder) as connection:
        assert connection.sql("SELECT hop, skew_s FROM hops").fetchall() == [(1, None)]
