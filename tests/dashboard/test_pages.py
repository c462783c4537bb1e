"""Pages as a viewer meets them, without a browser."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis.trace import search
from analysis.warehouse import open_lake

OpenPage = Callable[..., AppTest]
COMMANDS = ("mailscope ingest", "mailscope report", "mailscope dashboard")
FOREIGN = "Nov  5 10:00:00 mx1 cron[1]: hello\n"


def words(test: AppTest) -> str:
    """Everything that the page says in plain text, code, titles and boxes."""
    kinds = (test.title, test.header, test.text, test.code, test.markdown, test.warning, test.error)
    return "\n".join(element.value for kind in kinds for element in kind)


@pytest.mark.parametrize("page", ("overview", "trace"))
def test_a_missing_lake_is_explained_with_three_commands(
    open_page: OpenPage, tmp_path: Path, page: str
) -> None:
    shown = words(open_page(tmp_path / "none", page))

    assert all(command in shown for command in COMMANDS)


def test_a_lake_of_foreign_lines_says_that_it_holds_no_mail(
    open_page: OpenPage, make_lake: Callable[[str], Path]
) -> None:
    test = open_page(make_lake(FOREIGN))

    assert test.title[0].value == "The lake holds no mail yet"


def test_a_lake_without_a_single_refusal_is_shown(
    open_page: OpenPage, make_lake: Callable[[str], Path]
) -> None:
    test = open_page(make_lake("Nov  5 10:00:01 mx1 postfix/qmgr[22]: 3AFA743E69: removed\n"))

    assert not test.exception
    assert len(test.metric) == 5


def test_now_begins_with_a_sentence_that_says_the_logs_are_old(
    open_page: OpenPage, sample_lake: Path
) -> None:
    test = open_page(sample_lake)

    assert test.title[0].value.startswith("No log line for")


def test_now_shows_five_numbers_and_four_charts(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, range="7d")

    assert (len(test.metric), len(test.get("vega_lite_chart"))) == (5, 4)


def test_problems_come_before_charts_in_the_order_of_the_page(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, range="7d")
    kinds = [element.type for element in test.main]

    assert kinds.index("code") < kinds.index("vega_lite_chart")


def test_every_chart_and_table_has_words_for_a_screen_reader(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, range="7d")

    assert all(element.proto.alt for element in (*test.get("vega_lite_chart"), *test.dataframe))


def test_the_range_in_the_url_is_the_range_shown(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, range="7d")

    assert "per hour" in test.header[1].value


@pytest.mark.parametrize(
    "query", ({"range": "<script>"}, {"host": "nobody"}, {"range": "custom", "from": "x"})
)
def test_a_bad_value_in_the_url_falls_back_to_the_default(
    open_page: OpenPage, sample_lake: Path, query: dict[str, str]
) -> None:
    test = open_page(sample_lake, **query)

    assert not test.exception
    assert len(test.metric) == 5


def test_a_custom_range_is_in_utc(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, range="custom", **{"from": "2026-11-06T12:00", "to": "2026-11-06T17:00"})

    assert "per 5 min" in test.header[1].value


def test_one_host_shows_only_its_mail(open_page: OpenPage, sample_lake: Path) -> None:
    of_all, of_one = (open_page(sample_lake, range="7d", **query) for query in ({}, {"host": "mx1"}))

    assert of_one.metric[2].value != of_all.metric[2].value


def test_every_number_carries_its_definition(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake)

    assert all("Unit:" in metric.proto.help for metric in test.metric)


def test_trace_says_what_a_query_was_taken_for(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, "trace", q="bigmail.example")

    assert "Read as domain: the newest 200 messages" in words(test)


def test_the_first_story_is_open_at_once(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, "trace", q="bigmail.example")

    assert "class=story" in test.get("html")[0].proto.body


def test_a_message_key_alone_restores_its_story(open_page: OpenPage, sample_lake: Path) -> None:
    with open_lake(sample_lake) as connection:
        message = search(connection, "bigmail.example").messages[3]
    test = open_page(sample_lake, "trace", m=message["message_key"])

    assert test.code[0].value == message["queue_id"]


def test_a_key_in_the_url_chooses_its_row(open_page: OpenPage, sample_lake: Path) -> None:
    with open_lake(sample_lake) as connection:
        message = search(connection, "bigmail.example").messages[3]
    test = open_page(sample_lake, "trace", q="bigmail.example", m=message["message_key"])

    assert test.code[0].value == message["queue_id"]


def test_a_new_search_forgets_the_message_that_was_shown(open_page: OpenPage, sample_lake: Path) -> None:
    with open_lake(sample_lake) as connection:
        key = search(connection, "bigmail.example").messages[3]["message_key"]
    test = open_page(sample_lake, "trace", q="bigmail.example", m=key)
    test.text_input[0].set_value("nothing like it").run()

    assert "m" not in test.query_params


def test_a_chosen_message_is_in_the_url(open_page: OpenPage, sample_lake: Path) -> None:
    with open_lake(sample_lake) as connection:
        keys = [row["message_key"] for row in search(connection, "oldpartner.example").messages]
    test = open_page(sample_lake, "trace", q="oldpartner.example")
    test.session_state[f"messages_{zlib.crc32(b'oldpartner.example')}"] = {
        "selection": {"rows": [1], "columns": [], "cells": []}
    }
    test.run()

    assert test.query_params["m"] == keys[1]


def test_the_first_message_is_not_in_the_url(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, "trace", q="oldpartner.example")

    assert "m" not in test.query_params


def test_an_unknown_key_is_explained(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, "trace", m="no/such/key")

    assert test.title[0].value == "That message is not in this lake"


def test_no_match_says_what_was_searched_and_how_fresh_it_is(open_page: OpenPage, sample_lake: Path) -> None:
    shown = words(open_page(sample_lake, "trace", q="nobody@nowhere.test"))

    assert "Taken for: address" in shown
    assert "Searched ex1, mx1, out1" in shown


def test_refusals_are_found_beside_messages(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, "trace", q="bigmail.example")

    assert test.header[-1].value.startswith("Turned away at the door")


def test_raw_lines_are_drawn_only_when_opened(open_page: OpenPage, sample_lake: Path) -> None:
    test = open_page(sample_lake, "trace", q="bigmail.example")

    assert not any("postfix/" in code.value for code in test.code)


def test_a_question_that_takes_too_long_is_stopped_in_plain_words(
    open_page: OpenPage, sample_lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard import data

    def never(*_: object, **__: object) -> None:
        raise data.TooSlowError

    monkeypatch.setattr(data, "find_problems", never)
    test = open_page(sample_lake)

    assert test.title[0].value == "This took longer than 10 s and was stopped"
