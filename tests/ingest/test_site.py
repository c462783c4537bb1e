"""`mailscope.toml`: where values come from, and what a mistake in it is told."""

import re
from datetime import timedelta

import pytest

from ingest.errors import ConfigError
from ingest.site import DEFAULT, KEYS, SOURCE_KEYS, LogSet, find_site

WHOLE = """
lake = "/srv/lake"
timezone = "Europe/Berlin"
format = "postfix"
[own]
domains = ["example.org"]
hosts = ["mx1"]
networks = ["192.0.2.0/24", "2001:db8::/32"]
[retention]
text = "30d"
events = "12w"
tables = "2y"
[headers]
subjects = false

[pseudonymise]
key_file = "/etc/mailscope/key"
domains = true
keep_networks = true
[[sources]]
paths = ["/var/log/mail.log*"]
host = "mx1"
timezone = "+02:00"
format = "auto"
"""


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILSCOPE_LAKE", raising=False)
    monkeypatch.setattr("ingest.site.FOLDERS", (tmp_path, tmp_path / "etc"))


def told(tmp_path, text):
    file = tmp_path / "mailscope.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as error:
        find_site(file)
    return str(error.value).removeprefix(f"{file}: ")


def test_without_a_file_every_value_is_the_default():
    assert {setting.origin for setting in find_site().settings.values()} == {DEFAULT}


def test_every_key_can_be_said(tmp_path):
    (tmp_path / "mailscope.toml").write_text(WHOLE)
    site = find_site()

    assert {setting.origin for setting in site.settings.values()} == {str(tmp_path / "mailscope.toml")}


def test_a_source_carries_all_that_is_said_of_it(tmp_path):
    (tmp_path / "mailscope.toml").write_text(WHOLE)

    assert find_site().sources == (LogSet(("/var/log/mail.log*",), "auto", "mx1", "+02:00"),)


def test_spans_of_time_are_read(tmp_path):
    (tmp_path / "mailscope.toml").write_text(WHOLE)
    site = find_site()

    assert [site.span(f"retention.{name}") for name in ("text", "events", "tables")] == [
        timedelta(30),
        timedelta(84),
        timedelta(730),
    ]


def test_the_file_in_etc_is_found_where_the_working_directory_has_none(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/mailscope.toml").write_text('lake = "/srv/lake"')

    assert find_site().settings["lake"] == ("/srv/lake", str(tmp_path / "etc/mailscope.toml"))


def test_the_working_directory_comes_before_etc(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/mailscope.toml").write_text('lake = "/etc/lake"')
    (tmp_path / "mailscope.toml").write_text('lake = "here"')

    assert find_site()["lake"] == "here"


def test_an_option_overrides_the_environment_and_the_environment_the_file(tmp_path, monkeypatch):
    (tmp_path / "mailscope.toml").write_text('lake = "file"')
    monkeypatch.setenv("MAILSCOPE_LAKE", "environment")

    assert [find_site().settings["lake"], find_site(options={"lake": "option"}).settings["lake"]] == [
        ("environment", "$MAILSCOPE_LAKE"),
        ("option", "--lake"),
    ]


def test_an_option_that_was_not_given_overrides_nothing(tmp_path):
    (tmp_path / "mailscope.toml").write_text('format = "postfix"')

    assert find_site(options={"format": None})["format"] == "postfix"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('laek = "x"', "unknown key 'laek'; the nearest known one is 'lake'"),
        ("[own]\ndomain = []", "unknown key 'own.domain'; the nearest known one is 'own.domains'"),
        ('[[sources]]\npath = ["x"]', "unknown key 'path'; the nearest known one is 'paths'"),
        ('[[sources]]\nhost = "x"', "a source without paths"),
        ('sources = "x"', "a source begins with [[sources]]"),
        ('timezone = "Berlin"', "timezone: there is no time zone 'Berlin'; near are Europe/Berlin"),
        ('format = "postfx"', "format: format 'postfx'; there are auto"),
        ("lake = 3", "lake: 3; it would be a text in quotes"),
        ('own.networks = ["192.0.2.1/24"]', "a network would look like '192.0.2.0/24'"),
        ('own.domains = "example.org"', "it would be a list of texts"),
        ('retention.text = "90"', "'90' is no span of time; it would look like '90d'"),
        ('retention.text = "0d"', "'0d' is no span of time"),
        ('retention = {text = "2y", events = "90d"}', "retention.text is longer than retention.events"),
        ('retention = {text = "2y", tables = "90d"}', "retention.text is longer than retention.tables"),
        ("pseudonymise.domains = 1", "it would be true or false"),
        ("lake = ", "is no TOML"),
    ],
)
def test_a_mistake_is_told_with_what_would_be_right(tmp_path, text, message):
    assert message in told(tmp_path, text)


def test_a_config_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path / 'none.toml'}: No such file")):
        find_site(tmp_path / "none.toml")


@pytest.mark.parametrize("name", [*KEYS, *SOURCE_KEYS])
def test_every_key_says_what_it_is_for(name):
    assert (KEYS | SOURCE_KEYS)[name].meaning
