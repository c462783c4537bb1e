"""The simulator's promises: its logs are benchmarks and its truth judges parsers, so both must hold still."""

import gzip
import ipaddress
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

SAMPLE_LOGS = Path(__file__).parents[2] / "sample_logs"
sys.path.insert(0, str(SAMPLE_LOGS))  # make.py and its package are scripts of a checkout, not installed

from simulator import SAMPLE, Plan, farm, simulate  # noqa: E402

RESERVED_DOMAIN = re.compile(r"(^|\.)(example|test|invalid|localhost|example\.(com|net|org))$")
RESERVED_NETWORKS = [
    ipaddress.ip_network(n)
    for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "127.0.0.0/8", "2001:db8::/32")
]
OUTCOMES = {
    "delivered",
    "bounced",
    "expired",
    "deferred",
    "discarded",
    "held",
    "deleted",
    "queued",
    "rejected",
}
SMALL = Plan(hosts=farm(3), days=2, lines=6_000, seed=7)


def read(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()


def logs(folder: Path) -> dict[str, str]:
    """Log text by relative name, decompressed: zlib's bytes differ between builds of Python."""
    return {str(path.relative_to(folder)): read(path) for path in sorted(folder.glob("*/ma*log*"))}


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    simulate(SAMPLE, folder)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    simulate(SMALL, folder)
    return folder


def lines_by_host(folder: Path) -> dict[str, list[str]]:
    """A host's lines in order of time: rotated files first."""
    hosts: dict[str, list[str]] = {}
    for name, text in sorted(logs(folder).items(), reverse=True):
        hosts.setdefault(name.partition("/")[0], []).extend(text.splitlines())
    return hosts


def test_the_same_plan_gives_the_same_bytes(small: Path, tmp_path: Path) -> None:
    simulate(SMALL, tmp_path)

    assert [p.read_bytes() for p in sorted(tmp_path.rglob("*.*"))] == [
        p.read_bytes() for p in sorted(small.rglob("*.*"))
    ]


def test_another_seed_gives_another_log(small: Path, tmp_path: Path) -> None:
    simulate(Plan(hosts=farm(3), days=2, lines=6_000, seed=8), tmp_path)

    assert logs(tmp_path) != logs(small)


def test_the_checked_in_logs_are_what_make_writes(sample: Path) -> None:
    assert logs(SAMPLE_LOGS) == logs(sample)


@pytest.mark.parametrize("name", ["truth.jsonl", "truth_attacks.json"])
def test_the_checked_in_truth_is_what_make_writes(sample: Path, name: str) -> None:
    assert (SAMPLE_LOGS / name).read_text() == (sample / name).read_text()


def test_the_compressed_log_carries_the_time_of_its_last_line_and_no_name() -> None:
    header = (SAMPLE_LOGS / "mx1" / "mail.log.1.gz").read_bytes()[:10]
    last = read(SAMPLE_LOGS / "mx1" / "mail.log.1.gz").splitlines()[-1][:15]
    moment = datetime.strptime(f"2026 {last}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)

    assert (header[3], int.from_bytes(header[4:8], "little")) == (0, int(moment.timestamp()))


def test_every_mail_address_is_in_a_reserved_domain(sample: Path) -> None:
    text = "".join(logs(sample).values())
    domains = set(re.findall(r"[\w.+$-]+@(\w[\w-]*(?:\.[\w-]+)+)", text))

    assert [domain for domain in domains if not RESERVED_DOMAIN.search(domain)] == []


def test_every_host_name_and_link_is_in_a_reserved_domain(sample: Path) -> None:
    text = "".join(logs(sample).values())
    names = set(
        re.findall(r"(?:https?://|helo=<|from |relay=|to )([a-z][\w-]*(?:\.[\w-]+)+)(?=[/\[>])", text)
    )

    assert [name for name in names if not RESERVED_DOMAIN.search(name)] == []


def test_every_ip_address_is_in_a_documentation_network(sample: Path) -> None:
    text = "".join(logs(sample).values())
    found = set(re.findall(r"\[([\da-f.:]*[.:][\da-f.:]+)\]", text))
    own = {"10.20.0.15", "10.20.0.31", "192.168.1.20", "192.168.178.33", "100.64.3.9"}  # users' HELO names
    own |= {"192.168.1.77", "10.0.0.5"}
    addresses = [ipaddress.ip_address(a) for a in found - own]

    assert [a for a in addresses if not any(a in network for network in RESERVED_NETWORKS)] == []


def test_every_queue_id_of_the_truth_occurs_in_its_host_s_log(sample: Path) -> None:
    seen = {
        f"{host}/{queue_id}"
        for host, lines in lines_by_host(sample).items()
        for line in lines
        for ids in re.findall(r"\]: (\w{9,15}): |\d (?:\[\d+\] )?(\w{6}-\w{6,11}-\w{2,4}) ", line)
        for queue_id in filter(None, ids)
    }

    assert [i for row in rows(sample) for i in row["queue_ids"] if i not in seen] == []


def test_lines_are_in_order_of_time(small: Path) -> None:
    stamps = [[line.split(" ", 1)[0] for line in lines] for lines in lines_by_host(small).values()]

    assert all(host == sorted(host) for host in stamps)


@pytest.mark.parametrize("lines", [10_000, 60_000])
def test_the_number_of_lines_is_about_what_was_asked_for(tmp_path: Path, lines: int) -> None:
    simulate(Plan(hosts=farm(2, "bsd", long_ids=True), lines=lines), tmp_path)
    written = sum(text.count("\n") for text in logs(tmp_path).values())

    assert written == pytest.approx(lines, rel=0.03)


def conversations(lines: list[str]) -> Iterator[tuple[str, bool]]:
    """(program and pid of an smtpd, whether it connects) in order."""
    for line in lines:
        if match := re.search(r"(\S*smtpd\[\d+\]): (dis)?connect from", line):
            yield match[1], match[2] is None


def test_an_smtpd_process_has_one_client_at_a_time(small: Path) -> None:
    busy: set[tuple[str, str]] = set()
    overlaps = []
    for host, lines in lines_by_host(small).items():
        for process, connects in conversations(lines):
            if connects == ((host, process) in busy):
                overlaps.append((host, process))
            busy ^= {(host, process)}

    assert overlaps == []


def test_attempts_are_the_delivery_lines_at_the_last_hop(sample: Path) -> None:
    """Of the rows whose last queue id has one life and one recipient per address: reuse is another test's."""
    lines = lines_by_host(sample)
    wrong = []
    for row in rows(sample):
        if row["outcome"] not in ("delivered", "bounced", "expired", "deferred") or row["final"] == []:
            continue
        host, queue_id = row["queue_ids"][-1].split("/")
        mine = [line for line in lines[host] if f" {queue_id}: " in line]
        if sum("(queue active)" in line and f"from=<{row['sender']}>" not in line for line in mine):
            continue
        tries = [x for x in mine if any(f": to=<{a}>" in x for a in row["final"]) and "status=" in x]
        if len(tries) != row["attempts"] and sum(": message-id=" in x for x in mine) == 1:
            wrong.append(row)

    assert wrong == []


def test_every_story_of_the_week_is_told(sample: Path) -> None:
    told = {row["story"] for row in rows(sample)}

    assert told == {
        None,
        "compromised-account",
        "dead-mx",
        "dmarc",
        "greylisting",
        "mailbox-full",
        "slow-filter",
    }


def test_every_outcome_occurs(sample: Path) -> None:
    outcomes = {row["outcome"] for row in rows(sample)}

    assert outcomes == OUTCOMES


def test_some_short_queue_ids_come_back_and_no_long_one_does(sample: Path) -> None:
    lives = Counter(i for i, _ in {(i, row["message_id"]) for row in rows(sample) for i in row["queue_ids"]})
    reused = {i for i, count in lives.items() if count > 1}

    assert {i.partition("/")[0] for i in reused} == {"mx1"}


def test_failed_logins_of_the_attack_are_counted_by_address(sample: Path) -> None:
    text = "".join(logs(sample).values())
    logged = re.findall(r"warning: unknown\[([^]]+)\]: SASL LOGIN authentication failed", text)
    logged += re.findall(r"warning: host\S+\[([^]]+)\]: SASL LOGIN authentication failed", text)
    logged += re.findall(r"plain_login authenticator failed for .*?\[([0-9a-f.:]+)\]", text)
    truth = json.loads((sample / "truth_attacks.json").read_text())["auth_failures"]

    assert truth == {ip: logged.count(ip) for ip in sorted(set(logged))}
