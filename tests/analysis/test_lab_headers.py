"""Headers of messages that a real Postfix delivered, with the truth known from who wrote each header; and its log beside them."""

import json
import lzma
from pathlib import Path

import pytest

from analysis.path import read_way
from analysis.trace import logged_hops
from analysis.warehouse import open_lake
from ingest.headers.messages import read_messages
from ingest.headers.rows import rows_of

LAB = Path(__file__).parent / "lab"
BOX = lzma.decompress((LAB / "headers.mbox.xz").read_bytes())
TRUTH = [
    json.loads(line) for line in lzma.decompress((LAB / "headers_truth.jsonl.xz").read_bytes()).splitlines()
]


@pytest.fixture(scope="module")
def letters():
    """The rows of each message by the name of its file, the newest hop first."""
    told = ((message.block.values("x-eml")[0], rows_of(message)) for message in read_messages([BOX]))
    return {name: (rows.email, rows.hops[::-1]) for name, rows in told}


def differences(hop, truth):
    """Where a hop says other than who wrote it knows; what the header does not hold cannot be asked of it."""
    found = {"by": (hop["by_host"] or "").lower()}
    wanted = {"by": (truth["by"] or "").lower()}
    if truth.get("id"):
        found["id"], wanted["id"] = hop["hop_id"], truth["id"]
    if truth.get("ip") and truth["ip"] in hop["raw"]:
        found["ip"], wanted["ip"] = hop["from_ip"], truth["ip"]
    if truth.get("ts"):
        found["at"], wanted["at"] = hop["received_at"].timestamp(), float(int(truth["ts"]))
    if truth.get("tz") is not None and truth.get("ts"):
        found["zone"], wanted["zone"] = hop["utc_offset_s"] or 0, truth["tz"] * 3600
    if "ts_min" in truth:
        at = hop["received_at"].timestamp()
        found["in time"], wanted["in time"] = truth["ts_min"] <= at <= truth["ts_max"], True
    return {name: (found[name], wanted[name]) for name in wanted if found[name] != wanted[name]}


def test_hops_their_order_and_their_times_are_those_of_the_truth(letters):
    odd = [
        (row["eml"], number, differences(hop, truth))
        for row in TRUTH
        if row["complete"]
        for number, (hop, truth) in enumerate(zip(letters[row["eml"]][1], row["hops"], strict=True))
        if differences(hop, truth)
    ]

    assert odd == []


def test_the_number_of_hops_is_that_of_the_truth(letters):
    assert [row["eml"] for row in TRUTH if letters[row["eml"]][0]["hop_count"] != row["received_count"]] == []


@pytest.fixture(scope="module")
def connection(tmp_path_factory, lake_of_files):
    folder = tmp_path_factory.mktemp("lab-headers")
    (folder / "box").write_bytes(BOX)
    logs = [LAB / "mail.log.xz", LAB / "postfix-exp.log.xz"]
    with open_lake(lake_of_files(folder / "lake", [*logs, folder / "box"])) as opened:
        yield opened


def test_every_hop_of_our_host_is_in_its_log(connection):
    [counted] = connection.sql(
        "SELECT count(*), count(queue_id) FROM hops LEFT JOIN (SELECT DISTINCT queue_id FROM messages) ON queue_id = hop_id "
        "WHERE by_host = 'mx1.lab.test'"
    ).fetchall()

    assert counted == (1836, 1836)


def test_a_message_that_we_sent_is_confirmed_by_our_log_in_the_middle_of_its_way(connection, letters):
    email, newest_first = letters["ps00234.eml"]
    hops = newest_first[::-1]
    way = read_way(hops, ["mx1"], logged_hops(connection, hops, [email["message_id"]]))

    assert [(step.is_known, step.log and step.log["reply"]) for step in way.steps] == [
        (True, "forwarded as 6E6E127A"),
        (True, "250 2.0.0 Ok: queued as 19042F4DFCC"),
        (False, None),
    ]
