from datetime import UTC

import pytest

from ingest.errors import SourceError
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.run import Asked, look_for, read_into
from ingest.upkeep import Forgotten, forget_named, reparse_named

LINE = "2026-11-05T10:00:00+00:00 mx1 postfix/qmgr[3]: 3F1A2B3C4D: removed\n"
MESSAGE = (
    "Received: by mx1.example.org (Postfix) id 3F1A2B3C4D; Thu, 5 Nov 2026 10:00:00 +0000\nSubject: one\n\n"
)


@pytest.fixture
def lake(tmp_path):
    (tmp_path / "mail.log").write_text(LINE)
    (tmp_path / "one.eml").write_text(MESSAGE)
    read_into(
        Lake(tmp_path / "lake"),
        look_for([Asked([str(tmp_path / "mail.log"), str(tmp_path / "one.eml")], Settings(UTC))]),
    )
    return Lake(tmp_path / "lake")


def test_logs_and_messages_are_forgotten_by_their_names(tmp_path, lake):
    log, message = str(tmp_path / "mail.log"), str(tmp_path / "one.eml")
    with lake.ledger() as ledger:
        told = forget_named(lake, ledger, [log, message])

    assert told == [Forgotten(log, False, 1, []), Forgotten(message, True, 1)]


def test_nothing_is_forgotten_where_one_name_is_unknown(tmp_path, lake):
    with lake.ledger() as ledger:
        with pytest.raises(SourceError, match="no source of the lake"):
            forget_named(lake, ledger, [str(tmp_path / "mail.log"), "gone.log"])

        assert len(ledger.sources()) == 1


def test_all_is_read_anew_where_nothing_is_named(lake):
    with lake.ledger() as ledger:
        told = reparse_named(lake, ledger, [])

    assert ([each.event_lines for each in told.logs], [each.messages for _, each in told.mail]) == ([1], [1])


def test_only_what_is_named_is_read_anew(tmp_path, lake):
    with lake.ledger() as ledger:
        told = reparse_named(lake, ledger, [str(tmp_path / "one.eml")])

    assert (told.logs, [name for name, _ in told.mail]) == ([], [str(tmp_path / "one.eml")])
