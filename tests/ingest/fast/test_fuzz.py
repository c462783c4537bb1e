"""The fast lane gives the reference's rows for lines that no server wrote: damaged in the frame and in the message."""

import random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FRAGMENTS = [
    b"to=<a@example.com>, ", b"from=<", b"; from=<x@y.example> to=<z@y.example> proto=ESMTP helo=<h>", b"status=sent (",
    b"[", b"]", b"<", b">", b'"', b"\\", b": ", b", ", b"=", b"(", b")", b"{", b"\0", b"\r", b"\t", b" ", b"\xff",
    b"\xf4\x8f\xbc\x80", "\u2028".encode(), "\x85".encode(), b"NOQUEUE: ", b"reject: ", b"warning: ", b"header ",
    b"message repeated 3 times: [ ", b"last message repeated 3 times", b"Nov 23 08:15:01 mx1 postfix/qmgr[7]: ",
    b"2026-11-23T08:15:01Z ", b'{"MESSAGE": "', b"<22>1 ", b"<22>", b"9" * 19, b"-1", b".5", b"unknown", b"none", b"/",
    b", queued_as: ABCDEFG", b", Queue-ID: ABCDEFG", b"status=deliverable", b":25", b"A1B2C3D4E5: ", b"mx2",
    b"2026-11-23 08:15:01 ", b".123", b" +0100", b" [7] ", b"1xOWHb-0001Kz-EO ", b" <= ", b" => ", b" <a@b.example>", b" R=r", b" T=t",
    b" H=h (e) [192.0.2.1]:25", b"*", b' C="', b"\\n", b'\\"', b" QT=1m2.5s", b" S=1", b" K", b" L-", b" defer (-53)", b": retry timeout exceeded",
]  # fmt: skip
DIGITS = b"0123456789"
REPEATED = b"Nov 23 08:15:01 mx1 last message repeated 2 times"
ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York")]


def damaged(line, other, choice):
    """A line with one byte, a few, or its end made another."""
    text = bytearray(line)
    for _ in range(choice.randint(1, 3)):
        at = choice.randrange(len(text) + 1)
        if choice.random() < 0.4:
            at = min(at, choice.randrange(60))  # the frame is short, and needs as much
        kind = choice.randrange(8)
        if kind == 0 and at < len(text):
            text[at] ^= 1 << choice.randrange(8)
        elif kind == 1:
            del text[at : at + choice.randint(1, 12)]
        elif kind == 2:
            text[at:at] = choice.choice(FRAGMENTS)
        elif kind == 3:
            del text[at:]
        elif kind == 4:
            text[at:at] = text[at : at + choice.randint(1, 30)]
        elif kind == 5:
            text[at : at + 1] = bytes([choice.randrange(256)])
        elif kind == 6:
            places = [place for place, byte in enumerate(text) if byte in DIGITS] or [0]
            place = choice.choice(places)
            text[place : place + 1] = bytes([choice.choice(DIGITS)])
        else:
            text[at:] = other[choice.randrange(len(other) + 1) :]
    return bytes(text).replace(b"\n", b" ")


def damaged_log(lines, count, seed):
    """Damaged lines, some whole ones between them, and now and then a repetition."""
    choice = random.Random(seed)  # noqa: S311  # the same damage each time
    made = []
    for _ in range(count):
        line = choice.choice(lines)
        made.append(damaged(line, choice.choice(lines), choice) if choice.random() < 0.9 else line)
        if choice.random() < 0.01:
            made.append(REPEATED)
    return b"\n".join(made)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_lines_are_read_as_by_the_reference(lanes, seed):
    log = damaged_log(lanes.seeds, 5_000, seed)
    found = lanes.differences(log, ZONES[seed % 3], size=100_000)

    assert not found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_damaged_lines_are_read_as_by_the_reference(lanes, seed):
    log = damaged_log(lanes.seeds, 10_000, seed)
    found = lanes.differences(log, ZONES[seed % 3], ((1, 2024), (3_000, 2025)), size=300_000)

    assert not found


@st.composite
def damaged_lines(draw, lines):
    """Some lines, each with a few changes that hypothesis can take back one by one."""
    made = []
    for line in draw(st.lists(st.sampled_from(lines), min_size=1, max_size=4)):
        text = bytearray(line)
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(text)))
            text[at : at + draw(st.integers(0, 6))] = draw(
                st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=3))
            )
        made.append(bytes(text))
    return b"\n".join(made)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_put_into_lines_is_read_as_by_the_reference(lanes, data):
    log = data.draw(damaged_lines(lanes.seeds))
    found = lanes.differences(log)

    assert not found


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=st.binary(max_size=300))
def test_any_bytes_are_read_as_by_the_reference(lanes, log):
    found = lanes.differences(log)

    assert not found
