"""The declarations that ship: each reads its own samples as it says, is as documented as it must be, and stays linear."""

import re
import time
from datetime import UTC

import pytest

from ingest.formats.declared import FOLDER, SHIPPED, declaration_of
from ingest.formats.declared.checking import failures, read_lines

HOSTILE = 30_000
PROMISED = frozenset(
    "sendmail opensmtpd qmail haraka powermta kumomta exchange ses haproxy dovecot rspamd opendkim opendmarc postgrey "
    "jmeter loadrunner".split()
)


def test_all_promised_formats_ship():
    assert set(SHIPPED) >= PROMISED


@pytest.mark.parametrize("name", SHIPPED)
def test_samples_are_read_as_they_say(name):
    told = [each.sentence(name) for each in failures(declaration_of(name))]

    assert not told


@pytest.mark.parametrize("name", SHIPPED)
def test_format_is_called_as_its_file_and_says_its_limits(name):
    found = declaration_of(name)

    assert (found.name, bool(found.about), bool(found.see), bool(found.limits)) == (name, True, True, True)


@pytest.mark.parametrize("name", SHIPPED)
def test_samples_have_no_real_addresses(name):
    """RFC 2606 and RFC 5737: example.*, and the networks for documentation."""
    text = (FOLDER / f"{name}.toml").read_text("utf-8")
    addresses = re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", text)
    ips = re.findall(r"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])", text)

    assert all(re.search(r"(^|\.)example\.(org|net|com)$", each) for each in addresses)
    assert all(each.startswith(("192.0.2.", "198.51.100.", "203.0.113.", "6.6.6.6")) for each in ips)


@pytest.mark.parametrize("name", SHIPPED)
def test_hostile_lines_take_no_longer_than_their_length(name):
    """A sample cut anywhere and followed by many of each character that patterns look for."""
    found = declaration_of(name)
    line = max((sample.line for sample in found.samples), key=len)
    began = time.perf_counter()
    for filling in ("a", " ", ", ", "=", ">", "<", "1", "a=", ", a=", '"', "(", "]", "[", "/", "x, to="):
        for cut in range(20, len(line), max(1, len(line) // 6)):
            read_lines(found, [line[:cut] + filling * (HOSTILE // len(filling))], UTC)

    assert time.perf_counter() - began < 20
