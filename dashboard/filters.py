"""The filter bar: time range and host, in the URL, checked again before they reach a question.

A range ends at the newest log line, not at the clock: a page is never empty because the logs are from yesterday, and
the same question has the same answer until the lake changes.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from dashboard.data import Span, Window

RANGES: Final = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_LIVE, _ENDED = "24h", "7d"
_WINDOW: Final = "_window"


def bar(span: Span) -> Window:
    """Draws the bar and keeps what was chosen for the page below it."""
    with st.container(horizontal=True, vertical_alignment="center", key="filter_bar"):
        name = st.segmented_control(
            "Time range",
            [*RANGES, "all", "custom"],
            default=default_range(span),
            required=True,
            key="range",
            bind="query-params",
            label_visibility="collapsed",
        )
        host = _host(span) if len(span.hosts) > 1 else None
        since, until = _custom(span) if name == "custom" else _range(str(name), span)
    window = Window(since, until, host)
    st.session_state[_WINDOW] = window
    return window


def window() -> Window:
    """What the bar above the page says."""
    chosen = st.session_state[_WINDOW]
    assert isinstance(chosen, Window)  # noqa: S101  # for the type checker; only `bar` writes it
    return chosen


def default_range(span: Span) -> str:
    """The last day of a log that goes on; the last week of one that ended, of which nobody asks how things are now."""
    return _LIVE if span.age < RANGES[_LIVE] else _ENDED


def default_window(span: Span) -> Window:
    """What a viewer sees who has chosen nothing."""
    return Window(*_range(default_range(span), span))


def _range(name: str, span: Span) -> tuple[datetime, datetime]:
    until = span.last_at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if name == "all":
        return span.first_at.replace(second=0, microsecond=0), until
    return until - RANGES.get(name, RANGES[_LIVE]), until


def _host(span: Span) -> str | None:
    chosen = st.selectbox(
        "Host",
        span.hosts,
        index=None,
        placeholder="All hosts",
        key="host",
        bind="query-params",
        label_visibility="collapsed",
        width=170,
    )
    return chosen if chosen in span.hosts else None


def _custom(span: Span) -> tuple[datetime, datetime]:
    """From and to in UTC: the URL means the same to a colleague elsewhere."""
    since, until = (moment.replace(tzinfo=None) for moment in _range(_LIVE, span))
    chosen_since = st.datetime_input(
        "From (UTC)", since, key="from", bind="query-params", width=230, step=timedelta(minutes=5)
    )
    chosen_until = st.datetime_input(
        "To (UTC)", until, key="to", bind="query-params", width=230, step=timedelta(minutes=5)
    )
    since = (chosen_since or since).replace(tzinfo=UTC)
    until = (chosen_until or until).replace(tzinfo=UTC)
    return (since, until) if since < until else (until - timedelta(hours=1), until)
