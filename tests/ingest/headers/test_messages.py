"""Header blocks: whatever surrounds them, and whatever is wrong with them."""

import gzip

import pytest

from ingest.errors import SourceError
from ingest.headers.messages import (
    Block,
    Message,
    looks_like_message,
    messages_in,
    messages_of,
    read_block,
    read_messages,
)

PLAIN = b"Received: from a.example.com\n\tby b.example.org; Mon, 2 Nov 2026 10:00:01 +0000\nSubject: one\n\nSubject: two\n"


def test_folded_lines_belong_to_their_header():
    assert read_block(PLAIN).values("received") == [
        "from a.example.com\n\tby b.example.org; Mon, 2 Nov 2026 10:00:01 +0000"
    ]


def test_what_stands_behind_the_empty_line_is_no_header():
    assert read_block(PLAIN).values("subject") == ["one"]


@pytest.mark.parametrize("newline", [b"\r\n", b"\r"])
def test_lines_may_end_otherwise(newline):
    data = PLAIN.replace(b"\n", newline)

    assert [name for name, _ in read_block(data).fields] == ["received", "subject"]


@pytest.mark.parametrize(
    "before",
    [
        b"\n\n",
        b"\xef\xbb\xbf",
        b">From alice Mon Nov  2 10:00:01 2026\n",
        b"  \r\n",
        b"From alice Mon Nov  2 10:00:01 2026\n",
    ],
)
def test_what_stands_before_the_first_header_is_passed_over(before):
    assert read_block(before + PLAIN).fields == read_block(PLAIN).fields


def test_a_pasted_received_header_without_its_folding_goes_on():
    block = read_block(
        b"Received: from a.example.com (192.0.2.4)\nby b.example.org with SMTP\nid 15.20.1.1; Mon, 2 Nov\n2026 10:00:01 +0000\n"
        b"From: alice@example.com\n"
    )

    assert ([name for name, _ in block.fields], block.defects) == (
        ["received", "from"],
        ("a header was not folded: its next line begins without a blank",),
    )


def test_a_from_header_behind_received_is_a_header_of_its_own():
    block = read_block(
        b"Received: by b.example.org; Mon, 2 Nov 2026 10:00:01 +0000\nFrom: alice@example.com\n\n"
    )

    assert block.values("from") == ["alice@example.com"]


def test_text_without_an_empty_line_before_it_ends_the_headers():
    block = read_block(b"Subject: one\nDear all,\nReply-To: nobody\n")

    assert ([name for name, _ in block.fields], block.defects) == (
        ["subject"],
        ("no empty line between headers and text",),
    )


def test_a_header_may_hold_bytes_that_are_not_utf8():
    assert read_block(b"Subject: caf\xe9\n\n").values("subject") == ["caf\U0010ffe9"]


MBOX = (
    b"From alice@example.com Mon Nov  2 10:00:01 2026\nSubject: one\n\nFirst.\n>From here on\n\n"
    b"From bob@example.org Mon Nov  2 10:00:02 2026\nSubject: two\n\nFrom me to you\n\nFrom home we came\n\n"
    b"From MAILER-DAEMON Mon Nov  2 10:00:03 2026\nSubject: three\n\n\n"
)


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_a_mailbox_is_read_message_by_message_whatever_the_blocks(size):
    blocks = [MBOX[at : at + size] for at in range(0, len(MBOX), size)]
    messages = list(read_messages(blocks))

    assert [message.block.values("subject") for message in messages] == [["one"], ["two"], ["three"]]


def test_the_sizes_of_a_mailbox_add_up():
    assert sum(message.size_bytes or 0 for message in read_messages([MBOX])) == len(MBOX)


def test_only_the_headers_of_a_message_are_read():
    def blocks():
        yield PLAIN
        raise AssertionError

    assert len(list(read_messages(blocks(), 200_000_000))) == 1


def test_a_message_may_be_packed(tmp_path):
    (tmp_path / "one.eml.gz").write_bytes(gzip.compress(PLAIN))
    [message] = messages_in(str(tmp_path / "one.eml.gz"))

    assert message.block == read_block(PLAIN)


def test_an_empty_file_is_an_error_that_says_what_would_be_right(tmp_path):
    (tmp_path / "empty.eml").touch()

    with pytest.raises(SourceError, match="holds no message; a message, or the headers of one"):
        list(messages_in(str(tmp_path / "empty.eml")))


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        (PLAIN, True),
        (MBOX, True),
        (b"Nov  2 10:00:01 mx1 postfix/smtpd[5]: connect from a.example.com[192.0.2.4]\n", False),
        (b"2026-11-02 10:00:01 1rLgPw-0005pI-08 Completed\n", False),
        (b"time: now\nlevel: info\n", False),
        (b"> Received: from a.example.com\n> by b.example.org\n", True),
    ],
)
def test_messages_are_told_from_logs(head, is_one):
    assert looks_like_message(head) is is_one


@pytest.mark.parametrize("prefix", [b"    ", b"\t", b"> ", b"> > "])
def test_a_block_that_was_pasted_behind_something_is_read_the_same(prefix):
    data = b"".join(prefix + line for line in PLAIN.splitlines(keepends=True))

    assert read_block(data).fields == read_block(PLAIN).fields


def test_a_blank_before_the_first_header_alone_takes_no_folding_away():
    assert read_block(b" " + PLAIN).fields == read_block(PLAIN).fields


def test_the_size_of_a_packed_message_is_not_that_of_the_package(tmp_path):
    (tmp_path / "one.eml.gz").write_bytes(gzip.compress(PLAIN))
    [message] = messages_in(str(tmp_path / "one.eml.gz"))

    assert message.size_bytes is None


def test_of_a_folder_messages_are_read_and_what_lies_beside_them_is_not(tmp_path):
    for name, data in {
        "cur/1.M1:2,S": PLAIN,
        "new/2.M2": b"Subject: caf\xe9\n\n" + bytes(range(128, 256)) * 90,
        "box": MBOX,
        "dovecot-uidlist": b"3 V123 N4\n1 :1.M1\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)

    assert len(list(messages_in(str(tmp_path)))) == 5


def test_a_rejectlog_holds_messages(tmp_path):
    (tmp_path / "rejectlog").write_text(
        "2026-11-02 10:00:01.123 [77] 1xVZCp-0005Lf-2z H=a.example [192.0.2.9] rejected after DATA: no\n"
        "Envelope-from: <a@b.example>\nP Received: from a.example ([192.0.2.9])\n\tby mx2.example.org;\n\tMon, 02 Nov 2026 10:00:01 +0000\n"
        "  Subject: one\n"
    )
    [message] = messages_in(str(tmp_path / "rejectlog"))

    assert message == Message(
        Block(
            [
                ("return-path", "<a@b.example>"),
                (
                    "received",
                    "from a.example ([192.0.2.9])\n\tby mx2.example.org;\n\tMon, 02 Nov 2026 10:00:01 +0000",
                ),
                ("subject", "one"),
            ]
        ),
        None,
        "1xVZCp-0005Lf-2z H=a.example [192.0.2.9] rejected after DATA: no",
    )


def mailbox(count, newline=b"\n"):
    letters = [
        b"From a@example.org Mon Nov  2 10:00:01 2026\nMessage-ID: <%d@example.org>\n\n%s\n"
        % (number, b"x\n\n" * number)
        for number in range(count)
    ]
    return b"\n".join(letters).replace(b"\n", newline)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 50, 97, 100_000])
def test_the_parts_of_a_mailbox_are_the_whole(tmp_path, newline, size):
    path = tmp_path / "box"
    path.write_bytes(data := mailbox(20, newline))
    parts = [messages_of(path, begin, begin + size) for begin in range(0, len(data), size)]

    assert [message for part in parts for message in part] == list(read_messages([data]))


@pytest.mark.parametrize("block_bytes", [1, 7, 64])
def test_a_part_of_a_mailbox_does_not_depend_on_how_it_is_read(tmp_path, monkeypatch, block_bytes):
    path = tmp_path / "box"
    path.write_bytes(data := mailbox(9))
    monkeypatch.setattr("ingest.headers.messages.BLOCK_BYTES", block_bytes)

    assert list(messages_of(path, 200, len(data))) == [
        message
        for begin in range(200, len(data), 50)
        for message in messages_of(path, begin, min(begin + 50, len(data)))
    ]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        b"A: b\n \n c: d\n\n",
        b"A: b\n\t\nc: d\n\n",
        b"A: b\r\n c\r\nd: e\r\n\r\n",
        b"A:\n b\nid: c\n\n",
        b"Received: x\nid: c\n12:00\n\n",
        b"A b: c\n\n",
        b"A: \xff\0\n\n",
        b"a :b\nC\t: d \n\n",
        b"A: b\nc\nd: e\n\n",
        b"A: b\n\n\n",
    ],
)
def test_a_block_of_which_nothing_is_odd_reads_as_any_other(data, monkeypatch):
    short = read_block(data)
    monkeypatch.setattr("ingest.headers.messages._plain_fields", lambda _text: None)

    assert short == read_block(data)
