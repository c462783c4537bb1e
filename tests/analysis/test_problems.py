"""Problems in the words of the server that has them."""

from datetime import UTC

import pytest

from analysis.problems import find_problems
from analysis.stitch import stitch
from analysis.warehouse import open_lake
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

FROZEN = """\
2026-11-02 08:00:00 1xPddZ-00001p-0F <= <> R=1xPddZ-00001o-0E U=Debian-exim P=local S=1234
2026-11-02 08:00:01 1xPddZ-00001p-0F ** ann@example.org R=dnslookup T=remote_smtp: SMTP error from remote mail server: 550 no
2026-11-02 08:00:01 1xPddZ-00001p-0F Frozen (delivery error message)
"""
WAITING = "".join(
    f"""\
2026-11-02 08:00:0{n} 1xPddZ-00001{n}-0F <= bob@example.org H=a.example [192.0.2.1] P=esmtp S=1234
2026-11-02 08:01:00 1xPddZ-00001{n}-0F == ann{n}@example.com R=dnslookup T=remote_smtp defer ({reason}
"""
    for n, reason in enumerate(
        [
            "110): Connection timed out",
            "110): Connection timed out",
            "-54): retry time not reached for any host for 'example.com'",
        ]
    )
)
REFUSED = "".join(
    f"""\
2026-11-02 08:00:0{n} 1xPddZ-00001{n}-0F <= bob@example.org H=a.example [192.0.2.1] P=esmtp S=1234
2026-11-02 08:01:00 1xPddZ-00001{n}-0F ** ann{n}@example.com R=dnslookup T=remote_smtp H=mx.example.com [192.0.2.7]: {reason}
"""
    for n, reason in enumerate(
        ["SMTP error from remote mail server after RCPT TO:<ann@example.com>: 552 no"] * 5
    )
)
PANIC = "2026-11-02 08:00:00 Failed to open database lock file /var/spool/exim4/db/retry.lockfile: Permission denied\n"


@pytest.fixture
def problems_of(tmp_path):
    def of(name, text):
        log = tmp_path / name
        log.write_text(text)
        lake = Lake(tmp_path / "lake")
        ingest_sources(lake, find_sources([str(log)]), Settings(UTC, host="ex1"))
        stitch(lake.path)
        with open_lake(lake.path) as connection:
            return {problem.kind: problem for problem in find_problems(connection)}

    return of


def test_what_exim_froze_is_thawed_by_exim(problems_of):
    assert "exim -Mt ID" in problems_of("mainlog", FROZEN)["mail_held"].cure


def test_what_is_quoted_of_a_destination_is_what_it_last_did(problems_of):
    assert problems_of("mainlog", WAITING)["destination_defers"].detail == "Connection timed out"


def test_a_reply_without_an_enhanced_code_is_told_by_its_reply_code(problems_of):
    sentence = problems_of("mainlog", REFUSED)["destination_refuses"].sentence

    assert sentence.endswith("5 of 5 recipients: the mailbox is full or the message too large")


def test_files_that_are_not_understood_are_one_problem(problems_of):
    problems_of("first", "Nov  5 10:00:00 mx postfix/smtpd[1]: \x01\n" * 2)
    found = problems_of("second", "Nov  5 10:00:00 mx postfix/smtpd[1]: \x02\n" * 3)["lines_not_understood"]

    assert (found.sentence, found.detail.endswith("/second")) == (
        "5 of 5 mail lines of 2 files were not understood",
        True,
    )


def test_exims_panic_log_is_a_problem_of_exims(problems_of):
    assert problems_of("paniclog", PANIC)["server_fatal"].sentence == "Exim found itself in trouble, 1 time"
