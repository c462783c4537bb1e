"""The page that reads a pasted message."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

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


def test_the_page_says_that_nothing_is_kept_and_how_to_keep_it(open_page: OpenPage, tmp_path: Path) -> None:
    captions = [caption.value for caption in open_page(tmp_path / "none", "headers").caption]

    assert (
        "Nothing of it is kept. `mailscope ingest FILE` keeps the headers of a message in the lake."
        in captions
    )
