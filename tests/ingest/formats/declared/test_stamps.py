import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ingest.clock import Clock
from ingest.errors import ConfigError, ParseError
from ingest.formats.declared.stamps import read_stamp, stamp_of, steps_of

TEN = datetime(2026, 11, 5, 10, tzinfo=UTC)


def moment(form, text, clock=None):
    found = read_stamp((stamp_of(form),), text, clock or Clock(2026, UTC))
    return datetime.fromtimestamp(found.utc_us / 1e6, timezone(timedelta(seconds=found.offset_s)))


@pytest.mark.parametrize(
    "form, text",
    [
        ("{iso}", "2026-11-05T10:00:00Z"),
        ("{iso}", "2026-11-05 11:00:00+0100"),
        ("{epoch}", "1793872800"),
        ("{epoch_ms}", "1793872800000"),
        ("{tai64n}", "@400000006aec53aa00000000"),
        ("[%d-%b-%Y %H:%M:%S %z]", "[05-Nov-2026 11:00:00 +0100]"),
        ("%b %d %H:%M:%S", "Nov  5 10:00:00"),
        ("%a %b %d %H:%M:%S %Y", "Thu Nov 05 10:00:00 2026"),
        ("%d.%m.%y %H:%M:%S", "05.11.26 10:00:00"),
        ("%Y/%m/%d %H:%M:%S.%f", "2026/11/05 10:00:00.000"),
    ],
)
def test_form_reads_ten_o_clock(form, text):
    assert moment(form, text) == TEN


def test_fraction_is_kept():
    assert moment("%Y-%m-%dT%H:%M:%S.%fZ", "2026-11-05T10:00:00.440526026Z").microsecond == 440526


def test_tai64n_has_nanoseconds():
    """As daemontools' tai64nlocal prints it: it takes ten seconds off, and knows no leap seconds."""
    assert moment("{tai64n}", "@4000000038c3eeb027f41c7c").isoformat() == "2000-03-06T17:45:10.670309+00:00"


def test_other_form_is_told():
    with pytest.raises(ParseError, match=re.escape("'x' is no stamp of the form '{iso}'")):
        moment("{iso}", "x")


def test_impossible_moment_is_a_line_that_is_not_understood():
    with pytest.raises(ParseError):
        moment("%Y-%m-%d %H:%M:%S", "2026-13-45 10:00:00")


@pytest.mark.parametrize("form", ["%Y-%m-%d", "x", "{iso} {epoch} {iso}", "%m-%d %H:%M:%S"])
def test_form_that_tells_no_moment_is_refused(form):
    with pytest.raises(ConfigError):
        stamp_of(form)


@pytest.mark.parametrize(
    "form",
    ["%d/%m/%y %H:%M:%S", "%b %d %H:%M:%S", "%a %d %b %Y %H:%M:%S", "{epoch}", "{tai64n}", "{iso} %m", "{iso} %b", "à %Y-%m-%d %H:%M:%S", "%%%Y-%m-%d %H:%M:%S"],
)  # fmt: skip
def test_form_that_may_be_read_in_two_ways_has_no_steps(form):
    assert steps_of(form) == ()


def test_steps_of_a_form_stand_in_its_order():
    assert steps_of("[%d-%b %Y") == ("[", "%d", "-", "%b", " ", "%Y")
