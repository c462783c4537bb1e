"""The fast lane gives the reference's rows: every column of every row, what was not understood, and the counts."""

import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest import fast as fast_lane
from ingest.blocks import Chunk
from ingest.dating import LineNumbers
from ingest.drafts import years_of
from ingest.ledger import Ledger
from ingest.parsing import Settings, read_chunk
from ingest.sources import chunks_from, find_sources
from ingest.surveys import survey

ROOT = Path(__file__).parents[3]
NAMES = {
    kind: [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(pattern))]
    for kind, pattern in {
        "golden": "tests/ingest/golden/*/*.log",
        "lab": "tests/analysis/lab/*.log.xz",
        "samples": "sample_logs/*/mail.log",
    }.items()
}
HEAD = b"Nov 23 08:15:01 mx1 postfix/qmgr[7]: "
REMOVED = HEAD + b"3F1A2B3C4D: removed\n"
FOREIGN = b"Nov 23 08:15:01 mx1 cron[7]: 3F1A2B3C4D: removed\n"


@pytest.mark.parametrize("number", range(len(NAMES["golden"])), ids=NAMES["golden"])
def test_golden_log_is_read_as_by_the_reference(lanes, number):
    found = lanes.differences(lanes.golden[number])

    assert not found


@pytest.mark.parametrize("number", range(len(NAMES["lab"])), ids=NAMES["lab"])
def test_lab_log_is_read_as_by_the_reference(lanes, number):
    found = lanes.differences(lanes.lab[number])

    assert not found


@pytest.mark.parametrize("number", range(len(NAMES["samples"])), ids=NAMES["samples"])
def test_sample_log_is_read_as_by_the_reference(lanes, number):
    found = lanes.differences(lanes.samples[number], size=70_000)

    assert not found


@pytest.mark.parametrize("chunk_bytes", [200, 5_000])
def test_chunk_size_makes_no_difference(lanes, chunk_bytes):
    log = (
        lanes.golden[2]
        + lanes.golden[4]
        + REMOVED * 3
        + b"Nov 23 08:15:01 mx1 last message repeated 2 times\n" * 2
    )
    found = lanes.differences(log[:40_000], size=chunk_bytes)

    assert not found


WORLDS = {
    "bsd-short": ["--stamps", "bsd", "--start", "2026-12-29"],
    "bsd-long": ["--stamps", "bsd", "--long-ids", "--start", "2026-12-29"],
    "rfc3339-short": ["--stamps", "rfc3339", "--start", "2026-12-29"],
    "rfc3339-long": ["--stamps", "rfc3339", "--long-ids", "--start", "2026-12-29"],
    "berlin": ["--stamps", "bsd", "--start", "2026-10-24"],
    "new-york": ["--stamps", "bsd", "--start", "2026-10-31"],
    "spring": ["--stamps", "bsd", "--start", "2027-03-13"],
}
ZONES = {"berlin": "Europe/Berlin", "new-york": "America/New_York", "spring": "America/New_York"}


def years_by_line(source, folder):
    with Ledger.open(folder) as ledger, source.open() as stream:
        surveyed = survey(source, stream, ledger)
        numbers = LineNumbers(years_of(surveyed.dates, surveyed.newest, None))
        for _ in chunks_from(source, stream, 1 << 20, numbers):
            pass
    return tuple(numbers.years)


@pytest.fixture(scope="module", params=WORLDS)
def world(request, tmp_path_factory):
    """A simulated log, what a survey says of its years, and its zone."""
    folder = tmp_path_factory.mktemp(request.param)
    make = [sys.executable, ROOT / "sample_logs/make.py", "--out", folder, "--hosts", "1", "--lines", "6000"]
    subprocess.run([*make, "--days", "5", *WORLDS[request.param]], check=True)
    [source] = find_sources([str(next(folder.glob("*/mail.log")))])
    return source.path.read_bytes(), years_by_line(source, folder), ZoneInfo(ZONES.get(request.param, "UTC"))


def test_simulated_log_is_read_as_by_the_reference(lanes, world):
    data, years, zone = world
    found = lanes.differences(data, zone, years, size=150_000)

    assert not found


def test_at_most_one_line_in_a_hundred_of_an_ordinary_log_is_declined(lanes, world):
    data, _, _ = world
    share = lanes.declined_share(data)

    assert share <= 0.01


SET_CLOCKS = [
    f"{stamp} mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n".encode()
    for day in ("Mar 28", "Mar 29", "Oct 24", "Oct 25", "Dec 31", "Jan  1")
    for hour in range(24)
    for stamp in (f"{day} {hour:02}:00:00", f"{day} {hour:02}:14:59", f"{day} {hour:02}:59:59.999999")
]


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
)
@pytest.mark.parametrize("year", [1987, 2026, 1970, 2099, 2100, 0])
def test_hours_at_which_clocks_are_set_are_read_as_by_the_reference(lanes, zone, year):
    found = lanes.differences(b"".join(SET_CLOCKS), ZoneInfo(zone), ((1, year),) if year else ())

    assert not found


def test_year_changes_within_a_chunk(lanes):
    log = b"Dec 31 23:59:59" + REMOVED[15:] + REMOVED * 2 + b"Feb 29 00:00:01" + REMOVED[15:]
    found = lanes.differences(log * 2, years=((1, 2026), (2, 2027), (4, 2028), (7, 2029)))

    assert not found


LINES = {
    "no newline at the end": REMOVED[:-1],
    "carriage returns": (REMOVED[:-1] + b"\r\n") * 3,
    "a carriage return at the end of all": REMOVED[:-1] + b"\r",
    "two carriage returns": REMOVED[:-1] + b"\r\r\n",
    "a carriage return within": HEAD + b"3F1A2B3C4D: from=<a\rb@c.example>, size=1, nrcpt=1 (queue active)\n",
    "a carriage return alone": b"\r\n\r\r\n" + REMOVED,
    "blank lines": b"\n \n\t\n\x0b\n" + REMOVED + b"\n",
    "NUL": HEAD + b"3F1A2B3C4D: from=<a\0b@c.example>, size=1, nrcpt=1 (queue active)\n",
    "NUL in a foreign line": FOREIGN[:-1] + b"\0\xff\n",
    "Latin-1": HEAD + b"3F1A2B3C4D: from=<a\xe9b@c.example>, size=1, nrcpt=1 (queue active)\n",
    "UTF-8": HEAD + "3F1A2B3C4D: from=<aéb@c.example>, size=1, nrcpt=1 (queue active)\n".encode(),
    "a foreign host name": "Nov 23 08:15:01 mü postfix/qmgr[7]: 3F1A2B3C4D: removed\n".encode(),
    "repeated": REMOVED + b"Nov 23 08:15:09 mx1 last message repeated 2 times\n" * 3,
    "repeated after another host": REMOVED + b"Nov 23 08:15:09 mx2 last message repeated 2 times\n",
    "repeated after a foreign line": REMOVED + FOREIGN + b"Nov 23 08:15:09 mx1 last message repeated 2 times\n",
    "repeated after a blank line": REMOVED + b"\nNov 23 08:15:09 mx1 last message repeated 2 times\n",
    "repeated after what is not understood": HEAD + b"what?\nNov 23 08:15:09 mx1 last message repeated 2 times\n",
    "repeated after a carriage return": REMOVED[:-1] + b"\r\nNov 23 08:15:09 mx1 last message repeated 2 times\r\n",
    "repeated first of all": b"Nov 23 08:15:09 mx1 last message repeated 2 times\n" + REMOVED,
    "repeated too often": REMOVED + b"Nov 23 08:15:09 mx1 last message repeated 99999 times\n",
    "rsyslog's repetition": HEAD + b"message repeated 3 times: [ 3F1A2B3C4D: removed]\n",
    "rsyslog's repetition of a foreign line": FOREIGN[:29] + b"message repeated 3 times: [ x]\n",
    "nested": b"Nov 23 08:15:01 relay1 docker[1]: " + REMOVED + b"Nov 23 08:15:01 r docker[1]: <22>" + REMOVED,
    "nested with a day of one digit": b"Nov  3 08:15:01 r docker[1]: Nov  3" + REMOVED[6:],
    "a refusal without words": HEAD.replace(b"qmgr", b"smtpd")
    + b"NOQUEUE: reject: RCPT from a[192.0.2.1]: 550 5.7.1 ; from=<a> to=<b> proto=SMTP helo=<x>\n",
    "nested with another stamp": b"Nov 23 08:15:01 r docker[1]: 2026-11-23T08:15:01.5Z mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n",
    "wrapped": b'{"MESSAGE": "3F1A2B3C4D: removed", "SYSLOG_IDENTIFIER": "postfix/qmgr", "time": "2026-11-23T08:15:01Z"}\n',
    "RFC 5424": b"<22>1 2026-11-23T08:15:01Z mx1 postfix/qmgr 7 - - 3F1A2B3C4D: removed\n",
    "CRI": b"2026-11-23T08:15:01.123456789Z stdout F " + REMOVED,
    "compose": b"mail-1  | " + REMOVED,
    "Solaris": HEAD + b"[ID 197553 mail.info] 3F1A2B3C4D: removed\n",
    "FreeBSD": REMOVED.replace(b"mx1", b"<mail.info> mx1"),
    "a relay chain": REMOVED.replace(b"mx1", b"mx1/relay2") + REMOVED + REMOVED.replace(b"mx1", b"/x"),
    "a priority": b"<22>" + REMOVED + b"<>" + REMOVED + b"<1234>" + REMOVED + b"<2" + REMOVED,
    "a fraction": REMOVED.replace(b":01 ", b":01.5 ") + REMOVED.replace(b":01 ", b":01,5 ") + REMOVED.replace(b":01 ", b":01. "),
    "a long tag": HEAD.replace(b"postfix", b"p" * 70) + b"3F1A2B3C4D: removed\n",
    "no pid": HEAD.replace(b"[7]", b"") + b"3F1A2B3C4D: removed\n",
    "a long pid": b"".join(REMOVED.replace(b"[7]", b"[%s]" % (b"1" * size)) for size in (10, 11)),
    "no blank after the colon": HEAD[:-1] + b"3F1A2B3C4D: removed\n",
    "two blanks after the colon": HEAD + b" 3F1A2B3C4D: removed\n",
    "a blank at the end": REMOVED[:-1] + b" \n" + REMOVED[:-1] + b"\x1f\n",
    "nothing after the id": HEAD + b"3F1A2B3C4D: \n" + HEAD + b"3F1A2B3C4D:\n" + HEAD + b"\n" + HEAD[:-1] + b"\n",
    "NOQUEUE": HEAD.replace(b"qmgr", b"smtpd") + b"NOQUEUE: connect from a[192.0.2.1]\n",
    "ids of all lengths": b"".join(HEAD + letters * size + b": removed\n" for letters in (b"A", b"z", b"0") for size in range(1, 25)),
    "a message too long": HEAD.replace(b"qmgr", b"master") + b"x" * 32_768 + b"\n" + HEAD.replace(b"qmgr", b"master") + b"x" * 32_769 + b"\n",
    "impossible days": b"".join(day + REMOVED[6:] for day in (b"Feb 29", b"Feb 30", b"Nov 31", b"Nov  0", b"Nov 00", b"Nov 05", b"nov  5", b"Mai  5", b"Nov 5")),
    "impossible times": b"".join(REMOVED[:7] + time + REMOVED[15:] for time in (b"24:00:00", b"23:60:00", b"23:59:60", b"23:59:61", b" 1:00:00")),
    "probes": HEAD.replace(b"qmgr", b"smtp") + b"3F1A2B3C4D: to=<a@b.example>, relay=none, delay=0.1, delays=0/0/0/0, dsn=5.0.0, status=undeliverable (no)\n",
    "names that are none": HEAD.replace(b"qmgr", b"smtpd") + b"connect from unknown[unknown]\n" + HEAD.replace(b"qmgr", b"cleanup") + b"3F1A2B3C4D: message-id=<>\n",
    "numbers of all lengths": b"".join(
        HEAD + b"3F1A2B3C4D: from=<>, size=%s, nrcpt=1 (queue active)\n" % (b"9" * size) for size in range(20)
    ),
    "fractions of all lengths": b"".join(
        HEAD.replace(b"qmgr", b"smtp") + b"3F1A2B3C4D: to=<>, relay=local, delay=%s.%s, delays=0/0/0/0, dsn=2.0.0, status=sent (x)\n" % (b"7" * whole, b"3" * part)
        for whole in range(18) for part in range(12)
    ),
    "a quoted local part that imitates": HEAD.replace(b"qmgr", b"smtp")
    + b'3F1A2B3C4D: to=<"a>, relay=x[1.2.3.4]:25, delay=1, status=sent (x"@b.example>, relay=none, delay=0.1, delays=0/0/0/0, dsn=5.0.0, status=bounced (no)\n',
    "a reply that imitates": HEAD.replace(b"qmgr", b"smtp")
    + b"3F1A2B3C4D: to=<a@b.example>, relay=none, delay=0.1, delays=0/0/0/0, dsn=5.0.0, status=bounced (a, status=sent (250 ok))\n",
    "a refusal that imitates its end": HEAD.replace(b"qmgr", b"smtpd")
    + b"NOQUEUE: reject: RCPT from a[192.0.2.1]: 550 5.7.1 <x>: no; from=<a@b> to=<c@d> proto=ESMTP helo=<e>; from=<f@g> to=<h@i> proto=ESMTP helo=<j>\n",
    "a refusal with a quoted recipient": HEAD.replace(b"qmgr", b"smtpd")
    + b'NOQUEUE: reject: RCPT from a[192.0.2.1]: 550 5.7.1 no; to=<"; from=<a@b> to=<c@d> proto=ESMTP helo=<"e>\n',
    "refusals early and late": b"".join(
        HEAD.replace(b"qmgr", b"smtpd") + b"NOQUEUE: " + word + b"reject: " + stage + b" from a[192.0.2.1]: " + code + b"no; really; " + tail + b"\n"
        for word in (b"", b"milter-", b"proxy-")
        for stage in (b"CONNECT", b"EHLO", b"MAIL", b"RCPT", b"END-OF-MESSAGE", b"BDAT")
        for code in (b"", b"550 ", b"5.7.1 ", b"550 5.7.1 ", b"199 9.7.1 ", b"550 5.7.1234 ", b"5.7 ")
        for tail in (b"proto=SMTP", b"proto=SMTP helo=<x>", b"from=<> proto=SMTP helo=<x>", b"from=<a> to=<b> proto=SMTP helo=<x>", b"from=<a>", b"")
    ),
    "a verdict that imitates": b"Nov 23 08:15:01 mx1 amavis[7]: (1-2) Passed CLEAN {R}, , Queue-ID: AAAAAAA, x, [1.2.3.4] <a> -> <b>, Queue-ID: BBBBBBB, Message-ID: <c>, mail_id: d, Hits: -, size: 1, queued_as: CCCCCCC, 1 ms\n",
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_odd_lines_are_read_as_by_the_reference(lanes, name):
    found = lanes.differences(REMOVED + LINES[name] + (REMOVED if LINES[name].endswith(b"\n") else b""))

    assert not found


OFFSETS = ["", "Z", "z", "+00:00", "-00:00", "+0530", "-08", "+24:00", "+02:60", "+2:00", "+14:00", " +02:00"]
FRACTIONS = ["", ".", ".1", ",12", ".123456", ".1234567", ".123456789", ".1234567890123", ".12x"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_stamps_of_rfc_3339_are_read_as_by_the_reference(lanes, zone):
    log = "".join(
        f"{start}2026-{day}{between}02:30:{second}{fraction}{offset} mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
        for start in ("", "<22>")
        for day in ("03-29", "10-25", "02-29")
        for between in ("T", " ", "t")
        for second in ("00", "60")
        for fraction in FRACTIONS
        for offset in OFFSETS
    )
    found = lanes.differences(log.encode(), ZoneInfo(zone))

    assert not found


@pytest.mark.parametrize("format_name", ["auto", "postfix", "amavis"])
def test_each_choice_of_formats_is_read_as_by_the_reference(lanes, format_name):
    found = lanes.differences(lanes.samples[0][:200_000], format_name=format_name)

    assert not found


def test_more_tags_and_hosts_than_there_is_room_for(lanes):
    log = b"".join(
        b"Nov 23 08:15:01 h%d postfix-%d/qmgr[7]: 3F1A2B3C4D: removed\n" % (number, number)
        for number in range(5_000)
    )
    found = lanes.differences(log, size=100_000)

    assert not found


REPEATED = b"Nov  5 10:00:01 mx1 last message repeated 2 times\n"


@pytest.mark.parametrize(
    "before",
    [b"", b"Nov  5 10:00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n", b"Nov  5 10:00:00 mx1 cron[7]: x\n"],
)
def test_a_repetition_at_the_start_is_read_with_the_line_before(lanes, before):
    chunk = Chunk(8, REPEATED + b"Nov  5 10:00:02 mx1 postfix/qmgr[7]: 3F1A2B3C4E: removed\n", before=before)
    settings = Settings(zone=ZoneInfo("UTC"))
    fast, reference = (
        (result.coverage, {family: table.num_rows for family, table in result.events.items()})
        for result in (
            read(chunk, "s", ((1, 2026),), settings) for read in (fast_lane.read_chunk, read_chunk)
        )
    )

    assert fast == reference


def test_nothing_is_read_as_by_the_reference(lanes):
    found = lanes.differences(b"")

    assert not found
