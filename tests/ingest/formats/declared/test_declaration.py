"""What a mistake in a declaration is told: what was found, where, and what would be right."""

import re
from pathlib import Path

import pytest

from ingest.errors import ConfigError
from ingest.formats.declared.declaration import load

PANEL = (Path(__file__).parent / "panel.toml").read_text("utf-8")
STATUS = '{status:[A-Za-z]+}"'


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ('name = "panel"', 'nmae = "panel"', "unknown key 'nmae'; the nearest known one is 'name'"),
        ('name = "panel"', 'name = "Panel!"', "it would be small letters, digits and dashes"),
        ('kind = "bare"', 'kind = "bear"', "framing.kind = 'bear'; there are syslog, bare, json"),
        ('stamp = "[%d', 'stmap = "[%d', "framing.unknown key 'stmap'; the nearest known one is 'stamp'"),
        ("%H:%M:%S", "%H:%M:%Q", "nothing is called 'Q'; there are {iso}"),
        ("%H:%M:%S", "%H:%M", "tells no moment; it would look like '%Y-%m-%d %H:%M:%S %z'"),
        ('kind = "delivery"\ntemplate', 'kind = "delvery"\ntemplate', "kind = 'delvery'; the nearest known one is 'delivery'"),
        ("{recipient:", "{recipent:", "no column 'recipent'; the nearest known one is 'recipient'"),
        ("{sender:addr}", "{sender:adress}", "no class 'adress'; there are addr"),
        ("{sender:addr} sent", "{sender:addr}{recipient:addr} sent", "two captures in a row"),
        ("<{queue_id:[^>]+}>", "<{queue_id:name}>", "'name' of 'queue_id' may swallow the '>'"),
        (STATUS, '{?{status:word}?}"', "an optional group must start with a literal"),
        (STATUS, 'a{? b?}{? b c?}"', "could backtrack"),
        (STATUS, '{reply:rest} {status:word}"', "could backtrack"),
        (STATUS, '{status:word}"\ngrok = "x"', "either a template or a grok"),
        ("template = ", "grok = '(?=x)'\nx = ", "unknown key 'x'"),
        ('OK = "sent"', 'OK = "delivered"', "'OK' means 'delivered'; there are sent, deferred"),
        ("[words.status]", "[words.statsu]", "no pattern has such a column; the nearest known one is 'status'"),
        ("[words.status]", '[convert]\nstatus = "mss"\n[words.status]', "convert.status = 'mss'; there are ms"),
        ("expect = { kind = \"delivery\", status = \"bounced\" }", "", "no expect; sample 2 has one"),
        ('expect = { kind = "delivery", status = "bounced" }', "expect = { }", "expect is a table of columns"),
    ],
)  # fmt: skip
def test_mistake_is_named_with_a_remedy(declare, old, new, problem):
    with pytest.raises(ConfigError) as error:
        declare((old, new))

    assert problem in str(error.value)


def test_error_begins_with_the_file(declare, tmp_path):
    with pytest.raises(ConfigError) as error:
        declare(("[framing]", "[framign]"))

    assert (
        str(error.value)
        == f"{tmp_path / 'panel.toml'}: unknown key 'framign'; the nearest known one is 'framing'"
    )


def test_format_has_samples(declare):
    with pytest.raises(ConfigError) as error:
        declare(text=PANEL[: PANEL.rindex("[[samples]]")])

    assert "1 samples; a format has at least 2" in str(error.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="a format would be a file like"):
        load(tmp_path / "panel.toml")


def test_toml_error_says_where(declare):
    with pytest.raises(ConfigError, match=r"is no TOML: .*line \d"):
        declare(('name = "panel"', "name = panel"))


def test_pattern_of_a_record_needs_a_record(declare):
    with pytest.raises(ConfigError, match=re.escape("it ends with {pairs:rest} or so")):
        declare(("[words.status]", 'fields = { reply = "x" }\n[words.status]'))


def test_unknown_column_of_a_table_is_named(declare):
    text = """
name = "table"
[framing]
kind = "csv"
columns = ["time", "rcpt"]
stamp = "{iso}"
stamp_field = "time"
[[patterns]]
kind = "delivery"
fields = { recipient = "rctp" }
[[samples]]
line = "x"
expect = { kind = "delivery" }
"""
    with pytest.raises(ConfigError, match="no column 'rctp' in framing"):
        declare(text=text)
