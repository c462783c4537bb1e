"""Every way a mail log writes a moment, and the year that syslog leaves out.

A local time that occurs twice (clocks set back) is read as the first; one that does not exist (clocks set
forward) is read with the offset before the change, as `zoneinfo` does with fold=0: 02:30 becomes 03:30.
"""

from __future__ import annotations

import calendar
import difflib
import os
import re
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from ingest.errors import ParseError, TimezoneError
from ingest.months import month_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Moment(NamedTuple):
    """When a line was written."""

    utc_us: int  # microseconds since 1970-01-01T00:00Z
    offset_s: int  # of the local clock from UTC at that moment


# RFC 3164 4.1.2 "Mmm dd hh:mm:ss"; the fraction is an option of rsyslog and syslog-ng
BSD = re.compile(r"(\S+) +(\d{1,2}) (\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?", re.ASCII)
# RFC 3339 5.6, and what is met beside it: a space for the T, a comma, offsets without colon or minutes; the
# space before the offset is that of Exim's log_timezone
OFFSET = re.compile(r"[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?", re.ASCII)
ISO = re.compile(
    rf"(\d{{4}})-(\d\d)-(\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{{1,9}}))?(?: ?({OFFSET.pattern}))?", re.ASCII
)
UNIX = re.compile(r"(\d{1,20})(?:\.(\d{1,9}))?", re.ASCII)

UNIX_EPOCH = datetime(1970, 1, 1)  # in local times; their offset is taken off by itself
UNIX_END_S = 253_402_300_800  # the year 10000, which Python and DuckDB cannot show
UNITS_PER_S = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def parse_bsd(stamp: str, year: int, zone: tzinfo) -> Moment:
    """'Nov 23 19:00:28', 'Nov  3 19:00:28.123456', 'Απρ 15 12:20:28'."""
    match = BSD.fullmatch(stamp)
    if not match:
        raise ParseError(f"{stamp!r} is no syslog time; it would look like 'Nov  3 19:00:28'")
    month, day, clock, fraction = match.groups()
    local = _local(stamp, year, month_of(month), int(day), clock)
    return _moment(local, fraction, zone)


def parse_iso(stamp: str, zone: tzinfo) -> Moment:
    """'2026-11-23T19:00:28.939955+00:00', '2026-11-23 19:00:28,939 +0100'; without offset, in `zone`."""
    match = ISO.fullmatch(stamp)
    if not match:
        raise ParseError(f"{stamp!r} is no ISO 8601 time; it would look like '2026-11-23T19:00:28+01:00'")
    year, month, day, clock, fraction, offset = match.groups()
    local = _local(stamp, int(year), int(month), int(day), clock)
    return _moment(local, fraction, fixed_offset(offset) if offset else zone)


def parse_epoch(text: str, unit: str = "us") -> Moment:
    """Time since 1970 in a unit of UNITS_PER_S; journald's __REALTIME_TIMESTAMP has microseconds."""
    match = UNIX.fullmatch(text)
    if not match:
        raise ParseError(f"{text!r} is no time since 1970; it would look like '1795460428939955'")
    billionths = int(match[1] + (match[2] or "").ljust(9, "0"))
    utc_us = billionths * 10**6 // (UNITS_PER_S[unit] * 10**9)
    if utc_us >= UNIX_END_S * 10**6:
        raise ParseError(f"{text!r} in {unit} since 1970 is after the year 9999; is it in a smaller unit?")
    return Moment(utc_us, 0)


def _local(stamp: str, year: int, month: int, day: int, clock: str) -> datetime:
    hour, minute, second = map(int, clock.split(":"))
    try:
        # A leap second is read as the second before it: neither Python nor POSIX time has it
        return datetime(year, month, day, hour, minute, 59 if second == 60 else second)
    except ValueError as error:
        raise ParseError(f"{stamp!r} in the year {year} is no possible time: {error}") from error


def _moment(local: datetime, fraction: str | None, zone: tzinfo) -> Moment:
    offset = offset_at(local, zone)
    fraction_us = int((fraction or "0")[:6].ljust(6, "0"))
    utc_s = (local - UNIX_EPOCH - offset) // timedelta(seconds=1)
    return Moment(utc_s * 10**6 + fraction_us, offset // timedelta(seconds=1))


def offset_at(local: datetime, zone: tzinfo) -> timedelta:
    """How far a local time is ahead of UTC."""
    return local.replace(tzinfo=zone).utcoffset() or timedelta()


def find_zone(name: str | None = None) -> tzinfo:
    """A zone of the IANA database, or a fixed offset such as '+02:00'; without a name, this machine's."""
    if name is None:
        return local_zone()
    if OFFSET.fullmatch(name):
        return fixed_offset(name)
    try:
        return ZoneInfo(name)
    # OSError: a folder of the database ('Europe'); ValueError: '', '/etc/passwd', '../x'
    except (KeyError, OSError, ValueError) as error:
        raise TimezoneError(f"there is no time zone {name!r}; {_similar_zones(name)}") from error


def fixed_offset(text: str) -> tzinfo:
    """'Z', '+02:00', '+0200', '-08': what OFFSET matches."""
    return time.fromisoformat(f"00:00{text.upper()}").tzinfo or UTC


def zone_name(zone: tzinfo) -> str | None:
    """What `find_zone` makes the zone of; None for the zone of a file that has no name."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    minutes = (zone.utcoffset(None) or timedelta()) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _similar_zones(name: str) -> str:
    """Near names, and near cities: whoever types 'Berlin' means 'Europe/Berlin'."""
    zones = {zone.casefold(): zone for zone in sorted(available_timezones())}
    cities = {key.rpartition("/")[2]: zone for key, zone in zones.items()}
    near = difflib.get_close_matches(name.casefold(), zones | cities, n=3)
    names = dict.fromkeys((zones | cities)[key] for key in near)
    return f"near are {', '.join(names)}" if names else "right would be e.g. Europe/Berlin, UTC or +02:00"


def local_zone(localtime: Path = Path("/etc/localtime")) -> tzinfo:
    """This machine's zone: $TZ, else what /etc/localtime links to, else UTC (localtime(5))."""
    name = os.environ.get("TZ", str(localtime)).removeprefix(":") or "UTC"
    return _zone_of_file(Path(name)) if name.startswith("/") else find_zone(name)


def _zone_of_file(path: Path) -> tzinfo:
    """A link into the zone database has a name; a copied file has none, and its zone cannot be pickled."""
    _, database, name = os.path.realpath(path).rpartition("/zoneinfo/")
    if database:
        return find_zone(name)
    if not path.exists():
        return UTC
    with path.open("rb") as file:
        return ZoneInfo.from_file(file)


class DateSeen(NamedTuple):
    """A run of lines that begin with the same date."""

    at: int  # where its first line begins: bytes from the beginning of the source
    month: int
    day: int
    year: int | None  # None in BSD stamps


# (where, year of the BSD stamps from there on): by byte offset of a source, or by line number
Years = tuple[tuple[int, int], ...]

CLOCK_STEP_DAYS = 2
SOME_LEAP_YEAR = 2024


def year_of(years: Years, line_no: int) -> int | None:
    """The year of the BSD stamp in this line; None if the source has no lines with BSD stamps."""
    at = bisect_right(years, line_no, key=lambda change: change[0])
    return years[max(0, at - 1)][1] if years else None


def infer_years(dates: Sequence[DateSeen], newest: datetime, year: int | None = None) -> Years:
    """The years of BSD stamps, from the order of their dates and one year that is known.

    Known is: the year of the nearest ISO date in the file; else `year`, the user's word for the last line;
    else the latest year that puts the last line no more than a day after `newest` (when the file was last
    written), and every February 29 into a leap year.
    """
    dates = [date for date in dates if date.year is None or 1970 <= date.year <= newest.year + 1]
    if all(date.year for date in dates):
        return ()
    steps = list(accumulate((_year_step(*pair) for pair in pairwise(dates)), initial=0))
    bases = _bases_from_iso(dates, steps) or [(year or _latest_year(dates, steps, newest)) - steps[-1]] * len(
        dates
    )
    bsd = (
        (date.at, base + step) for date, base, step in zip(dates, bases, steps, strict=True) if not date.year
    )
    return tuple(_changes(bsd))


def _year_step(before: DateSeen, after: DateSeen) -> int:
    """How many New Years lie between: clocks step back a little, logs go back far only over a New Year."""
    if before.year and after.year:
        return after.year - before.year
    days = day_of_year(after) - day_of_year(before)
    if days > 363 - CLOCK_STEP_DAYS:
        return -1  # January 1, then December 31: the clock stepped back over New Year
    return 1 if days < -CLOCK_STEP_DAYS else 0


def day_of_year(date: DateSeen) -> int:
    """Counted in a leap year; a ValueError if there is no such day."""
    return datetime(SOME_LEAP_YEAR, date.month, date.day, tzinfo=UTC).timetuple().tm_yday


def _bases_from_iso(dates: Sequence[DateSeen], steps: Sequence[int]) -> list[int]:
    """For each date the year of step 0 as the nearest ISO date has it; empty without ISO dates."""
    known = [(date.at, date.year - step) for date, step in zip(dates, steps, strict=True) if date.year]
    return [_nearest(known, date.at) for date in dates] if known else []


def _nearest(known: Sequence[tuple[int, int]], at: int) -> int:
    place = bisect_left(known, at, key=lambda pair: pair[0])
    return min(known[max(0, place - 1) : place + 1], key=lambda pair: abs(pair[0] - at))[1]


def _latest_year(dates: Sequence[DateSeen], steps: Sequence[int], newest: datetime) -> int:
    limit = newest + timedelta(days=1)
    fits = dates[-1][1:3] <= (limit.month, limit.day)
    latest = limit.year if fits else limit.year - 1
    leaps = {step - steps[-1] for date, step in zip(dates, steps, strict=True) if date[1:3] == (2, 29)}
    # Leap years are at most eight years apart (1896, 1904). Where no year fits all dates, none is right
    candidates = range(latest, latest - 8, -1)
    return next((y for y in candidates if all(calendar.isleap(y + leap) for leap in leaps)), latest)


def _changes(years: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    current = None
    for at, year in years:
        if year != current:
            yield at, year
        current = year
