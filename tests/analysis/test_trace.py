"""Stories of the sample's messages."""

import re

import pytest

from analysis.trace import kind_of, search, tell
from analysis.warehouse import open_lake


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("<a1@partner.example>", "message_id"),
        ("eva@example.org", "address"),
        ("4F5C64474F", "queue_id"),
        ("1vN8qP-0003aB-7k", "queue_id"),
        ("1vN8qP-00000003aBc-7kLm", "queue_id"),
        ("4jHwXN718Gz26ch", "queue_id"),
        ("192.0.2.7", "client"),
        ("2001:db8::1", "client"),
        ("example.org", "domain"),
        ("@example.org", "domain"),
        ("Greylisted, please", "text"),
    ],
)
def test_a_query_is_read_as(query, kind):
    assert kind_of(query) == kind


def story(connection, where):
    [row] = connection.sql(
        f"SELECT first_message_key AS key FROM outcomes WHERE {where} ORDER BY accepted_at LIMIT 1"
    ).fetchall()
    return tell(connection, row[0])


def test_a_deferred_message_that_was_taken_is_told_as_delivered(sample_connection):
    told = story(
        sample_connection,
        "outcome = 'delivered' AND attempts = 2 AND recipient LIKE '%@kestrel-bank.example'",
    )

    assert re.fullmatch(r"Delivered after \d+ min \d\d s, 2 attempts", told.verdict)


def test_a_message_that_passed_two_hosts_has_the_lines_of_both(sample_connection):
    [row] = sample_connection.sql(
        "SELECT first_message_key FROM messages WHERE link_kind = 'relay' AND first_message_key LIKE 'out1/%' ORDER BY accepted_at LIMIT 1"
    ).fetchall()
    hosts = {
        line.split()[1] if line[4] == "-" else line.split()[3]
        for line in tell(sample_connection, row[0]).lines
    }

    assert hosts == {"mx1", "out1"}


def test_steps_are_in_the_order_of_the_message_and_not_only_of_the_clock(ask):
    connection = ask(
        "Nov  5 10:00:00 mx postfix/pickup[1]: AAAAA00001: uid=0 from=<root>\n"
        "Nov  5 10:00:00 mx postfix/qmgr[3]: AAAAA00001: from=<root@example.org>, size=1, nrcpt=1 (queue active)\n"
        "Nov  5 10:00:00 mx postfix/local[4]: AAAAA00001: to=<eva@example.org>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)\n"
        "Nov  5 10:00:00 mx postfix/qmgr[3]: AAAAA00001: removed\n"
    )
    [found] = search(connection, "eva@example.org").messages

    assert [step.what for step in tell(connection, found["message_key"]).steps] == [
        "Written on this host (sendmail command)",
        "eva@example.org: Delivered to local",
        "Left the queue",
    ]


TWO_RECIPIENTS = (
    "Nov  5 10:00:00 mx postfix/pickup[1]: AAAAA00001: uid=0 from=<root>\n"
    "Nov  5 10:00:00 mx postfix/qmgr[3]: AAAAA00001: from=<root@example.org>, size=1, nrcpt=2 (queue active)\n"
    "Nov  5 10:00:01 mx postfix/smtp[4]: AAAAA00001: to=<zoe@example.net>, relay=mx.example.net[198.51.100.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n"
    "Nov  5 10:00:01 mx postfix/smtp[4]: AAAAA00001: to=<adam@example.com>, relay=mx.example.com[198.51.100.8]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.com[198.51.100.8] said: 550 5.1.1 Who? (in reply to RCPT TO command))\n"
    "Nov  5 10:00:01 mx postfix/qmgr[3]: AAAAA00001: removed\n"
)


def test_the_recipient_that_was_asked_for_comes_first(ask):
    [found] = search(ask(TWO_RECIPIENTS), "Zoe@example.net").messages

    assert found["recipient_list"] == ["zoe@example.net", "adam@example.com"]


def test_of_two_answers_at_one_moment_the_refusal_is_the_last(ask):
    [found] = search(ask(TWO_RECIPIENTS), "AAAAA00001").messages

    assert "550 5.1.1 Who?" in found["reply"]


def test_a_remote_delivery_says_that_the_inbox_is_out_of_sight(sample_connection):
    told = story(
        sample_connection, "outcome = 'delivered' AND relay_name = 'mx.bigmail.example' AND host = 'out1'"
    )

    assert told.gaps == ["What mx.bigmail.example did after accepting it: inbox, spam folder or nothing."]


def test_a_bounce_leads_to_the_message_that_it_reports_on(sample_connection):
    [row] = sample_connection.sql(
        "SELECT child.queue_id, child.parent_key FROM messages AS child WHERE link_kind = 'bounce' ORDER BY accepted_at LIMIT 1"
    ).fetchall()
    parents = [message["message_key"] for message in search(sample_connection, row[0], "queue_id").messages]

    assert sample_connection.sql(
        "SELECT first_message_key FROM messages WHERE message_key = $key", params={"key": row[1]}
    ).fetchall() == [(key,) for key in parents]


def test_refusals_before_a_queue_id_are_found_by_client(sample_connection):
    [row] = sample_connection.sql(
        "SELECT client_ip FROM rejections WHERE dnsbl IS NOT NULL LIMIT 1"
    ).fetchall()

    assert search(sample_connection, row[0]).refusals


def test_an_unknown_key_has_no_story(sample_connection):
    assert tell(sample_connection, "nowhere/postfix/ABCDEF/0") is None


def test_a_trace_shows_the_headers_of_an_ingested_message_beside_the_log(tmp_path, lake_of_files):
    (tmp_path / "mx1.log").write_text(
        "2026-11-02T10:00:00+00:00 mx1 postfix/smtpd[5]: 3F1A2B3C4D: client=out.example.com[203.0.113.7]\n"
        "2026-11-02T10:00:00+00:00 mx1 postfix/cleanup[6]: 3F1A2B3C4D: message-id=<one@example.com>\n"
        "2026-11-02T10:00:02+00:00 mx1 postfix/smtp[8]: 3F1A2B3C4D: to=<b@example.org>, relay=box.example.org[192.0.2.9]:25, "
        "delay=2, delays=0.1/0/0.9/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n"
        "2026-11-02T10:00:02+00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
    )
    (tmp_path / "one.eml").write_text(
        "Received: from mx1.example.org by box.example.org with LMTP id qKx3; Mon, 2 Nov 2026 10:00:02 +0000\n"
        "Received: from out.example.com by mx1.example.org (Postfix) with ESMTP id 3F1A2B3C4D; Mon, 2 Nov 2026 10:00:00 +0000\n"
        "Message-ID: <one@example.com>\n\n"
    )
    lake = lake_of_files(tmp_path / "lake", [tmp_path / "mx1.log", tmp_path / "one.eml"])
    with open_lake(lake) as connection:
        story = tell(connection, search(connection, "<one@example.com>").messages[0]["message_key"])

    assert [
        (hop["by_host"], hop["log_host"], hop["log_delay_s"], hop["connect_s"], hop["reply"])
        for hop in story.hops
    ] == [
        ("mx1.example.org", "mx1", 2.0, 0.9, "250 2.0.0 Ok"),
        ("box.example.org", None, None, None, None),
    ]
