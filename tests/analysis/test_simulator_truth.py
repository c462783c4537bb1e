"""The simulator knows what happened to every message and recipient; the lake must say the same.

Judged on the checked-in sample and on other worlds: one host that does all with short ids and BSD stamps, three hosts
with long ids, and a New Year inside logs whose stamps have no year.
"""

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analysis.warehouse import open_lake

SAMPLE_LOGS = Path(__file__).parents[2] / "sample_logs"
sys.path.insert(0, str(SAMPLE_LOGS))  # the simulator is a script of a checkout, not installed

from simulator import Plan, farm, simulate  # noqa: E402

PLANS = {
    "one-host": Plan(farm(1, "bsd"), days=4, lines=8_000, seed=2),
    "three-hosts": Plan(farm(3, "rfc3339", long_ids=True), days=3, lines=10_000, seed=3),
    "new-year": Plan(farm(2, "bsd"), start=datetime(2025, 12, 30, tzinfo=UTC), days=4, lines=8_000, seed=4),
}
WORLDS = ("sample", *PLANS)

OUTCOMES = """
SELECT m.host || '/' || m.queue_id AS first_id, lower(o.recipient) AS recipient, o.outcome, o.attempts, o.size_bytes, o.sender,
       o.client_ip, o.message_id, o.sasl_username, o.accepted_at
FROM outcomes AS o JOIN messages AS m ON m.message_key = o.first_message_key
"""


@dataclass
class World:
    """One lake, and the truth of it."""

    connection: duckdb.DuckDBPyConnection
    truth: list[dict[str, Any]]
    answers: dict[tuple[str, str | None], list[dict[str, Any]]]

    @property
    def mail(self):
        return [row for row in self.truth if row["outcome"] != "rejected"]

    def answer(self, truth):
        """Our row for a row of the truth: ids are reused, so the nearest in time; who was never tried has no name."""
        first_id = f"{truth['host']}/{truth['queue_id']}"
        rows = self.answers[first_id, truth["recipient"].lower()] or self.answers[first_id, None]
        accepted_at = datetime.fromisoformat(truth["accepted_at"])
        return min(rows, key=lambda row: abs(row["accepted_at"] - accepted_at), default=None)

    def differences(self, name):
        """(queue id, recipient, our value, the truth's) wherever they differ."""
        pairs = [(truth, self.answer(truth)) for truth in self.mail]
        return [
            (truth["queue_id"], truth["recipient"], row and row[name], truth[name])
            for truth, row in pairs
            if row is None or row[name] != truth[name]
        ]


@pytest.fixture(scope="module", params=WORLDS)
def world(request, tmp_path_factory, sample_lake, lake_of_files):
    if request.param == "sample":
        logs, lake = SAMPLE_LOGS, sample_lake
    else:
        logs = tmp_path_factory.mktemp(request.param)
        simulate(PLANS[request.param], logs)
        lake = lake_of_files(logs / "lake", sorted(logs.glob("*/mail.log")))
    answers = defaultdict(list)
    with open_lake(lake) as connection:
        for row in connection.sql(OUTCOMES).to_arrow_table().to_pylist():
            answers[row["first_id"], row["recipient"]].append(row)
        truth = [json.loads(line) for line in (logs / "truth.jsonl").read_text("utf-8").splitlines()]
        yield World(connection, truth, answers)


@pytest.mark.parametrize(
    "name", ["outcome", "size_bytes", "sender", "client_ip", "message_id", "sasl_username"]
)
def test_every_recipient_has_the_simulators(world, name):
    assert world.differences(name) == []


def test_attempts_differ_only_where_a_hop_of_ours_deferred_before_the_last_one(world):
    """The simulator counts the last hop only; ours are all attempts that were no hand-off (the sample's mx1 was down once)."""
    wrong = world.differences("attempts")

    assert wrong in (
        [],
        [
            ("4jKj2p4Ndxz26dF", "anna.keller@example.org", 3, 1),
            ("1xOkry-0001SG-E7", "dora.lind@example.org", 3, 1),
        ],
    )


def test_nothing_is_counted_that_was_not_sent(world):
    assert sum(map(len, world.answers.values())) == len(world.mail)


def test_every_refusal_of_the_simulator_is_a_rejection(world):
    rows = world.connection.sql(
        "SELECT client_ip, lower(recipient), enhanced_code FROM rejections WHERE action = 'reject'"
    ).fetchall()
    refused = [row for row in world.truth if row["outcome"] == "rejected"]
    keys = [
        (row["client_ip"], row["recipient"] and row["recipient"].lower(), row["enhanced_code"])
        for row in refused
    ]

    assert [key for key in keys if key not in rows] == []


def test_failed_logins_are_counted_by_address(sample_connection):
    truth = json.loads((SAMPLE_LOGS / "truth_attacks.json").read_text("utf-8"))["auth_failures"]
    rows = sample_connection.sql(
        "SELECT client_ip, count(*) FROM events_session WHERE kind = 'auth_failure' GROUP BY ALL"
    ).fetchall()

    assert dict(rows) == truth
