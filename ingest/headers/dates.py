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


_USUAL: Final = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) ([+-]\d{4}|[A-Z]{2,3})(?: \([A-Za-z]{1,5}\))?",
    re.ASCII,
)


def read_usual(text: str) -> tuple[datetime, int] | None:
    """Moment and offset of a text that is nothing but a date as RFC 5322 has it, without any defect; None for others."""
    if not (found := _USUAL.fullmatch(text)):
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    known = _zone(zone)
    if known is None or month not in _MONTHS:
        return None
    try:
        local = datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=known[0]
        )
        return local.astimezone(UTC) if known[1] else local, known[1]
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)
def _zone(text: str) -> tuple[timezone, int] | None:
    offset_s, _ = _offset(text)
    return (
        None if offset_s is None else (timezone(timedelta(seconds=offset_s)) if offset_s else UTC, offset_s)
    )


_MONTHS: Final = {name: month_of(name) for name in "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()}


def find_date(text: str) -> Dated | None:
    """The first date in a text whose blanks are single, or None."""
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
