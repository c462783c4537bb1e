"""Logs of a real Exim 4.96 with its default selectors, and the truth from its clients, destinations and mail stores.

mainlog, rejectlog and paniclog, as it wrote them side by side.
"""

import json
import lzma
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from analysis.warehouse import open_lake

LAB = Path(__file__).parent / "lab"
LOGS = [LAB / f"exim-{name}.xz" for name in ("mainlog", "rejectlog", "paniclog")]
TRUTH = [
    json.loads(line) for line in lzma.decompress((LAB / "exim-truth.jsonl.xz").read_bytes()).splitlines()
]
ACCEPTED = [row for row in TRUTH if row["class"] != "rejected_smtp"]

OUTCOME_BY_CLASS = {
    "delivered": {"delivered"}, "deferred_then_delivered": {"delivered"}, "delivered_twice": {"delivered"},
    "delivered_but_refused": {"delivered"}, "bounced": {"bounced"}, "admin_bounced": {"bounced"},
    "deferred": {"deferred"}, "expired": {"expired"}, "discarded": {"discarded"}, "held": {"held"},
    "admin_deleted": {"deleted"},
    # While one member of an alias is still being tried, so is the recipient
    "mixed": {"mixed", "deferred"},
    # The content filter refused it, or swallowed it with "Ok, discarded"
    "filtered": {"bounced", "discarded"},
}  # fmt: skip

OUTCOMES = """
SELECT m.queue_id, o.recipient, o.outcome, o.sender, o.message_id
FROM outcomes AS o JOIN messages AS m ON m.message_key = o.first_message_key
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory, lake_of_files):
    return lake_of_files(tmp_path_factory.mktemp("lab") / "exim", LOGS)


@pytest.fixture(scope="module")
def answers(lake):
    """Rows by queue id and recipient; by Message-ID for clients that were told no queue id."""
    with open_lake(lake) as connection:
        rows = connection.sql(OUTCOMES).to_arrow_table().to_pylist()
    table = defaultdict(list)
    for row in rows:
        name = row["recipient"] and row["recipient"].lower()
        table[row["queue_id"], name].append(row)
        table[row["message_id"], name].append(row)
    return table


def found(answers, truth):
    """Exim names no recipients of what it discards or freezes at once."""
    told = truth["queue_id"] or truth["message_id"]
    rows = answers[told, truth["rcpt"].lower()] or answers[told, None]
    return rows[0] if rows else None


def test_every_recipient_has_the_outcome_that_it_really_had(answers):
    wrong = Counter(
        (truth["scenario"], truth["class"], row and row["outcome"])
        for truth in ACCEPTED
        if (row := found(answers, truth)) is None or row["outcome"] not in OUTCOME_BY_CLASS[truth["class"]]
    )

    assert wrong == {}


def test_no_refused_recipient_has_an_outcome(answers):
    refused = [row for row in TRUTH if row["class"] == "rejected_smtp" and row["queue_id"]]

    assert [row for row in refused if answers[row["queue_id"], row["rcpt"].lower()]] == []


def test_every_sender_is_the_real_one(answers):
    """But for one that Exim's own rewriting rules made another before it logged it."""
    wrong = Counter(
        truth["scenario"]
        for truth in ACCEPTED
        if (row := found(answers, truth)) and (row["sender"] or "") != truth["mail_from"]
    )

    assert wrong == {"sender-odd": 3}


def test_every_line_is_understood_or_goes_on_or_is_a_copy(lake):
    with open_lake(lake) as connection:
        counted = connection.sql(
            "SELECT sum(event_lines), sum(unparsed_lines), sum(foreign_lines), sum(blank_lines + duplicate_lines) FROM sources"
        ).fetchall()

    assert counted == [(11_576, 0, 0, 793)]
