"""Charts as Vega-Lite specifications, built once with Altair and kept: a rerun only sends new data.

Colours stand for outcomes, the same in charts, chips and words. Streamlit's colour names are mapped onto them in
.streamlit/config.toml, so `orange` is our violet: pages name outcomes, never colours.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import altair as alt


class Outcome(NamedTuple):
    """How an outcome looks: Streamlit's name of its colour, its icon, its fill in light and dark."""

    colour: str
    icon: str
    light: str
    dark: str


_GRAY: Final = Outcome("gray", "help", "#66696B", "#85888B")
# In the order of their bands, from the bottom up.
OUTCOMES: Final = {
    "delivered": Outcome("green", "check_circle", "#4E99A4", "#7BD0BF"),
    "queued": Outcome("blue", "schedule", "#1F35B5", "#5A80FF"),
    "deferred": Outcome("yellow", "hourglass_top", "#B08210", "#F9B637"),
    "expired": Outcome("violet", "timer_off", "#3A1729", "#9E56A0"),
    "bounced": Outcome("red", "cancel", "#B3260B", "#DE2A1E"),
    "rejected": Outcome("orange", "block", "#9A68FF", "#C7B6FF"),
    "mixed": _GRAY,
    "held": _GRAY._replace(icon="pan_tool"),
    "discarded": _GRAY._replace(icon="delete"),
    "deleted": _GRAY._replace(icon="delete"),
    "other": _GRAY,
    "unknown": _GRAY,
}
_BACKGROUND: Final = {"light": "#FFFFFF", "dark": "#12161C"}
_LINES: Final = {"light": ("#1F35B5", "#66696B"), "dark": ("#8FA6FF", "#9FA1A3")}
_DELAY_TICKS: Final = (0.01, 0.1, 1, 10, 60, 600, 3_600, 36_000, 360_000)
_DELAY_LABEL: Final = "datum.value < 60 ? datum.value + ' s' : datum.value < 3600 ? datum.value / 60 + ' min' : datum.value / 3600 + ' h'"

Spec = dict[str, Any]


def fill(outcome: str, theme: str) -> str:
    """The colour of an outcome's area."""
    look = OUTCOMES[outcome]
    return look.dark if theme == "dark" else look.light


@lru_cache(maxsize=256)
def stacked(
    outcomes: tuple[str, ...], theme: str, domain_ms: tuple[int, int], step_s: int, height: int
) -> Spec:
    """Counts a step, one band an outcome, bottom up; data: `bucket_at` and one column an outcome.

    Rectangles and not bars: Vega takes a bar with x and x2 for a horizontal range and draws dots.
    """
    chart = (
        alt.Chart(alt.NamedData("rows"))
        .transform_fold(list(outcomes), as_=["outcome", "count"])
        .transform_filter("datum.count > 0")
        .transform_calculate(
            order=f"indexof({list(outcomes)}, datum.outcome)",
            **_moments(step_s),
        )
        .transform_stack(
            as_=["low", "high"], stack="count", groupby=["bucket_at"], sort=[alt.SortField("order")]
        )
        .mark_rect(stroke=_BACKGROUND.get(theme, "#FFFFFF"), strokeWidth=0.4)
        .encode(
            x=_time(domain_ms),
            x2="end:T",
            y=alt.Y(
                "low:Q", title=None, axis=alt.Axis(format=",d", tickMinStep=1), scale=alt.Scale(zero=True)
            ),
            y2="high:Q",
            color=alt.Color(
                "outcome:N",
                scale=alt.Scale(domain=list(outcomes), range=[fill(name, theme) for name in outcomes]),
                legend=None,
            ),
            tooltip=[*_MOMENTS, alt.Tooltip("outcome:N"), alt.Tooltip("count:Q", format=",d")],
        )
    )
    return house(chart, height)


@lru_cache(maxsize=256)
def delays(theme: str, domain_ms: tuple[int, int], step_s: int, height: int) -> Spec:
    """Median and 95th percentile a step on a logarithmic axis; data: `bucket_at`, `p50_delay_s`, `p95_delay_s`.

    One level stroke a step: nothing is drawn where nothing was delivered, and a lone step still shows.
    """
    names = {"p95_delay_s": "95 % within", "p50_delay_s": "50 % within"}
    chart = (
        alt.Chart(alt.NamedData("rows"))
        .transform_fold(list(names), as_=["column", "raw"])
        .transform_filter("isValid(datum.raw)")
        .transform_calculate(
            seconds="max(datum.raw, 0.01)",
            line=f"{names}[datum.column]",
            **_moments(step_s),
        )
        .mark_rule(strokeWidth=2)
        .encode(
            x=_time(domain_ms),
            x2="end:T",
            y=alt.Y(
                "seconds:Q",
                title=None,
                scale=alt.Scale(type="log"),
                axis=alt.Axis(values=list(_DELAY_TICKS), labelExpr=_DELAY_LABEL),
            ),
            color=alt.Color(
                "line:N",
                scale=alt.Scale(domain=list(names.values()), range=list(_LINES.get(theme, _LINES["light"]))),
                legend=None,
            ),
            tooltip=[
                *_MOMENTS,
                alt.Tooltip("line:N", title="share"),
                alt.Tooltip("raw:Q", title="seconds", format=",.2f"),
            ],
        )
    )
    return house(chart, height)


KNOWN: Final = "your server"
CLAIMED: Final = "as claimed"


@lru_cache(maxsize=64)
def ways(theme: str, height: int) -> Spec:
    """A bar a hop on a time line; data: `hop`, `begin`, `end`, `source` (KNOWN or CLAIMED), `kept`.

    A tick shows when a server had the message; the bar behind it, for how long.
    """
    base = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("begin:T", title=None, axis=alt.Axis(format="%H:%M:%S", labelOverlap=True, grid=False)),
        y=alt.Y("hop:N", title=None, sort=None, axis=alt.Axis(labelLimit=220)),
        color=alt.Color(
            "source:N",
            scale=alt.Scale(domain=[KNOWN, CLAIMED], range=list(_LINES.get(theme, _LINES["light"]))),
            legend=alt.Legend(title=None, orient="top"),
        ),
        tooltip=[
            alt.Tooltip("hop:N"),
            alt.Tooltip("begin:T", title="had it at", format="%a %d %b %H:%M:%S"),
            alt.Tooltip("kept:N", title="kept it"),
            alt.Tooltip("source:N"),
        ],
    )
    bars = base.mark_bar(height=14, opacity=0.7).encode(x2="end:T")
    ticks = base.mark_tick(thickness=3, height=18)
    return house(bars + ticks, height)


def _moments(step_s: int) -> dict[str, str]:
    """Where a step ends, and when it begins in UTC: the axis and `bucket_at` speak the viewer's time."""
    return {
        "end": f"time(datum.bucket_at) + {step_s * 1000}",
        "utc": "utcFormat(datum.bucket_at, '%a %d %b %H:%M')",
    }


_MOMENTS: Final = (
    alt.Tooltip("bucket_at:T", title="from", format="%a %d %b %H:%M"),
    alt.Tooltip("utc:N", title="UTC"),
)


def _time(domain_ms: tuple[int, int]) -> alt.X:
    days = (domain_ms[1] - domain_ms[0]) / 86_400_000
    form = "%H:%M" if days <= 2 else "%d %b"
    return alt.X(
        "bucket_at:T",
        title=None,
        scale=alt.Scale(domain=list(domain_ms)),
        axis=alt.Axis(
            format=form, labelOverlap=True, tickCount=8 if days <= 2 or days > 8 else "day", grid=False
        ),
    )


def house(chart: alt.Chart | alt.LayerChart, height: int) -> Spec:
    """The house's defaults: title and legend live outside, charts above each other share their left edge."""
    configured = (
        chart.properties(height=height, padding={"left": 0, "right": 8, "top": 4, "bottom": 0})
        .configure_axis(labelFontSize=11, labelPadding=4, domain=False, ticks=False, titleFontSize=11)
        .configure_axisY(gridOpacity=0.6, tickCount=4, minExtent=40)
        .configure_view(strokeWidth=0)
    )
    spec: Spec = configured.to_dict()
    del spec["data"]  # Streamlit adds the rows
    return spec
