"""The fast lane gives the reference's rows: every column of every row, what was not understood, and the counts."""

import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest import fast as fast_lane
from ingest.blocks import BOM, Chunk
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
        "lab": "tests/analysis/lab/*log.xz",
        "samples": "sample_logs/*/mail.log",
        "exim samples": "sample_logs/*/mainlog*",
    }.items()
}
NAMES["samples"] += NAMES.pop("exim samples")
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


@pytest.mark.parametrize(
    "number", [at for at, name in enumerate(NAMES["samples"]) if "mainlog" in name], ids=["all", "default"]
)
def test_at_most_one_line_in_a_hundred_of_exims_own_file_is_declined(lanes, number):
    """With all that Exim can log, and with its default selectors."""
    share = lanes.declined_share(lanes.samples[number])

    assert share <= 0.01


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
    "Haraka's own file between Exim's": (
        b"2026-11-02T10:36:18.570Z [NOTICE] [core] x\n2026-11-02 08:00:00 [7] 1xOWHb-0001Kz-EO Completed\n"
        b"2026-11-02T10:36:18.570Z [7] [x] y: z\nNov 23 08:15:01 [mx1] cron[7]: x\n"
    ) * 2,
    "a priority within": b"".join(
        b"Nov 23 08:15:01 r docker[1]: <" + each + REMOVED for each in (b"22>", b"1>", b">", b"2222>", b"x>", b"22> ", b"22>Sept  3 08:15:01 mx1 x: ")
    )
    + b"Nov 23 08:15:01 r docker[1]: <22>Sept" + REMOVED[3:],
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


ID = b"1xOWHb-0001Kz-EO"
SENT = b"=> a@b.example R=r T=t H=h.example [192.0.2.1]"
EXIM_LINES = {
    "one host for all": b"2026-11-02 08:00:00 " + ID + b" Completed\n",
    "stamps": b"".join(
        b"2026-11-02" + between + b"08:00:00" + fraction + offset + pid + b" " + ID + b" Completed\n"
        for between in (b" ", b"T")
        for fraction in (b"", b".5", b".123", b".1234", b",123", b".")
        for offset in (b"", b" +0000", b" -0930", b" +2400", b" +01", b" +01:00", b"+0100", b" 0100")
        for pid in (b"", b" [7]", b" [007]", b" [12345678901]", b" [x]", b" []", b" [7")
    ),
    "no blank behind the process": b"2026-11-02 08:00:00 [7]" + ID + b" Completed\n",
    "a process twice": b"2026-11-02 08:00:00 [7] [8] " + ID + b" Completed\n",
    "ids": b"".join(
        b"2026-11-02 08:00:00 " + each + b" Completed\n"
        for each in (
            b"1xOWHb-0001Kz-EO", b"1xOWHb-000000001Tm-0eIs", b"1xOWHb-0001Kz_EO", b"1xOWHb-0001K-zEO", b"1xOWHb-0001Kz-EOx",
            b"1xOWHb--001Kz-EO", b"1xOWHb-0001Kz-E", b"this-is-a-word-x", b"-xOWHb-0001Kz-EO",
        )
    ),
    "what syslog may have written": b"".join(
        b"2026-11-02 08:00:00 " + each + b"\n"
        for each in (
            b"mx1 exim[7]: Start queue run: pid=7", b"mx1 exim: Start queue run: pid=7", b"mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed",
            b"mx1 exim:Start queue run: pid=7", b"+0100 exim: x", b"[7] exim: x", ID + b" exim: x", ID + b" exim[7]: x",
            b"[7] mx1 exim: Start", b"H=a exim: [192.0.2.1] rejected RCPT <a@b>: No", b"stdout F " + ID + b" Completed",
        )
    ),
    "goes on": b"2026-11-02 08:00:00 " + ID + b" Completed\nmore\n  of it\n\nnot of it\n" + REMOVED + b"nor this\n" + FOREIGN
    + b"x\n2026-11-02 08:00:00 " + ID + b" Completed\n" + b"Nov 23 08:15:09 mx1 last message repeated 2 times\nx\n",
    "through syslog": b"".join(
        b"Nov 23 08:15:01 mx1 exim[7]: " + each + b"\n"
        for each in (
            ID + b" Completed", ID + b" Completed", b"2026-11-23 08:15:01 " + ID + b" Completed", b"[7] " + ID + b" Completed",
            b"[1/2] " + ID + b" Comp", b"[2/2] leted", b"H=(x) [192.0.2.1] rejected RCPT <a@b>: No", b"H=(x) [192.0.2.1] rejected RCPT <a@b>: No",
            b"2026-11-23 08:15:01 H=(x) [192.0.2.1] rejected RCPT <a@b>: No",
        )
    ),
    "durations": b"".join(
        b"2026-11-02 08:00:00 " + ID + b" " + SENT + b" QT=" + each + b" DT=" + each + b"\n"
        for each in (b"0s", b"1.5s", b"0.123s", b"0.1234s", b"1w2d3h4m5.006s", b"5m4h", b"5", b"m", b"", b"1.s", b"12345m", b"1m1m", b"9999999999s")
    ),
    "replies": b"".join(
        b"2026-11-02 08:00:00 " + ID + begin + each + end + b"\n"
        for begin, end in (
            (b" " + SENT + b' C="', b'"'),
            (b" ** a@b.example R=r T=t H=h.example [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<a@b.example>: ", b""),
            (b" == a@b.example R=r T=smtp defer (-44): SMTP error from remote mail server after end of data: ", b""),
        )
        for each in (
            b"250 OK", b"250 2.0.0 OK", b"250 2.0.0", b"250", b"25", b"250-2.0.0 a\\n250 2.0.0 b", b"250 2.0.0\\nb", b"ok", b"", b"a\\\\nb\\\\\\nc", b"\\",
            b'a \\"quoted\\" word', b"550 5.1.1234 x", b"550 5.1.1x", b"199 1.1.1 x", b"550 no: 551 5.1.1 yes", b"450 later DT=0.5s", b"450 a\tb",
        )
    ),
    "given up": b"".join(
        b"2026-11-02 08:00:00 " + ID + b" ** a@b.example" + each + b"retry timeout exceeded\n"
        for each in (b": ", b" R=r T=smtp: ", b" R=r T=t: 550 no: ", b" <c@d.example>: ", b" R=r T=smtp: Connection timed out: ", b": not ")
    ),
    "addresses": b"".join(
        b"2026-11-02 08:00:00 " + ID + b" => " + each + b" R=r T=t\n"
        for each in (
            b"a@b.example", b"a <a@b.example>", b"A <a@B.example>", b"a <b@b.example>", b"a@b.example <a@B.EXAMPLE>", b"a@b <a@b@c>", b"a <a@b@c>",
            b"a <a>", b"ab <a@b>", b"discarded", b"discarded <a@b>", b"/dev/null <a@b>", b"/var/mail/a <a@b>", b":blackhole: <a@b>", b":fail: <a@b>",
            b"|pipe <a@b>", b"a (b) <c@d>", b'"a b"@c <d@e>', b"", b"xn--a@b <c@d>",
        )
    ),
    "transports": b"".join(
        b"2026-11-02 08:00:00 " + ID + b" == a@b.example R=r T=" + each + b" defer (" + error + b"): Not now\n"
        for each in (b"smtp", b"remote_smtp", b"my_smtp_x", b"maildir", b"address_file", b"lmtp", b"spool", b"**bypassed**", b"")
        for error in (b"0", b"-1", b"-53", b"-54", b"53", b"--53", b"", b"x")
    ),
    "a field twice": b"2026-11-02 08:00:00 " + ID + b" <= a@b H=h [192.0.2.1] P=smtp S=1 RT=1s id=x RT=2s\n",
    "fields in another order": b"2026-11-02 08:00:00 " + ID + b" <= a@b P=smtp H=h [192.0.2.1] S=1\n",
    "a subject": b"".join(
        b"2026-11-02 08:00:00 " + ID + b" <= a@b H=h [192.0.2.1] P=smtp L- X=TLS1.3:A:256 CV=no K S=1 id=x T=" + each + b" from <a@b> for c@d e@f\n"
        for each in (b'"a"', b'""', b'"a\\"b"', b'"a\\"', b'"a\\\\"', b'"a', b"a b", b'"a" R=x')
    ),
    "no sender": b"2026-11-02 08:00:00 " + ID + b" <= <> R=" + ID + b" U=exim P=local S=1\n2026-11-02 08:00:00 " + ID + b" <= <\x01> U=exim P=local S=1\n",
    "refusals": b"".join(
        b"2026-11-02 08:00:00 H=h (e) [192.0.2.1]:25 F=<a@b> " + verb + b" RCPT <c@d>: " + each + b"\n"
        for verb in (b"rejected", b"temporarily rejected")
        for each in (
            b"No", b"no such user", b"no HELO/EHLO given", b"not you", b"syntactically invalid", b"sender", b"message too big", b"mail", b"550 no", b"5.7.1 no",
            b"192.0.2.1 listed", b"250.1.1.1 listed", b"451 4.7.1 later", b"(x)", b"",
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("host", [None, "mx2", "a/b", "mü", "m" * 300])
@pytest.mark.parametrize("name", EXIM_LINES)
def test_odd_lines_of_exim_are_read_as_by_the_reference(lanes, name, host):
    found = lanes.differences(EXIM_LINES[name], host=host)

    assert not found


@pytest.mark.parametrize("chunk_bytes", [60, 700])
def test_chunk_size_makes_no_difference_to_exims_entries(lanes, chunk_bytes):
    log = b"".join(lanes.golden[number] for number, name in enumerate(NAMES["golden"]) if "exim" in name)
    found = lanes.differences(log, size=chunk_bytes)

    assert not found


@pytest.mark.parametrize("format_name", ["auto", "postfix", "amavis", "exim"])
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


@pytest.mark.parametrize("second", [REMOVED, FOREIGN])
def test_a_byte_order_mark_is_read_as_by_the_reference(lanes, second):
    found = lanes.differences(BOM + REMOVED + BOM + REMOVED + second)

    assert not found
