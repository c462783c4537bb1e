"""The moment of a hop: dates of RFC 5322 section 3.3, their obsolete forms, and what is met beside them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple

from ingest.errors import ParseError
from ingest.months import month_of


class Dated(NamedTuple):
    """A moment in UTC, how far the writer's clock was from UTC, what was wrong with it, and where it stands in the text."""

    at: datetime
    offset_s: int | None  # None: no zone, or one whose name nobody defines
    defects: tuple[str, ...]
    start: int
    end: int


_TIME: Final = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
_CLOCK: Final = re.compile(r"\d:\d\d", re.ASCII)  # without one there is no date
_ZONE: Final = r"(?P<zone>[+-]\d\d:?\d\d|[A-Za-z]{1,5})(?![\w.])"
_FORMS: Final = tuple(
    re.compile(form, re.ASCII)
    for form in (
        # Tue, 2 Nov 2026 10:00:00 +0100; the weekday, the seconds and the zone may be missing
        rf"(?:[A-Za-z]{{2,9}}\.?,? ?)?(?P<day>\d{{1,2}})[ -](?P<month>[A-Za-z]{{3,9}})\.?[ -](?P<year>\d{{4}}|\d\d),? {_TIME}(?: ?{_ZONE})?",
        # Tue Nov  2 10:00:00 2026 +0100, as ctime(3) writes; the zone before the year, as date(1) does
        rf"[A-Za-z]{{3}},? (?P<month>[A-Za-z]{{3}}) (?P<day>\d{{1,2}}) {_TIME}(?: (?P<early>[A-Z]{{1,5}}))? (?P<year>\d{{4}})(?: ?{_ZONE})?",
        # 2026-11-02 10:00:00.757045452 +0000 UTC m=+349867.49, as Go writes; RFC 3339
        rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[T ]{_TIME}(?: ?{_ZONE})?",
    )
)
# RFC 5322 section 4.3; other names have no agreed meaning.
_ZONES: Final = {
    "UT": 0, "GMT": 0, "UTC": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


# The same without doubt, of which nearly every date is: day, time and zone.
USUAL_DATE: Final = r"(?:[A-Z][a-z]{2}, )?(\d{1,2} [A-Z][a-z]{2} \d{4}) ((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d) ([+-]\d{4}|[A-Z]{2,3})(?: \([A-Za-z]{1,5}\))?"
_USUAL: Final = re.compile(USUAL_DATE, re.ASCII)


def read_usual(text: str) -> tuple[datetime, int] | None:
    """Moment and offset of a text that is nothing but a date as RFC 5322 has it, without any defect; None for others."""
    found = _USUAL.fullmatch(text)
    return usual_moment(*found.groups()) if found else None


def usual_moment(day: str, time: str, zone: str) -> tuple[datetime, int] | None:
    """Moment and offset of the parts of a USUAL_DATE; None where there is no such moment."""
    known = _begin(day, zone)
    if known is None:
        return None
    date, behind, offset_s = known
    try:
        local = datetime.fromisoformat(f"{date}T{time}+00:00")  # the clock's, as if it were UTC
        return (local - behind if offset_s else local), offset_s
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4096)
def _begin(day: str, zone: str) -> tuple[str, timedelta, int] | None:
    """A day as ISO 8601 has it, and how far its zone is from UTC."""
    number, month, year = day.split()
    offset_s, _ = _offset(zone)
    if offset_s is None or month not in MONTHS:
        return None
    return f"{year}-{MONTHS[month]:02}-{number:0>2}", timedelta(seconds=offset_s), offset_s


MONTHS: Final = {name: month_of(name) for name in "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()}


def find_date(text: str) -> Dated | None:
    """The first date in a text whose blanks are single, or None."""
    if not _CLOCK.search(text):
        return None
    found = next(filter(None, (form.search(text) for form in _FORMS)), None)
    return _dated(found) if found else None


def _dated(found: re.Match[str]) -> Dated | None:
    part = found.groupdict()
    offset_s, defects = _offset(part["zone"] or part.get("early"))
    try:
        month = int(part["month"]) if part["month"].isdigit() else month_of(part["month"])
        local = datetime(
            _year(part["year"]), month, int(part["day"]), int(part["hour"]), int(part["minute"]), min(int(part["second"] or 0), 59),
            int((part["fraction"] or "0")[:6].ljust(6, "0")), timezone(timedelta(seconds=offset_s or 0)),
        )  # fmt: skip
        return Dated(local.astimezone(UTC), offset_s, defects, found.start(), found.end())
    except (ValueError, OverflowError, ParseError):
        return None


def _year(digits: str) -> int:
    """RFC 5322 section 4.3: two digits from 50 on are of the last century."""
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= 50 else 2000)


def _offset(zone: str | None) -> tuple[int | None, tuple[str, ...]]:
    if zone is None:
        return None, ("date without zone",)
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        hours, minutes = int(digits[:2]), int(digits[2:])
        if hours > 23 or minutes > 59:
            return None, (f"zone {zone} is none",)
        return (-1 if zone[0] == "-" else 1) * (hours * 3600 + minutes * 60), ()
    if zone.upper() in _ZONES:
        return _ZONES[zone.upper()] * 3600, ()
    return None, (f"zone {zone} has no agreed meaning",)
