"""The safe doors: everything that pages say with words from a log goes through here.

Streamlit reads Markdown in most of its parameters, and escaping does not stop that: images are fetched, addresses
become links. So text from logs reaches a page as `st.text`, `st.code`, a table's cell, a chart's datum, through
`st.html` after `html.escape`, or as a code span that `safe` makes.
"""

import html
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from analysis import metrics
from analysis.problems import Problem
from analysis.text import duration, visible
from dashboard import charts
from dashboard.charts import OUTCOMES, Outcome
from dashboard.data import LakeState, Span

TRACE: Final = "app_pages/trace.py"
STALE: Final = timedelta(hours=1)
_NO_MARKUP: Final = re.compile(r"(?:[\w ,;()%?'–-]|[:.](?=[ \d]|$))*")


def safe(text: str) -> str:
    """Text for a parameter that takes Markdown: a code span in which every character shows."""
    text = visible(text)
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks} {text} {ticks}"


def sentence(text: str) -> None:
    """The first line of a page: the answer to its question."""
    st.title(text if _NO_MARKUP.fullmatch(text) else safe(text), anchor=False)


def section(title: str, metric: str | None = None) -> None:
    """A heading; the definition of the numbers below it is its help."""
    st.header(title, anchor=False, help=definition(metric) if metric else None)


@cache
def definition(metric: str) -> str:
    """A metric's meaning as Markdown that shows it as it is written."""
    return re.sub(r"([$<\[*_])", r"\\\1", metrics.metric(metric).meaning.replace("`", ""))


def viewer_zone() -> tzinfo:
    """The zone of the viewer's browser; UTC if it does not say."""
    name = st.context.timezone
    return ZoneInfo(name) if name else UTC


def zone_name() -> str:
    """The same as a table's column wants it."""
    return st.context.timezone or "UTC"


def theme() -> str:
    """`light` or `dark`, as the viewer sees it."""
    return st.context.theme.type or "light"


def moment(at: datetime) -> str:
    """A moment in the viewer's zone, without its year where that is this year."""
    local = at.astimezone(viewer_zone())
    year = "" if local.year == datetime.now(UTC).year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M}"


# ---- frame


def verdict(headline: str, span: Span) -> None:
    """The page's sentence; a lake without new lines cannot say how mail is now."""
    if span.age > STALE:
        sentence(f"No log line for {duration(span.age.total_seconds())}. Until then: {headline}")
    else:
        sentence(headline)


def freshness(span: Span) -> None:
    """How old the newest line is, in the viewer's time; a strip if it is too old to say what happens now."""
    text = f"Log until {moment(span.last_at)}, times in {zone_name()}"
    if span.age > STALE:
        st.warning(
            f"{text}. If mail should be flowing: is the newest log ingested (mailscope ingest), and does the server write one?"
        )
    else:
        st.text(f"{text} ({duration(max(0, span.age.total_seconds()))} ago)")


def silence(span: Span) -> None:
    """A strip for each host whose lines end before the others'."""
    for host, last_at in span.silent.items():
        behind = duration((span.last_at - last_at).total_seconds())
        st.warning(
            f"{safe(host)} stops {behind} before the newest line, at {moment(last_at)}: numbers are without it."
        )


def no_lake(state: LakeState, path: Path) -> None:
    """What to do when there is nothing to show."""
    if state == LakeState.MISSING:
        sentence("There is no lake here yet")
        st.text(f"The dashboard looked in {visible(str(path))}.")
    else:
        sentence("The lake holds no mail yet")
        st.text(
            f"No line in {visible(str(path))} was understood as a mail server's. mailscope coverage says what they were."
        )
    st.text("These three commands fill it and show it:")
    st.code(
        f"mailscope ingest /var/log/mail.log* --lake {visible(str(path))}\n"
        f"mailscope report --lake {visible(str(path))}\n"
        f"mailscope dashboard --lake {visible(str(path))}",
        language=None,
        wrap_lines=True,
    )
    st.text("To look around first, mailscope demo does the same with a week of sample logs.")


def too_slow(seconds: int) -> None:
    """A question was stopped."""
    sentence(f"This took longer than {seconds} s and was stopped")
    st.text("Choose a shorter time range or one host, or search for something more exact.")


# ---- words


def legend(outcomes: Iterable[str]) -> None:
    """What the colours of a chart mean, as a line that wraps: an icon is never parted from its word."""
    st.markdown("\N{EM SPACE}".join(_legend(name, OUTCOMES[name]) for name in outcomes))


def _legend(name: str, look: Outcome) -> str:
    return f":{look.colour}[:material/{look.icon}:]\N{NO-BREAK SPACE}{name}"


def lines_legend() -> None:
    """What the two lines of the delay chart are."""
    st.markdown(
        ":blue[**━**]\N{NO-BREAK SPACE}95\N{NO-BREAK SPACE}% within\N{EM SPACE}:gray[**━**]\N{NO-BREAK SPACE}50\N{NO-BREAK SPACE}% within"
    )


def chips(label: str = "Outcome") -> Any:  # noqa: ANN401  # Streamlit has no public name for a column's configuration
    """A column of outcomes as coloured chips."""
    return st.column_config.MultiselectColumn(
        label,
        options=list(OUTCOMES),
        color=[look.colour for look in OUTCOMES.values()],
        width=95,
    )


def times(label: str) -> Any:  # noqa: ANN401  # as above
    """A column of moments in the viewer's zone."""
    return st.column_config.DatetimeColumn(label, format="D MMM HH:mm:ss", timezone=zone_name(), width=125)


_LEVELS: Final = {1: ("Urgent", "bounced"), 2: ("Problem", "deferred"), 3: ("Note", "unknown")}


def finding(problem: Problem, query: str | None) -> None:
    """One problem: the sentence, since when, the server's own words, what to do, and the way to its mail."""
    level, outcome = _LEVELS[problem.severity]
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":{OUTCOMES[outcome].colour}-badge[{level}]")
        when = f"<br><span class=when>{html.escape(_when(problem))}</span>"
        st.html(f"<style>{css()}</style><p class=finding><b>{escaped(problem.sentence)}</b>{when}</p>")
        if problem.detail:
            st.code(visible(problem.detail), language=None, wrap_lines=True)
        st.markdown(problem.cure)
        if query:
            st.page_link(
                TRACE, label="Its mail in Trace", icon=":material/arrow_forward:", query_params={"q": query}
            )


def _when(problem: Problem) -> str:
    if not problem.first_at or not problem.last_at:
        return ""
    return f"since {moment(problem.first_at)} · last {moment(problem.last_at)}"


def escaped(text: str) -> str:
    """Text for `st.html`: nothing in it is markup, nothing in it is hidden."""
    return html.escape(visible(text))


@cache
def css() -> str:
    """The style of lists and findings, for a `<style>` beside them."""
    return files("dashboard").joinpath("story.css").read_text("utf-8")


# ---- numbers


def number(value: float) -> str:
    """A count: exact to 99,999, then in thousands; a dash if it is not known."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) < 100_000 else f"{value / 1000:,.0f} k"


def seconds(value: float) -> str:
    """A duration; a dash if it is not known."""
    return "–" if math.isnan(value) else duration(value)


_STEPS: Final = {
    60: "minute",
    300: "5 min",
    900: "15 min",
    3_600: "hour",
    21_600: "6 h",
    86_400: "day",
    604_800: "week",
}


def step_name(step_s: int) -> str:
    """How long a bucket is, in the words of a heading."""
    return _STEPS[step_s]


def cards(now: Mapping[str, Any], before: Mapping[str, Any], course: pd.DataFrame, until: datetime) -> None:
    """Five numbers of equal parts, five abreast, two on a telephone. Grey unless clearly worse than before."""
    lost = course["deferred"] + course["expired"] + course["bounced"]
    share, share_before = now["not_delivered_share"], before["not_delivered_share"]
    oldest = now["queue_oldest_at"]
    with st.grid(5, min_column_width=160, key="cards"):
        _card("Not delivered", "–" if math.isnan(share) else f"{100 * share:.1f} %", "outcomes_by", lost,
              _change(100 * share, 100 * share_before, lambda points: f"{points:.1f} points"))  # fmt: skip
        _card("Deferred, still waiting", number(now["deferred"]), "totals", course["deferred"],
              _plain(f"{number(now['attempts_deferred'])} attempts deferred"))  # fmt: skip
        _card("Bounced", number(now["bounced"]), "totals", course["bounced"],
              _change(now["bounced"], before["bounced"] if before["recipients"] else math.nan, number))  # fmt: skip
        _card("Delay, 95 % within", seconds(now["p95_delay_s"]), "delay", course["p95_delay_s"],
              _change(now["p95_delay_s"], before["p95_delay_s"], seconds))  # fmt: skip
        _card("In queue at the end", number(now["queue_messages"]), "queue_at", course["in_queue"],
              _plain("empty" if pd.isna(oldest) else f"oldest waits {duration((until - oldest).total_seconds())}"))  # fmt: skip


def _card(label: str, value: str, metric: str, spark: "pd.Series[Any]", delta: Mapping[str, Any]) -> None:
    st.metric(
        label,
        value,
        help=definition(metric),
        border=True,
        height="stretch",
        chart_data=spark.fillna(0).tolist(),
        chart_type="bar",
        **delta,
    )


def _change(now: float, before: float, form: Callable[[float], str]) -> dict[str, Any]:
    if math.isnan(now) or math.isnan(before):
        return _plain("nothing before")
    change = now - before
    worse = now > 1.5 * before
    return {
        "delta": f"{'+' if change >= 0 else '-'}{form(abs(change))}",
        "delta_color": "red" if worse else "off",
        "delta_arrow": "off" if not change else "auto",
        "delta_description": "vs before",
    }


def _plain(text: str) -> dict[str, Any]:
    return {"delta": text, "delta_color": "off", "delta_arrow": "off"}


def chart(rows: pd.DataFrame, spec: charts.Spec, alt: str) -> None:
    """A chart, or a word where its axes would be empty; `alt` is what a screen reader says of it."""
    if not rows.drop(columns="bucket_at").fillna(0).to_numpy().any():
        st.text("None in this time.")
        return
    st.vega_lite_chart(rows, spec, alt=alt)


def destinations(rows: pd.DataFrame) -> None:
    """The destinations that fail, each with a way to its mail."""
    if rows.empty:
        st.text("Every recipient of this time was reached, or is not known to have failed.")
        return
    names = rows["name"].tolist()
    columns = [
        "name",
        "recipients",
        "not_delivered",
        "not_delivered_share",
        "deferred",
        "bounced",
        "expired",
        "last_attempt_at",
    ]
    st.dataframe(
        rows[columns].assign(trace="Trace", not_delivered_share=100 * rows["not_delivered_share"]),
        hide_index=True,
        height="content",
        alt="Recipient domains with recipients that were not reached",
        key="destinations",
        column_config={
            "name": "Recipient domain",
            "recipients": st.column_config.NumberColumn("Recipients", format="localized"),
            "not_delivered": st.column_config.NumberColumn("Not delivered", format="localized"),
            "not_delivered_share": st.column_config.ProgressColumn(
                "Share", format="%.1f %%", min_value=0, max_value=100, color="red"
            ),
            "deferred": "Deferred",
            "bounced": "Bounced",
            "expired": "Expired",
            "last_attempt_at": times("Last attempt"),
            "trace": st.column_config.ButtonColumn(
                "", key="open", on_click=_open_in_trace, args=(names,), type="tertiary"
            ),
        },
    )


def _open_in_trace(names: list[str]) -> None:
    st.switch_page(TRACE, query_params={"q": names[st.session_state["open"]["row"]]})
