import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.framing import MAX_REPEAT, frame_line
from ingest.text import decode

MESSAGE = "connect from mail.example.net[192.0.2.25]"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_US = (NOON - EPOCH) // timedelta(microseconds=1)


def frame(line, year=2026, zone=UTC):
    return frame_line(line, Clock(year, zone))


def at(moment):
    """The UTC moment of a frame."""
    return EPOCH + timedelta(microseconds=moment.utc_us)


def parts(found):
    """Host, tag, pid and message of a frame."""
    return found.host, found.tag, found.pid, found.message


SMTPD = ("mx1", "postfix/smtpd", "4101", MESSAGE)
FORMS = {
    "bsd": f"Nov 23 12:00:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "bsd with fraction": f"Nov 23 12:00:00.250 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "bsd with priority": f"<22>Nov 23 12:00:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "freebsd": f"Nov 23 12:00:00 <mail.info> mx1 postfix/smtpd[4101]: {MESSAGE}",
    "solaris": f"Nov 23 12:00:00 mx1 postfix/smtpd[4101]: [ID 197553 mail.info] {MESSAGE}",
    "rfc 3339 with z": f"2026-11-23T12:00:00Z mx1 postfix/smtpd[4101]: {MESSAGE}",
    "rfc 3339 with offset": f"2026-11-23T13:00:00.123456+01:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "rfc 3339 with priority": f"<22>2026-11-23T12:00:00+00:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "rfc 3339 without offset": f"2026-11-23 12:00:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "rfc 5424": f"<22>1 2026-11-23T12:00:00+00:00 mx1 postfix/smtpd 4101 - - {MESSAGE}",
    "rfc 5424 with bom": f"<22>1 2026-11-23T12:00:00+00:00 mx1 postfix/smtpd 4101 ID47 - \ufeff{MESSAGE}",
    "rfc 5424 with data": (
        '<22>1 2026-11-23T12:00:00+00:00 mx1 postfix/smtpd 4101 - [a@1 k="v \\] \\" x"][b@2 k="]"] ' + MESSAGE
    ),
    "journald": json.dumps(
        {
            "__REALTIME_TIMESTAMP": str(NOON_US + 7),
            "_SOURCE_REALTIME_TIMESTAMP": str(NOON_US),
            "_HOSTNAME": "mx1",
            "SYSLOG_IDENTIFIER": "postfix/smtpd",
            "SYSLOG_PID": "4101",
            "_PID": "7",
            "MESSAGE": MESSAGE,
        }
    ),
    "journald with bytes": json.dumps(
        {
            "__REALTIME_TIMESTAMP": str(NOON_US),
            "_HOSTNAME": "mx1",
            "SYSLOG_IDENTIFIER": "postfix/smtpd",
            "_PID": "4101",
            "MESSAGE": list(MESSAGE.encode()),
        }
    ),
    "rsyslog": json.dumps(
        {
            "timestamp": "2026-11-23T12:00:00+00:00",
            "host": "mx1",
            "tag": "postfix/smtpd[4101]:",
            "msg": f" {MESSAGE}",
        }
    ),
    "docker": json.dumps(
        {
            "log": f"Nov 23 12:00:00 mx1 postfix/smtpd[4101]: {MESSAGE}\n",
            "stream": "stdout",
            "time": "2026-11-23T12:00:01.5Z",
        }
    ),
    "kubernetes": f"2026-11-23T12:00:01.123456789Z stdout F Nov 23 12:00:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "docker compose": f"mail-1  | Nov 23 12:00:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "nested": f"Nov 23 13:00:01 box docker[99]: Nov 23 12:00:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "nested with priority": f"Nov 23 13:00:01 box relay[99]: <22>Nov 23 12:00:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "localised": f"ноя 23 12:00:00 mx1 postfix/smtpd[4101]: {MESSAGE}",
    "host chain": f"Nov 23 12:00:00 mx1/relay/loghost postfix/smtpd[4101]: {MESSAGE}",
}
WRAPPERS = {
    "json": lambda line: json.dumps({"log": line, "time": "2026-11-23T12:00:00Z"}),
    "kubernetes": lambda line: f"2026-11-23T12:00:00Z stdout F {line}",
    "docker compose": lambda line: f"mail-1  | {line}",
}
FRACTIONS = {"bsd with fraction": 250_000, "rfc 3339 with offset": 123_456}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_who_logged_what(form):
    found = frame(FORMS[form])

    assert parts(found) == SMTPD


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_when(form):
    found = frame(FORMS[form])

    assert found.moment.utc_us == NOON_US + FRACTIONS.get(form, 0)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_one_message(form):
    found = frame(FORMS[form])

    assert found.repeat == 1


class TestStamp:
    def test_day_is_padded_with_a_blank(self):
        found = frame(f"Nov  3 12:00:00 mx1 postfix/smtpd[7]: {MESSAGE}")

        assert at(found.moment) == NOON.replace(day=3)

    def test_stamp_without_offset_is_of_the_given_zone(self):
        found = frame(f"2026-11-23T12:00:00 mx1 postfix/smtpd[7]: {MESSAGE}", zone=ZoneInfo("Europe/Berlin"))

        assert (at(found.moment), found.moment.offset_s) == (NOON - timedelta(hours=1), 3600)

    def test_stamp_with_offset_ignores_the_given_zone(self):
        found = frame(f"2026-11-23T12:00:00Z mx1 postfix/smtpd[7]: {MESSAGE}", zone=ZoneInfo("Europe/Berlin"))

        assert (at(found.moment), found.moment.offset_s) == (NOON, 0)

    def test_same_wall_time_with_and_without_offset_is_not_mixed_up(self):
        clock = Clock(2026, ZoneInfo("Europe/Berlin"))
        stamps = ["2026-11-23T12:00:00", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00-08:00"]
        offsets = [frame_line(f"{stamp} mx1 a/smtpd[7]: x", clock).moment.offset_s for stamp in stamps]

        assert offsets == [3600, 0, -28800]

    def test_bsd_stamp_needs_a_year(self):
        with pytest.raises(ParseError) as caught:
            frame(FORMS["bsd"], year=None)

        assert "nothing tells the year" in str(caught.value)

    def test_february_29_of_another_year_is_a_parse_error(self):
        with pytest.raises(ParseError) as caught:
            frame(f"Feb 29 12:00:00 mx1 postfix/smtpd[7]: {MESSAGE}", year=2026)

        assert "2026" in str(caught.value)

    def test_impossible_time_is_a_parse_error(self):
        with pytest.raises(ParseError) as caught:
            frame(f"Nov 23 25:00:00 mx1 postfix/smtpd[7]: {MESSAGE}")

        assert "25:00:00" in str(caught.value)

    @pytest.mark.parametrize("micros", ["9" * 18, "253402300800000000", "-1"])
    def test_journal_moment_beyond_the_calendar_does_not_pass(self, micros):
        line = json.dumps(
            {"__REALTIME_TIMESTAMP": micros, "SYSLOG_IDENTIFIER": "postfix/smtpd", "MESSAGE": MESSAGE}
        )
        with pytest.raises(ParseError) as caught:
            frame(line)

        assert str(caught.value)

    @pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"])
    def test_moment_outside_the_years_1_to_9999_does_not_pass(self, stamp):
        with pytest.raises(ParseError) as caught:
            frame(f"{stamp} mx1 postfix/smtpd[7]: {MESSAGE}")

        assert str(caught.value)


class TestJson:
    def test_message_as_bytes_keeps_those_that_are_no_utf8(self):
        line = {"__REALTIME_TIMESTAMP": "1", "SYSLOG_IDENTIFIER": "a/smtpd", "MESSAGE": [*b"caf\xe9 \0"]}
        found = frame(json.dumps(line))

        assert found.message == decode(b"caf\xe9 \0")

    @pytest.mark.parametrize("escape", ["\\ud83d", "\\u0000", "\\udc80"])
    def test_escape_that_no_parquet_string_holds_is_replaced(self, escape):
        found = frame(
            f'{{"__REALTIME_TIMESTAMP": "1", "SYSLOG_IDENTIFIER": "a/smtpd", "MESSAGE": "x{escape}y"}}'
        )

        assert "\0" not in found.message.encode().decode()

    @pytest.mark.parametrize("key", ["SYSLOG_IDENTIFIER", "_HOSTNAME"])
    def test_escaped_surrogate_in_host_or_tag_can_be_stored(self, key):
        fields = {
            "__REALTIME_TIMESTAMP": "1",
            "SYSLOG_IDENTIFIER": "a/smtpd",
            "_HOSTNAME": "mx1",
            "MESSAGE": "x",
        }
        found = frame(json.dumps(fields | {key: "a\ud83d"}))

        assert (found.tag + str(found.host)).encode()

    @pytest.mark.parametrize(
        "line",
        ["{", "{}", '{"MESSAGE": "x"}', "{[1]}", '{"MESSAGE": {"a": 1}}', "{" * 100_000, '{"a":' * 100_000],
    )
    def test_json_that_is_no_log_line_is_a_parse_error(self, line):
        with pytest.raises(ParseError) as caught:
            frame(line)

        assert str(caught.value)

    def test_number_too_long_to_read_is_a_parse_error(self):
        with pytest.raises(ParseError) as caught:
            frame('{"__REALTIME_TIMESTAMP": ' + "9" * 5000 + ', "MESSAGE": "x"}')

        assert str(caught.value)

    def test_container_line_without_header_has_the_container_moment(self):
        found = frame(
            json.dumps({"log": f"postfix/smtpd[4101]: {MESSAGE}\n", "time": "2026-11-23T12:00:00Z"})
        )

        assert (found.tag, found.pid, at(found.moment)) == ("postfix/smtpd", "4101", NOON)


class TestNesting:
    def test_stamp_inside_is_of_the_old_year_when_it_was_forwarded_after_midnight(self):
        found = frame(f"2026-01-01T00:00:02Z box docker[9]: Dec 31 23:59:59 mx1 a/smtpd[7]: {MESSAGE}")

        assert at(found.moment) == datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)

    def test_stamp_inside_is_of_the_new_year_when_its_clock_is_ahead(self):
        found = frame(f"2025-12-31T23:59:59Z box docker[9]: Jan  1 00:00:02 mx1 a/smtpd[7]: {MESSAGE}")

        assert at(found.moment) == datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC)

    def test_container_stamp_gives_the_year_where_nothing_else_does(self):
        found = frame(FORMS["kubernetes"], year=None)

        assert at(found.moment) == NOON

    def test_message_that_only_begins_like_a_date_is_a_message(self):
        found = frame("Nov 23 12:00:00 mx1 postfix/smtpd[7]: Nov 23 12:00:00 is when it began")

        assert found.message == "Nov 23 12:00:00 is when it began"

    def test_bomb_of_nested_headers_is_bounded(self):
        header = "Nov 23 12:00:00 mx1 a/smtpd[7]: "
        found = frame(header * 1000 + MESSAGE)

        assert found.message.startswith(header)

    @pytest.mark.parametrize("wrap", WRAPPERS)
    def test_bomb_of_wrappers_is_bounded(self, wrap):
        line = FORMS["bsd"]
        for _ in range(8):
            line = WRAPPERS[wrap](line)
        try:
            tag = frame(line).tag
        except ParseError:
            tag = ""

        assert "postfix" not in tag


class TestRepeats:
    def test_repeated_message_has_its_count(self):
        found = frame("Nov 23 12:00:00 mx1 postfix/qmgr[7]: message repeated 3 times: [ 3F1A2B3C4D: removed]")

        assert (found.message, found.repeat) == ("3F1A2B3C4D: removed", 3)

    def test_repeated_message_in_a_container_has_its_count(self):
        log = "postfix/qmgr[7]: message repeated 3 times: [ 3F1A2B3C4D: removed]\n"
        found = frame(json.dumps({"log": log, "time": "2026-11-23T12:00:00Z"}))

        assert (found.message, found.repeat) == ("3F1A2B3C4D: removed", 3)

    def test_words_that_only_begin_like_a_repeat_are_a_message(self):
        found = frame("Nov 23 12:00:00 mx1 postfix/qmgr[7]: message repeated often")

        assert (found.message, found.repeat) == ("message repeated often", 1)

    @pytest.mark.parametrize("times", [MAX_REPEAT + 1, "9" * 5000])
    def test_bomb_of_repeats_is_refused(self, times):
        with pytest.raises(ParseError) as caught:
            frame(
                f"Nov 23 12:00:00 mx1 postfix/qmgr[7]: message repeated {times} times: [ 3F1A2B3C4D: removed]"
            )

        assert "not expanded" in str(caught.value)

    @pytest.mark.parametrize("times", ["0", "00"])
    def test_line_repeated_zero_times_is_not_lost(self, read, times):
        found = read(
            f"Nov 23 12:00:00 mx1 postfix/qmgr[7]: message repeated {times} times: [ 3F1A2B3C4D: removed]\n"
        )

        assert sum(found.counts.values()) == 1

    def test_last_message_repeated_zero_times_is_not_lost(self, read):
        found = read(
            "Nov 23 12:00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
            "Nov 23 12:00:30 mx1 last message repeated 0 times\n"
        )

        assert sum(found.counts.values()) == 2

    def test_last_message_repeated_stands_for_the_line_before(self, read):
        found = read(
            "Nov 23 12:00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
            "Nov 23 12:00:30 mx1 last message repeated 2 times\n"
        )

        assert [(event["line_no"], event["queue_id"], event["repeat_no"]) for event in found.events] == [
            (1, "3F1A2B3C4D", None),
            (2, "3F1A2B3C4D", 1),
            (2, "3F1A2B3C4D", 2),
        ]

    def test_last_message_repeated_after_another_program_is_unparsed(self, read):
        found = read(
            "Nov 23 12:00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
            "Nov 23 12:00:01 mx1 cron[8]: (root) CMD (true)\n"
            "Nov 23 12:00:30 mx1 last message repeated 2 times\n"
        )

        assert found.counts == {"event": 1, "foreign": 1, "unparsed": 1}

    def test_last_message_repeated_does_not_stand_for_an_unparsed_line(self, read):
        found = read(
            "Nov 23 12:00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
            "Nov 23 12:00:01 mx1 postfix/qmgr[7]: words that Postfix never wrote\n"
            "Nov 23 12:00:30 mx1 last message repeated 2 times\n"
        )

        assert found.counts == {"event": 1, "unparsed": 2}

    def test_last_message_repeated_on_another_host_does_not_stand_for_this_one(self, read):
        found = read(
            "Nov 23 12:00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
            "Nov 23 12:00:30 mx2 last message repeated 2 times\n"
        )

        assert found.counts == {"event": 1, "unparsed": 1}

    def test_bomb_of_last_message_repeated_is_refused(self, read):
        found = read(
            "Nov 23 12:00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
            f"Nov 23 12:00:30 mx1 last message repeated {MAX_REPEAT + 1} times\n"
        )

        assert found.counts == {"event": 1, "unparsed": 1}
