"""One test for each fact about mail logs that has broken other parsers; the number is that of the fact."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from ingest.parsing import Settings, read_chunk
from ingest.sources import find_sources

PEER = "mail.example.net[192.0.2.25]"
ENVELOPE = "from=<bob@example.net> to=<alice@example.com> proto=ESMTP helo=<mail.example.net>"
DELAYS = "delay=0.4, delays=0.1/0/0.1/0.2"
SENT = f"relay=mx.example.net[192.0.2.25]:25, {DELAYS}, dsn=2.0.0, status=sent (250 ok)"


def moments_of(cut, tmp_path, text, written_at):
    """The UTC moments of a file's events, its years inferred from its order and its own time."""
    path = tmp_path / "mail.log"
    path.write_text(text)
    os.utime(path, (written_at.timestamp(),) * 2)
    [source] = find_sources([str(path)])
    [(chunk, years)] = cut(source)
    result = read_chunk(chunk, "test", years, Settings(zone=UTC))
    return [moment for table in result.events.values() for moment in table["logged_at"].to_pylist()]


# 5.1 The line before the message


def test_fact_01_archive_that_crosses_two_new_years_gets_three_years(cut, tmp_path):
    text = "".join(
        f"{stamp} mx1 postfix/smtpd[7]: connect from {PEER}\n"
        for stamp in ("Nov  5 10:00:00", "Jan  5 10:00:00", "Nov  5 10:00:00", "Jan  5 10:00:00")
    )
    moments = moments_of(cut, tmp_path, text, datetime(2026, 1, 6, tzinfo=UTC))

    assert [moment.year for moment in moments] == [2024, 2025, 2025, 2026]


def test_fact_02_one_file_holds_bsd_and_rfc3339_stamps(read):
    found = read(
        f"Jan  8 19:42:11 mail postfix/smtpd[7]: connect from {PEER}\n"
        f"2026-01-08T19:42:12.572958+00:00 mail postfix/submission/smtpd[8]: connect from {PEER}\n"
    )

    assert [event["logged_at"].isoformat() for event in found.events] == [
        "2026-01-08T19:42:11+00:00",
        "2026-01-08T19:42:12.572958+00:00",
    ]


@pytest.mark.parametrize("offset, seconds", [("Z", 0), ("+02:00", 7200), ("-08:00", -28800)])
def test_fact_03_moment_is_kept_with_its_offset(read, offset, seconds):
    [event] = read(f"2026-07-05T12:00:00{offset} mx1 postfix/smtpd[7]: connect from {PEER}\n").events
    noon = datetime(2026, 7, 5, 12, tzinfo=UTC)

    assert (event["logged_at"], event["utc_offset_s"]) == (noon - timedelta(seconds=seconds), seconds)


def test_fact_04_clock_that_steps_back_leaves_the_year_alone(cut, tmp_path):
    text = (
        f"Jan 20 19:48:05 mx1 postfix/smtpd[7]: connect from {PEER}\n"
        f"Jan 20 19:48:04 mx1 postfix/smtpd[7]: connect from {PEER}\n"
    )
    moments = moments_of(cut, tmp_path, text, datetime(2026, 2, 1, tzinfo=UTC))

    assert moments == [datetime(2026, 1, 20, 19, 48, second, tzinfo=UTC) for second in (5, 4)]


def test_fact_05_inner_header_of_a_forwarded_line_wins(read):
    [event] = read(
        f"May 02 22:56:18 dockerhost docker[32360]: May  2 20:56:17 mx1 postfix/smtpd[17742]: connect from {PEER}\n"
    ).events

    assert (event["host"], event["pid"], event["logged_at"]) == (
        "mx1",
        17742,
        datetime(2026, 5, 2, 20, 56, 17, tzinfo=UTC),
    )


def test_fact_05_outer_header_stays_in_the_line(read):
    line = (
        f"May 02 22:56:18 dockerhost docker[32360]: May  2 20:56:17 mx1 postfix/smtpd[7]: connect from {PEER}"
    )
    [event] = read(line + "\n").events

    assert event["line"] == line


def test_fact_06_month_may_be_greek(read):
    [event] = read(f"Απρ 15 12:20:28 mx2 postfix/submission/smtpd[6833]: connect from {PEER}\n").events

    assert event["logged_at"] == datetime(2026, 4, 15, 12, 20, 28, tzinfo=UTC)


def test_fact_06_unknown_month_becomes_an_unparsed_row(read):
    [row] = read(f"Foo 15 12:20:28 mx2 postfix/smtpd[6833]: connect from {PEER}\n").unparsed

    assert "Foo" in row["reason"]


def test_fact_07_first_host_of_a_relay_chain_logged_the_line(read):
    [event] = read(f"Jan 25 21:25:22 mx1/loghost postfix/smtpd[558]: connect from {PEER}\n").events

    assert event["host"] == "mx1"


@pytest.mark.parametrize(
    "line",
    [
        f"Jan 25 21:25:22 mx1 postfix/smtpd[558]: [ID 197553 mail.info] connect from {PEER}",
        f"Jan 25 21:25:22 <mail.info> mx1 postfix/smtpd[558]: connect from {PEER}",
    ],
    ids=["solaris", "freebsd"],
)
def test_fact_08_facility_fields_are_no_part_of_the_message(read, line):
    [event] = read(line + "\n").events

    assert (event["kind"], event["host"], event["client_ip"]) == ("connect", "mx1", "192.0.2.25")


def test_fact_09_repeated_message_stands_for_its_copies(read):
    found = read(
        "Jan 25 21:25:22 mx1 postfix/smtp[26192]: message repeated 2 times: [ C71221E1E6: to=<admin@example.com>, "
        f"relay=none, {DELAYS}, dsn=5.4.6, status=bounced (mail for example.com loops back to myself)]\n"
    )

    assert [(event["queue_id"], event["repeat_no"]) for event in found.events] == [
        ("C71221E1E6", 1),
        ("C71221E1E6", 2),
    ]


def test_fact_10_other_programs_are_counted_apart_from_what_is_not_understood(read):
    found = read(
        "Jan 25 21:25:22 mx1 slapd[91734]: slap_queue_csn: queueing 0x7f2a1c\n"
        "Jan 25 21:25:22 mx1 postfix/smtpd[558]: words that Postfix never wrote\n"
        f"Jan 25 21:25:22 mx1 postfix/smtpd[558]: connect from {PEER}\n"
    )

    assert found.counts == {"foreign": 1, "unparsed": 1, "event": 1}


# 5.2 Postfix


@pytest.mark.parametrize(
    "program, instance, service, daemon",
    [
        ("postfix-203.0.113.23/smtpd", "postfix-203.0.113.23", None, "smtpd"),
        ("postfix-smo/submission/smtpd", "postfix-smo", "submission", "smtpd"),
        ("postfix-mx/content-filter/smtp", "postfix-mx", "content-filter", "smtp"),
        ("postfix/authclean/cleanup", "postfix", "authclean", "cleanup"),
        ("postfix/a/b/smtpd", "postfix", "a/b", "smtpd"),
        ("mta/smtpd", "mta", None, "smtpd"),
    ],
)
def test_fact_14_program_tells_instance_service_and_daemon(event_of, program, instance, service, daemon):
    event = event_of("warning: no such table", program)

    assert (event["instance"], event["service"], event["daemon"]) == (instance, service, daemon)


@pytest.mark.parametrize("queue_id", ["E02DDB04E", "C6CAC", "4HnkK60lBRz6tl1", "4c2Yt73kRzz1qGh"])
def test_fact_15_queue_id_is_kept_letter_by_letter(event_of, queue_id):
    event = event_of(f"{queue_id}: removed", "postfix/qmgr")

    assert event["queue_id"] == queue_id


def test_fact_16_two_instances_with_one_queue_id_are_told_apart(read):
    found = read(
        "Nov 23 08:15:01 mx1 postfix-in/qmgr[7]: E02DDB04E: removed\n"
        "Nov 23 08:15:01 mx1 postfix-out/qmgr[8]: E02DDB04E: removed\n"
        "Nov 23 08:15:01 mx2 postfix-out/qmgr[8]: E02DDB04E: removed\n"
    )

    assert len({(event["host"], event["instance"], event["queue_id"]) for event in found.events}) == 3


def test_fact_17_error_of_the_postfix_command_names_no_daemon(event_of):
    event = event_of("fatal: file /etc/postfix/main.cf: parameter mail_owner: unknown user", "postfix")

    assert (event["kind"], event["daemon"]) == ("fatal", None)


@pytest.mark.parametrize("orig", ["", "orig_to=<staff@example.com>, "])
@pytest.mark.parametrize("use", ["", "conn_use=2, "])
@pytest.mark.parametrize("delays", ["", "delays=0.1/0/0.1/0.2, "])
@pytest.mark.parametrize("tls", ["", "tls=may, "])
@pytest.mark.parametrize("dsn", ["", "dsn=2.0.0, "])
def test_fact_18_any_attribute_of_a_delivery_may_be_missing(event_of, orig, use, delays, tls, dsn):
    text = f"to=<bob@example.net>, {orig}relay=mx.example.net[192.0.2.25]:25, {use}delay=0.4, {delays}{tls}{dsn}status=sent (ok)"
    event = event_of("C71221E1E6: " + text, "postfix/smtp")

    assert (
        event["orig_recipient"],
        event["connection_use"],
        event["transmit_s"],
        event["tls_policy"],
        event["enhanced_code"],
        event["status"],
    ) == (
        "staff@example.com" if orig else None,
        2 if use else None,
        0.2 if delays else None,
        "may" if tls else None,
        "2.0.0" if dsn else None,
        "sent",
    )


def test_fact_18_unknown_attributes_are_kept(event_of):
    event = event_of(f"C71221E1E6: to=<bob@example.net>, shard=eu-3, {SENT}", "postfix/smtp")

    assert (event["status"], event["attributes"]) == ("sent", "shard=eu-3")


def test_fact_18_value_may_hold_a_comma_without_blank(event_of):
    event = event_of(f"C71221E1E6: to=<bob@example.net>, shards=eu-3,eu-4, {SENT}", "postfix/smtp")

    assert (event["status"], event["attributes"]) == ("sent", "shards=eu-3,eu-4")


@pytest.mark.parametrize("policy", ["may?", "may:none", "dane/requiretls", "dane/!requiretls:nocertmatch"])
def test_fact_19_tls_feature_status_is_kept_as_logged(event_of, policy):
    text = f"relay=mx.example.net[192.0.2.25]:25, {DELAYS}, tls={policy}, dsn=2.1.5, status=sent (250 ok)"
    event = event_of(f"C71221E1E6: to=<bob@example.net>, {text}", "postfix/smtp")

    assert event["tls_policy"] == policy


def test_fact_20_line_from_before_2_3_has_neither_delays_nor_dsn(event_of):
    event = event_of(
        "C71221E1E6: to=<bob@example.net>, relay=mx.example.net[2001:db8::1], delay=2, status=sent (250 Ok)",
        "postfix/smtp",
    )

    assert (event["relay_ip"], event["delay_s"], event["before_queue_s"], event["enhanced_code"]) == (
        "2001:db8::1",
        2.0,
        None,
        None,
    )


@pytest.mark.parametrize(
    "program, relay, name, reply",
    [
        ("postfix/local", "local", "local", "delivered to mailbox"),
        ("postfix/pipe", "dovecot", "dovecot", "delivered via dovecot service"),
        ("postfix/lmtp", "mx1.example.com[private/dovecot-lmtp]", "mx1.example.com", "250 2.0.0 Saved"),
        ("postfix/discard", "none", None, "silently"),
        (
            "postfix/smtp",
            "127.0.0.1[127.0.0.1]:10032",
            "127.0.0.1",
            "250 2.7.0 Ok, discarded, id=15303-02 - spam",
        ),
    ],
)
def test_fact_21_sent_is_told_apart_by_daemon_relay_and_reply(event_of, program, relay, name, reply):
    text = f"to=<bob@example.net>, relay={relay}, {DELAYS}, dsn=2.0.0, status=sent ({reply})"
    event = event_of(f"C71221E1E6: {text}", program)

    assert (event["daemon"], event["relay_name"], event["reply"]) == (program.split("/")[1], name, reply)


def test_fact_22_filter_that_takes_a_message_names_the_id_behind_it(event_of):
    reply = "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as CACACACA"
    text = (
        f"to=<bob@example.net>, relay=127.0.0.1[127.0.0.1]:10024, {DELAYS}, dsn=2.0.0, status=sent ({reply})"
    )
    event = event_of(f"4F5C64474F: {text}", "postfix/smtp")

    assert event["reply"] == reply


def test_fact_22_reinjected_message_names_its_first_id_and_client(event_of):
    event = event_of(
        "ED01244770: client=localhost[127.0.0.1], orig_queue_id=4F5C64474F, orig_client=unknown[203.0.113.112]"
    )

    assert (event["orig_queue_id"], event["orig_client_name"], event["orig_client_ip"]) == (
        "4F5C64474F",
        None,
        "203.0.113.112",
    )


def test_fact_22_amavis_names_both_ids(event_of):
    event = event_of(
        "(10410-08) Passed SPAM {RelayedTaggedInbound}, [203.0.113.112] <spam@example.org> -> <bob@example.net>, "
        "Queue-ID: 4F5C64474F, Message-ID: <x@example.org>, mail_id: aB3, Hits: 5.397, size: 1315, "
        "queued_as: ED01244770, 2426 ms",
        "amavis",
    )

    assert (event["queue_id"], event["related_queue_id"], event["action"], event["reason"]) == (
        "4F5C64474F",
        "ED01244770",
        "accept",
        "SPAM",
    )


def test_fact_25_forwarded_message_names_its_new_id(event_of):
    text = f"to=<sales@example.com>, relay=local, {DELAYS}, dsn=2.0.0, status=sent (forwarded as 5C657172AA)"
    event = event_of(f"3F1A2B3C52: {text}", "postfix/local")

    assert event["reply"] == "forwarded as 5C657172AA"


def test_fact_26_orig_to_is_not_to(event_of):
    text = f"to=<root@example.com>, orig_to=<postmaster@example.com>, relay=local, {DELAYS}, dsn=2.0.0, status=sent (ok)"
    event = event_of(f"C71221E1E6: {text}", "postfix/local")

    assert (event["recipient"], event["orig_recipient"]) == ("root@example.com", "postmaster@example.com")


DIRTY = [
    "from@example.net, @example.com",
    "FROM: SOME USER@example.com",
    "<1F4@bs.example>",
    ":",
    "",
    "root",
    '"john doe"@example.net',
    '"a>, relay=none, status=sent (x"@example.net',
    "pelé@exämple.test",
]


@pytest.mark.parametrize("address", DIRTY)
def test_fact_27_recipient_may_hold_anything(event_of, address):
    event = event_of(f"C71221E1E6: to=<{address}>, {SENT}", "postfix/smtp")

    assert (event["recipient"], event["relay_ip"]) == (address, "192.0.2.25")


@pytest.mark.parametrize("address", DIRTY)
def test_fact_27_original_recipient_may_hold_anything(event_of, address):
    event = event_of(f"C71221E1E6: to=<bob@example.net>, orig_to=<{address}>, {SENT}", "postfix/smtp")

    assert (event["orig_recipient"], event["relay_ip"]) == (address, "192.0.2.25")


@pytest.mark.parametrize("address", DIRTY)
def test_fact_27_sender_may_hold_anything(event_of, address):
    event = event_of(f"C71221E1E6: from=<{address}>, size=812, nrcpt=1 (queue active)", "postfix/qmgr")

    assert (event["sender"], event["size_bytes"]) == (address, 812)


@pytest.mark.parametrize(
    "peer, name, ip, port",
    [
        ("unknown[unknown]", None, None, None),
        ("unknown[203.0.113.7]", None, "203.0.113.7", None),
        ("mail.example.net[2001:db8:400:111::7]", "mail.example.net", "2001:db8:400:111::7", None),
        ("mail.example.net[192.0.2.25]:40112", "mail.example.net", "192.0.2.25", 40112),
    ],
)
def test_fact_28_client_is_name_address_and_maybe_port(event_of, peer, name, ip, port):
    event = event_of(f"connect from {peer}")

    assert (event["client_name"], event["client_ip"], event["client_port"]) == (name, ip, port)


@pytest.mark.parametrize(
    "relay, name, ip, port",
    [
        ("mx.example.net[2001:db8:400:111::7]:25", "mx.example.net", "2001:db8:400:111::7", 25),
        ("none", None, None, None),
        ("local", "local", None, None),
        ("dbmail-pipe", "dbmail-pipe", None, None),
        ("mx1.example.com[private/dovecot-lmtp]", "mx1.example.com", None, None),
    ],
)
def test_fact_28_relay_is_host_none_or_transport(event_of, relay, name, ip, port):
    text = f"to=<bob@example.net>, relay={relay}, {DELAYS}, dsn=2.0.0, status=sent (ok)"
    event = event_of(f"C71221E1E6: {text}", "postfix/smtp")

    assert (event["relay_name"], event["relay_ip"], event["relay_port"]) == (name, ip, port)


@pytest.mark.parametrize("prefix, queue_id", [("NOQUEUE", None), ("00ADB3C0899", "00ADB3C0899")])
def test_fact_29_noqueue_is_no_id(event_of, prefix, queue_id):
    event = event_of(
        f"{prefix}: reject: RCPT from {PEER}: 550 5.1.1 <a@example.com>: User unknown; {ENVELOPE}"
    )

    assert (event["kind"], event["queue_id"]) == ("decision", queue_id)


def test_fact_30_milter_refuses_the_message_by_its_id(event_of):
    event = event_of(
        f"769FF2E0760: milter-reject: END-OF-MESSAGE from {PEER}: 5.7.1 Spam message rejected; {ENVELOPE}",
        "postfix/cleanup",
    )

    assert (event["queue_id"], event["action"], event["decider"], event["stage"]) == (
        "769FF2E0760",
        "reject",
        "milter",
        "END-OF-MESSAGE",
    )


@pytest.mark.parametrize(
    "word", ["filter", "hold", "warn", "bcc", "redirect", "discard", "replace", "reject_warning", "reject"]
)
def test_fact_31_decision_has_its_action(event_of, word):
    event = event_of(
        f"NOQUEUE: {word}: RCPT from {PEER}: <a@example.com>: Recipient address triggers it; {ENVELOPE}"
    )

    assert (event["kind"], event["action"], event["recipient"]) == ("decision", word, "alice@example.com")


@pytest.mark.parametrize("program, joint", [("postfix/smtpd", " "), ("postfix/postscreen", ", ")])
def test_fact_32_envelope_is_read_with_blanks_and_with_commas(event_of, program, joint):
    envelope = ENVELOPE.replace(" ", joint)
    peer = "[192.0.2.25]:40112" if "postscreen" in program else PEER
    event = event_of(f"NOQUEUE: reject: RCPT from {peer}: 550 5.7.1 Service unavailable; {envelope}", program)

    assert (event["sender"], event["recipient"], event["protocol"], event["helo"]) == (
        "bob@example.net",
        "alice@example.com",
        "ESMTP",
        "mail.example.net",
    )


def test_fact_33_reply_may_hold_semicolons_and_addresses_of_pages(event_of):
    reply = (
        "Service unavailable; Client host [192.0.2.25] blocked using RBL+. "
        "Please see http://rbl.example/?a=1;b=2; Mail from 192.0.2.25 blocked"
    )
    event = event_of(f"NOQUEUE: reject: RCPT from {PEER}: 550 5.7.1 {reply}; {ENVELOPE}")

    assert (event["reply"], event["sender"]) == (reply, "bob@example.net")


def test_fact_33_empty_trigger_is_part_of_the_reply(event_of):
    event = event_of(
        f"NOQUEUE: reject: RCPT from {PEER}: 550 5.7.1 <>: Sender address rejected; from=<> to=<a@example.com> proto=SMTP"
    )

    assert (event["reply"], event["sender"], event["helo"]) == ("<>: Sender address rejected", "", None)


def test_fact_33_refused_ehlo_has_no_envelope(event_of):
    event = event_of(
        f"NOQUEUE: reject: EHLO from {PEER}: 504 5.5.2 <User>: Helo command rejected: need name; proto=SMTP helo=<User>"
    )

    assert (event["stage"], event["sender"], event["recipient"], event["helo"]) == (
        "EHLO",
        None,
        None,
        "User",
    )


@pytest.mark.parametrize(
    "old, new, action",
    [
        ("WHITELISTED", "ALLOWLISTED", "ALLOWLISTED"),
        ("BLACKLISTED", "DENYLISTED", "DENYLISTED"),
        ("WHITELIST VETO", "ALLOWLIST VETO", "ALLOWLIST VETO"),
        ("PASS OLD", "PASS OLD", "PASS OLD"),
    ],
)
def test_fact_35_old_and_new_words_of_postscreen_mean_the_same(event_of, old, new, action):
    events = [event_of(f"{word} [203.0.113.86]:53024", "postfix/postscreen") for word in (old, new)]

    assert [event["action"] for event in events] == [action, action]


@pytest.mark.parametrize(
    "message, action",
    [
        ("PREGREET 14 after 0.08 from [203.0.113.86]:59415: EHLO ylmf-pc\\r\\n", "PREGREET"),
        ("HANGUP after 0 from [203.0.113.86]:54017 in tests before SMTP handshake", "HANGUP"),
        ("BARE NEWLINE from [203.0.113.86]:54017 after HELO", "BARE NEWLINE"),
        ("COMMAND TIME LIMIT from [203.0.113.86]:54017 after CONNECT", "COMMAND TIME LIMIT"),
    ],
)
def test_fact_35_failed_test_of_postscreen_names_the_client(event_of, message, action):
    event = event_of(message, "postfix/postscreen")

    assert (event["kind"], event["action"], event["client_ip"]) == ("screen", action, "203.0.113.86")


def test_fact_36_dnsbl_rank_alone_is_an_event(event_of):
    event = event_of("DNSBL rank 3 for [203.0.113.149]:1038", "postfix/postscreen")

    assert (event["action"], event["client_ip"], event["reason"]) == ("DNSBL", "203.0.113.149", "3")


def test_fact_37_message_of_size_zero_has_a_size(event_of):
    event = event_of("C71221E1E6: from=<bob@example.net>, size=0, nrcpt=1 (queue active)", "postfix/qmgr")

    assert event["size_bytes"] == 0


@pytest.mark.parametrize("status", ["expired", "force-expired"])
def test_fact_38_expiry_is_told_by_the_queue_manager(event_of, status):
    event = event_of(
        f"C71221E1E6: from=<bob@example.net>, status={status}, returned to sender", "postfix/qmgr"
    )

    assert (event["kind"], event["reason"]) == ("expired", status)


@pytest.mark.parametrize("status", ["deliverable", "undeliverable", "undeliverable-but-not-cached"])
def test_fact_38_probe_is_no_delivery(event_of, status):
    text = f"to=<bob@example.net>, relay=mx.example.net[192.0.2.25]:25, {DELAYS}, dsn=2.1.5, status={status} (250 ok)"
    event = event_of(f"C71221E1E6: {text}", "postfix/smtp")

    assert (event["kind"], event["status"]) == ("probe", status)


def test_fact_39_suspended_destination_has_no_relay(event_of):
    event = event_of(
        "4cDCnd66Hyz1XPW: to=<bob@example.net>, relay=none, delay=248321, delays=248262/59/0/0, dsn=4.4.1, "
        "status=deferred (delivery temporarily suspended: connect to mx.example.net[192.0.2.25]:25: Connection refused)",
        "postfix/error",
    )

    assert (event["daemon"], event["relay_name"], event["status"], event["delay_s"]) == (
        "error",
        None,
        "deferred",
        248321.0,
    )


def test_fact_40_what_a_host_said_is_no_delivery_yet(event_of):
    event = event_of(
        f"C71221E1E6: host {PEER} said: 450 4.2.0 Greylisted (in reply to RCPT TO command)", "postfix/smtp"
    )

    assert event["kind"] == "remote_trouble"


def test_fact_41_reply_and_dsn_are_both_kept(event_of):
    reply = f"host {PEER} said: 511-5.1.1 sorry 511 5.1.1 no mailbox (#5.1.1 - chkuser) (in reply to RCPT TO command)"
    text = f"to=<bob@example.net>, relay={PEER}:25, {DELAYS}, dsn=5.0.0, status=bounced ({reply})"
    event = event_of(f"C71221E1E6: {text}", "postfix/smtp")

    assert (event["enhanced_code"], event["reply"]) == ("5.0.0", reply)


def test_fact_42_status_counts_and_not_the_code_in_the_reply(event_of):
    reply = f"host {PEER} refused to talk to me: 554 5.7.1 go away"
    text = f"to=<bob@example.net>, relay={PEER}:25, {DELAYS}, dsn=4.7.1, status=deferred ({reply})"
    event = event_of(f"C71221E1E6: {text}", "postfix/smtp")

    assert (event["status"], event["enhanced_code"]) == ("deferred", "4.7.1")


@pytest.mark.parametrize(
    "text, action",
    [
        ("sender non-delivery notification", "bounce"),
        ("sender delivery status notification", "dsn"),
        ("sender delay notification", "delay"),
        ("postmaster non-delivery notification", "postmaster"),
    ],
)
def test_fact_43_notification_names_its_own_id(event_of, text, action):
    event = event_of(f"C71221E1E6: {text}: 7446BCD68", "postfix/bounce")

    assert (event["queue_id"], event["related_queue_id"], event["action"]) == (
        "C71221E1E6",
        "7446BCD68",
        action,
    )


def test_fact_44_null_sender_is_the_empty_text(event_of):
    event = event_of("C71221E1E6: from=<>, size=3503, nrcpt=1 (queue active)", "postfix/qmgr")

    assert event["sender"] == ""


@pytest.mark.parametrize(
    "text, message_id",
    [
        ("<20261123.1@example.org>", "<20261123.1@example.org>"),
        ("<>", None),
        ("", None),
        ("no-brackets@example.org", "no-brackets@example.org"),
        (f"<{'eyJyZXBseV90byI6' * 64}@example.org>", f"<{'eyJyZXBseV90byI6' * 64}@example.org>"),
    ],
    ids=["usual", "empty", "missing", "bare", "kilobyte"],
)
def test_fact_45_message_id_may_be_anything(event_of, text, message_id):
    event = event_of(f"C71221E1E6: message-id={text}", "postfix/cleanup")

    assert (event["kind"], event["message_id"]) == ("message_id", message_id)


def test_fact_45_resent_message_id_is_not_the_message_id(event_of):
    event = event_of("C71221E1E6: resent-message-id=4739073.1", "postfix/cleanup")

    assert (event["message_id"], event["action"]) == (None, "resent")


def test_fact_46_requeued_message_names_its_old_id(event_of):
    event = event_of("E542ED59: uid=102 from=<alice@example.com> orig_id=A0ACDD2F", "postfix/pickup")

    assert (event["queue_id"], event["orig_queue_id"]) == ("E542ED59", "A0ACDD2F")


def test_fact_47_local_submission_has_a_uid_and_no_client(event_of):
    event = event_of("6791017B: uid=0 from=<root>", "postfix/pickup")

    assert (event["kind"], event["uid"], event["sender"], event["client_ip"]) == ("pickup", 0, "root", None)


def test_fact_48_disconnect_keeps_its_counters(event_of):
    counters = "ehlo=1 auth=0/1 rset=1 quit=1 commands=3/4"
    event = event_of(f"disconnect from unknown[203.0.113.75] {counters}")

    assert event["counters"] == counters


@pytest.mark.parametrize(
    "text, method, username, reason",
    [
        ("SASL LOGIN authentication failed: UGFzc3dvcmQ6", "LOGIN", None, "UGFzc3dvcmQ6"),
        ("SASL login authentication failed: UGFzc3dvcmQ6", "login", None, "UGFzc3dvcmQ6"),
        ("SASL PLAIN authentication failed:", "PLAIN", None, None),
        (
            "SASL PLAIN authentication failed: (reason unavailable), sasl_username=info@example.com",
            "PLAIN",
            "info@example.com",
            "(reason unavailable)",
        ),
        ("SASL PLAIN authentication failed: x, sasl_username=(unavailable)", "PLAIN", None, "x"),
    ],
)
def test_fact_49_failed_login_has_method_reason_and_maybe_a_name(event_of, text, method, username, reason):
    event = event_of(f"warning: unknown[203.0.113.75]: {text}")

    assert (event["kind"], event["sasl_method"], event["sasl_username"], event["reason"]) == (
        "auth_failure",
        method,
        username,
        reason,
    )


@pytest.mark.parametrize("trust", ["Untrusted", None])
@pytest.mark.parametrize(
    "more",
    ["", " key-exchange X25519 server-signature ECDSA (P-256) server-digest SHA256"],
    ids=["1.2", "1.3"],
)
def test_fact_50_tls_line_has_no_queue_id_and_maybe_no_trust(event_of, trust, more):
    words = f"{trust} TLS" if trust else "TLS"
    event = event_of(
        f"{words} connection established to {PEER}:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits){more}",
        "postfix/smtp",
    )

    assert (
        event["kind"],
        event["queue_id"],
        event["tls_trust"],
        event["tls_version"],
        event["tls_bits"],
    ) == (
        "tls_out",
        None,
        trust,
        "TLSv1.3",
        256,
    )


def test_fact_51_every_line_of_a_session_has_its_pid(event_of):
    event = event_of(f"disconnect from {PEER} quit=1 commands=1")

    assert event["pid"] == 4101


def test_fact_52_header_text_cannot_imitate_the_client(event_of):
    trigger = "Received: from x (y [192.0.2.1])??; from z.example[192.0.2.2]; from=<ceo@example.com> to=<a@example.com>"
    event = event_of(
        f"C71221E1E6: replace: header {trigger} from {PEER}; {ENVELOPE}: Received: hidden", "postfix/cleanup"
    )

    assert (event["trigger"], event["client_ip"], event["sender"]) == (
        trigger,
        "192.0.2.25",
        "bob@example.net",
    )


@pytest.mark.parametrize(
    "text, action, stage",
    [
        (f"milter-reject: END-OF-MESSAGE from {PEER}: 5.7.1 Blocked; {ENVELOPE}", "reject", "END-OF-MESSAGE"),
        (
            f"milter-hold: END-OF-MESSAGE from {PEER}: milter triggers HOLD; {ENVELOPE}",
            "hold",
            "END-OF-MESSAGE",
        ),
        (f"milter-discard: MAIL from {PEER}: milter triggers DISCARD; {ENVELOPE}", "discard", "MAIL"),
        (
            f"milter-header-redirect: header X-Spam-Status: Yes from {PEER}; {ENVELOPE}: q@example.com",
            "redirect",
            "HEADER",
        ),
        (
            f"milter-header-reject: header X-Spam-Flag: YES from {PEER}; {ENVELOPE}: 5.7.1 Spam",
            "reject",
            "HEADER",
        ),
    ],
)
def test_fact_53_milter_may_decide_without_smtp_code(event_of, text, action, stage):
    event = event_of(f"C71221E1E6: {text}", "postfix/cleanup")

    assert (event["decider"], event["action"], event["stage"], event["smtp_code"]) == (
        "milter",
        action,
        stage,
        None,
    )


@pytest.mark.parametrize(
    "text, action, code",
    [
        (
            f"proxy-reject: END-OF-MESSAGE: 554 5.7.0 Reject, id=11912-03 - INFECTED; {ENVELOPE}",
            "reject",
            "554",
        ),
        (f"proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as 9BE3547AFE; {ENVELOPE}", "accept", "250"),
        (f"NOQUEUE: proxy-reject: END-OF-MESSAGE: ; {ENVELOPE}", "reject", None),
    ],
)
def test_fact_54_before_queue_filter_decides_as_proxy(event_of, text, action, code):
    event = event_of(text)

    assert (event["decider"], event["action"], event["smtp_code"], event["sender"]) == (
        "proxy",
        action,
        code,
        "bob@example.net",
    )


def test_fact_55_moment_of_statistics_is_that_of_the_line(event_of):
    event = event_of("statistics: max cache size 2 at Oct 26 18:13:50", "postfix/anvil")

    assert (event["logged_at"], event["reason"]) == (
        datetime(2026, 11, 23, 8, 15, 1, tzinfo=UTC),
        "max cache size 2 at Oct 26 18:13:50",
    )


@pytest.mark.parametrize(
    "text", ["warning: 6F74F74431: map lookup problem", "6F74F74431: warning: map lookup problem"]
)
def test_fact_57_warning_belongs_to_the_message_that_it_names(event_of, text):
    event = event_of(text, "postfix/cleanup")

    assert (event["kind"], event["queue_id"], event["reason"]) == (
        "warning",
        "6F74F74431",
        "map lookup problem",
    )


def test_fact_57_warning_about_a_word_and_a_colon_is_no_decision(event_of):
    event = event_of("warning: getpeername: Transport endpoint is not connected", "postfix/postscreen")

    assert event["kind"] == "warning"


@pytest.mark.parametrize("severity", ["warning", "error", "fatal", "panic"])
@pytest.mark.parametrize(
    "program", ["postfix/smtpd", "postfix/master", "postfix/postfix-script", "postfix/sendmail"]
)
def test_fact_57_any_program_may_fail(event_of, program, severity):
    event = event_of(f"{severity}: the disk is full", program)

    assert (event["kind"], event["reason"]) == (severity, "the disk is full")


@pytest.mark.parametrize(
    "text, action",
    [
        ("removed", "delete"),
        ("requeued", "requeue"),
        ("placed on hold", "hold"),
        ("released from hold", "release"),
        ("expired", "expire"),
    ],
)
def test_fact_58_administrator_acts_on_a_message(event_of, text, action):
    event = event_of(f"D4F2023DB: {text}", "postfix/postsuper")

    assert (event["kind"], event["queue_id"], event["action"]) == ("queue_admin", "D4F2023DB", action)
