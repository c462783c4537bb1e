"""What declarations make of lines, and what `formats check` says where that is not what they say."""

import pytest

TABLE = """
name = "table"
[framing]
kind = "csv"
header = ""
columns = ["time", "to", "size", "state", "why"]
stamp = "{iso}"
stamp_field = "time"
list = ";"
[words.status]
ok = "sent"
"4*" = "deferred"
[convert]
delay_s = "ms"
[[patterns]]
kind = "delivery"
when = { state = ["ok", "4*"] }
fields = { recipient = "to[]", size_bytes = "size", status = "state", reply = "why", sender = "{to} {why}" }
[[patterns]]
kind = "delivery_note"
fields = { reason = "why", delay_s = "size" }
[[samples]]
line = "2026-11-05T10:00:00Z,bob@example.net,7,ok,fine"
expect = { kind = "delivery", recipient = "bob@example.net", size_bytes = 7 }
[[samples]]
line = "2026-11-05T10:00:00Z,,1500,odd,hm"
expect = { kind = "delivery_note", delay_s = 1.5 }
"""
OBJECTS = """
name = "objects"
[framing]
kind = "json"
stamp = "{epoch}"
stamp_field = ["at", "time"]
host_field = "node"
[[patterns]]
kind = "delivery"
when = { type = "sent" }
fields = { recipient = "to[].address", reply = "{code} {text}", queue_id = "id", sender = "from" }
parts = { "to[].diagnosis" = ["smtp; {enhanced_code:enhanced}{? {:rest}?}", "{enhanced_code:enhanced}"] }
set = { status = "sent" }
[[samples]]
line = '{"at": 1793872800, "type": "sent", "id": "A", "to": [{"address": "a@example.net"}], "code": 250, "text": "ok"}'
expect = { kind = "delivery", reply = "250 ok" }
[[samples]]
line = '{"time": 1793872800.5, "type": "sent", "id": "A", "to": [{"address": "a@example.net"}], "node": "n1"}'
expect = { kind = "delivery", host = "n1" }
"""
LIST = """
name = "lister"
[framing]
kind = "syslog"
programs = ["lister"]
[[patterns]]
kind = "delivery"
template = "{queue_id:ident}: {list:rest}"
last = "stat"
each = "recipient"
when = { to = "*" }
fields = { recipient = "to", relay_name = "relay", reply = "stat" }
set = { status = "sent" }
[[patterns]]
kind = "server"
template = "{reason:rest}"
[[samples]]
line = "Nov  5 10:00:00 mx1 lister[7]: A1: to=<a@example.net>,<b@example.net>, relay=mx.example.net, stat=ok, to=<c@example.net>"
expect = [{ kind = "delivery", recipient = "a@example.net", reply = "ok, to=<c@example.net>" }, { kind = "delivery", recipient = "b@example.net" }]
[[samples]]
line = "Nov  5 10:00:00 mx1 lister[7]: hello"
expect = { kind = "server" }
"""


def test_panel_line_becomes_a_delivery(declare, rows):
    [row] = rows(
        declare(), "[01-Nov-2026 10:00:00 +0100]: <4711> User alice@example.org sent to bob@example.net: OK"
    )

    assert (row["queue_id"], row["sender"], row["status"], row["logged_at"].isoformat(), row["utc_offset_s"]) == (
        "4711", "alice@example.org", "sent", "2026-11-01T09:00:00+00:00", 3600,
    )  # fmt: skip


def test_null_sender_is_empty_and_not_absent(declare, rows):
    [row] = rows(declare(), "[01-Nov-2026 10:00:00 +0100]: <4711> User  sent to bob@example.net: OK")

    assert row["sender"] == ""


def test_word_that_nobody_declared_is_told(declare, reasons):
    found = reasons(
        declare(), "[01-Nov-2026 10:00:00 +0100]: <4711> User a@example.org sent to b@example.net: Lost"
    )

    assert found == ["status is 'Lost'; [words.status] knows OK, Bounced"]


@pytest.mark.parametrize("text", [TABLE, OBJECTS, LIST])
def test_samples_are_read(declare, told, text):
    assert not told(declare(text=text))


def test_member_of_a_list_is_an_event_each(declare, rows):
    found = rows(declare(text=TABLE), "2026-11-05T10:00:00Z,a@example.net; b@example.net,7,450,later")

    assert [(row["recipient"], row["status"]) for row in found] == [
        ("a@example.net", "deferred"),
        ("b@example.net", "deferred"),
    ]


def test_quoted_cell_may_have_the_sign(declare, rows):
    [row] = rows(declare(text=TABLE), '2026-11-05T10:00:00Z,a@example.net,7,ok,"fine, really ""so"""')

    assert row["reply"] == 'fine, really "so"'


@pytest.mark.parametrize(
    "line, reason",
    [
        ("2026-11-05T10:00:00Z,a@example.net,many,ok,x", "size_bytes is 'many'; a number would be right"),
        ("2026-11-05T10:00:00Z,a@example.net," + "9" * 30 + ",ok,x", "size_bytes is '" + "9" * 30 + "'; a number would be right"),
        ("5.11.,a@example.net,7,ok,x", "'5.11.' is no stamp of the form '{iso}'"),
        ("2026-11-05T10:00:00Z,a@example.net,7,ok,x,y", "6 columns; there would be 5: time, to, size, state, why"),
        ('2026-11-05T10:00:00Z,"a', "no line of CSV: unexpected end of data"),
        ("", None),
    ],
)  # fmt: skip
def test_line_that_does_not_fit_says_why(declare, reasons, line, reason):
    assert reasons(declare(text=TABLE), line) == ([reason] if reason else [])


def test_empty_cell_is_absent(declare, rows):
    [row] = rows(declare(text=TABLE), "2026-11-05T10:00:00Z,a@example.net,,ok,")

    assert "size_bytes" not in row


def test_part_of_a_field_is_read_by_a_template(declare, rows):
    line = '{"at":1,"type":"sent","to":[{"address":"a@example.net","diagnosis":"smtp; 5.1.1 no"},{"address":"b@example.net","diagnosis":"4.2.2"}]}'
    found = rows(declare(text=OBJECTS), line)

    assert [row["enhanced_code"] for row in found] == ["5.1.1", "4.2.2"]


def test_half_a_surrogate_pair_can_be_kept(declare, rows):
    [row] = rows(declare(text=OBJECTS), '{"at":1,"type":"sent","to":[{"address":"a\\ud800@example.net"}]}')

    assert row["recipient"].startswith("a")


@pytest.mark.parametrize("line", ["[]", "{", '{"at": "x"}', "7", "nonsense", '{"at": NaN}', "[" * 5000])
def test_what_is_no_object_is_not_understood(declare, reasons, line):
    assert len(reasons(declare(text=OBJECTS), line)) == 1


class TestCheck:
    def test_field_that_differs_is_named_with_what_was_found_and_where(self, declare, told):
        found = told(declare(('recipient = "bob@example.net"', 'recipient = "eva@example.net"')))

        assert found == [
            "panel.toml:15: sample 1: recipient: expected 'eva@example.net', found 'bob@example.net' (character 69 of the line)"
        ]

    def test_field_that_was_not_found_is_said(self, declare, told):
        found = told(declare(('status = "bounced" }', 'status = "bounced", reply = "no" }')))

        assert found == ["panel.toml:19: sample 2: reply: expected 'no', found nothing"]

    def test_pattern_that_came_farthest_is_told(self, declare, told):
        [found] = told(declare(("sent to eva@", "went to eva@")))

        assert found == (
            "panel.toml:19: sample 2: not understood: no pattern of the format reads this message; pattern 1 comes as "
            "far as '<4712> User alice@example.org', then it wants ' sent to ', and there is ' went to eva@example.net: Bounced'"
        )

    def test_number_of_events_is_compared(self, declare, told):
        text = LIST.replace(', { kind = "delivery", recipient = "b@example.net" }', "")

        assert told(declare(text=text)) == ["panel.toml:17: sample 1: events: expected 1, found 2"]

    def test_moment_is_compared(self, declare, told):
        found = told(
            declare(('status = "bounced" }', 'status = "bounced", logged_at = "2026-11-01T09:00:02" }'))
        )

        assert found == [
            "panel.toml:19: sample 2: logged_at: expected '2026-11-01T09:00:02', found '2026-11-01T09:00:01+00:00'"
        ]
