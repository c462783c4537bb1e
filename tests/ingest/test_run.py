from datetime import UTC
from pathlib import Path

import pytest

from ingest.errors import SourceError
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.run import Asked, look_for, look_for_standing, read_into

LINE = "2026-11-05T10:00:00+00:00 mx1 postfix/qmgr[3]: 3F1A2B3C4D: removed\n"
MESSAGE = (
    "Received: by mx1.example.org (Postfix) id 3F1A2B3C4D; Thu, 5 Nov 2026 10:00:00 +0000\nSubject: one\n\n"
)
SETTINGS = Settings(UTC, workers=1)


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "mail.log").write_text(LINE)
    (tmp_path / "one.eml").write_text(MESSAGE)
    return str(tmp_path / "mail.log"), str(tmp_path / "one.eml")


def test_logs_and_messages_are_told_apart(tmp_path, paths):
    told = read_into(Lake(tmp_path / "lake"), look_for([Asked(paths, SETTINGS)]))

    assert ([each.name for each in told.logs], [each.name for each in told.mail]) == ([paths[0]], [paths[1]])


def test_what_is_typed_must_be_there(tmp_path, paths):
    with pytest.raises(SourceError, match=r"gone\.log: No such file"):
        look_for([Asked(paths, SETTINGS), Asked([str(tmp_path / "gone.log")], SETTINGS)])


def test_of_what_stands_in_a_site_file_the_rest_is_found(tmp_path, paths):
    given, [problem] = look_for_standing(
        [Asked([str(tmp_path / "gone.log")], SETTINGS), Asked(paths, SETTINGS)]
    )

    assert ([len(each.sources) for each in given], "gone.log" in str(problem)) == ([0, 2], True)


def test_a_site_file_of_which_nothing_is_there_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.log: No such file"):
        look_for_standing([Asked([str(tmp_path / "gone.log")], SETTINGS)])


def test_what_vanished_since_it_was_found_keeps_nothing_else_out(tmp_path, paths):
    others = tmp_path / "mail.log.1", tmp_path / "two.eml"
    others[0].write_text(LINE.replace("10:00:00", "09:00:00"))
    others[1].write_text(MESSAGE.replace("one", "two"))
    given = look_for([Asked([*map(str, others), *paths], SETTINGS)])
    for each in others:
        each.unlink()
    told = read_into(Lake(tmp_path / "lake"), given)

    assert {
        Path(each.name).name: each.problem and "has vanished" in each.problem
        for each in (*told.logs, *told.mail)
    } == {"mail.log.1": True, "mail.log": None, "two.eml": True, "one.eml": None}
