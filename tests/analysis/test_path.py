"""The way of a message: whom to believe, where it waited, whose clock was wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from analysis.path import collapsed, is_known_verdict, read_way
from ingest.headers.messages import Message, read_block
from ingest.headers.rows import rows_of

BEGIN = datetime(2026, 11, 2, 10, tzinfo=UTC)


def hops(*steps):
    """Hops of (client, server, seconds after the begin), the oldest first."""
    lines = [
        f"Received: from {client} ({client} [{address}]) by {server} (Postfix) with {protocol} id 3F1A2B3C{number:02};\n"
        f"\t{BEGIN + timedelta(seconds=after):%a, %d %b %Y %H:%M:%S} +0000\n"
        for number, (client, address, server, protocol, after) in enumerate(steps)
    ]
    return rows_of(Message(read_block("".join(reversed(lines)).encode() + b"\n"), None)).hops


def chain(*seconds, protocol="ESMTPS"):
    servers = ["pc.example.net", "out.example.net", "relay.example.com", "mx1.example.org", "box.example.org"]
    return hops(
        *((servers[n], f"203.0.113.{n}", servers[n + 1], protocol, after) for n, after in enumerate(seconds))
    )


def test_only_what_our_servers_wrote_is_known():
    way = read_way(chain(0, 1, 2, 3), ["example.org"])

    assert [step.is_known for step in way.steps] == [False, False, True, True]


def test_a_forged_header_of_ours_below_a_foreign_one_is_as_claimed():
    rows = hops(
        ("bank.example", "203.0.113.9", "mx1.example.org", "ESMTPS", 0),
        ("evil.example", "203.0.113.8", "relay.example.com", "ESMTPS", 1),
        ("relay.example.com", "203.0.113.7", "mx1.example.org", "ESMTPS", 2),
    )

    assert [step.is_known for step in read_way(rows, ["example.org"]).steps] == [False, False, True]


def test_without_a_word_the_newest_server_and_its_domain_are_taken_for_ours():
    way = read_way(chain(0, 1, 2, 3))

    assert "taken for yours: box.example.org, example.org" in way.findings


def test_a_clock_behind_is_skew_and_no_negative_delay():
    way = read_way(chain(0, 100, 95, 101), ["example.org"])

    assert [(step.delay_s, step.least_s, step.most_s, step.skew_s) for step in way.steps] == [
        (None, None, None, 0.0),
        (100.0, 0.0, 95.0, 5.0),
        (-5.0, 0.0, 95.0, 0.0),
        (6.0, 6.0, 6.0, 0.0),
    ]


def test_a_single_clock_far_behind_is_the_one_that_is_wrong():
    way = read_way(chain(10, -3600, 12, 13), ["example.org"])

    assert [step.skew_s for step in way.steps] == [0.0, -3610.0, 0.0, 0.0]


def test_the_slowest_hop_is_named():
    assert (
        "slowest: 42 min 00 s from out.example.net to relay.example.com"
        in read_way(chain(0, 2520, 2521, 2522)).findings
    )


def test_them_or_us_is_answered_in_a_line():
    theirs, ours = (
        read_way(chain(0, 2520, 2521, 2522), ["example.org"]),
        read_way(chain(0, 1, 2, 900), ["example.org"]),
    )

    assert (theirs.verdict, ours.verdict) == (
        "They kept it for 42 min 01 s, you for 1.0 s",
        "You kept it for 14 min 58 s, they for 2.0 s",
    )


def test_an_unencrypted_hop_is_named():
    way = read_way(chain(0, 1, protocol="ESMTP"))

    assert "hop 2 (relay.example.com): not encrypted" in way.findings


def test_a_hop_that_got_the_message_from_somebody_else_is_odd():
    rows = hops(
        ("pc.example.net", "203.0.113.1", "out.example.net", "ESMTPS", 0),
        ("other.example.com", "203.0.113.2", "mx1.example.org", "ESMTPS", 1),
    )

    assert read_way(rows).steps[1].remarks == [
        "it got the message from other.example.com, but the hop before was written by out.example.net"
    ]


def test_an_id_that_its_server_cannot_write_is_odd():
    value = "from a.example.com (a.example.com [203.0.113.4]) by mx1.example.org (Postfix) with ESMTPS id h7csp12; " \
            "Mon, 2 Nov 2026 10:00:01 +0000"  # fmt: skip
    rows = rows_of(Message(read_block(f"Received: {value}\n\n".encode()), None)).hops

    assert read_way(rows).steps[0].remarks == ["'h7csp12' is no id that postfix writes"]


def test_a_loop_is_named():
    ring = [
        ("b.example.com", "203.0.113.2", "a.example.net", "ESMTPS"),
        ("a.example.net", "203.0.113.1", "b.example.com", "ESMTPS"),
    ]
    way = read_way(hops(*((*ring[n % 2], n) for n in range(6))))

    assert "a.example.net had it 3 times, with others between: a loop, or a forward back" in way.findings


def test_a_message_without_received_headers_has_no_way():
    assert read_way([]).verdict == "The headers do not tell how long the message took"


def test_only_a_verdict_above_the_headers_of_our_servers_is_ours():
    verdict = "Authentication-Results: mx1.example.org; dmarc=pass header.from=bank.example\n"
    received = "Received: from a.example.com by mx1.example.org (Postfix) with ESMTPS id 3F1A2B3C4D; Mon, 2 Nov 2026 10:00:01 +0000\n"
    told = rows_of(Message(read_block(f"{verdict}{received}{verdict}\n".encode()), None))
    way = read_way(told.hops, ["example.org"])

    assert [is_known_verdict(way, each) for each in told.email["verdicts"]] == [True, False]


def headers(*lines):
    return rows_of(
        Message(read_block("".join(f"Received: {line}\n" for line in lines).encode() + b"\n"), None)
    ).hops


LOGGED = {
    "log_host": "mx1", "matched": "id", "attempts": 3, "status": "sent", "log_delay_s": 900.0, "reply": "250 2.0.0 Ok",
}  # fmt: skip


def test_a_hop_that_our_log_has_is_known_in_the_middle_of_the_way():
    way = read_way(chain(0, 1, 901, 902), ["other.example"], {2: LOGGED})

    assert ([step.is_known for step in way.steps], way.verdict) == (
        [False, True, False, False],
        "You kept it for 15 min 00 s, they for 2.0 s",
    )


def test_what_our_log_says_of_a_hop_is_a_finding():
    way = read_way(chain(0, 1, 901, 902), ["other.example"], {2: LOGGED})

    assert (
        "hop 2 (relay.example.com): your log of mx1 has it by its id; 3 attempts, sent after 15 min 00 s"
        in way.findings
    )


def test_a_filter_between_servers_of_ours_is_ours():
    rows = hops(
        ("out.example.net", "203.0.113.2", "mx1.example.org", "ESMTPS", 0),
        ("mx1.example.org", "127.0.0.1", "localhost", "ESMTP", 1),
        ("localhost", "127.0.0.1", "mx1.example.org", "ESMTP", 1),
        ("mx1.example.org", "192.0.2.1", "in.example.net", "ESMTPS", 2),
    )
    way = read_way(rows, ["elsewhere.example"], {1: LOGGED, 3: LOGGED})

    assert [step.is_known for step in way.steps] == [True, True, True, False]


def test_a_private_address_between_organisations_is_odd():
    rows = hops(
        ("pc.example.net", "203.0.113.1", "out.example.net", "ESMTPS", 0),
        ("bank.example", "10.2.3.4", "mx1.example.org", "ESMTPS", 1),
    )

    assert read_way(rows).steps[1].remarks == [
        "it got the message from another organisation at 10.2.3.4, which is an address within one"
    ]


def test_a_private_address_within_an_organisation_is_not():
    rows = hops(
        ("pc.example.net", "203.0.113.1", "mx1.example.org", "ESMTPS", 0),
        ("mx1.example.org", "10.2.3.4", "box.example.org", "ESMTPS", 1),
    )

    assert read_way(rows).steps[1].remarks == []


@pytest.mark.parametrize(
    ("value", "remark"),
    [
        ("from a.example.com (a.example.com [203.0.113.4]) by mx1.example.org with esmtps (Exim 4.96) id 3F1A2B3C4D",
         "'3F1A2B3C4D' is no id that exim writes"),
        ("from a.example.com by mx1.example.org (Postfix) with ESMTPS id 3F1A2B3C4D",
         "there is no address of the client, which postfix always writes"),
        ("from a.example.com (a.example.com [203.0.113.4]) by evil.example with ESMTPS id x1csp5 (Google Transport Security)",
         "'evil.example' is no name of a host that gmail writes"),
        ("from a.example.com (203.0.113.4) by ex.example.org (203.0.113.5) with Microsoft SMTP Server id abc",
         "'abc' is no id that exchange writes"),
    ],
    ids=["exim id", "postfix peer", "gmail host", "exchange id"],
)  # fmt: skip
def test_a_shape_that_a_server_never_writes_is_named(value, remark):
    assert remark in read_way(headers(f"{value}; Mon, 2 Nov 2026 10:00:01 +0000")).steps[0].remarks


def test_a_date_without_zone_is_none_that_postfix_writes():
    rows = headers("by mx1.example.org (Postfix) id 3F1A2B3C4D; Mon, 2 Nov 2026 10:00:01")

    assert read_way(rows).steps[0].remarks == ["its date has no zone, which postfix always writes"]


def test_a_date_long_before_the_first_server_had_it_is_a_finding():
    way = read_way(chain(0, 1), sent_at=BEGIN - timedelta(hours=2))

    assert (
        "its Date is 2 h 00 min before out.example.net had it: it waited there, or the sender's clock is wrong"
        in way.findings
    )


def test_the_same_header_twice_is_named():
    value = "by mx1.example.org (Postfix) id 3F1A2B3C4D; Mon, 2 Nov 2026 10:00:01 +0000"

    assert read_way(headers(value, value)).steps[1].remarks == ["the same header twice"]


def test_a_network_of_ours_is_internal():
    rows = hops(("a.example.net", "203.0.113.9", "mx1.example.org", "ESMTP", 0))

    assert read_way(rows, ["example.org", "203.0.113.0/24"]).steps[0].is_internal


def test_collapsed_a_way_has_the_delays_from_one_organisation_to_the_next():
    rows = hops(
        ("pc.example.net", "203.0.113.1", "out.example.net", "ESMTPS", 0),
        ("out.example.net", "127.0.0.1", "out.example.net", "ESMTP", 50),
        ("out.example.net", "203.0.113.2", "mx1.example.org", "ESMTPS", 60),
    )

    assert [(step.hop["hop"], step.delay_s) for step in collapsed(read_way(rows)).steps] == [
        (1, None),
        (3, 60.0),
    ]
