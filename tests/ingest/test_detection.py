"""Which format a source is read as, why, and that nobody guesses."""

from datetime import UTC
from pathlib import Path

import pytest

from ingest.detection import pick, plain_name
from ingest.errors import SourceError
from ingest.formats import find_formats
from ingest.formats.declared import SHIPPED, declaration_of, file_formats
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

JTL = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,Connect\n"
    "1793872800123,42,SMTP send,250,Ok,T 1-7,true,3\n"
    "1793872800223,43,SMTP send,250,Ok,T 1-8,true,3\n"
)
POSTFIX = "Nov  5 10:00:00 mx1 postfix/qmgr[3]: 4F5C64474F: removed\n"
DOVECOT = "Nov  5 10:00:00 mx1 dovecot: imap-login: Login: user=<eva>, rip=192.0.2.9, session=<a>\n"
AMAVIS = "Nov  5 10:00:00 mx1 amavis[7]: starting\n"


def picked(text):
    return pick("auto", text.encode(), UTC)


def samples_of(name):
    found = declaration_of(name)
    header = found.framing.header
    names = f"{header}{','.join(found.framing.columns)}\n" if header is not None else ""
    return names + "".join(f"{sample.line}\n" for sample in found.samples if not sample.columns)


@pytest.mark.parametrize("name", file_formats())
def test_file_of_a_format_is_found_to_be_that(name):
    found = picked(samples_of(name))

    assert (plain_name(found.format_name), bool(found.why)) == (name, True)


def test_table_without_its_header_may_be_anything():
    assert picked(JTL.partition("\n")[2]) == ("auto", None)


@pytest.mark.parametrize("name", sorted({*SHIPPED} - {*file_formats()}))
def test_what_syslog_carries_is_found_line_by_line(name):
    assert picked(samples_of(name)) == ("auto", None)


def test_several_programs_may_share_a_file():
    assert picked(POSTFIX + DOVECOT + AMAVIS) == ("auto", None)


def test_header_names_the_columns():
    assert (
        picked(JTL).format_name
        == "jmeter|timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,Connect"
    )


def test_it_says_why():
    assert picked(JTL).why == "it reads 100% of the first lines, nothing else reads any"


def test_lines_that_nobody_reads_stay_with_auto():
    assert picked("hello\nworld\n") == ("auto", None)


def test_few_lines_are_not_enough():
    assert picked(samples_of("qmail").split("\n")[0] + "\nhello\nworld\n") == ("auto", None)


def test_nobody_guesses_on_a_tie(monkeypatch, tmp_path):
    twin = tmp_path / "twin.toml"
    twin.write_text(declaration_of("qmail").text.replace('name = "qmail"', 'name = "twin"'))
    monkeypatch.setattr("ingest.detection.file_formats", lambda: ("qmail", str(twin)))
    with pytest.raises(SourceError, match="these lines may be of qmail or twin"):
        picked(samples_of("qmail"))


@pytest.fixture
def ingest(tmp_path):
    def ingested(text, name="x.log", **settings):
        (tmp_path / name).write_text(text)
        return ingest_sources(
            Lake(tmp_path / "lake"),
            find_sources([str(tmp_path / name)]),
            Settings(UTC, host="lg1", **settings),
        )[0]

    return ingested


def test_headers_are_counted_as_what_says_nothing(ingest):
    found = ingest(JTL)

    assert (found.event_lines, found.blank_lines, found.unparsed_lines, found.format) == (2, 1, 0, "jmeter")


def test_table_that_grows_is_read_on_with_the_columns_of_its_header(ingest):
    ingest(JTL)
    found = ingest(JTL + "1793872801000,44,SMTP send,250,Ok,T 1-9,true,3\n")

    assert (found.is_continued, found.event_lines, found.unparsed_lines) == (True, 1, 0)


def test_second_header_with_other_columns_is_not_read_as_if_it_were_the_first(ingest):
    found = ingest(JTL + "timeStamp,label,elapsed\n")

    assert (found.event_lines, found.unparsed_lines) == (2, 1)


def test_declaration_is_found_again_from_any_folder(ingest, tmp_path, monkeypatch):
    panel = Path(__file__).parent / "formats/declared/panel.toml"
    monkeypatch.chdir(panel.parent)
    line = "[01-Nov-2026 10:00:0{} +0100]: <471{}> User a@example.org sent to b@example.net: OK\n"
    ingest(line.format(0, 1), format_name="panel.toml")
    monkeypatch.chdir(tmp_path)
    found = ingest(line.format(0, 1) + line.format(1, 2))

    assert (found.is_continued, found.event_lines) == (True, 1)


def test_format_of_a_file_is_not_asked_for_lines_of_syslog():
    [panel] = find_formats(str(Path(__file__).parent / "formats/declared/panel.toml"))

    assert not panel.has_syslog
