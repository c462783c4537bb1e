"""Messages that are read many at once: their rows are those of each read by itself."""

import lzma
import random
import tomllib
from pathlib import Path

import pytest

from ingest.headers.columns import read_columns
from ingest.headers.messages import Message, plain_block, read_block
from ingest.headers.rows import MAX_HOPS, rows_of

HERE = Path(__file__).parent
LAB = lzma.decompress((HERE.parents[1] / "analysis/lab/headers.mbox.xz").read_bytes())
# Without the `From ` line
MESSAGES = [each.partition(b"\n")[2].rstrip(b"\n") for each in LAB.split(b"From lab@lab.test ")[1:]]
HOPS = [
    tomllib.loads(path.read_text())["value"].strip().encode()
    for path in sorted((HERE / "received").glob("*.toml"))
]
HOP = b"from a.example.com (b.example.com [203.0.113.7]) by mx1.example.org (Postfix) with ESMTP id 3F1A2B"
DATE = b"Mon, 2 Nov 2026 10:00:01 +0000"

# What is put into headers, or in the place of a part of them
PIECES = [
    *(b" |  |\t|\n|\n |\n\t|\r|\r\n|\0|\x0b|\x1f|\x7f|\xe9|\xc3\xa9|\xc2\xa0|(|)|<|>|[|]|;|,|:|@|@@|=|.|-|0|\"|\\".split(b"|")),
    *(b" id | for | for <a@b>| by | with |from |csp| via Frontend Transport| (envelope-from <x@y>)| (UTC)| (a; b)| ()".split(b"|")),
    *(b" id by;| for by;|GMT|UTC|+2500|31 Feb 2026|1 Jan 0001|31 Dec 9999| 00:00:60 |Received:|\nMessage-ID: <q@q>|\nDate: x".split(b"|")),
    *(b"=?utf-8?q?a?=|\n \n|\n\n|Yes, score=5|\nAuthentication-Results: \nAuthentication-Results: a; spf=pass".split(b"|")),
    b"x" * 300,
]  # fmt: skip


def damaged(block, chance):
    for _ in range(chance.choice((1, 1, 2, 4))):
        begin = chance.randrange(len(block) + 1)
        near = block.find(b"eceived:", chance.randrange(len(block)))
        if near >= 0 and chance.random() < 0.6:
            begin = min(len(block), near + chance.randrange(260))
        end = begin + chance.choice((0, 0, 1, 5, 20))
        block = block[:begin] + chance.choice((b"", *PIECES)) + block[end:]
    return block


def both(blocks, *, with_subject=True):
    """The rows of those that are read together, the rows of each read by itself, and how many those are."""
    told = read_columns(blocks, range(len(blocks)), with_subject=with_subject)
    each = [
        rows_of(Message(read_block(blocks[place] + b"\n\n"), place), with_subject=with_subject)
        for place in told.taken
    ]
    return (
        (told.emails.to_pylist(), told.hops.to_pylist(), told.hop_counts),
        (
            [listed(row.email) for row in each],
            [listed(hop) for row in each for hop in row.hops],
            [len(row.hops) for row in each],
        ),
        len(each),
    )


def listed(row):
    """As Arrow has it."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}


def test_messages_of_the_lab_are_read_as_each_by_itself():
    together, alone, _ = both(MESSAGES)

    assert together == alone


def test_at_most_one_message_of_the_lab_in_a_hundred_is_left_to_be_read_by_itself():
    taken = read_columns(MESSAGES, [None] * len(MESSAGES), with_subject=True).taken

    assert len(taken) > 0.99 * len(MESSAGES)


def test_headers_of_many_servers_are_read_as_each_by_itself():
    together, alone, _ = both([b"Received: " + hop + b"\nSubject: a" for hop in HOPS])

    assert together == alone


@pytest.mark.parametrize("seed", range(2))
def test_damaged_messages_are_read_as_each_by_itself(seed):
    chance = random.Random(seed)  # noqa: S311  # a test case, not a secret
    sources = [*MESSAGES, *(b"From: a@b.c\nReceived: " + hop for hop in HOPS for _ in range(10))]
    blocks = [plain_block(damaged(chance.choice(sources), chance) + b"\n\n") for _ in range(1_500)]
    together, alone, count = both(list(filter(None, blocks)))

    assert (together, count > 700) == (alone, True)


ODD_HOPS = [
    b"", b";", b"; ;", b"x", b"by a; " + DATE, b"by a ;" + DATE, b"by a for <b@c>; " + DATE, b"by a for b@c; " + DATE,
    b"by <a> for <b@c>; " + DATE, b"by a for <b@c> (d); " + DATE, b"by a (b;c) id d (e;f) ; " + DATE, b"by a id ; " + DATE,
    b"by a id b for <>; " + DATE, b"by a id b for ; " + DATE, b"by a id by; " + DATE, b"by a id b for by; " + DATE,
    b"by a id b via Frontend Transport; " + DATE, b"by a id b via Frontend Transport for <c@d>; " + DATE,
    b"by a id b for <c@d> via Frontend Transport; " + DATE, b"by a id b for <c@d> (e)(f); " + DATE,
    HOP + b"; Mon, 31 Dec 9999 23:59:59 -0100", HOP + b"; Mon, 1 Jan 0001 00:00:00 +0100", HOP + b"; 29 Feb 2026 10:00:00 +0000",
    HOP + b"; 29 Feb 2028 10:00:00 +0000", HOP + b"; 2 Nov 2026 24:00:00 +0000", HOP + b"; 2 Nov 2026 23:59:60 +0000",
    HOP + b"; 2 Nov 2026 10:00:01 GMT", HOP + b"; 2 Nov 2026 10:00:01 GMTX", HOP + b"; 2 Nov 2026 10:00:01 EST",
    HOP + b"; 2 Nov 2026 10:00:01 +2400", HOP + b"; 2 Nov 2026 10:00:01 +0000 (CET)", HOP + b"; 2 Nov 2026 10:00:01 +0000 (CETCET)",
    HOP + b"; 02 nov 2026 10:00:01 +0000", HOP + b"; 0 Nov 2026 10:00:01 +0000", HOP + b";  Mon,  2 Nov 2026\n\t10:00:01 +0000",
    HOP + b" (envelope-from <a@b>); " + DATE, b"from a (envelope-from <a@b>) by c id d; " + DATE,
    b"from a (b (envelope-from <a@b>) c) id d; " + DATE, b"by a " + b"x" * 990 + b" id b; " + DATE, b"by a" + b" " * 9_000 + b"id b; " + DATE,
    HOP + b"csp2; " + DATE, HOP + b" for <a@b>;" + DATE, HOP + b" for <a@[127.0.0.1]>; " + DATE,
]  # fmt: skip


@pytest.mark.parametrize("hop", ODD_HOPS)
def test_an_odd_hop_among_plain_ones_is_read_as_by_itself(hop):
    plain = b"Received: " + HOP + b"; " + DATE
    together, alone, count = both([plain, b"\n".join((plain, b"Received: " + hop, plain)), plain])

    assert (together, count) == (alone, 3)


ODD_BLOCKS = [
    b"X:", b"Received:\nDate:", b"Subject:\nFrom:\nTo:\nReturn-Path:\nMessage-ID:", b"Message-ID: <a@b>\nMessage-ID: <c@d>",
    b"Date: Mon, 2 Nov 2026 10:00:01\nFrom: a@B.example, \"c@d\" <e@f.example> (g@h)", b"From: a@" + b"b" * 300 + b"\nTo: @@c@d\nCc: e@",
    b"Return-Path: <a@b> c\nSubject: =?utf-8?q?=C3=A9?=  x\n\ty", b"Subject:" + b" " * 9 + b"x\nA: b", b"A: b\n \nB: c", b" A: b\nB: c",
    b"by: x\nA: b", b"A b\nC: d", b"A : b\nC\t: d", b"A: b\rC: d", b"A: \xc3\xa9", b"A: \x0b", b"10: x", b"A: b\n" * 2_000 + b"A: b",
    b"Received: x\n" * MAX_HOPS + b"Received: x", b"X-Spam-Status: Yes, score=5.1 required=5\nX-Spam-Flag: no", b"Message-ID: x <" + b"y" * 999 + b">",
    b"X-Forefront-Antispam-Report: CIP:1;SCL:5;\nList-Id: <a.b>\nList-Unsubscribe: <http://a>", b"Received-SPF: pass (a) client-ip=192.0.2.1",
    b"Received: x\nAuthentication-Results: a; dkim=pass header.d=b\nReceived: y\nDKIM-Signature: d=a; s=b", b"Message-ID: <a b>", b"To: a@b" + b"\n\tc@d" * 3,
]  # fmt: skip


@pytest.mark.parametrize("block", ODD_BLOCKS)
def test_an_odd_message_among_plain_ones_is_read_as_by_itself_or_not_at_all(block):
    together, alone, count = both([MESSAGES[0], block, MESSAGES[1]])

    assert (together, count >= 2) == (alone, True)


def test_nothing_is_no_rows():
    assert read_columns([], [], with_subject=True).emails.num_rows == 0


def test_subjects_are_left_out_if_they_are_not_wanted():
    together, alone, _ = both(MESSAGES[:5], with_subject=False)

    assert together == alone


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 22))
def test_many_damaged_messages_are_read_as_each_by_itself(seed):
    test_damaged_messages_are_read_as_each_by_itself(seed)
