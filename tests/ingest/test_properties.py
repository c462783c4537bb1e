import time
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.formats import find_formats
from ingest.formats.base import Program
from ingest.formats.postfix import DAEMONS, POSTFIX, parse
from ingest.framing import Framer, frame_line
from ingest.parsing import Settings, read_chunk
from ingest.sources import Chunk, decode, encode, find_sources

GOLDEN = Path(__file__).parent / "golden/postfix"
LINES = [line for file in sorted(GOLDEN.glob("*.log")) for line in file.read_bytes().splitlines()]
REMOVED = b"Nov 23 08:15:01 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed"
UNKNOWN = b"Nov 23 08:15:01 mx1 postfix/qmgr[7]: words that Postfix never wrote"
REPEATED = b"Nov 23 08:15:01 mx1 last message repeated 2 times"
ZONE = Settings(zone=UTC)
YEARS = ((1, 2026),)
FRAGMENTS = [
    b"to=<a@example.com>, ", b"from=<", b"; from=<x@y.example> to=<z@y.example> proto=ESMTP helo=<h>", b"status=sent (",
    b"[", b"]", b"<", b">", b'"', b"\\", b": ", b", ", b"=", b"(", b")", b"{", b"\0", b"\r", b"\xff", b"\xf4\x8f\xbc\x80",
    "\u2028".encode(), "\x85".encode(), b"NOQUEUE: reject: ", b"warning: ", b"message repeated 3 times: [ ",
    b"message repeated 99999999999 times: [ ", b"last message repeated 3 times", b"Nov 23 08:15:01 mx1 postfix/qmgr[7]: ",
    b"2026-11-23T08:15:01Z ", b'{"MESSAGE": "', b"<22>1 ", b"9" * 40, b"-1",
]  # fmt: skip


def read(data, settings_=ZONE):
    return read_chunk(Chunk(1, data), "test", YEARS, settings_)


def line_count(data):
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def seconds(parser, *arguments):
    """Processor time that a parser takes, whether it understands its text or not."""
    begun = time.process_time()
    with suppress(ParseError):
        parser(*arguments)
    return time.process_time() - begun


@st.composite
def mutated_lines(draw):
    """Some golden lines, with bytes flipped, deleted, and hostile fragments put in."""
    lines = []
    for line in draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=4)):
        text = bytearray(line)
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(text)))
            change = draw(st.sampled_from(["flip", "delete", "insert", "cut"]))
            if change == "flip" and at < len(text):
                text[at] ^= 1 << draw(st.integers(0, 7))
            elif change == "delete":
                del text[at : at + draw(st.integers(1, 20))]
            elif change == "insert":
                text[at:at] = draw(st.sampled_from(FRAGMENTS))
            elif change == "cut":
                del text[at:]
        lines.append(bytes(text))
    return b"\n".join(lines)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
def test_every_line_of_any_bytes_is_counted_once(data):
    result = read(data)

    assert sum(result.coverage.values()) == line_count(data)


@settings(deadline=None, max_examples=300)
@given(mutated_lines())
def test_every_mutated_line_is_counted_once(data):
    result = read(data)

    assert sum(result.coverage.values()) == line_count(data)


@settings(deadline=None, max_examples=300)
@given(mutated_lines())
def test_every_kept_line_gives_back_its_bytes(data):
    result = read(data)
    raw = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    rows = [row for table in (*result.events.values(), result.unparsed) for row in table.to_pylist()]
    lost = [row for row in rows if encode(row["line"]) != raw[row["line_no"] - 1]]

    assert not lost


@settings(deadline=None, max_examples=300)
@given(mutated_lines())
def test_lines_kept_are_those_that_coverage_counts(data):
    result = read(data)
    told = sum(lines for (_, outcome), lines in result.coverage.items() if outcome in ("event", "unparsed"))
    tables = (*result.events.values(), result.unparsed)
    kept = {line_no for table in tables for line_no in table["line_no"].to_pylist()}

    assert told == len(kept)


@example(b"Nov 23 08:15:01 mx1 postfix/smtp[7]: 3F1A2B3C4D: to=<a@example.com>, relay=, dsn=, status=\n")
@example(
    b"Nov 23 08:15:01 mx1 postfix/smtp[7]: 3F1A2B3C4D: to=<a@example.com>, relay=, dsn=, status=sent (ok)\n"
)
@settings(deadline=None, max_examples=300)
@given(mutated_lines())
def test_an_absent_value_is_null_and_never_empty(data):
    result = read(data)
    allowed = {
        "sender",
        "recipient",
        "orig_recipient",
        "helo",
        "trigger",
        "sasl_username",
    }  # what was logged as <>
    empty = [
        (name, row["line"])
        for table in result.events.values()
        for row in table.to_pylist()
        for name, value in row.items()
        if value == "" and name not in allowed
    ]

    assert not empty


@example(lines=[REMOVED, UNKNOWN, REPEATED], size=1)
@example(lines=[REMOVED, REMOVED, REPEATED, REPEATED], size=1)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.one_of(st.sampled_from(LINES), st.just(REPEATED)),
        min_size=1,
        max_size=30,
    ),
    size=st.integers(1, 2000),
)
def test_chunk_size_makes_no_difference(cut, tmp_path, lines, size):
    log = tmp_path / "mail.log"
    log.write_bytes(b"\n".join(lines))
    [source] = find_sources([str(log)])

    def rows(chunk_size):
        results = [read_chunk(chunk, "test", years, ZONE) for chunk, years in cut(source, chunk_size, 2026)]
        tables = [table for result in results for table in (*result.events.values(), result.unparsed)]
        return sorted(repr(sorted(row.items())) for table in tables for row in table.to_pylist())

    assert rows(size) == rows(1 << 20)


HOSTILE = {
    "blanks": " ",
    "letters": "a",
    "addresses": "to=<a@b>, ",
    "from": " from ",
    "peers": " from x[1]; from=<",
    "tails": "; from=<",
    "full tails": "; from=<a> to=<b> proto=SMTP helo=<c>",
    "quotes": '; from=<"',
    "open quotes": '<"',
    "backslashes": '"\\',
    "keys": "a=b, ",
    "usernames": ", sasl_username=",
    "angles": "<>",
    "ends": ">, ",
    "brackets": "[",
    "colons": ": ",
    "parentheses": " (",
    "commas": ", ",
    "slashes": "/",
    "queue ids": "0123456789: ",
    "repeats": "message repeated 2 times: [ ",
    "stamps": "Nov 23 08:15:01 ",
}
STARTS = [
    "", "connect from ", "disconnect from ", "client=x[1], sasl_username=", "client=", "warning: ", "warning: x[1]: SASL A authentication failed: ",
    "reject: RCPT from ", "reject: RCPT from x[1]: 550 5.7.1 ", "reject: header ", "milter-reject: END-OF-MESSAGE from x[1]: ",
    "to=<", 'to=<"', "to=<a>, relay=", "to=<a>, orig_to=<", "from=<", 'from=<"', "uid=0 from=<", "message-id=", "host x[1] said: ",
    "Untrusted TLS connection established to ", "statistics: ", "PREGREET 1 after 0 from [::1]:1: ", "lost connection after ",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_message_of_32_kilobytes_is_read_in_linear_time(unit):
    text = HOSTILE[unit] * (32_000 // len(HOSTILE[unit]))
    slowest = 0.0
    for start in STARTS:
        for daemon in ("smtpd", "smtp", "cleanup", "qmgr", "postscreen", "pickup"):
            for queue_id in ("", "3F1A2B3C4D: "):
                program = Program("postfix", "postfix", None, daemon)
                slowest = max(slowest, seconds(parse, program, queue_id + start + text))

    assert slowest < 0.2


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize(
    "start", ["", "Nov 23 08:15:01 mx1 postfix/smtpd[7]: ", "<22>1 2026-11-23T08:15:01Z mx1 a 1 - [x "]
)
def test_hostile_line_of_32_kilobytes_is_framed_in_linear_time(start, unit):
    line = start + HOSTILE[unit] * (32_000 // len(HOSTILE[unit]))
    spent = seconds(frame_line, line, Clock(2026, UTC))

    assert spent < 0.2


@pytest.mark.parametrize(
    "start", ["(1-2) Passed CLEAN ", "(1-2) Passed CLEAN, x", "(1-2) Blocked SPAM (x), Queue-ID: "]
)
@pytest.mark.parametrize("unit", [", Queue-ID: ", ", queued_as: ", "(", " ", "A"])
def test_hostile_verdict_of_32_kilobytes_is_read_in_linear_time(start, unit):
    [amavis] = find_formats("amavis")
    program = Program("amavis", None, None, "amavis")
    spent = seconds(amavis.parse, program, start + unit * (32_000 // len(unit)))

    assert spent < 0.2


@settings(deadline=None, max_examples=300)
@given(daemon=st.sampled_from([*sorted(DAEMONS), None]), data=mutated_lines())
def test_parser_raises_nothing_but_parse_error(daemon, data):
    message = data.decode("latin-1").partition("]: ")[2]
    try:
        kind = POSTFIX.parse(Program("postfix", "postfix", None, daemon), message).kind
    except ParseError as error:
        kind = str(error)

    assert kind


def framed(frame, *arguments):
    try:
        return frame(*arguments)
    except ParseError as error:
        return str(error)


@settings(deadline=None, max_examples=300)
@given(st.lists(mutated_lines(), min_size=2, max_size=6))
def test_what_a_framer_remembers_changes_nothing(texts):
    clock = Clock(2026, UTC)
    framer = Framer(clock)
    lines = [line for text in texts for line in decode(text).split("\n")] * 2

    assert [framed(framer.frame, line) for line in lines] == [
        framed(frame_line, line, clock) for line in lines
    ]


NO_NUMBERS = [
    "qmgr[٣]: 3F1A2B3C4D: removed",
    "smtp[7]: 3F1A2B3C4D: to=<a b>, relay=x[192.0.2.1]:٣, delay=1, status=sent (x)",
    "smtp[7]: 3F1A2B3C4D: to=<a b>, relay=x[192.0.2.1]:25, conn_use=1.5, delay=1, status=sent (x)",
    "smtpd[7]: 3F1A2B3C4D: client=a[192.0.2.1], nrcpt=1 (queue active)",
    "smtpd[7]: 3F1A2B3C4D: client=a[192.0.2.1]:٣, x=y",
    "smtpd[7]: NOQUEUE: reject: RCPT from a[192.0.2.1]:٣: no; from=<>",
    "cleanup[7]: 3F1A2B3C4D: hold: header X from a[192.0.2.1]:٣; from=<> to=<a>",
]


@pytest.mark.parametrize("line", NO_NUMBERS)
def test_what_is_no_number_ends_no_ingest(line):
    result = read(f"Nov 23 08:15:01 mx1 postfix/{line}".encode())

    assert sum(result.coverage.values()) == 1
