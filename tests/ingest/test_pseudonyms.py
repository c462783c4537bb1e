"""Pseudonyms: what is replaced, what stays, and that the same person keeps the same one."""

import ipaddress
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import ConfigError
from ingest.pseudonyms import Pseudonyms

KEY = bytes(range(32))
MADE = Pseudonyms(KEY)
PSEUDONYM = r"p[a-z2-7]{16}"


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("to=<alice@example.org>, relay", "to=<§@example.org>, relay"),
        ("to=<root>, orig_to=<bob>,", "to=<§>, orig_to=<§>,"),
        ('from=<"a b@c"@example.org>', "from=<§@example.org>"),
        ("from=<o'brien@example.org>", "from=<§@example.org>"),
        ("from=<bounce+alice=example.org@list.example>", "from=<§@list.example>"),
        ("sasl_method=PLAIN, sasl_username=alice", "sasl_method=PLAIN, sasl_username=§"),
        ("sasl_username=alice@example.org", "sasl_username=§@example.org"),
        ("<bob>: Recipient address rejected: User unknown", "<§>: Recipient address rejected: User unknown"),
        ('unknown user: "bob"', 'unknown user: "§"'),
        ("cannot update mailbox /var/mail/bob for user bob", "cannot update mailbox /var/mail/§ for user bob"),
        ("http://openspf.example/Why?id=alice%40example.org&ip=x", "http://openspf.example/Why?§%40example.org&ip=x"),
        ("message-id=<20261105.ab@example.org>", "message-id=<§@example.org>"),
    ],
)  # fmt: skip
def test_people_are_replaced_and_the_words_around_them_stay(line, pattern):
    assert re.fullmatch(re.escape(pattern).replace("§", PSEUDONYM), MADE.rewrite_text(line))


@pytest.mark.parametrize(
    "line",
    [
        "from=<>, size=1200, nrcpt=1 (queue active)",
        "from=<MAILER-DAEMON@example.org>",
        "from=<double-bounce@mx1.example.org>",
        "connect from localhost[127.0.0.1]",
        "connect from localhost[::1]",
        "relay=mx.example.net[192.0.2.9]:25, delay=0.5",
        "connect to mx.example.net[2001:db8::9]:25: Connection timed out",
        "host mx.example.net[192.0.2.9] said: 550 no",
        "Nov  5 10:00:00 mx1 postfix/qmgr[12]: 4F5C64474F: removed",
        "2026-11-05T10:00:00.123456+01:00 mx1 postfix/qmgr[12]: 4F5C64474F: removed",
        "delays=0.1/0/0.2/0.3, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
        "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
    ],
)
def test_what_is_no_person_stays(line):
    assert MADE.rewrite_text(line) == line


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("198.51.100.7", "240.0.0.0/4"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("192.168.1.7", "10.0.0.0/8"),
        ("2001:db8::7", "100::/64"),
        ("fd00::7", "fd00::/64"),
    ],
)
def test_a_client_moves_where_no_client_is_and_private_stays_private(client, network):
    moved = MADE.rewrite_text(f"connect from unknown[{client}]").split("[")[1].rstrip("]")

    assert ipaddress.ip_address(moved) in ipaddress.ip_network(network)


def test_clients_of_a_kept_network_stay_apart():
    keep = Pseudonyms(KEY, keep_networks=True)
    moved = {keep.rewrite_text(f"[198.51.100.{last}]") for last in range(256)}

    assert (len(moved), {text.rpartition(".")[0] for text in moved}) == (256, {"[198.51.100"})


def test_an_ipv6_client_can_keep_its_network():
    moved = Pseudonyms(KEY, keep_networks=True).rewrite_text("connect from unknown[2001:db8:1:2::7]")

    assert re.fullmatch(r"connect from unknown\[2001:db8:1:.*\]", moved)


def test_an_address_in_a_providers_name_is_the_clients():
    name, address = MADE.rewrite_text("dsl-198-51-100-7.isp.example 198.51.100.7").split(" ")

    assert name == f"dsl-{address.replace('.', '-')}.isp.example"


def test_case_does_not_make_another_person():
    assert MADE.rewrite_text("<Alice@Example.ORG>").lower() == MADE.rewrite_text("<alice@example.org>")


def test_the_same_local_part_elsewhere_is_another_person():
    here, there = (
        MADE.rewrite_text(f"<alice@{domain}>").partition("@")[0] for domain in ("a.example", "b.example")
    )

    assert here != there


def test_another_key_gives_other_pseudonyms():
    assert Pseudonyms(bytes(32)).rewrite_text("<alice@example.org>") != MADE.rewrite_text(
        "<alice@example.org>"
    )


def test_domains_are_replaced_where_asked():
    told = Pseudonyms(KEY, domains=True).rewrite_text("<alice@example.org>")

    assert re.fullmatch(rf"<{PSEUDONYM}@{PSEUDONYM}\.invalid>", told)


def test_a_known_address_is_looked_up_by_writing_it():
    line = MADE.rewrite_text("to=<alice@example.org>, orig_to=<bob@example.org>, relay=none")

    assert MADE.rewrite_text("alice@example.org") in line


@given(st.binary(max_size=400))
def test_any_bytes_keep_their_lines(data):
    assert MADE.rewrite(data).count(b"\n") == data.count(b"\n")


@pytest.mark.parametrize(
    "unit", ["a", "a'", "1.", ":", "<", "user=", "%", "relay=", "1-", '"', '"\\', "to=<"]
)
def test_no_line_takes_more_than_linear_time(unit):
    begin = time.process_time()
    MADE.rewrite_text(unit * (100_000 // len(unit)))

    assert time.process_time() - begin < 5


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        Pseudonyms.of_file(tmp_path / "key")


def test_a_short_key_is_refused(tmp_path):
    (tmp_path / "key").write_bytes(b"secret")
    with pytest.raises(ConfigError, match="has 6 bytes; a key has 32 or more"):
        Pseudonyms.of_file(tmp_path / "key")


def test_a_missing_key_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="makes a key"):
        Pseudonyms.of_file(tmp_path / "key")
