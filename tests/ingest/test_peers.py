"""What other tools get wrong at the level of lines; the number is that of the failure."""

from datetime import UTC, datetime

import pytest

SENT = "relay=mx.example.net[192.0.2.25]:25, delay=0.4, delays=0.1/0/0.1/0.2, {more}dsn=2.0.0, status=sent (250 ok)"


@pytest.mark.parametrize("stamp", ["Jan  5 10:00:01", "2026-01-05T10:00:01.123456+00:00"])
def test_e1_message_is_read_under_either_stamp(read, stamp):
    found = read(
        f"{stamp} mx postfix/smtpd[100]: 3F1A2B3C4D: client=mail.example.net[192.0.2.25]\n"
        f"{stamp} mx postfix/cleanup[101]: 3F1A2B3C4D: message-id=<1@example.net>\n"
        f"{stamp} mx postfix/qmgr[102]: 3F1A2B3C4D: from=<bob@example.net>, size=812, nrcpt=1 (queue active)\n"
        f"{stamp} mx postfix/smtp[103]: 3F1A2B3C4D: to=<alice@example.com>, {SENT.format(more='')}\n"
    )

    assert [event["kind"] for event in found.events] == ["client", "message_id", "queued", "delivery"]


def test_e2_year_is_that_of_the_stamp(read):
    found = read(
        "2023-12-05T10:00:00+00:00 mx postfix/qmgr[102]: 3F1A2B3C4D: removed\n"
        "2024-01-06T10:00:00+00:00 mx postfix/qmgr[102]: 3F1A2B3C4E: removed\n"
    )

    assert [event["logged_at"].year for event in found.events] == [2023, 2024]


def test_e3_one_instant_in_two_zones_is_one_moment(read):
    found = read(
        "2024-01-05T23:30:00-08:00 mx postfix/qmgr[102]: 3F1A2B3C4D: removed\n"
        "2024-01-06T07:30:00+00:00 mx postfix/qmgr[102]: 3F1A2B3C4E: removed\n"
    )

    assert [(event["logged_at"], event["utc_offset_s"]) for event in found.events] == [
        (datetime(2024, 1, 6, 7, 30, tzinfo=UTC), -28800),
        (datetime(2024, 1, 6, 7, 30, tzinfo=UTC), 0),
    ]


@pytest.mark.parametrize(
    "program",
    ["postfix-out/smtpd", "postfix/submission-in/smtpd", "postfix/submissions/smtpd", "postfix/smtps/smtpd"],
)
def test_e4_smtpd_under_any_name_receives(event_of, program):
    event = event_of("3F1A2B3C4D: client=mail.example.net[192.0.2.25]", program)

    assert (event["kind"], event["daemon"]) == ("client", "smtpd")


def test_e5_delivery_with_tls_attribute_is_a_delivery(event_of):
    event = event_of(f"3F1A2B3C4D: to=<alice@example.com>, {SENT.format(more='tls=dane, ')}", "postfix/smtp")

    assert (event["kind"], event["status"], event["tls_policy"]) == ("delivery", "sent", "dane")


def test_e8_repeated_bounce_is_as_many_bounces(read):
    text = f"3F1A2B3C4D: to=<alice@example.com>, {SENT.format(more='')}".replace("sent (", "bounced (")
    found = read(f"Jan  5 10:00:01 mx postfix/smtp[103]: message repeated 3 times: [ {text}]\n")

    assert [event["status"] for event in found.events] == ["bounced"] * 3


def test_e8_line_that_stands_for_many_is_one_line(read):
    text = f"3F1A2B3C4D: to=<alice@example.com>, {SENT.format(more='')}"
    found = read(f"Jan  5 10:00:01 mx postfix/smtp[103]: message repeated 3 times: [ {text}]\n")

    assert found.counts == {"event": 1}


def test_e9_long_queue_ids_need_no_setting(read):
    found = read(
        "Jan  5 10:00:01 mx postfix/smtpd[100]: 4c2Yt73kRzz1qGh: client=mail.example.net[192.0.2.25]\n"
        "Jan  5 10:00:02 mx postfix/qmgr[102]: 4c2Yt73kRzz1qGh: removed\n"
    )

    assert {event["queue_id"] for event in found.events} == {"4c2Yt73kRzz1qGh"}


@pytest.mark.parametrize("word", ["ALLOWLISTED", "DENYLISTED", "ALLOWLIST VETO"])
def test_e10_respectful_words_are_understood(event_of, word):
    event = event_of(f"{word} [203.0.113.86]:53024", "postfix/postscreen")

    assert (event["kind"], event["action"]) == ("screen", word)


def test_e17_reply_that_quotes_a_success_stays_a_bounce(event_of):
    reply = (
        "host mx.evil.example[203.0.113.99] said: 550 no), to=<ceo@example.com>, relay=none, delay=0, "
        "dsn=2.0.0, status=sent (250 ok) (in reply to RCPT TO command)"
    )
    event = event_of(
        "3F1A2B3C4D: to=<alice@example.com>, relay=mx.evil.example[203.0.113.99]:25, delay=0.4, "
        f"delays=0.1/0/0.1/0.2, dsn=5.1.1, status=bounced ({reply})",
        "postfix/smtp",
    )

    assert (event["recipient"], event["status"], event["reply"]) == ("alice@example.com", "bounced", reply)
