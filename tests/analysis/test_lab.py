"""Logs of a real Postfix, with the truth known from its clients, its destinations and its mail stores.

The lab: Postfix 3.7.11 with postscreen, submission, content filter, milter, aliases, LMTP, pipes, greylisting; 23
destinations that refuse, defer, hang up and answer with providers' texts; a second instance whose mail expires.
"""

import json
import lzma
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from analysis.warehouse import open_lake

LAB = Path(__file__).parent / "lab"
TRUTH = [json.loads(line) for line in lzma.decompress((LAB / "truth.jsonl.xz").read_bytes()).splitlines()]
ACCEPTED = [row for row in TRUTH if row["class"] != "rejected_smtp"]
# RFC 5424 by rsyslog names the program up to its slash: service and daemon are lost, and so is who removed a message.
FORMS = ["mail.log", "mail.iso.log", "mail.json.log", "mail.rfc5424.log"]

OUTCOME_BY_CLASS = {
    "delivered": {"delivered"}, "deferred_then_delivered": {"delivered"}, "delivered_twice": {"delivered"},
    "bounced": {"bounced"}, "deferred": {"deferred"}, "expired": {"expired"}, "discarded": {"discarded"},
    "held": {"held"}, "admin_deleted": {"deleted"}, "mixed": {"mixed"},
    # The content filter refused it, or swallowed it with "Ok, discarded".
    "filtered": {"bounced", "discarded"},
}  # fmt: skip

OUTCOMES = """
SELECT m.queue_id, o.recipient, o.outcome, o.attempts, o.size_bytes, o.sender, o.client_ip, o.message_id, o.origin,
       len(o.final_recipients) AS members
FROM outcomes AS o JOIN messages AS m ON m.message_key = o.first_message_key
"""


@pytest.fixture(scope="module")
def lakes(tmp_path_factory, lake_of_files):
    folder = tmp_path_factory.mktemp("lab")
    return {
        form: lake_of_files(folder / form, [LAB / f"{form}.xz", LAB / "postfix-exp.log.xz"]) for form in FORMS
    }


@pytest.fixture(scope="module")
def answers(lakes):
    with open_lake(lakes["mail.log"]) as connection:
        rows = connection.sql(OUTCOMES).to_arrow_table().to_pylist()
    table = defaultdict(list)
    for row in rows:
        name = row["recipient"] and row["recipient"].lower()
        table[row["queue_id"], name].append(row)
        if row["origin"] == "pickup":  # the sendmail command tells no queue id
            table[None, name].append(row)
    return table


def found(answers, truth):
    rows = answers[truth["queue_id"], truth["rcpt"].lower()] or answers[truth["queue_id"], None]
    return rows[0] if rows else None


def scenarios(answers, differs):
    """How many recipients of which scenario differ."""
    return Counter(truth["scenario"] for truth in ACCEPTED if differs(found(answers, truth), truth))


def test_every_recipient_has_the_outcome_that_it_really_had(answers):
    """Not in the log: the second recipient of a message that an access map discarded before its first queue line."""
    wrong = scenarios(
        answers, lambda row, truth: row is None or row["outcome"] not in OUTCOME_BY_CLASS[truth["class"]]
    )

    assert wrong == {"access-discard": 2}


def test_no_refused_recipient_has_an_outcome(answers):
    refused = [row for row in TRUTH if row["class"] == "rejected_smtp"]

    assert [row for row in refused if row["queue_id"] and answers[row["queue_id"], row["rcpt"].lower()]] == []


def test_every_sender_is_the_real_one(answers):
    assert scenarios(answers, lambda row, truth: row and (row["sender"] or "") != truth["mail_from"]) == {}


def test_every_client_is_the_real_one(answers):
    assert (
        scenarios(
            answers,
            lambda row, truth: row and row["origin"] == "smtp" and row["client_ip"] != truth["client_ip"],
        )
        == {}
    )


def test_sizes_are_the_real_ones_plus_a_received_header(answers):
    """The size stands in qmgr's line, which mail that rules stopped before the queue never gets."""
    wrong = scenarios(
        answers, lambda row, truth: row and not 0 <= (row["size_bytes"] or 0) - truth["size"] <= 600
    )

    assert set(wrong) <= {
        "access-discard",
        "access-hold",
        "header-discard",
        "header-hold",
        "milter-discard",
        "milter-hold",
    }


def test_message_ids_are_the_real_ones_where_the_log_has_them(answers):
    """Odd: folded, empty or doubled headers. Discarded: cleanup never wrote a line."""
    wrong = scenarios(answers, lambda row, truth: row and row["message_id"] != truth["message_id"])

    assert set(wrong) <= {
        "msgid-odd",
        "msgid-two",
        "msgid-none",
        "sendmail-nomsgid",
        "access-discard",
        "header-discard",
    }


def test_attempts_are_the_transactions_that_the_destinations_saw(answers):
    """A filter that was down is an attempt too, though no destination saw it.

    A destination that hung up at RCPT was called again at its next address within the same attempt.
    """
    wrong = scenarios(
        answers,
        lambda row, truth: (
            row
            and truth["attempts_seen"]
            and truth["class"] != "mixed"
            and row["attempts"] != truth["attempts_seen"]
        ),
    )

    assert wrong == {"filter-tempfail": 4, "dest-rcptdrop": 4}


TABLES = {
    "outcomes": "message_id, sender, recipient, outcome, attempts, client_ip, sasl_username, size_bytes, reply, relay_name, enhanced_code",
    "messages": "queue_id, intake, origin, link_kind, link_evidence, message_id, sender, size_bytes, recipient_count, client_ip, tls_version, helo",
    "deliveries": "queue_id, recipient, first_recipient, relay_name, relay_ip, status, is_handoff, is_final, delay_s, reply, tls_version, direction",
    "sessions": "pid, client_ip, counters, auth_failures, messages, tls_version, lost_after, lost_reason",
    "rejections": "action, stage, decider, client_ip, rule, sender, recipient, queue_id",
}


def rows(lake, table, columns):
    with open_lake(lake) as connection:
        return sorted(map(repr, connection.sql(f"SELECT {columns} FROM {table}").fetchall()))


@pytest.mark.parametrize("form", FORMS[1:])
@pytest.mark.parametrize("table", TABLES)
def test_every_syslog_form_gives_the_same_rows(lakes, table, form):
    assert rows(lakes[form], table, TABLES[table]) == rows(lakes["mail.log"], table, TABLES[table])


@pytest.mark.parametrize("form", FORMS)
def test_every_line_is_understood_or_another_programs(lakes, form):
    with open_lake(lakes[form]) as connection:
        counted = connection.sql(
            "SELECT sum(event_lines), sum(unparsed_lines), sum(foreign_lines), sum(blank_lines) FROM sources"
        ).fetchall()

    assert counted == [(18_914 + 499, 0, 0, 0)]
