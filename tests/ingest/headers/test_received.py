"""One Received header: what each server writes where, and what is odd."""

import random
import time
import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from ingest.headers.lexer import MAX_LENGTH
from ingest.headers.received import Hop, _any, _usual, read_received

CASES = Path(__file__).parent / "received"
VALUES = [tomllib.loads(path.read_text("utf-8"))["value"] for path in sorted(CASES.glob("*.toml"))]


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.toml")))
def test_a_header_says(name):
    case = tomllib.loads((CASES / f"{name}.toml").read_text("utf-8"))
    expected = case["expected"] | {
        "raw": case["value"],
        "defects": tuple(case["expected"].get("defects", ())),
    }
    if "received_at" in expected:
        expected["received_at"] = datetime.fromisoformat(expected["received_at"])

    assert read_received(case["value"]) == Hop(**expected)


def test_an_address_is_never_taken_from_an_id_or_a_build_number():
    hop = read_received("from mail.example.com by ex1.example.org with Microsoft SMTP Server id 15.20.1.1; "
                        "Mon, 2 Nov 2026 07:59:30 +0000")  # fmt: skip

    assert (hop.from_ip, hop.hop_id) == (None, "15.20.1.1")


def damaged(value, chance):
    """A header with some of its characters gone, doubled, or replaced by others'."""
    text = list(value)
    for _ in range(chance.randint(1, 12)):
        place = chance.randrange(len(text) + 1)
        match chance.randrange(4):
            case 0:
                del text[place : place + chance.randint(1, 9)]
            case 1:
                text.insert(place, chance.choice('()[]<>"\\;:,=. \t\n\0\x80é'))
            case 2:
                text[place:place] = chance.choice(VALUES)[: chance.randint(1, 80)]
            case 3:
                text[place:place] = chance.choice('()[]"<;') * chance.randint(1, 200)
    return "".join(text)


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_damaged_headers_give_hops(count):
    chance = random.Random(count)  # noqa: S311  # a test case, not a secret
    hops = [read_received(damaged(chance.choice(VALUES), chance)) for _ in range(count)]

    assert len(hops) == count


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_the_short_way_reads_as_the_long_way(count):
    chance = random.Random(count + 1)  # noqa: S311  # a test case, not a secret
    words = [" ".join(value.split()) for value in VALUES]
    texts = [*words, *(" ".join(damaged(chance.choice(words), chance)[:2_000].split()) for _ in range(count))]

    assert [text for text in texts if (short := _usual(text, text)) and short != _any(text, text)] == []


# Names that mean more than a name somewhere in a header, and some that mean nothing.
NAMES = (
    "a.example.com localhost unknown mail by with tls helo ehlo lhlo auth account amavis.example postfix.example exim smtp.google.com "
    "a.prod.outlook.com a.mail.protection.outlook.com a1.smtp-out.eu.amazonses.com qmail-ldap zimbra.example microsoft.example "
    "yandex.example 203.0.113.7 x-1.example.com. WIN-7 a_b.example"
).split()  # fmt: skip
ADDRESSES = (
    "203.0.113.7 10.0.0.1 999.1.1.1 01.2.3.4 IPv6:2001:DB8::1 2001:db8::1 ::ffff:192.0.2.1 1.2.3".split()
)
CLIENTS = (
    "from {0} ({1} [{2}])", "from {0} ({1}. [{2}])", "from {0} ([{2}])", "from {0} ([{2}] helo={1})", "from [{2}] (helo={0})",
    "from {0} ({2})", "from {0} (HELO {1}) ({2})", "from {0} (EHLO {1}) ({2})", "from {0} ({1} [{2}] (may be forged))",
)  # fmt: skip
REST = (
    "by mx1.example.org (Postfix) with ESMTPS id 3F1A2B3C4D", "by mx1.example.org with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384 (Exim 4.96) id 1rLgPw-08",
    "by mx1.example.org (8.17.1/8.17.1) with ESMTPS id 3A2 for <b@example.org>", "by mx.google.com with ESMTPS id a1csp2 for <b@example.org>",
    "(using TLSv1.3 with cipher AES (256/256 bits)) by mx1.example.org (Postfix) with ESMTPSA id 3F1A", "by mx1.example.org with SMTP id 3F1A",
    "pickup service by mx1.example.org with SMTP id 3F1A", "by mx1.example.org with local (Exim 4.96) (envelope-from <a@b.example>) id 1rLgPw-08",
)  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS)
def test_a_form_reads_alike_whoever_the_client_is(client):
    texts = [
        f"{client.format(helo, name, ip)} {rest}; Mon, 2 Nov 2026 10:00:01 +0000"
        for helo in NAMES for name in NAMES[1::5] for ip in ADDRESSES[::2] for rest in REST
    ]  # fmt: skip

    assert [text for text in texts if (short := _usual(text, text)) and short != _any(text, text)] == []


def test_most_forms_go_the_short_way():
    words = [" ".join(value.split()) for value in VALUES]

    assert sum(_usual(text, text) is not None for text in words) / len(words) > 0.6


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500_000 + ")" * 500_000, "(" * 1_000_000, '"' * 1_000_000, "<" * 1_000_000, "[" * 1_000_000, ";" * 1_000_000,
        '"' + '\\"' * 500_000, "from " * 200_000, "1 Jan 2020 " * 90_000, " " * 1_000_000, "from a (" + "helo=" * 200_000,
        "(using TLS with cipher " * 40_000, "by x (" + "1.1.1." * 160_000, "()" * 500_000,
    ],
    ids=lambda text: f"{text[:12]!r}…",
)  # fmt: skip
def test_a_megabyte_of_nonsense_takes_a_moment(text):
    took_s = []
    for _ in range(3):  # the collector may come by, and this worker holds much
        begun = time.process_time()
        hop = read_received(text)
        took_s.append(time.process_time() - begun)

    assert (min(took_s) < 0.1, len(hop.raw)) == (True, len(text))


def test_what_is_longer_than_any_header_is_cut_and_said_so():
    hop = read_received("by a.example.com (" + "x" * MAX_LENGTH + "); Mon, 2 Nov 2026 10:00:01 +0000")

    assert hop.defects[0] == "longer than 8,192 characters; the rest was not read"
