"""Remote servers and clients write part of every line: their words reach a page only through doors that show them."""

import ast
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import ui

OpenPage = Callable[..., AppTest]
MARK = "HOSTILE"  # stands in every text of hostile_lake
# Doors that show what they are given; anything else reads Markdown.
DOORS = {"text", "code", "html", "dataframe", "vega_lite_chart", "text_input"}
HARM = ("<script", "<img", "<style>body", "![", ":red[warning", "=cmd|", "evil.example/")
PAGES = (
    ("overview", {"range": "all"}),
    ("trace", {"q": "good.example"}),
    ("trace", {"q": MARK}),
    ("trace", {"q": "![x](https://evil.example/p.png) <img src=x>"}),
)
FOLDER = Path(dashboard.__file__).parent
READS_MARKDOWN = {
    "badge", "button", "caption", "error", "expander", "header", "info", "markdown", "metric", "page_link", "popover",
    "subheader", "success", "table", "title", "toast", "warning", "write",
}  # fmt: skip


@pytest.fixture(params=PAGES, ids=lambda page: f"{page[0]} {page[1]}")
def hostile_page(request: pytest.FixtureRequest, open_page: OpenPage, hostile_lake: Path) -> AppTest:
    name, query = request.param
    return open_page(hostile_lake, name, **query)


def elements(test: AppTest) -> Iterator[tuple[str, str]]:
    """Every element of the page with the message that the browser gets for it."""
    for element in test.main:
        yield element.type, str(getattr(element, "proto", ""))


def test_hostile_words_go_through_the_doors_only(hostile_page: AppTest) -> None:
    leaks = [
        kind
        for kind, proto in elements(hostile_page)
        if kind not in DOORS and any(harm in proto for harm in HARM)
    ]

    assert leaks == []


def test_hostile_words_do_reach_the_page(open_page: OpenPage, hostile_lake: Path) -> None:
    test = open_page(hostile_lake, "overview", range="all")

    assert any(MARK in proto for kind, proto in elements(test) if kind in DOORS)


def test_own_html_holds_no_tag_that_is_not_ours(hostile_page: AppTest) -> None:
    tags = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.add(tag)  # type: ignore[method-assign]
    for element in hostile_page.get("html"):
        parser.feed(element.proto.body)

    assert tags <= {"style", "ol", "ul", "li", "time", "span", "p", "b", "br"}


def test_no_control_or_bidi_character_reaches_a_page(hostile_page: AppTest) -> None:
    shown = "".join(proto for _, proto in elements(hostile_page))

    assert not set("\x1b\N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH SPACE}") & set(shown)


def test_table_cells_are_made_visible(open_page: OpenPage, hostile_lake: Path) -> None:
    [messages, *_] = open_page(hostile_lake, "trace", q="good.example").dataframe
    cells = "".join(messages.value["reply"])

    assert "⟨U+202E⟩" in cells
    assert not set("\x1b\N{RIGHT-TO-LEFT OVERRIDE}") & set(cells)


@pytest.mark.parametrize(
    ("text", "shown"),
    (
        ("plain", "` plain `"),
        ("a`b``c", "``` a`b``c ```"),
        ("line\n# heading", "` line␊# heading `"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe", "` ⟨U+202E⟩gnp.exe `"),
    ),
)
def test_safe_makes_a_code_span_that_nothing_breaks_out_of(text: str, shown: str) -> None:
    assert ui.safe(text) == shown


@pytest.mark.parametrize("path", sorted((FOLDER / "app_pages").glob("*.py")), ids=lambda path: path.stem)
def test_pages_give_streamlits_markdown_only_constants(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    bad = [
        f"line {call.lineno}"
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "st"
        and call.func.attr in READS_MARKDOWN
        and any(not _is_harmless(argument) for argument in call.args)
    ]

    assert bad == []


def _is_harmless(node: ast.expr) -> bool:
    """A constant, or an f-string of numbers: `len(...)` and arithmetic."""
    if isinstance(node, ast.JoinedStr):
        return all(not isinstance(part, ast.FormattedValue) or _is_number(part.value) for part in node.values)
    return isinstance(node, ast.Constant)


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    return (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len") or (
        isinstance(node, ast.Name) and node.id.isupper()
    )


@pytest.mark.parametrize("name", ("html", "markdown", "write"))
def test_pages_leave_html_and_free_text_to_the_doors(name: str) -> None:
    users = [
        path.stem for path in (FOLDER / "app_pages").glob("*.py") if f"st.{name}(" in path.read_text("utf-8")
    ]

    assert users == []
