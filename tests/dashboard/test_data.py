"""The door to analysis, and what charts are made of."""

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

import dashboard
from dashboard import charts, data, launch

WEEK = data.Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC))
DOMAIN_MS = (1_793_577_600_000, 1_794_182_400_000)
FOLDER = Path(dashboard.__file__).parent


@pytest.fixture
def lake(sample_lake: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILSCOPE_LAKE", str(sample_lake))
    return sample_lake


@pytest.mark.usefixtures("lake")
def test_a_course_has_every_step_of_its_window() -> None:
    course = data.course(WEEK)

    assert len(course) == 7 * 24


@pytest.mark.usefixtures("lake")
def test_the_steps_of_a_course_add_up_to_the_numbers_of_its_window() -> None:
    course, numbers = data.course(WEEK), data.numbers(WEEK)

    assert {name: course[name].sum() for name in ("recipients", "bounced", "rejected")} == {
        name: numbers[name] for name in ("recipients", "bounced", "rejected")
    }


@pytest.mark.usefixtures("lake")
def test_a_course_by_six_hours_falls_on_the_buckets_of_the_database() -> None:
    month = data.Window(datetime(2026, 10, 10, 3, 7, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC))

    assert data.course(month)["recipients"].sum() == data.numbers(month)["recipients"]


@pytest.mark.usefixtures("lake")
def test_a_window_before_all_mail_has_no_share_of_nothing() -> None:
    share = data.numbers(WEEK.before)["not_delivered_share"]

    assert share != share  # noqa: PLR0124  # NaN


def test_a_question_beyond_the_time_limit_is_a_too_slow_error(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "TIME_LIMIT_S", 0.05)
    data._database.clear()
    endless = (
        "SELECT count(*) FROM range(1_000_000) AS a, range(1_000_000) AS b WHERE a.range % 7 = b.range % 11"
    )
    with pytest.raises(data.TooSlowError):
        data._ask(lambda cursor: cursor.sql(endless).fetchall())
    data._database.clear()


def test_a_new_ingest_changes_the_version(
    make_lake: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = make_lake("Nov  5 10:00:01 mx1 postfix/qmgr[22]: 3AFA743E69: removed\n")
    monkeypatch.setenv("MAILSCOPE_LAKE", str(lake))
    before = data.version()
    (lake / "sources" / "new.parquet").touch()

    assert data.version() != before


def test_every_cursor_is_its_own(lake: Path) -> None:
    first, second = data._cursor(), data._cursor()

    assert isinstance(first, duckdb.DuckDBPyConnection)
    assert first is not second


@pytest.mark.parametrize("mode", ("light", "dark"))
def test_charts_and_theme_have_the_same_colours(mode: str) -> None:
    theme = tomllib.loads((FOLDER / ".streamlit" / "config.toml").read_text("utf-8"))["theme"][mode]

    assert {look.colour: charts.fill(name, mode) for name, look in charts.OUTCOMES.items()} == {
        name.removesuffix("Color"): value
        for name, value in theme.items()
        if name.removesuffix("Color") in {look.colour for look in charts.OUTCOMES.values()}
    }


@pytest.mark.parametrize("mode", ("light", "dark"))
def test_the_line_between_bands_is_the_background(mode: str) -> None:
    theme = tomllib.loads((FOLDER / ".streamlit" / "config.toml").read_text("utf-8"))["theme"][mode]
    spec = charts.stacked(("deferred", "bounced"), mode, DOMAIN_MS, 3600, 170)

    assert spec["mark"]["stroke"] == theme["backgroundColor"]


def test_bands_are_rectangles_with_a_start_and_an_end() -> None:
    spec = charts.stacked(("deferred", "bounced"), "light", DOMAIN_MS, 3600, 170)

    assert (spec["mark"]["type"], {"x", "x2", "y", "y2"} <= set(spec["encoding"])) == ("rect", True)


def test_delays_are_drawn_on_a_logarithmic_axis() -> None:
    spec = charts.delays("light", DOMAIN_MS, 3600, 150)

    assert spec["encoding"]["y"]["scale"]["type"] == "log"


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    (
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("mail.example.org", False),
    ),
)
def test_which_addresses_only_this_machine_reaches(address: str, is_loopback: bool) -> None:
    assert launch.is_loopback(address) == is_loopback
