from datetime import UTC

import pytest

from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.explain import explain_line
from ingest.formats import find_formats

DELIVERY = (
    "2026-11-23T08:15:01.5+01:00 mx1 postfix/relay/smtp[4101]: 3F1A2B3C4D: to=<bob@example.net>, "
    "relay=mx.example.net[192.0.2.25]:25, delay=0.4, delays=0.1/0/0.1/0.2, dsn=2.0.0, status=sent (250 ok)"
)


def explain(line, name="auto"):
    return explain_line(line, find_formats(name), Clock(2026, UTC))


class TestDelivery:
    def test_kind_is_explained_in_a_sentence(self):
        found = explain(DELIVERY)

        assert (found.format, found.kind, found.family, found.meaning) == (
            "postfix",
            "delivery",
            "delivery",
            "The result of one attempt to deliver to one recipient.",
        )

    def test_documentation_is_named(self):
        found = explain(DELIVERY)

        assert "smtp(8)" in found.see

    def test_fields_are_those_that_the_line_fills(self):
        found = explain(DELIVERY)

        assert found.fields == {
            "logged_at": "2026-11-23T08:15:01.500000+01:00",
            "host": "mx1",
            "server": "postfix",
            "instance": "postfix",
            "service": "relay",
            "daemon": "smtp",
            "pid": "4101",
            "queue_id": "3F1A2B3C4D",
            "recipient": "bob@example.net",
            "relay_name": "mx.example.net",
            "relay_ip": "192.0.2.25",
            "relay_port": "25",
            "delay_s": "0.4",
            "before_queue_s": "0.1",
            "in_queue_s": "0",
            "connect_s": "0.1",
            "transmit_s": "0.2",
            "enhanced_code": "2.0.0",
            "status": "sent",
            "reply": "250 ok",
        }


def test_repeated_message_tells_how_often():
    found = explain("Nov 23 08:15:01 mx1 postfix/qmgr[7]: message repeated 3 times: [ 3F1A2B3C4D: removed]")

    assert found.fields["repeated"] == "3"


def test_amavis_line_is_explained_by_its_format():
    found = explain(
        "Nov 23 08:15:01 mx1 amavis[7]: (7-01) Blocked INFECTED (Eicar), [192.0.2.25] <a@example.org> -> "
        "<b@example.com>, Queue-ID: 3F1A2B3C4D, 20 ms"
    )

    assert (found.format, found.kind, found.fields["action"]) == ("amavis", "filter_verdict", "reject")


def test_line_of_another_program_names_it_and_the_known_formats():
    with pytest.raises(ParseError) as caught:
        explain("Nov 23 08:15:01 mx1 sshd[7]: session opened")

    assert str(caught.value).startswith(
        "a line of 'sshd', which is no program of postfix, amavis, exim, dovecot"
    )


@pytest.mark.parametrize("line", ["", "garbage", "\0\0\0", "{", "<22>", "Nov 23"])
def test_garbage_is_a_parse_error(line):
    with pytest.raises(ParseError) as caught:
        explain(line)

    assert str(caught.value)


def test_postfix_line_of_no_known_form_says_so():
    with pytest.raises(ParseError) as caught:
        explain("Nov 23 08:15:01 mx1 postfix/smtpd[7]: words that Postfix never wrote")

    assert str(caught.value) == "no known form of a Postfix message"


@pytest.mark.parametrize("moment", ["253402300799", "0"])
def test_moment_at_the_end_of_time_is_shown(moment):
    found = explain(
        f'{{"__REALTIME_TIMESTAMP": "{moment}000000", "SYSLOG_IDENTIFIER": "postfix/qmgr", "MESSAGE": "3F1A2B3C4D: removed"}}'
    )

    assert found.fields["logged_at"].endswith("+00:00")


def test_moment_beyond_the_year_9999_is_a_parse_error():
    with pytest.raises(ParseError) as caught:
        explain(
            '{"__REALTIME_TIMESTAMP": "999999999999999999", "SYSLOG_IDENTIFIER": "postfix/qmgr", '
            '"MESSAGE": "3F1A2B3C4D: removed"}'
        )

    assert "9999" in str(caught.value)
