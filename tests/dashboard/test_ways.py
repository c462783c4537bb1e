from datetime import UTC, datetime

import pytest

from analysis.path import read_way
from dashboard.ways import held
from ingest.headers.messages import Message, read_block
from ingest.headers.rows import rows_of

MESSAGE = """\
Received: from mx.example.net (mx.example.net [198.51.100.7])
 by mx1.example.org (Postfix) with ESMTPS id 4F5C64474F; Thu, 5 Nov 2026 10:42:00 +0000
Received: from relay.example.net (relay.example.net [198.51.100.6])
 by mx.example.net (Postfix) with ESMTPS id 3A1B2C3D4E; Thu, 5 Nov 2026 {} +0000
Received: from client.example.net (client.example.net [203.0.113.9])
 by relay.example.net (Postfix) with ESMTPSA id 2A1B2C3D4E; Thu, 5 Nov 2026 10:00:00 +0000
"""


def bars(clock):
    hops = rows_of(Message(read_block(MESSAGE.format(clock).encode()))).hops
    return held(read_way(hops, ["mx1.example.org"]).steps)


def at(hour, minute):
    return datetime(2026, 11, 5, hour, minute, tzinfo=UTC)


def test_the_time_is_shown_beside_the_server_that_kept_the_message():
    spans = [(bar["begin"], bar["end"], bar["source"]) for bar in bars("10:01:00")]

    assert spans == [
        (at(10, 0), at(10, 1), "as claimed"),
        (at(10, 1), at(10, 42), "as claimed"),
        (at(10, 42), at(10, 42), "your server"),
    ]


@pytest.mark.parametrize("clock", ["07:00:00", "12:00:00"])
def test_a_clock_that_is_wrong_has_no_span_and_takes_none_from_others(clock):
    first, wrong, _ = bars(clock)

    assert (first["end"], wrong["begin"] == wrong["end"]) == (at(10, 42), True)
