"""`mailscope formats`, and the recipe of the README as a newcomer follows it."""

import json
import re
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mailscope
from ingest.errors import ConfigError, UnknownFormatError
from ingest.formats import FORMATS
from ingest.formats.declared import SHIPPED

README_FILE = Path(__file__).parents[1] / "README.md"
README = README_FILE.read_text("utf-8")
LINES = (
    "[01-Nov-2026 10:00:00 +0100]: <4711> User alice@example.org sent to bob@example.net: OK\n"
    "[01-Nov-2026 10:00:01 +0100]: <4712> User alice@example.org sent to eva@example.net: Bounced (no such user)\n"
    "[01-Nov-2026 10:00:02 +0100]: something else\n"
)


def call(*arguments):
    return CliRunner().invoke(mailscope.app, [str(each) for each in arguments])


@pytest.fixture
def panel(tmp_path, monkeypatch):
    """The README's declaration, and a log, in the working directory."""
    recipe = re.search(r"Then `panel.toml` is:\n\n(.*?)\nand these are", README, re.S)
    (tmp_path / "panel.toml").write_text(textwrap.dedent(recipe[1]))
    (tmp_path / "panel.log").write_text(LINES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILSCOPE_LAKE", raising=False)
    return tmp_path


def test_list_has_every_format():
    names = [line.split()[0] for line in call("formats").stdout.splitlines()]

    assert names == [*FORMATS, *SHIPPED]


def test_every_format_says_what_it_is():
    assert all(row["about"] for row in json.loads(call("formats", "--json").stdout))


def test_limits_are_shown():
    assert "  - One record a line" in call("formats", "show", "kumomta").stdout


def test_recipe_is_right(panel):
    assert call("formats", "check", "panel.toml").stdout == "panel.toml: 2 samples, all read as expected\n"


def test_check_of_a_wrong_sample_fails(panel):
    text = (panel / "panel.toml").read_text()
    (panel / "panel.toml").write_text(text.replace('status = "bounced" }', 'status = "expired" }'))
    done = call("formats", "check", "panel.toml")

    assert (done.exit_code, "status: expected 'expired', found 'bounced'" in done.stdout) == (1, True)


def test_check_takes_several_and_shipped_ones(panel):
    assert call("formats", "check", "panel.toml", *SHIPPED).exit_code == 0


def test_try_shows_lines_and_coverage(panel):
    done = call("formats", "try", "panel.toml", "panel.log")

    assert "   1  2026-11-01 09:00:00+00:00  delivery" in done.stdout
    assert "   3  not understood: no pattern of the format reads this message" in done.stdout
    assert "3 lines: 2 understood, 66.7 % of its lines; 1 not understood" in done.stdout


def test_try_of_a_log_of_another_kind_fails(panel):
    (panel / "other.log").write_text("hello\n")

    assert call("formats", "try", "panel.toml", "other.log").exit_code == 1


def test_option_takes_a_declaration(panel):
    done = call("ingest", "panel.log", "--format", "panel.toml", "--host", "panel1", "--lake", "lake")

    assert "3 lines, 2 understood, 1 not understood" in done.stdout


def test_site_takes_a_declaration(panel):
    (panel / "mailscope.toml").write_text(
        '[[sources]]\npaths = ["panel.log"]\nformat = "panel.toml"\nhost = "panel1"\n'
    )

    assert "3 lines, 2 understood, 1 not understood" in call("ingest").stdout


def test_explain_takes_a_declaration(panel):
    done = CliRunner().invoke(mailscope.app, ["explain", "--format", "panel.toml"], input=LINES.encode())

    assert "(panel delivery;" in done.stdout


def test_mistake_in_a_declaration_is_an_error_of_the_user(panel):
    (panel / "panel.toml").write_text("name = 7")

    assert isinstance(call("ingest", "panel.log", "--format", "panel.toml").exception, ConfigError)


def test_unknown_format_is_answered_with_the_nearest():
    done = call("ingest", README_FILE, "--format", "sendmial")

    assert isinstance(done.exception, UnknownFormatError)
    assert str(done.exception).endswith("and files like panel.toml; the nearest is 'sendmail'")


def test_format_that_was_found_out_is_said(panel):
    (panel / "t.csv").write_text(
        "timeStamp,elapsed,label,success\n1793872800123,42,SMTP send,true\n1793872800223,43,SMTP send,false\n"
    )
    done = call("ingest", "t.csv", "--host", "lg1", "--lake", "lake")

    assert (
        done.stderr
        == "t.csv: read as jmeter: it reads 100% of the first lines, nothing else reads any; --format says otherwise\n"
    )
