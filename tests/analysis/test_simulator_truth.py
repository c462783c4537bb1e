"""The simulator knows what happened to every message and recipient; the lake must say the same."""

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

SAMPLE_LOGS = Path(__file__).parents[2] / "sample_logs"
TRUTH = [json.loads(line) for line in (SAMPLE_LOGS / "truth.jsonl").read_text("utf-8").splitlines()]
MAIL = [row for row in TRUTH if row["outcome"] != "rejected"]

OUTCOMES = """
SELECT m.host || '/' || m.queue_id AS first_id, lower(o.recipient) AS recipient, o.outcome, o.attempts, o.size_bytes, o.sender,
       o.client_ip, o.message_id, o.sasl_username, o.accepted_at
FROM outcomes AS o JOIN messages AS m ON m.message_key = o.first_message_key
"""


@pytest.fixture(scope="session")
def answers(sample_connection: duckdb.DuckDBPyConnection):
    table = defaultdict(list)
    for row in sample_connection.sql(OUTCOMES).to_arrow_table().to_pylist():
        table[row["first_id"], row["recipient"]].append(row)
    return table


def found(answers, truth):
    """Our row for a row of the truth: ids are reused, so the nearest in time; a recipient never tried has no name."""
    first_id = f"{truth['host']}/{truth['queue_id']}"
    rows = answers[first_id, truth["recipient"].lower()] or answers[first_id, None]
    accepted_at = datetime.fromisoformat(truth["accepted_at"])
    return min(rows, key=lambda row: abs(row["accepted_at"] - accepted_at), default=None)


def differences(answers, name):
    """(recipient, our value, the truth's) wherever they differ."""
    pairs = [(truth, found(answers, truth)) for truth in MAIL]
    return [
        (truth["queue_id"], truth["recipient"], row and row[name], truth[name])
        for truth, row in pairs
        if row is None or row[name] != truth[name]
    ]


@pytest.mark.parametrize(
    "name", ["outcome", "size_bytes", "sender", "client_ip", "message_id", "sasl_username"]
)
def test_every_recipient_has_the_simulators(answers, name):
    wrong = differences(answers, name)

    assert wrong == []


def test_attempts_differ_only_where_a_hop_of_ours_deferred_before_the_last_one(answers):
    """The simulator counts the last hop only; ours are all attempts that were no hand-off (mx1 was down once)."""
    wrong = differences(answers, "attempts")

    assert wrong == [("4jKj2p4Ndxz26dF", "anna.keller@example.org", 3, 1)]


def test_nothing_is_counted_that_was_not_sent(answers):
    ours = sum(len(rows) for rows in answers.values())

    assert ours == len(MAIL)


def test_every_refusal_of_the_simulator_is_a_rejection(sample_connection: duckdb.DuckDBPyConnection):
    rows = sample_connection.sql(
        "SELECT client_ip, lower(recipient), enhanced_code FROM rejections WHERE action = 'reject'"
    ).fetchall()
    truth = [row for row in TRUTH if row["outcome"] == "rejected"]
    missing = [
        row
        for row in truth
        if (row["client_ip"], (row["recipient"] or "").lower() or None, row["enhanced_code"]) not in rows
    ]

    assert missing == []


def test_failed_logins_are_counted_by_address(sample_connection: duckdb.DuckDBPyConnection):
    truth = json.loads((SAMPLE_LOGS / "truth_attacks.json").read_text("utf-8"))["auth_failures"]
    rows = sample_connection.sql(
        "SELECT client_ip, count(*) FROM events_session WHERE kind = 'auth_failure' GROUP BY ALL"
    ).fetchall()

    assert dict(rows) == truth
