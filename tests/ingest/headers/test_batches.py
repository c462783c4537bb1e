"""Messages to tables, whatever they lie in and however they are read."""

import pytest

from ingest.headers.batches import Piece, Task, read_batches
from ingest.headers.messages import messages_of
from ingest.headers.rows import values_of
from ingest.records import number_of


def message(number, subject="a"):
    return (
        f"Received: by mx1.example.org (Postfix) with ESMTP id 3F1A2B3C{number:02}; Mon, 2 Nov 2026 10:00:{number:02} +0000\n"
        f"Message-ID: <{number}@example.org>\nSubject: {subject}\n\nText\n"
    )


def mailbox(*messages):
    return "".join(f"From a@example.org Mon Nov  2 10:00:00 2026\n{each}\n" for each in messages)


@pytest.fixture
def mixed(tmp_path):
    """Plain messages and others, and two that are met twice."""
    contents = [
        message(1),
        message(2, "é"),
        mailbox(message(3), message(4, "é"), message(1), message(5)),
        message(6).replace("\n", "\r\n"),
        message(7).replace("\n", "\r"),
        " " + message(8),
        message(2, "é"),
        message(9).replace("Text", "\0"),
        "",
    ]
    paths = [tmp_path / f"{place}.eml" for place in range(len(contents))]
    for path, text in zip(paths, contents, strict=True):
        path.write_bytes(text.encode())
    return paths


def read(paths, rows=1_000):
    return list(
        read_batches(Task([Piece(path.name, path) for path in paths], rows, None, with_subjects=True))
    )


def one_by_one(paths):
    """Piece, number and hops of each message, and the rows of each once."""
    told = [(place, *values_of(each)) for place, path in enumerate(paths) for each in messages_of(path)]
    found = [(place, number_of(email[0]), len(hops)) for place, email, hops in told]
    return found, {email[0]: (email[1], email[7], email[8]) for _, email, _ in reversed(told)}


@pytest.mark.parametrize("rows", [1, 10, 1_000])
def test_messages_are_told_in_the_order_in_which_they_were_met(mixed, rows):
    found = [tuple(each) for batch in read(mixed, rows) for each in batch.found]

    assert found == one_by_one(mixed)[0]


def test_a_batch_has_the_row_of_each_message_once(mixed):
    [batch] = read(mixed)
    emails = batch.emails.to_pylist()

    assert (
        {row["email_id"]: (row["message_id"], row["subject"], row["size_bytes"]) for row in emails},
        len(emails),
    ) == (
        one_by_one(mixed)[1],
        9,
    )


def test_a_batch_has_the_hops_of_its_messages_once(mixed):
    [batch] = read(mixed)

    assert batch.hops["email_id"].to_pylist() == batch.emails["email_id"].to_pylist()


def test_a_batch_ends_after_so_many_rows(mixed):
    assert [len(batch.found) for batch in read(mixed[:2] * 10, rows=10)] == [5, 5, 5, 5]


def test_a_plain_message_costs_one_look_at_its_file(mixed, monkeypatch):
    monkeypatch.setattr("ingest.headers.batches.unread_in", None)

    assert len(read([mixed[0], mixed[3]])[0].found) == 2


def test_a_file_that_is_gone_is_named_and_the_others_are_read(mixed, tmp_path):
    [batch] = read([tmp_path / "gone.eml", *mixed[:2]])

    assert (
        len(batch.found),
        [(each.piece, "gone.eml has vanished" in each.problem) for each in batch.problems],
    ) == (2, [(0, True)])
