import re
from datetime import UTC

import pytest

from ingest.batch import Gathered, Segment
from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.formats.base import Event, Format, Program
from ingest.formats.postfix import POSTFIX
from ingest.framing import Frame
from ingest.schema import Kind

CLOCK = Clock(2026, UTC)
STAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?!\S+ \S+\[\d+\]: )")


def frame_bare(line, clock):
    found = STAMP.match(line)
    if not found:
        raise ParseError("no stamp")
    return Frame(clock.iso(found[1], None), None, "bell", None, line[found.end() :])


BELL = Format(
    "bell",
    lambda tag: Program("bell", None, None, None) if tag == "bell" else None,
    lambda program, message: Event(Kind.SERVER, None, ("reason",), (message,)),
    frame=frame_bare,
    has_continuations=True,
)
SYSLOG = "2026-11-23T08:15:01+00:00 mx1 postfix/qmgr[12]: 3F1A2B3C4D: removed"
FOREIGN = "2026-11-23T08:15:01+00:00 mx1 sshd[12]: hello"


@pytest.fixture
def gather():
    """What becomes of lines, by the formats given: events by line number, and counts."""

    def gathered(*lines, formats=(POSTFIX, BELL), host="mx9"):
        every = Gathered("test", formats, host)
        every.add_segment(Segment(1, lines, CLOCK))
        result = every.result()
        rows = [row for table in result.events.values() for row in table.to_pylist()]
        return {row["line_no"]: row for row in rows}, result

    return gathered


def test_bare_line_is_its_formats(gather):
    rows, _ = gather("2026-11-23 08:15:01 ding dong")

    assert (rows[1]["server"], rows[1]["reason"]) == ("bell", "ding dong")


def test_bare_line_that_looks_like_a_foreign_syslog_line_is_its_formats(gather):
    rows, _ = gather("2026-11-23 08:15:01 ding dong: bang")

    assert rows[1]["reason"] == "ding dong: bang"


def test_one_file_may_mix_both(gather):
    rows, _ = gather("2026-11-23 08:15:01 ding", SYSLOG, "2026-11-23 08:15:02 dong")

    assert [rows[line_no]["server"] for line_no in (1, 2, 3)] == ["bell", "postfix", "bell"]


def test_bare_line_gets_the_host_that_was_said(gather):
    rows, _ = gather("2026-11-23 08:15:01 ding", SYSLOG)

    assert (rows[1]["host"], rows[2]["host"]) == ("mx9", "mx1")


def test_assumed_host_is_told(gather):
    _, bare = gather("2026-11-23 08:15:01 ding")
    _, named = gather(SYSLOG)

    assert (bare.is_host_assumed, named.is_host_assumed) == (True, False)


def test_line_that_nobody_frames_goes_on_the_bare_line_before(gather):
    _, result = gather("2026-11-23 08:15:01 ding", "  and so on", "and on")

    assert result.coverage == {("bell", "event"): 1, ("bell", "blank"): 2}


@pytest.mark.parametrize("before", [SYSLOG, FOREIGN, ""])
def test_line_that_nobody_frames_goes_on_nothing_else(gather, before):
    _, result = gather("2026-11-23 08:15:01 ding", before, "  and so on")

    assert [row["line_no"] for row in result.unparsed.to_pylist()] == [3]


def test_own_stamp_behind_a_syslog_header_wins(gather):
    rows, _ = gather("2026-11-23T09:15:02+01:00 mx1 bell[12]: 2026-11-23 09:15:01 ding")

    assert (rows[1]["host"], rows[1]["pid"], rows[1]["logged_at"].isoformat(), rows[1]["reason"]) == (
        "mx1",
        12,
        "2026-11-23T08:15:01+00:00",
        "ding",
    )


def test_own_stamp_of_another_zone_yields_to_syslogs(gather):
    rows, _ = gather("2026-11-23T09:15:02+01:00 mx1 bell[12]: 2026-11-23 08:15:01 ding")

    assert rows[1]["logged_at"].isoformat() == "2026-11-23T08:15:02+00:00"


def test_message_that_looks_like_a_line_stays_the_message_of_who_stamps(gather):
    rows, _ = gather("2026-11-23T09:15:02+01:00 mx1 bell[12]: 2026-11-23 09:15:01 ding dong: bang")

    assert rows[1]["reason"] == "ding dong: bang"
