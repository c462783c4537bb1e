"""A lake of pseudonyms: no person in any byte of it, and every count as with their names."""

import json
import re
import shutil
import sqlite3
from datetime import UTC
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import mailscope
from analysis.stitch import stitch
from analysis.warehouse import open_lake
from ingest.errors import LakeError
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.pseudonyms import Pseudonyms
from ingest.reader import ingest_sources
from ingest.sources import find_sources

SAMPLE_LOGS = Path(__file__).parents[1] / "sample_logs"
LOGS = [SAMPLE_LOGS / "mx1", SAMPLE_LOGS / "out1", SAMPLE_LOGS / "ex1"]
KEY = bytes(range(32))


def build(lake, pseudonyms, logs=LOGS):
    for log in logs:
        settings = Settings(zone=UTC, pseudonyms=pseudonyms, host=log.name)
        ingest_sources(Lake(lake), find_sources([str(log)]), settings)
    stitch(lake)
    return lake


@pytest.fixture(scope="module", params=["", "domains", "keep_networks"])
def made(request, tmp_path_factory):
    options = {request.param: True} if request.param else {}
    return build(tmp_path_factory.mktemp("made") / "lake", Pseudonyms(KEY, **options))


@pytest.fixture(scope="module")
def people(sample_connection):
    """Local parts and user names, as they stand before an @, and client addresses of the sample."""
    columns = {
        "outcomes": ["sender", "recipient", "client_ip", "sasl_username"],
        "deliveries": ["recipient", "orig_recipient", "first_recipient", "sender"],
        "messages": ["sender", "client_ip", "sasl_username"],
        "sessions": ["client_ip", "sasl_username"],
        "rejections": ["sender", "recipient", "client_ip", "sasl_username"],
    }
    found = {
        value
        for table, names in columns.items()
        for name in names
        for (value,) in sample_connection.sql(f"SELECT DISTINCT {name} FROM {table}").fetchall()
        if value
    }
    locals_ = {text.rpartition("@")[0] for text in found if "@" in text}
    names = {text for text in found if "@" not in text and not re.fullmatch(r"[0-9A-Fa-f.:]+", text)}
    clients = {text for text in found if re.fullmatch(r"[0-9A-Fa-f.:]{7,}", text)} - {"127.0.0.1", "::1"}
    # Servers that we deliver to keep their addresses, also where they are clients
    servers = {
        address for (address,) in sample_connection.sql("SELECT DISTINCT relay_ip FROM deliveries").fetchall()
    }
    return {f"{text}@" for text in locals_ | names}, clients - servers


def bytes_of(lake):
    """All that the lake's files hold: every text of every column, and the raw bytes of what is no Parquet."""
    for path in sorted(lake.rglob("*")):
        if path.suffix == ".parquet":
            table = pq.ParquetFile(path).read()
            for name in table.schema.names:
                yield f"{path.name}:{name}", "\n".join(map(str, set(map(str, table[name].to_pylist()))))
        elif path.is_file():
            yield path.name, path.read_bytes().decode("latin-1")


def texts_found(lake, texts_in):
    return {(where, hit) for where, text in bytes_of(lake) for hit in texts_in(text)}


def test_nobody_of_the_sample_is_in_any_byte(made, people):
    names = people[0] - {"MAILER-DAEMON@", "double-bounce@"}

    assert all(re.fullmatch(r"[\w.+-]+@", name) for name in names)
    assert texts_found(made, lambda text: names.intersection(re.findall(r"[\w.+-]+@", text))) == set()


@pytest.mark.parametrize("made", [""], indirect=True)
def test_no_client_address_of_the_sample_is_in_any_byte(made, people):
    some = re.compile(r"(?<![\w.+-])(?:" + "|".join(map(re.escape, sorted(people[1]))) + ")")

    assert texts_found(made, some.findall) == set()


COUNTS = {
    "outcomes": "SELECT outcome, count(*), sum(attempts) FROM outcomes GROUP BY ALL ORDER BY ALL",
    "deliveries": "SELECT status, direction, is_handoff, count(*) FROM deliveries GROUP BY ALL ORDER BY ALL",
    "messages": "SELECT origin, state, count(*), count(DISTINCT sender), count(message_id) FROM messages GROUP BY ALL ORDER BY ALL",
    "sessions": "SELECT count(*), count(DISTINCT client_ip), sum(auth_failures), sum(rejections) FROM sessions",
    "rejections": "SELECT action, decider, count(*), count(DISTINCT recipient), count(dnsbl) FROM rejections GROUP BY ALL ORDER BY ALL",
    "people": "SELECT count(DISTINCT sender), count(DISTINCT recipient), count(DISTINCT sasl_username) FROM outcomes",
}


@pytest.mark.parametrize("query", COUNTS)
def test_counts_are_those_of_the_people(made, sample_connection, query):
    with open_lake(made) as connection:
        counts = connection.sql(COUNTS[query]).fetchall()

    assert counts == sample_connection.sql(COUNTS[query]).fetchall()


def call(*words):
    return CliRunner().invoke(mailscope.app, list(map(str, words)))


@pytest.fixture(scope="module")
def ingested(tmp_path_factory):
    """The folder of a site that has ingested its log."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "key").write_bytes(KEY)
    (folder / "key").chmod(0o600)
    shutil.copy(SAMPLE_LOGS / "out1/mail.log", folder)
    (folder / "mailscope.toml").write_text(
        '[pseudonymise]\nkey_file = "key"\n[[sources]]\npaths = ["mail.log"]\ntimezone = "UTC"\n'
    )
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        here.delenv("MAILSCOPE_LAKE", raising=False)
        call("ingest")
    return folder


@pytest.fixture
def site(ingested, tmp_path, monkeypatch):
    shutil.copytree(ingested, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILSCOPE_LAKE", raising=False)
    return tmp_path


def some(connection, column):
    [(value,)] = connection.sql(
        f"SELECT {column} FROM outcomes WHERE host = 'out1' AND {column} <> '' ORDER BY ALL LIMIT 1"
    ).fetchall()
    return value


@pytest.mark.parametrize("column", ["sender", "recipient", "sasl_username", "client_ip"])
def test_who_has_the_key_finds_people_by_their_names(site, sample_connection, column):
    found = call("trace", some(sample_connection, column)).stdout

    assert re.match(r"Read as .*: [1-9]\d* messages?,", found)


def test_who_has_no_key_finds_nobody(site, sample_connection):
    (site / "mailscope.toml").unlink()

    assert ": 0 messages, 0 decisions" in call("trace", some(sample_connection, "sender")).stdout


def test_a_server_that_keeps_its_address_is_found_by_it(site):
    address = call("sql", "SELECT min(relay_ip) FROM deliveries WHERE direction = 'outbound'").stdout.split()[
        -1
    ]

    assert re.match(r"Read as client or relay: [1-9]\d* messages?,", call("trace", address).stdout)


def test_what_is_not_there_is_told_as_it_was_asked_for(site):
    assert (
        json.loads(call("trace", "nobody@nowhere.example", "--json").stdout)["search"]["query"]
        == "nobody@nowhere.example"
    )


def test_a_queue_id_is_found_as_ever(site):
    queue_id = call("sql", "SELECT queue_id FROM messages LIMIT 1").stdout.split()[-1]

    assert ": 1 message," in call("trace", queue_id).stdout


@pytest.fixture
def two_logs(tmp_path):
    """Some lines of two logs."""
    logs = []
    for name in ("mx1", "out1"):
        logs.append(tmp_path / f"{name}.log")
        lines = (SAMPLE_LOGS / name / "mail.log").read_text("utf-8").splitlines(keepends=True)
        logs[-1].write_text("".join(lines[:50]), "utf-8")
    return logs


@pytest.mark.parametrize("second", [None, Pseudonyms(bytes(32)), Pseudonyms(KEY, domains=True)])
def test_two_kinds_of_names_never_mix(tmp_path, two_logs, second):
    build(tmp_path / "lake", Pseudonyms(KEY), two_logs[:1])
    with pytest.raises(LakeError, match="ingest with the same --pseudonymise as before"):
        build(tmp_path / "lake", second, two_logs[1:])


def test_pseudonyms_do_not_come_to_a_lake_of_people(tmp_path, two_logs):
    build(tmp_path / "lake", None, two_logs[:1])
    with pytest.raises(LakeError, match="holds real names"):
        build(tmp_path / "lake", Pseudonyms(KEY), two_logs[1:])


def test_reparse_leaves_pseudonyms_as_they_are(site):
    before = call("sql", "FROM outcomes ORDER BY ALL").stdout
    call("reparse")

    assert call("sql", "FROM outcomes ORDER BY ALL").stdout == before


def test_the_key_is_not_in_the_lake(site):
    with sqlite3.connect(site / "lake/ledger.sqlite") as ledger:
        dump = "\n".join(ledger.iterdump())

    assert KEY.hex() not in dump
