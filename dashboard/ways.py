"""The way of a message on a page: the answer, the hops on a time line, what servers said, what is odd."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from analysis.path import Step, Way, is_known_verdict
from analysis.text import duration, visible
from dashboard import charts, ui
from dashboard.data import Letter

MAX_BYTES: Final = 1 << 20
_ROW_PX: Final = 28


def ask() -> bytes:
    """What the viewer pasted or chose; nothing of it is kept beyond this page."""
    pasted = st.text_area(
        "Headers of a message, as its source shows them", height=160, key="pasted", max_chars=MAX_BYTES
    )
    chosen = st.file_uploader("or a message file; it is not kept", key="chosen")
    return chosen.getvalue()[:MAX_BYTES] if chosen else (pasted or "").encode("utf-8", "replace")


def how_to_get_them() -> None:
    """For whoever comes here for the first time."""
    ui.sentence("Which way did a message take?")
    st.text(
        "Paste the headers of a message: in most mail programs “Show source” or “Show original”. "
        "You will see every server that had it, how long it stayed there, and what is odd about the claims."
    )


def show(letter: Letter, number: int) -> None:
    """One message."""
    ui.sentence(letter.way.verdict)
    email = letter.email
    st.text(
        visible(
            f"Message-ID {email['message_id'] or 'none'}, from {', '.join(email['from_domains']) or 'nobody'}, "
            f"{email['hop_count']} Received headers"
        )
    )
    st.text("\n".join(f"· {visible(finding)}" for finding in (*letter.way.findings, *email["defects"])))
    if not letter.way.steps:
        return
    ui.section("Hops, the first at the top")
    _time_line(letter.way.steps)
    st.dataframe(
        pd.DataFrame([_row(step) for step in letter.way.steps]), hide_index=True, key=f"hops{number}"
    )
    if email["verdicts"]:
        ui.section("What servers said of the sender")
        st.text("Anybody can write such headers into a message before it comes: those are as claimed.")
        rows = [_verdict(row, letter.way) for row in email["verdicts"]]
        st.dataframe(pd.DataFrame(rows), hide_index=True)


def _verdict(row: Mapping[str, Any], way: Way) -> dict[str, str | None]:
    names = {"authserv_id": "said by", "header": "in", "method": "method", "result": "result"}
    names |= {"domain": "domain", "selector": "selector", "reason": "reason"}
    source = charts.KNOWN if is_known_verdict(way, row) else charts.CLAIMED
    return {name: visible(row[column]) if row[column] else None for column, name in names.items()} | {
        "source": source
    }


def _row(step: Step) -> dict[str, Any]:
    hop = step.hop
    texts = {
        "from": hop["from_host"] or hop["from_helo"],
        "address": hop["from_ip"],
        "by": hop["by_host"],
        "with": hop["with_protocol"],
        "id": hop["hop_id"],
        "for": hop["for_address"],
    }
    return {
        "hop": hop["hop"],
        "at (UTC)": hop["received_at"] and f"{hop['received_at']:%Y-%m-%d %H:%M:%S}",
        "took": _took(step),
        **{name: text and visible(text) for name, text in texts.items()},
        "TLS": {True: visible(hop["tls_version"] or "yes"), False: "no", None: "unknown"}[hop["tls"]],
        "source": "your server" if step.is_known else "as claimed",
    }


def _took(step: Step) -> str | None:
    if step.delay_s is None:
        return None
    if step.least_s == step.most_s:
        return "under 1 s" if step.delay_s < 1 else duration(step.delay_s)
    return "unknown" if step.most_s is None else f"at most {duration(max(1.0, step.most_s))}"


def _time_line(steps: list[Step]) -> None:
    """A bar a hop, from when the server before had the message until this one had it."""
    rows, before = [], None
    for step in steps:
        at: datetime | None = step.hop["received_at"]
        if at is None:
            continue
        begin = before if before and not step.skew_s and before <= at else at
        rows.append(
            {
                "hop": f"{step.hop['hop']}  {visible(step.hop['by_host'] or '?')}",
                "begin": begin,
                "end": at,
                "source": charts.KNOWN if step.is_known else charts.CLAIMED,
                "took": _took(step) or "",
            }
        )
        before = before if step.skew_s else at
    if len(rows) > 1:
        st.vega_lite_chart(
            pd.DataFrame(rows),
            charts.ways(ui.theme(), _ROW_PX * len(rows) + 30),
            alt="When each server had the message",
        )
