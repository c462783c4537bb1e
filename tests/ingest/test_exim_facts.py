"""One test for each fact about Exim's logs that has broken other parsers; the number is that of the fact."""

import pytest

ID = "1vN8qP-0003aB-7k"
NEW_ID = "1vN8qP-00000003aBc-7kLm"
STAMP = "2026-11-23 08:15:01"
RELAY = "R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.25]"


@pytest.fixture
def line_of(read):
    """The event of one line of mainlog."""

    def line(message):
        found = read(f"{STAMP} {message}\n")
        assert len(found.events) == 1, found.unparsed or found.counts
        return found.events[0]

    return line


def told(event, *names):
    return tuple(event[name] for name in names)


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP} {ID} Completed",
        f"Nov 23 08:15:01 mx2 exim[71]: {ID} Completed",
        f"Nov 23 08:15:01 mx2 exim[71]: [71] {ID} Completed",
        f"Nov 23 08:15:01 mx2 exim[71]: {STAMP} {ID} Completed",
        f"Nov 23 08:15:01 mx2 exim[71]: {STAMP} [71] {ID} Completed",
    ],
)
def test_fact_11_none_to_two_stamps_and_none_to_two_pids(read, line):
    [event] = read(f"{line}\n").events

    assert (event["kind"], event["queue_id"], event["logged_at"].isoformat()) == (
        "removed",
        ID,
        "2026-11-23T08:15:01+00:00",
    )


def test_fact_12_pieces_of_a_long_line_are_one_entry(read):
    head = "Nov 23 08:15:01 mx2 exim[71]:"
    found = read(
        f"{head} [1/2] {STAMP} {ID} ** jim@example.net {RELAY}: SMTP error from remote mail server after RC\n"
        f"{head} [2/2] PT TO:<jim@example.net>: 550 5.1.1 Unknown\n"
    )

    assert (found.counts, told(found.events[0], "line_no", "reply")) == (
        {"blank": 1, "event": 1},
        (2, "550 5.1.1 Unknown"),
    )


def test_fact_12_lines_of_one_entry_are_its_first_line(read):
    head = "Nov 23 08:15:01 mx2 exim[71]:"
    found = read(
        f"{head} [1\\3] {STAMP} {ID} H=(a) [192.0.2.9] F=<b@example.com> rejected after DATA: spam\n"
        f"{head} [2\\3] Envelope-from: <b@example.com>\n"
        f"{head} [3\\3] P Received: from a\n"
    )

    assert (found.counts, found.events[0]["line_no"]) == ({"event": 1, "blank": 2}, 1)


def test_fact_13_copy_for_the_rejectlog_counts_once(read):
    line = f"Nov 23 08:15:01 mx2 exim[71]: {STAMP} H=[192.0.2.9] F=<> rejected RCPT <a@example.org>: no\n"

    assert read(line * 2).counts == {"event": 1, "duplicate": 1}


@pytest.mark.parametrize(
    "flag, kind, status",
    [
        ("=>", "delivery", "sent"),
        ("->", "delivery", "sent"),
        (">>", "delivery", "sent"),
        ("*>", "delivery", "discarded"),
        ("**", "delivery", "bounced"),
        ("==", "delivery", "deferred"),
    ],
)
def test_fact_59_flag_is_the_result(line_of, flag, kind, status):
    event = line_of(f'{ID} {flag} jim@example.net {RELAY} C="250 OK"')

    assert told(event, "kind", "status", "recipient") == (kind, status, "jim@example.net")


@pytest.mark.parametrize("flag, action", [("<=", None), ("(=", "fakereject")])
def test_fact_59_both_arrivals(line_of, flag, action):
    event = line_of(f"{ID} {flag} jim@example.net U=jim P=local-smtp S=10")

    assert told(event, "kind", "action", "sender") == ("arrival", action, "jim@example.net")


@pytest.mark.parametrize("message_id", [ID, NEW_ID])
def test_fact_60_ids_of_16_and_of_23_characters(line_of, message_id):
    assert line_of(f"{message_id} Completed")["queue_id"] == message_id


@pytest.mark.parametrize(
    "stamp, moment, pid",
    [
        ("2026-11-23 08:15:01.712", "2026-11-23T08:15:01.712000+00:00", None),
        ("2026-11-23 08:15:01 +0200", "2026-11-23T06:15:01+00:00", None),
        ("2026-11-23 08:15:01 [789]", "2026-11-23T08:15:01+00:00", 789),
        ("2026-11-23 08:15:01.007 -0330 [789]", "2026-11-23T11:45:01.007000+00:00", 789),
    ],
)
def test_fact_61_every_stamp_is_read(read, stamp, moment, pid):
    [event] = read(f"{stamp} {ID} Completed\n").events

    assert (event["logged_at"].isoformat(), event["pid"]) == (moment, pid)


def test_fact_62_keys_mean_what_their_flag_makes_them(line_of):
    arrival = line_of(f'{ID} <= <> R={NEW_ID} U=exim P=local S=8656 T="Mail delivery failed"')
    delivery = line_of(f'{ID} => a@example.net P=<b@example.org> {RELAY} C="250 OK"')
    note = line_of("no MAIL in SMTP connection from [192.0.2.9] D=21s C=EHLO,STARTTLS")

    assert (
        told(arrival, "related_queue_id", "protocol"),
        told(delivery, "relay_name", "reply"),
        told(note, "kind", "stage"),
    ) == ((NEW_ID, "local"), ("mx.example.net", "250 OK"), ("client_note", "EHLO,STARTTLS"))


def test_fact_63_marks_without_value_are_marks(line_of):
    event = line_of(f"{ID} <= a@example.net H=[192.0.2.9] TFO* P=esmtp L- PRDR K S=10 for b@example.org")

    assert told(event, "protocol", "size_bytes", "recipients", "attributes") == (
        "esmtp",
        10,
        "b@example.org",
        "TFO* L- PRDR K",
    )


@pytest.mark.parametrize(
    "host, found",
    [
        ("mx.example.net [192.0.2.25]", ("mx.example.net", None, "192.0.2.25", None)),
        ("(mx) [192.0.2.25]:4100", (None, "mx", "192.0.2.25", 4100)),
        ("([192.0.2.1]) [2001:db8::9]", (None, "[192.0.2.1]", "2001:db8::9", None)),
        ("mx.example.net (m(x)) [192.0.2.25]", ("mx.example.net", "m(x)", "192.0.2.25", None)),
        ("[192.0.2.25]", (None, None, "192.0.2.25", None)),
    ],
)
def test_fact_64_host_name_helo_address_and_port(line_of, host, found):
    event = line_of(f"{ID} <= a@example.net H={host} P=esmtp S=10")

    assert told(event, "client_name", "helo", "client_ip", "client_port") == found


def test_fact_65_reused_connection_and_resumed_session(line_of):
    event = line_of(
        f'{ID} => a@example.net R=r T=smtp H=mx.example.net [192.0.2.25]:25* X=TLS1.3:AES:256* CV=yes C="250 OK"'
    )

    assert told(event, "relay_port", "connection_use", "tls_version", "tls_trust") == (
        25,
        2,
        "TLSv1.3",
        "Trusted",
    )


def test_fact_66_quoted_text_is_one_value(line_of):
    event = line_of(
        rf'{ID} => a@example.net {RELAY} C="250 R=<a@example.net> \"so\" T=x\\n250 id={NEW_ID}" QT=1s'
    )

    assert told(event, "reply", "delay_s", "attributes") == (
        f'250 R=<a@example.net> "so" T=x 250 id={NEW_ID}',
        1.0,
        "R=dnslookup T=remote_smtp",
    )


@pytest.mark.parametrize(
    "column, recipient, original",
    [
        ("jim@example.net", "jim@example.net", None),
        ("jim <jim@example.org>", "jim@example.org", None),
        ("jim <Jim.M@example.org>", "jim", "Jim.M@example.org"),
        ("jim@example.net <list@example.org>", "jim@example.net", "list@example.org"),
        ("jim@example.net (sub@example.org) <list@example.org>", "jim@example.net", "list@example.org"),
        ('|/bin/sh -c "cat >x R=y" <pipe@example.org>', "pipe@example.org", None),
        ("/var/mail/a b <file@example.org>", "file@example.org", None),
        (":blackhole: <gone@example.org>", "gone@example.org", None),
        ('"a b"@example.net', '"a b"@example.net', None),
    ],
)
def test_fact_68_who_it_was_for_and_as_whom(line_of, column, recipient, original):
    event = line_of(f"{ID} => {column} R=r T=t")

    assert told(event, "recipient", "orig_recipient") == (recipient, original)


@pytest.mark.parametrize(
    "column",
    [
        "discarded <a@example.org> R=filter",
        ":blackhole: <a@example.org>",
        "/dev/null <a@example.org> R=f T=**bypassed**",
    ],
)
def test_fact_69_what_nobody_gets_is_discarded(line_of, column):
    assert told(line_of(f"{ID} => {column}"), "recipient", "status") == ("a@example.org", "discarded")


@pytest.mark.parametrize(
    "text, kind",
    [
        (f"a@example.net {RELAY} defer (110): Connection timed out", "delivery"),
        (
            "a@example.net R=r T=remote_smtp defer (-44) H=mx [192.0.2.25]: SMTP error from x: 452 full",
            "delivery",
        ),
        ("a@example.net R=r T=remote_smtp defer (-54): retry time not reached for any host", "postponed"),
        ("a@example.net routing defer (-51): retry time not reached", "postponed"),
    ],
)
def test_fact_70_only_what_was_tried_is_an_attempt(line_of, text, kind):
    assert told(line_of(f"{ID} == {text}"), "kind", "status") == (kind, "deferred")


def test_fact_71_giving_up_is_expiry(line_of):
    event = line_of(f"{ID} ** a@example.net: retry timeout exceeded")

    assert told(event, "recipient", "status", "reply") == (
        "a@example.net",
        "expired",
        "retry timeout exceeded",
    )


def test_fact_72_failure_without_router_and_with_colons(line_of):
    event = line_of(f"{ID} ** jim@example.net <jim@example.net>: unknown mail domain: really: unknown")

    assert told(event, "recipient", "status", "reply") == (
        "jim@example.net",
        "bounced",
        "unknown mail domain: really: unknown",
    )


@pytest.mark.parametrize(
    "text, kind, action",
    [
        ("Completed", "removed", None),
        ("Frozen (delivery error message)", "queue_admin", "hold"),
        ("Unfrozen by errmsg timer", "queue_admin", "release"),
        ("removed by root", "queue_admin", "delete"),
        ("cancelled by root", "cancelled", None),
    ],
)
def test_fact_73_ends_and_pauses_of_a_message(line_of, text, kind, action):
    event = line_of(f"{ID} {text}")

    assert (event["kind"], event.get("action")) == (kind, action)


@pytest.mark.parametrize("prefix, queue_id", [("", None), (f"{ID} ", ID)])
def test_fact_74_refusal_with_and_without_id(line_of, prefix, queue_id):
    event = line_of(f"{prefix}H=(test) [192.0.2.2] U=x F=<j@example.com> rejected after DATA: no")

    assert told(event, "kind", "queue_id", "stage") == ("decision", queue_id, "END-OF-MESSAGE")


@pytest.mark.parametrize(
    "text, found",
    [
        ("temporarily rejected RCPT <a@example.org>: later", ("RCPT", "451", "later")),
        ("rejected EHLO or HELO x: no", ("EHLO", "550", "no")),
        ('rejected connection in "connect" ACL: no', ("CONNECT", "550", "no")),
        ("rejected by local_scan(): no", ("END-OF-MESSAGE", "550", "no")),
        ("rejected MAIL <a@example.com>: 553 5.7.1 no", ("MAIL", "553", "no")),
    ],
)
def test_fact_75_stage_and_action_of_a_refusal(line_of, text, found):
    assert told(line_of(f"H=[192.0.2.2] {text}"), "stage", "smtp_code", "reply") == found


def test_fact_76_headers_belong_to_their_refusal(read):
    found = read(
        f"{STAMP} {ID} F=<a@example.com> rejected after DATA: no\n"
        "Envelope-from: <a@example.com>\nP Received: from x\n\tby y\nI Message-Id: <1@example.com>\n"
        f"{STAMP} {NEW_ID} Completed\n"
    )

    assert found.counts == {"event": 2, "blank": 4}


def test_fact_77_line_without_stamp_belongs_to_the_one_before(read):
    found = read(f"{STAMP} Warning: No server certificate defined\n Suggested action: install one\n")

    assert found.counts == {"event": 1, "blank": 1}


@pytest.mark.parametrize(
    "text",
    [
        "dovecot_login authenticator failed for (User) [192.0.2.9]:2129 I=[192.0.2.1]:465 Ci=30416: 535 no (set_id=u@example.com)",
        "dovecot_login authenticator failed for H=(User) [192.0.2.9]:2129 U=x: 535 no (set_id=u@example.com)",
    ],
)
def test_fact_78_both_wordings_of_a_failed_login(line_of, text):
    assert told(line_of(text), "kind", "client_ip", "sasl_method", "sasl_username") == (
        "auth_failure",
        "192.0.2.9",
        "dovecot_login",
        "u@example.com",
    )


def test_fact_79_subject_and_recipients_at_the_end(line_of):
    event = line_of(
        rf'{ID} <= a@example.com P=esmtps S=21778 T="List: for x\n from <y>" from <a@example.com> for b@example.org c@example.org'
    )

    assert event["recipients"] == "b@example.org c@example.org"


@pytest.mark.parametrize(
    "text, seconds", [("3m45s", 225.0), ("1.578s", 1.578), ("2d4h", 187200.0), ("0s", 0.0)]
)
def test_fact_80_durations(line_of, text, seconds):
    assert line_of(f"{ID} => a@example.net {RELAY} QT={text}")["delay_s"] == seconds


def test_fact_81_what_a_client_sent_is_not_read(line_of):
    event = line_of(
        'SMTP call from (x) [192.0.2.9] dropped: too many unrecognized commands (last was "H=(a) [198.51.100.1]")'
    )

    assert told(event, "kind", "client_ip") == ("lost_connection", "192.0.2.9")


def test_e12_message_of_a_new_id_is_read_whole(read):
    found = read(
        f"{STAMP} {NEW_ID} <= a@example.com H=[192.0.2.9] P=esmtp S=10\n"
        f'{STAMP} {NEW_ID} => b@example.org {RELAY} C="250 OK"\n'
        f"{STAMP} {NEW_ID} Completed\n"
    )

    assert [(event["kind"], event["queue_id"]) for event in found.events] == [
        ("arrival", NEW_ID),
        ("delivery", NEW_ID),
        ("removed", NEW_ID),
    ]


def test_e13_cut_through_is_delivered(line_of):
    assert line_of(f'{ID} >> b@example.org {RELAY} C="250 OK"')["status"] == "sent"


def test_e18_milliseconds_are_no_bad_format(read):
    assert read(f"2026-11-23 08:15:01.712 {ID} Completed\n").counts == {"event": 1}
