"""The page that reads a pasted message."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis.warehouse import open_lake
from ingest.headers.keeping import forget_mail
from ingest.headers.pasted import FOLDER
from ingest.lake import Lake
from ingest.ledger import LEDGER_FILE

OpenPage = Callable[..., AppTest]
PASTED = (
    "Received: from out7.example.com (out7.example.com [203.0.113.7])\n"
    "\tby mx1.example.org (Postfix) with ESMTPS id 4Cxy7z2KbTz3F; Mon,  2 Nov 2026 10:44:08 +0000 (UTC)\n"
    "Received: from {client} ([198.51.100.4]) by out7.example.com with esmtp (Exim 4.96) id 1rLgPw-0005pI-08;\n"
    "\tMon, 02 Nov 2026 10:02:11 +0000\n"
    "Authentication-Results: mx1.example.org; dkim=pass header.d=example.com header.s=s1\n"
)


def pasted(open_page: OpenPage, lake: Path, client: str = "app.example.com") -> AppTest:
    test = open_page(lake, "headers")
    test.text_area[0].set_value(PASTED.format(client=client)).run()
    return test


def test_a_pasted_message_is_answered_without_any_lake(open_page: OpenPage, tmp_path: Path) -> None:
    test = pasted(open_page, tmp_path / "none")

    assert (test.title[0].value, [len(table.value) for table in test.dataframe]) == (
        "They kept it for 41 min 57 s, you for under a second",
        [2, 1],
    )


def test_hosts_of_the_lake_are_taken_for_yours(open_page: OpenPage, sample_lake: Path) -> None:
    table = pasted(open_page, sample_lake).dataframe[0].value

    assert table["source"].tolist() == ["as claimed", "your server"]


def test_words_of_a_message_reach_the_page_as_text_only(open_page: OpenPage, tmp_path: Path) -> None:
    test = pasted(open_page, tmp_path / "none", client="![x](https://evil.example/a.png)<script>")

    assert not any("evil.example" in element.value for element in (*test.markdown, *test.title))


def test_without_a_message_the_page_says_where_to_find_one(open_page: OpenPage, tmp_path: Path) -> None:
    test = open_page(tmp_path / "none", "headers")

    assert "Show original" in test.text[0].value


def test_hosts_that_the_viewer_names_are_yours(open_page: OpenPage, tmp_path: Path) -> None:
    test = pasted(open_page, tmp_path / "none")
    test.text_input[0].set_value("out7.example.com, mx1.example.org").run()

    assert test.dataframe[0].value["source"].tolist() == ["your server", "your server"]


def test_what_the_log_has_stands_beside_the_claim(
    open_page: OpenPage, make_lake: Callable[[str], Path]
) -> None:
    lake = make_lake(
        "2026-11-02T10:44:08+00:00 mx1 postfix/smtpd[5]: 4Cxy7z2KbTz3F: client=out7.example.com[203.0.113.7]\n"
        "2026-11-02T10:44:09+00:00 mx1 postfix/lmtp[8]: 4Cxy7z2KbTz3F: to=<b@example.org>, relay=box[192.0.2.9]:24, delay=1, "
        "delays=0.1/0/0.4/0.5, dsn=2.0.0, status=sent (250 2.0.0 Saved)\n"
        "2026-11-02T10:44:09+00:00 mx1 postfix/qmgr[7]: 4Cxy7z2KbTz3F: removed\n"
    )
    [row] = pasted(open_page, lake).dataframe[1].value.to_dict("records")

    assert (row["hop"], row["log of"], row["connect (s)"], row["last reply"]) == (
        2,
        "mx1",
        0.4,
        "250 2.0.0 Saved",
    )


def test_hops_within_an_organisation_can_be_left_out(open_page: OpenPage, tmp_path: Path) -> None:
    test = open_page(tmp_path / "none", "headers")
    test.text_area[0].set_value(
        PASTED.format(client="app.example.com").replace("[203.0.113.7]", "[10.0.0.7]")
    ).run()
    test.toggle[0].set_value(True).run()

    assert test.dataframe[0].value["by"].tolist() == ["out7.example.com"]


def test_the_page_says_that_nothing_is_kept_unless_told(open_page: OpenPage, tmp_path: Path) -> None:
    captions = [caption.value for caption in open_page(tmp_path / "none", "headers").caption]

    assert "Nothing of it is kept unless you say so below it; the text of a message never is." in captions


@pytest.fixture
def own_lake(make_lake: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lake that a test may write into, and no site's file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ingest.site.FOLDERS", [tmp_path])
    lake = make_lake("2026-11-02T10:44:08+00:00 mx1 postfix/qmgr[7]: 4Cxy7z2KbTz3F: removed\n")
    return Path(shutil.copytree(lake, tmp_path / "lake"))


def message_count(lake: Path) -> int:
    with open_lake(lake) as connection:
        [count] = connection.execute("SELECT count(*) FROM emails").fetchone() or [0]
    return int(count)


def told_after_keeping(open_page: OpenPage, lake: Path, times: int = 1) -> str:
    test = pasted(open_page, lake)
    for _ in range(times):
        test.button(key="keep").click().run()
    return str(test.text[-1].value)


def test_looking_at_a_message_keeps_nothing(open_page: OpenPage, own_lake: Path) -> None:
    pasted(open_page, own_lake)

    assert message_count(own_lake) == 0


def test_a_click_keeps_the_message(open_page: OpenPage, own_lake: Path) -> None:
    told = told_after_keeping(open_page, own_lake)

    assert (told.partition("/")[0], message_count(own_lake)) == ("Kept as <dashboard>", 1)


def test_what_was_kept_can_be_forgotten(open_page: OpenPage, own_lake: Path) -> None:
    told_after_keeping(open_page, own_lake)
    with Lake(own_lake).ledger() as ledger:
        forget_mail(Lake(own_lake), ledger, FOLDER)

    assert message_count(own_lake) == 0


def test_a_message_is_kept_once(open_page: OpenPage, own_lake: Path) -> None:
    assert told_after_keeping(open_page, own_lake, times=2) == "The lake has it already."


def test_a_lake_of_pseudonyms_takes_no_message_without_a_key(open_page: OpenPage, own_lake: Path) -> None:
    with sqlite3.connect(own_lake / LEDGER_FILE) as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('pseudonyms', 'of some key')")

    assert (told_after_keeping(open_page, own_lake), message_count(own_lake)) == (
        "Not kept: the lake holds pseudonyms, and no key to make them is at hand here; "
        "`mailscope ingest FILE --pseudonymise KEYFILE` keeps the message.",
        0,
    )


def test_a_message_is_not_kept_while_another_ingest_writes(open_page: OpenPage, own_lake: Path) -> None:
    with Lake(own_lake).locked(print):
        told = told_after_keeping(open_page, own_lake)

    assert "another ingest writes into the lake" in told


def test_without_a_lake_there_is_nothing_to_keep_a_message_in(open_page: OpenPage, tmp_path: Path) -> None:
    assert not pasted(open_page, tmp_path / "none").button
