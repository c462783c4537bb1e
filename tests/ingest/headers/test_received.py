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
    begun = time.process_time()
    hop = read_received(text)

    assert (time.process_time() - begun < 0.1, len(hop.raw)) == (True, len(text))


def test_what_is_longer_than_any_header_is_cut_and_said_so():
    hop = read_received("by a.example.com (" + "x" * MAX_LENGTH + "); Mon, 2 Nov 2026 10:00:01 +0000")

    assert hop.defects[0] == "longer than 8,192 characters; the rest was not read"
