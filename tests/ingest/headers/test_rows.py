"""A message's row of `emails` and those of its `hops`."""

import time

import pyarrow as pa
import pytest

from ingest.headers.messages import Message, looks_like_message, read_block
from ingest.headers.rows import rows_of
from ingest.schema import EMAILS, HOPS


def rows(*lines):
    return rows_of(Message(read_block("\n".join((*lines, "", "")).encode())))


def test_the_columns_are_those_of_the_schema():
    email, [hop] = rows("Received: by mx1.example.org; Mon, 2 Nov 2026 10:00:00 +0000")

    assert (sorted(email), sorted(hop)) == (sorted(EMAILS.names), sorted(HOPS.names))


def test_rows_fit_the_schema():
    email, hops = rows("Received: by mx1.example.org; Mon, 2 Nov 2026 10:00:00 +0000", "From: a@example.com")

    assert pa.Table.from_pylist([email], EMAILS).num_rows + pa.Table.from_pylist(hops, HOPS).num_rows == 2


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("X-MS-Exchange-Organization-SCL: -1", "exchange_scl", -1),
        ("X-Forefront-Antispam-Report: CIP:203.0.113.7;CTRY:US;SCL:5;SRV:;IPV:NLI", "exchange_scl", 5),
        ("X-Spam-Status: Yes, score=39.3 required=5.0 tests=BAYES_99", "spam_score", "39.3"),
        ("X-Spam-Status: No, score=-1.2 required=5.0", "spam_flag", "No"),
        ("X-Spam-Flag: YES", "spam_flag", "YES"),
        ("List-Unsubscribe: <https://lists.example.net/u>", "list_unsubscribe", "<https://lists.example.net/u>"),
        ("List-Id: Cooks <cooks.lists.example.net>", "list_id", "Cooks <cooks.lists.example.net>"),
        ("Auto-Submitted: auto-replied", "auto_submitted", "auto-replied"),
        ("Return-Path: <>", "return_path", ""),
        ("From: \"x@evil.example\" (y@evil.example) <a@Example.com>", "from_domains", ["example.com"]),
        ("Subject: =?utf-8?b?Z3LDtsOfZQ==?= =?iso-8859-1?q?caf=E9?=", "subject", "größecafé"),
        ("Subject: =?no-such-charset?q?x?=", "subject", "=?no-such-charset?q?x?="),
        ("Subject: =?iso\0?q?x?=", "subject", "=?iso\U0010ff00?q?x?="),
        ("Subject: =?utf-8?b?A?=", "subject", "=?utf-8?b?A?="),
        ("Message-ID: (comment) <one@example.com>", "message_id", "<one@example.com>"),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_a_header_tells(line, column, value):
    assert rows(line).email[column] == value


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        (b"=?iso-8859-1?Q?Die_Fr\xf6sche?= \xf6", "Die Frösche \U0010fff6"),
        (b"=?utf-8?Q?Die_Fr\xc3\xb6sche?= \xe6\x97\xa5 \\u0041", "Die Frösche 日 \\u0041"),
        (b"=?utf-8?Q?Die_Fr=C3?= =?utf-8?Q?=B6sche?= x", "Die Frösche x"),
    ],
)
def test_raw_bytes_in_an_encoded_word_are_of_its_charset(written, subject):
    assert rows_of(Message(read_block(b"Subject: " + written + b"\n\n"))).email["subject"] == subject


FROM = "Received: {} by mx1.example.org with {}; Mon, 2 Nov 2026 10:00:00 +0000"


@pytest.mark.parametrize(
    ("peer", "protocol", "is_internal"),
    [
        ("from a.example.com (a.example.com [203.0.113.7])", "ESMTP", False),
        ("from a.example.com (a.example.com [192.168.3.4])", "ESMTP", True),
        ("from a.example.com (a.example.com [IPv6:fd00::7])", "ESMTP", True),
        ("from a.example.com", "ESMTP", False),
        ("from ex1.example.com", "mapi", True),
        ("from localhost", "ESMTP", True),
        ("from mail pickup service", "Microsoft SMTPSVC", True),
        ("", "LMTP", True),
    ],
)
def test_a_hop_within_one_organisation_is_internal(peer, protocol, is_internal):
    assert rows(FROM.format(peer, protocol)).hops[0]["is_internal"] is is_internal


def test_the_newest_clock_counts_more_than_all_before_it():
    hops = rows(
        "Received: by c.example; Mon, 2 Nov 2026 10:00:00 +0000",
        "Received: by b.example; Mon, 2 Nov 2026 10:00:09 +0000",
        "Received: by a.example; Mon, 2 Nov 2026 10:00:08 +0000",
    ).hops

    assert [(hop["delay_s"], hop["skew_s"]) for hop in hops] == [(None, 8.0), (1.0, 9.0), (-9.0, 0.0)]


def test_a_circle_is_read_up_to_a_bound_and_said_so():
    email, hops = rows(*["Received: by a.example; Mon, 2 Nov 2026 10:00:00 +0000"] * 300)

    assert (email["hop_count"], len(hops), email["defects"]) == (
        300,
        200,
        ["300 Received headers; the newest 200 were read"],
    )


NAMES = (
    "Received Authentication-Results ARC-Authentication-Results Received-SPF ARC-Seal DKIM-Signature From To Date Subject "
    "Message-ID Return-Path List-Id X-Spam-Status X-Forefront-Antispam-Report"
).split()
NONSENSE = [
    " ",
    "x\n\t",
    "(",
    "()",
    '"',
    "\\",
    "=",
    " = ",
    ";",
    "@",
    "a@b ",
    "<",
    "<>",
    "=?utf-8?q?",
    ".",
    ",",
    "from ",
    "> ",
]


@pytest.mark.parametrize("piece", NONSENSE)
def test_no_header_of_nonsense_takes_more_than_a_moment(piece):
    text = f"a{piece * (100_000 // len(piece))}b"
    begun = time.process_time()
    for name in NAMES:
        rows(f"{name}: {text}")

    assert time.process_time() - begun < 2  # quadratic time would be minutes


@pytest.mark.parametrize(
    "text", ["> " * 50_000, " " * 100_000, "From " * 20_000, "Received: from x\n" + "by y\n" * 20_000]
)
def test_no_block_of_nonsense_takes_more_than_a_moment(text):
    begun = time.process_time()
    looks_like_message(text.encode())
    read_block(text.encode())

    assert time.process_time() - begun < 1
