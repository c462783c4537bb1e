"""The way of a message on a page: the answer, the hops on a time line, what servers said, what is odd."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from analysis.path import Step, Way, collapsed, is_known_verdict
from analysis.text import duration, visible
from dashboard import charts, ui
from dashboard.data import Letter

MAX_BYTES: Final = 1 << 20  # of a message, more than its headers have
_ROW_PX: Final = 28
_FRAME_PX: Final = 60  # legend and axis


def ask() -> bytes:
    """What the viewer pasted or chose; nothing of it is kept beyond this page, unless told by `offer_to_keep`."""
    pasted = st.text_area(
        "Headers of a message, as its source shows them", height=160, key="pasted", max_chars=MAX_BYTES
    )
    chosen = st.file_uploader("or a message file", key="chosen")
    st.caption("Nothing of it is kept unless you say so below it; the text of a message never is.")
    return chosen.read(MAX_BYTES) if chosen else (pasted or "").encode("utf-8", "replace")


def ask_own() -> list[str]:
    """Which hosts, domains and networks are the viewer's, beside the hosts that the lake has logs of."""
    said = st.text_input(
        "Your hosts, domains and networks, if the logs do not tell", key="own", max_chars=1_000
    )
    return (said or "").replace(",", " ").split()


def offer_to_keep(text: bytes, keep: Callable[[bytes], str]) -> None:
    """A button that keeps the headers of `text` in the lake; `keep` does it, and says what became of it."""
    told = st.session_state
    label, help_text = "Keep the headers in the lake", "As `mailscope ingest` does."
    if st.button(label, key="keep", help=help_text):
        told["kept"] = (
            text,
            keep(text),
        )  # outlives the run, as the page runs again when the lake has changed
    if told.get("kept", (b"",))[0] == text:
        st.text(visible(told["kept"][1]))


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
    between = st.toggle("without those within one host or organisation", key=f"between{number}")
    steps = collapsed(letter.way).steps if between else letter.way.steps
    _time_line(steps)
    st.dataframe(pd.DataFrame([_row(step) for step in steps]), hide_index=True, key=f"hops{number}")
    if logged := [_logged(step) for step in letter.way.steps if step.log]:
        ui.section("The same in your logs")
        st.dataframe(pd.DataFrame(logged), hide_index=True, key=f"logged{number}")
    if email["verdicts"]:
        ui.section("What servers said of the sender")
        st.text("Anybody can write such headers into a message before it comes: those are as claimed.")
        rows = [_verdict(row, letter.way) for row in email["verdicts"]]
        st.dataframe(pd.DataFrame(rows), hide_index=True)


def _verdict(row: Mapping[str, Any], way: Way) -> dict[str, str]:
    names = {"authserv_id": "said by", "header": "in", "method": "method", "result": "result"}
    names |= {"domain": "domain", "selector": "selector", "reason": "reason"}
    source = charts.KNOWN if is_known_verdict(way, row) else charts.CLAIMED
    return {name: visible(row[column] or "") for column, name in names.items()} | {"source": source}


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
        "took": _took(step) or "",
        **{name: visible(text or "") for name, text in texts.items()},
        "TLS": {True: visible(hop["tls_version"] or "yes"), False: "no", None: "unknown"}[hop["tls"]],
        "source": "your server" if step.is_known else "as claimed",
    }


_NUMBERS: Final = frozenset(
    {"attempts", "log_delay_s", "before_queue_s", "in_queue_s", "connect_s", "transmit_s"}
)


def _logged(step: Step) -> dict[str, Any]:
    """What a log has of a hop; seconds are of the last attempt."""
    log = step.log or {}
    names = {
        "log_host": "log of",
        "log_tls_version": "TLS in",
        "attempts": "attempts",
        "log_delay_s": "delay (s)",
        "before_queue_s": "before queue (s)",
        "in_queue_s": "in queue (s)",
        "connect_s": "connect (s)",
        "transmit_s": "transmit (s)",
        "relay_name": "to",
        "relay_tls_version": "TLS out",
        "status": "status",
        "reply": "last reply",
    }
    shown = {
        name: log[column] if column in _NUMBERS else visible(log[column] or "")
        for column, name in names.items()
    }
    return {"hop": step.hop["hop"], **shown}


def _took(step: Step) -> str | None:
    if step.delay_s is None:
        return None
    if step.least_s == step.most_s:
        return "under 1 s" if step.delay_s < 1 else duration(step.delay_s)
    return "unknown" if step.most_s is None else f"at most {duration(max(1.0, step.most_s))}"


def held(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """A bar a hop for `charts.ways`: from when its server had the message until the next one had it whose clock is right."""
    bars: list[dict[str, Any]] = []
    until: datetime | None = None
    kept = ""
    for step in reversed(steps):
        at: datetime | None = step.hop["received_at"]
        if at is None:
            continue
        bars.append(
            {
                "hop": f"{step.hop['hop']}  {visible(step.hop['by_host'] or '?')}",
                "begin": at,
                "end": until if until and at <= until and not step.skew_s else at,
                "source": charts.KNOWN if step.is_known else charts.CLAIMED,
                "kept": kept,
            }
        )
        until, kept = until if step.skew_s else at, _took(step) or ""
    return bars[::-1]


def _time_line(steps: Sequence[Step]) -> None:
    rows = held(steps)
    if len({row["begin"] for row in rows}) > 1:
        st.vega_lite_chart(
            pd.DataFrame(rows),
            charts.ways(ui.theme(), _ROW_PX * len(rows) + _FRAME_PX),
            alt="When each server had the message",
        )
