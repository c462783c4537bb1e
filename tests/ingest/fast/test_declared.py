"""Declared formats in the fast lane: the rows of the reference, from the same data."""

from datetime import UTC

import pytest

from ingest.blocks import Chunk
from ingest.fast.chunk import lane_of
from ingest.formats.declared import SHIPPED, declaration_of

CARRIED = [name for name in SHIPPED if declaration_of(name).framing.kind == "syslog"]
WORDS = """
name = "wordy"
[framing]
kind = "syslog"
programs = ["wordy"]
[words.status]
OK = "sent"
later = "deferred"
[words.action]
of = "reply"
"5*" = "reject"
"55*" = "discard"
"550 no" = "hold"
[[patterns]]
kind = "decision"
template = "{queue_id:ident} said {reply:rest}"
[[patterns]]
kind = "delivery"
template = "{queue_id:ident} <{sender:addr}> to {recipient:[^ :]+}: {status:[A-Za-z]+}{? after {delay_s:num} s?}{? and {transmit_s:duration}?}"
[[patterns]]
kind = "delivery_note"
template = "{queue_id:ident} note: {reason:data}, {:rest}"
[[samples]]
line = "Nov  5 10:00:00 mx1 wordy[7]: A-1 <> to bob@example.net: OK after 1.5 s"
expect = { kind = "delivery", sender = "", status = "sent", delay_s = 1.5 }
[[samples]]
line = "Nov  5 10:00:00 mx1 wordy[7]: A-2 <a@b.example> to bob@example.net: later and 1d2h3m4.5s"
expect = { kind = "delivery", status = "deferred", transmit_s = 93784.5 }
[[samples]]
line = "Nov  5 10:00:00 mx1 wordy[7]: A-1 note: , and"
expect = { kind = "delivery_note", reason = "" }
[[samples]]
line = "Nov  5 10:00:00 mx1 wordy[7]: A-1 said 550 no"
expect = { kind = "decision", action = "hold", reply = "550 no" }
[[samples]]
line = "Nov  5 10:00:00 mx1 wordy[7]: A-1 said 551 no"
expect = { kind = "decision", action = "discard", reply = "551 no" }
[[samples]]
line = "Nov  5 10:00:00 mx1 wordy[7]: A-1 said 501 no"
expect = { kind = "decision", action = "reject", reply = "501 no" }
"""


def lines_of(*declarations):
    return "".join(f"{sample.line}\n" for each in declarations for sample in each.samples).encode()


def damaged(data):
    """Each line whole, cut, with a sign doubled or gone, and with an end that does not belong there."""
    for line in data.splitlines():
        head = line.find(b": ") + 2
        yield line
        for at in range(head, len(line), 5):
            yield line[:at]
            yield line[:at] + line[at + 1 :]
            yield line[:at] + line[at : at + 1] + line[at:]
        yield line + b" "
        yield line + b")"


@pytest.mark.parametrize("name", CARRIED)
def test_lines_and_damaged_ones_are_read_as_by_the_reference(lanes, name):
    data = b"\n".join(damaged(lines_of(declaration_of(name)))) + b"\n"

    assert not lanes.differences(data)


@pytest.fixture
def wordy(tmp_path):
    file = tmp_path / "wordy.toml"
    file.write_text(WORDS)
    return str(file)


def test_format_of_a_user_is_read_as_by_the_reference(lanes, wordy):
    data = b"\n".join(damaged(lines_of(declaration_of(wordy)))) + b"\n"

    assert not lanes.differences(data, format_name=wordy)


def test_words_are_translated_without_the_reference(wordy):
    data = lines_of(declaration_of(wordy))
    scanned = lane_of(wordy).read(Chunk(1, data), ((1, 2026),), UTC)

    assert len(scanned.declined) == 0
