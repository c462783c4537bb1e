import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import ParseError, TimezoneError
from ingest.months import MONTHS_BY_LOCALE, month_of
from ingest.times import (
    DateSeen,
    Moment,
    find_zone,
    infer_years,
    local_zone,
    parse_bsd,
    parse_epoch,
    parse_iso,
    year_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def moment(text: str, offset_s: int = 0) -> Moment:
    """Of a UTC time."""
    since = datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return Moment(since // timedelta(microseconds=1), offset_s)


BSD = [
    ("Nov 23 19:00:28", UTC, moment("2026-11-23 19:00:28")),
    ("Nov  3 19:00:28", UTC, moment("2026-11-03 19:00:28")),
    ("Nov 3 19:00:28", UTC, moment("2026-11-03 19:00:28")),
    ("Nov 23 19:00:28.123456", UTC, moment("2026-11-23 19:00:28.123456")),
    ("Nov 23 19:00:28.5", UTC, moment("2026-11-23 19:00:28.5")),
    ("Nov 23 19:00:28.123456789", UTC, moment("2026-11-23 19:00:28.123456")),
    ("Nov 23 00:30:00", BERLIN, moment("2026-11-22 23:30:00", 3600)),
    ("Jul 23 00:30:00", BERLIN, moment("2026-07-22 22:30:00", 7200)),
    ("Dec 31 23:59:59", NEW_YORK, moment("2027-01-01 04:59:59", -18000)),
    ("Dec 31 23:59:60", UTC, moment("2026-12-31 23:59:59")),
    ("Απρ 15 12:20:28", UTC, moment("2026-04-15 12:20:28")),
    ("Mär 15 12:20:28", UTC, moment("2026-03-15 12:20:28")),
    ("févr. 15 12:20:28", UTC, moment("2026-02-15 12:20:28")),
    ("ноя 15 12:20:28", UTC, moment("2026-11-15 12:20:28")),
    ("paź 15 12:20:28", UTC, moment("2026-10-15 12:20:28")),
]


@pytest.mark.parametrize("stamp, zone, expected", BSD, ids=[case[0] for case in BSD])
def test_bsd_stamp_is_read(stamp, zone, expected):
    found = parse_bsd(stamp, 2026, zone)

    assert found == expected


ISO = [
    ("2026-11-23T19:00:28.939955+00:00", moment("2026-11-23 19:00:28.939955")),
    ("2022-01-08T19:42:12Z", moment("2022-01-08 19:42:12")),
    ("2022-01-08T19:42:12z", moment("2022-01-08 19:42:12")),
    ("2026-11-23T19:00:28-08:00", moment("2026-11-24 03:00:28", -28800)),
    ("2026-11-23T19:00:28+0200", moment("2026-11-23 17:00:28", 7200)),
    ("2026-11-23T19:00:28+02", moment("2026-11-23 17:00:28", 7200)),
    ("2026-11-23T19:00:28+05:45", moment("2026-11-23 13:15:28", 20700)),
    ("2026-11-23 19:00:28,939", moment("2026-11-23 18:00:28.939", 3600)),
    ("2026-11-23 19:00:28", moment("2026-11-23 18:00:28", 3600)),
    ("2003-04-25 11:17:07.123 +0100", moment("2003-04-25 10:17:07.123", 3600)),
    ("2016-12-31T23:59:60.25Z", moment("2016-12-31 23:59:59.25")),
    ("1969-12-31T23:59:59.5Z", Moment(-500_000, 0)),
]


@pytest.mark.parametrize("stamp, expected", ISO, ids=[case[0] for case in ISO])
def test_iso_stamp_is_read_and_is_local_without_offset(stamp, expected):
    found = parse_iso(stamp, BERLIN)

    assert found == expected


def test_local_time_that_occurs_twice_is_the_first():
    found = parse_bsd("Oct 25 02:30:00", 2026, BERLIN)

    assert found == moment("2026-10-25 00:30:00", 7200)


def test_local_time_that_does_not_exist_keeps_the_offset_before_the_change():
    found = parse_bsd("Mar 29 02:30:00", 2026, BERLIN)

    assert found == moment("2026-03-29 01:30:00", 3600)


IMPOSSIBLE_BSD = [
    ("Nov 31 19:00:28", "day is out of range"),
    ("Feb 29 19:00:28", "in the year 2026"),
    ("Nov  0 19:00:28", "day is out of range"),
    ("Nov 23 25:00:00", "hour must be in"),
    ("Nov 23 24:00:00", "hour must be in"),
    ("Nov 23 19:60:00", "minute must be in"),
    ("Nov 23 19:00:61", "second must be in"),
    ("Foo 23 19:00:28", "unknown month 'Foo'"),
    ("lip 23 19:00:28", "unknown month 'lip'"),
    ("Nov 23 19:00", "it would look like"),
    ("Nov 23 19:00:28 ", "it would look like"),
    ("Nov ٢٣ 19:00:28", "it would look like"),
    ("", "it would look like"),
]


@pytest.mark.parametrize("stamp, reason", IMPOSSIBLE_BSD, ids=[case[0] for case in IMPOSSIBLE_BSD])
def test_impossible_bsd_stamp_is_a_parse_error(stamp, reason):
    with pytest.raises(ParseError, match=reason):
        parse_bsd(stamp, 2026, UTC)


IMPOSSIBLE_ISO = [
    ("2026-11-31T19:00:28Z", "day is out of range"),
    ("2026-13-01T19:00:28Z", "month must be in"),
    ("0000-01-01T00:00:00Z", "year 0 is out of range"),
    ("2026-11-23T24:00:00Z", "hour must be in"),
    ("2026-11-23T19:00:28+24:00", "it would look like"),
    ("2026-11-23T19:00:28+01:60", "it would look like"),
    ("2026-11-23", "it would look like"),
    ("26-11-23 19:00:28", "it would look like"),
    ("2026-11-23 19:00:28.1234567890", "it would look like"),
]


@pytest.mark.parametrize("stamp, reason", IMPOSSIBLE_ISO, ids=[case[0] for case in IMPOSSIBLE_ISO])
def test_impossible_iso_stamp_is_a_parse_error(stamp, reason):
    with pytest.raises(ParseError, match=reason):
        parse_iso(stamp, UTC)


def test_february_29_is_read_in_a_leap_year():
    found = parse_bsd("Feb 29 12:00:00", 2024, UTC)

    assert found == moment("2024-02-29 12:00:00")


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-23 * 60, 23 * 60))
@settings(deadline=None)
def test_iso_stamps_of_any_moment_and_offset_come_back(local, offset_minutes):
    stamp = local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    found = parse_iso(stamp.isoformat(), BERLIN)

    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=found.utc_us) == stamp


@given(st.text(max_size=40))
@settings(deadline=None)
def test_any_text_is_a_moment_or_a_parse_error(text):
    for parse in (lambda t: parse_bsd(t, 2026, BERLIN), lambda t: parse_iso(t, BERLIN), parse_epoch):
        try:
            found = parse(text)
        except ParseError:
            continue

        assert isinstance(found, Moment)


EPOCH = [
    ("1795460428939955", "us", 1795460428939955),
    ("1795460428", "s", 1795460428000000),
    ("1795460428.939955", "s", 1795460428939955),
    ("1795460428939", "ms", 1795460428939000),
    ("1795460428939955123", "ns", 1795460428939955),
    ("0", "us", 0),
]


@pytest.mark.parametrize("text, unit, utc_us", EPOCH)
def test_time_since_1970_is_read_in_its_unit(text, unit, utc_us):
    found = parse_epoch(text, unit)

    assert found == Moment(utc_us, 0)


@pytest.mark.parametrize("text", ["", "-1", "1e9", "NaN", "١٢", "12.", "9" * 5000, "1 000"])
def test_what_is_no_number_is_no_time_since_1970(text):
    with pytest.raises(ParseError, match="no time since 1970"):
        parse_epoch(text)


def test_microseconds_taken_for_seconds_are_a_parse_error():
    with pytest.raises(ParseError, match="after the year 9999"):
        parse_epoch("1795460428939955", "s")


@pytest.mark.parametrize("locale", MONTHS_BY_LOCALE)
def test_every_locale_names_its_months_in_order(locale):
    names = [name for name in MONTHS_BY_LOCALE[locale].split() if name not in ("lip", "lis", "srp")]
    months = [month_of(name) for name in names]

    assert months == sorted(set(months))


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"])
def test_zone_is_found_by_its_iana_name(name):
    zone = find_zone(name)

    assert zone == ZoneInfo(name)


OFFSETS = [("+02:00", 2.0), ("-0330", -3.5), ("+01", 1.0), ("Z", 0.0), ("-00:00", 0.0)]


@pytest.mark.parametrize("name, hours", OFFSETS)
def test_fixed_offset_is_a_zone(name, hours):
    zone = find_zone(name)

    assert zone.utcoffset(None) == timedelta(hours=hours)


UNKNOWN_ZONES = [
    ("Europe/Berln", "near are Europe/Berlin"),
    ("europe/berlin", "near are Europe/Berlin"),
    ("Berlin", "near are Europe/Berlin"),
    ("Europe", "there is no time zone 'Europe'"),
    ("", "right would be e.g. Europe/Berlin"),
    ("../passwd", "there is no time zone"),
    ("/etc/passwd", "there is no time zone"),
    ("+25:00", "there is no time zone"),
    ("Europe/Ber\0lin", "there is no time zone"),
    ("J4r?x%Qqz", "right would be e.g. Europe/Berlin, UTC or"),
]


@pytest.mark.parametrize("name, text", UNKNOWN_ZONES, ids=[repr(case[0]) for case in UNKNOWN_ZONES])
def test_unknown_zone_is_an_error_with_near_names(name, text):
    with pytest.raises(TimezoneError, match=text):
        find_zone(name)


TZ = [
    ("America/New_York", NEW_YORK),
    (":America/New_York", NEW_YORK),
    ("/usr/share/zoneinfo/America/New_York", NEW_YORK),
    ("", ZoneInfo("UTC")),
]


@pytest.mark.parametrize("value, zone", TZ)
def test_local_zone_is_that_of_the_environment(monkeypatch, value, zone):
    monkeypatch.setenv("TZ", value)

    assert find_zone() == zone


def test_local_zone_is_what_etc_localtime_links_to(monkeypatch, tmp_path):
    monkeypatch.delenv("TZ", raising=False)
    localtime = tmp_path / "localtime"
    localtime.symlink_to("/usr/share/zoneinfo/America/New_York")

    assert local_zone(localtime) == NEW_YORK


def test_local_zone_with_a_name_can_be_sent_to_a_worker(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    zone = local_zone()

    assert pickle.loads(pickle.dumps(zone)) == zone  # noqa: S301 (our own bytes)


def test_local_zone_is_read_from_a_copied_etc_localtime(monkeypatch, tmp_path):
    monkeypatch.delenv("TZ", raising=False)
    localtime = tmp_path / "localtime"
    localtime.write_bytes(Path("/usr/share/zoneinfo/America/New_York").read_bytes())
    found = parse_bsd("Jul 23 12:00:00", 2026, local_zone(localtime))

    assert found.offset_s == -4 * 3600


def test_local_zone_is_utc_on_a_machine_without_etc_localtime(monkeypatch, tmp_path):
    monkeypatch.delenv("TZ", raising=False)
    zone = local_zone(tmp_path / "localtime")

    assert zone is UTC


def test_wrong_zone_in_the_environment_is_a_timezone_error(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Atlantis")

    with pytest.raises(TimezoneError, match="Europe/Atlantis"):
        local_zone()


def seen(*days: str) -> list[DateSeen]:
    """'12-31' as in a BSD stamp or '2025-12-31' as in an ISO one; a thousand lines each."""
    parts = [[int(part) for part in day.split("-")] for day in days]
    return [
        DateSeen(1 + 1000 * n, part[-2], part[-1], part[0] if len(part) == 3 else None)
        for n, part in enumerate(parts)
    ]


WRITTEN = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)

YEARS = [
    ("one day", ["11-23"], None, ((1, 2026),)),
    ("no New Year", ["11-21", "11-22", "11-23"], None, ((1, 2026),)),
    ("last year, as its day is still to come", ["12-24"], None, ((1, 2025),)),
    ("a day ahead of the file's time: another zone", ["11-24"], None, ((1, 2026),)),
    ("two days ahead: last year", ["11-25"], None, ((1, 2025),)),
    ("one New Year", ["12-31", "01-01"], None, ((1, 2025), (1001, 2026))),
    ("two New Years", ["06-01", "03-01", "02-01"], None, ((1, 2024), (1001, 2025), (2001, 2026))),
    ("the clock steps back", ["11-22", "11-21", "11-22"], None, ((1, 2026),)),
    (
        "the clock steps back over New Year",
        ["12-31", "01-01", "12-31", "01-01"],
        None,
        ((1, 2025), (1001, 2026), (2001, 2025), (3001, 2026)),
    ),
    ("February 29", ["02-29", "03-01"], None, ((1, 2024),)),
    ("February 29, then a New Year", ["02-29", "03-01", "01-01"], None, ((1, 2024), (2001, 2025))),
    ("the user knows", ["12-31", "01-01"], 2019, ((1, 2018), (1001, 2019))),
    ("an ISO date knows", ["2022-12-31", "12-31", "01-01"], None, ((1001, 2022), (2001, 2023))),
    ("an ISO date knows better than the user", ["12-31", "2023-01-01"], 2019, ((1, 2022),)),
    ("the nearest knows", ["2019-05-01", "05-02", "08-01", "2022-08-02"], 1, ((1001, 2019), (2001, 2022))),
    ("ISO dates only", ["2026-11-22", "2026-11-23"], None, ()),
    ("no dates", [], None, ()),
]  # fmt: skip


@pytest.mark.parametrize(
    "days, year, expected", [case[1:] for case in YEARS], ids=[case[0] for case in YEARS]
)
def test_years_of_syslog_dates(days, year, expected):
    years = infer_years(seen(*days), WRITTEN, year)

    assert years == expected


def test_february_29_that_no_year_can_hold_keeps_the_latest_year():
    years = infer_years(seen("02-29", "03-01", "02-01", "02-29"), WRITTEN)

    assert years[-1][1] == 2026


def test_file_written_on_new_years_eve_in_utc_may_end_on_new_years_day():
    years = infer_years(seen("12-31", "01-01"), datetime(2025, 12, 31, 23, 0, tzinfo=UTC))

    assert years == ((1, 2025), (1001, 2026))


LOOKUPS = [(1, 2025), (10, 2025), (11, 2026), (99, 2026)]


@pytest.mark.parametrize("line_no, year", LOOKUPS)
def test_year_of_a_line_is_that_of_the_last_change_before_it(line_no, year):
    found = year_of(((5, 2025), (11, 2026)), line_no)

    assert found == year


def test_year_is_unknown_without_syslog_dates():
    found = year_of((), 7)

    assert found is None


@given(
    st.dates(date(1971, 1, 1), date(2100, 1, 1)),
    st.lists(st.integers(1, 349), max_size=30),
    st.integers(0, 20),
)
@settings(deadline=None)
def test_years_over_any_span_are_those_that_were_stripped(first, gaps, written_hours_later):
    days = [first]
    for gap in gaps:
        days.append(days[-1] + timedelta(days=gap))
    written = datetime(*days[-1].timetuple()[:3], tzinfo=UTC) + timedelta(hours=written_hours_later)
    years = infer_years([DateSeen(n, day.month, day.day, None) for n, day in enumerate(days, 1)], written)

    assert [year_of(years, n) for n in range(1, len(days) + 1)] == [day.year for day in days]
