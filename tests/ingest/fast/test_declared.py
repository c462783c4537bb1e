"""Declared formats in the fast lane: the rows of the reference, from the same data."""

from datetime import UTC
from zoneinfo import ZoneInfo

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
STAMPS = {
    "[%d-%b-%Y %H:%M:%S %z]:": b"[01-Nov-2026 10:00:00 +0100]: ",
    "%Y-%m-%d %H:%M:%S": b"2026-11-01 10:00:00 ",
    "%Y%m%d%H%M%S.%f|": b"20261101100000.1234567|",
    "<%H.%M.%S %d/%m/%Y>": b"<10.00.00 01/11/2026>",
    "{iso} -": b"2026-11-01T10:00:00.25+01:00 - ",
    "at {iso}": b"at 2026-11-01 10:00:00",
}


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


@pytest.fixture
def stamped(tmp_path):
    """The file of a format whose lines begin with a stamp."""

    def declared(form):
        text = WORDS.replace('kind = "syslog"\nprograms = ["wordy"]', f'kind = "bare"\nstamp = "{form}"')
        samples = text.replace("Nov  5 10:00:00 mx1 wordy[7]: ", STAMPS[form].decode())
        file = tmp_path / f"stamped{len(form)}.toml"
        file.write_text(samples)
        return str(file)

    return declared


def odd_stamps(stamp):
    """A stamp whole and damaged at each place, of moments that there are and are not, in another language."""
    yield stamp
    yield from (
        stamp[:at] + sign + stamp[at + 1 :]
        for at in range(len(stamp))
        for sign in (b"", b"3", b"9", b"x", b" ")
    )
    yield from (stamp[:at] + stamp[at : at + 1] + stamp[at:] for at in range(len(stamp)))
    for old, new in (
        (b"Nov", b"Okt"), (b"Nov", b"nov"), (b"Nov", b"Nov."), (b"Nov", b"Sept"), (b"Nov", b"Feb"), (b"01-N", b"31-N"),
        (b"01-N", b"30-N"), (b"01-Nov", b"29-Feb"), (b"2026", b"2024"), (b"2026", b"1969"), (b"2026", b"2105"),
        (b"2026-11-01", b"2026-02-29"), (b"2026-11-01", b"2028-02-29"), (b"2026-11-01", b"2026-10-25"),
        (b"10:00", b"02:30"), (b"10:00:00", b"23:59:60"), (b"+0100", b"Z"), (b"+0100", b"+01"), (b"+0100", b"-0330"),
        (b"+0100", b"+01:00"), (b"+0100", b"+2400"), (b"+01:00", b""), (b"+01:00", b"-09"), (b".25", b",123456789"),
        (b".25", b".1234567890"), (b".25", b"."), (b"1234567|", b"1234567890|"), (b"\n", b""),
    ):  # fmt: skip
        yield stamp.replace(old, new)


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/Berlin")], ids=str)
@pytest.mark.parametrize("form", STAMPS)
def test_stamps_that_a_declaration_spells_are_read_as_by_the_reference(lanes, stamped, form, zone):
    message = b"A-1 <> to bob@example.net: OK after 1.5 s\n"
    data = b"".join(stamp + blank + message for stamp in odd_stamps(STAMPS[form]) for blank in (b"", b"  "))

    assert not lanes.differences(data, zone, format_name=stamped(form), host="mx1")


@pytest.mark.parametrize("form", STAMPS)
def test_messages_behind_a_stamp_are_read_as_by_the_reference(lanes, stamped, form):
    name = stamped(form)
    data = b"\n".join(
        [*damaged(lines_of(declaration_of(name))), b"", b" ", b"Nov  5 10:00:00 mx1 x[7]: A-1", STAMPS[form]]
    )

    assert not lanes.differences(data + b"\r\n", format_name=name)


@pytest.mark.parametrize("form", STAMPS)
def test_lines_behind_a_stamp_are_read_without_the_reference(stamped, form):
    name = stamped(form)
    scanned = lane_of(name).read(Chunk(1, lines_of(declaration_of(name))), (), UTC, "mx1")

    assert len(scanned.declined) == 0


@pytest.mark.parametrize(
    "hour", [b"25-Oct-2026 %02d:%02d", b"29-Mar-2026 %02d:%02d"], ids=["set back", "set forward"]
)
def test_hours_at_which_clocks_are_set_are_read_as_by_the_reference_behind_a_stamp(lanes, tmp_path, hour):
    file = tmp_path / "hours.toml"
    file.write_text(
        WORDS.replace('kind = "syslog"\nprograms = ["wordy"]', 'kind = "bare"\nstamp = "%d-%b-%Y %H:%M:%S"')
    )
    times = (hour % (minutes // 60, minutes % 60) for minutes in range(0, 300, 7))
    data = b"".join(time + b":00 A-1 said 550 no\n" for time in times)

    assert not lanes.differences(data, ZoneInfo("Europe/Berlin"), format_name=str(file))
