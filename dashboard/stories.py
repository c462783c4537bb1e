"""The parts of Trace: the search, its results, and the story of one message. All words pass the doors of `ui`."""

import html
import zlib
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any, Final

import pandas as pd
import streamlit as st

from analysis.text import counted, duration, visible
from analysis.trace import Step, Story
from dashboard.charts import OUTCOMES, fill
from dashboard.data import SHOWN, Found, Span
from dashboard.ui import TRACE, chips, css, escaped, moment, section, sentence, theme, times, viewer_zone

MESSAGE: Final = "m"  # the query parameter that holds the key of the message shown
_GAP_S: Final = 60


def search_box() -> str:
    """The one box; a new search forgets which message was shown."""
    typed = st.text_input(
        "Search for an address, a domain, a queue id, a Message-ID, a client or relay, or any words of a reply",
        placeholder="eva@example.org, 4jJp2l3yPvz26dG, <id@host>, 192.0.2.10, mailbox full",
        key="q",
        bind="query-params",
        type="search",
        on_change=_forget_message,
    )
    return (typed or "").strip()


def _forget_message() -> None:
    if MESSAGE in st.query_params:
        del st.query_params[MESSAGE]


def found_line(found: Found, span: Span) -> None:
    """What the search was taken for, how much it found, and where it looked."""
    messages, refused = _count(len(found.keys), "message"), _count(len(found.refusals), "refusal")
    st.text(f"Read as {found.kind_name}: {messages}, newest first, and {refused}. {_searched(span)}")


def _count(number: int, noun: str) -> str:
    if number >= SHOWN:
        return f"the newest {SHOWN} {noun}s"
    return counted(number, noun)


def _searched(span: Span, verb: str = "Searched") -> str:
    hosts = ", ".join(visible(host) for host in span.hosts)
    age = duration(max(0, span.age.total_seconds()))
    return f"{verb} {hosts}, {moment(span.first_at)} to {moment(span.last_at)} (newest line {age} ago)."


def pick_message(found: Found, query: str) -> str:
    """The table of messages, one always chosen; its key."""
    wanted = st.query_params.get(MESSAGE)
    start = found.keys.index(wanted) if wanted in found.keys else 0
    event: Any = st.dataframe(
        found.messages,
        hide_index=True,
        height="content" if len(found.keys) <= 8 else 320,
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [start]}},
        key=f"messages_{zlib.crc32(query.encode('utf-8', 'replace'))}",
        alt="Messages that the search found, newest first",
        column_config={
            "outcome": chips(),
            "accepted_at": times("Accepted"),
            "recipient": st.column_config.TextColumn("To", width=170),
            "sender": st.column_config.TextColumn("From", width=170),
            "reply": st.column_config.TextColumn("Last answer", width=230),
            "attempts": st.column_config.NumberColumn("Attempts", width=70),
            "took": st.column_config.TextColumn("Took", width=80),
            "host": st.column_config.TextColumn("Host", width=60),
            "queue_id": st.column_config.TextColumn("Queue id", width=130),
        },
    )
    rows = event.selection.rows
    return found.keys[rows[0] if rows and rows[0] < len(found.keys) else start]


def remember(found: Found, key: str) -> None:
    """Puts a chosen message into the URL. The first needs none: every change would be one more step of Back."""
    if key != found.keys[0] or MESSAGE in st.query_params:
        st.query_params[MESSAGE] = key


def refusals(found: Found) -> None:
    """Mail that was turned away before it had a queue id."""
    if found.refusals.empty:
        return
    section(f"Turned away at the door ({len(found.refusals)})", "rejections_by_rule")
    st.dataframe(
        found.refusals,
        hide_index=True,
        height="content" if len(found.refusals) <= 6 else 250,
        alt="Refusals that the search found, newest first",
        column_config={
            "rejected_at": times("When"),
            "sender": st.column_config.TextColumn("From", width=170),
            "recipient": st.column_config.TextColumn("To", width=170),
            "client": st.column_config.TextColumn("Client", width=230),
            "reply": st.column_config.TextColumn("What we said", width="large"),
            "rule": "Rule",
            "stage": "At",
            "helo": "HELO",
            "host": "Host",
        },
    )


def whole_story(told: Story, key: str) -> None:
    """Verdict, ids to copy, steps, recipients, what the logs do not show, raw lines."""
    sentence(told.verdict)
    _ids(told)
    st.page_link(TRACE, label="Link to this message", icon=":material/link:", query_params={MESSAGE: key})
    story, side = st.columns([3, 2], gap="large")
    with story:
        section("What happened")
        _steps(told.steps)
    with side:
        section(f"Recipients ({len(told.recipients)})")
        _recipients(told)
        section("What the logs do not show")
        _notes(told.gaps or ["Nothing that this story would need."])
    with st.expander(f"Raw lines ({len(told.lines)})", on_change="rerun", key="raw") as raw:
        if raw.open:
            lines = "\n".join(visible(line) for line in told.lines)
            st.code(lines, language=None, height=min(400, 44 + 20 * len(told.lines)))


def _ids(told: Story) -> None:
    """What one copies from a story, on one line where there is room."""
    message = told.message
    sender = "<> (null sender)" if message["sender"] == "" else message["sender"]
    with st.container(horizontal=True, gap="medium"):
        for label, text in (
            ("Queue id", message["queue_id"]),
            ("Message-ID", message["message_id"]),
            ("From", sender),
        ):
            if text:
                with st.container(width="content", gap=None):
                    st.caption(label)
                    st.code(visible(str(text)), language=None, width="content", wrap_lines=True)


def _steps(steps: list[Step]) -> None:
    zone, rows, before = viewer_zone(), [], None
    for step in steps:
        waited = (step.at - before.at).total_seconds() if before else 0
        if waited >= _GAP_S:
            rows.append(f"<li class=gap>{html.escape(duration(waited))} later</li>")
        rows.append(_step(step, before, zone))
        before = step
    st.html(f"<style>{css()}</style><ol class=story>{''.join(rows)}</ol>")


def _step(step: Step, before: Step | None, zone: tzinfo) -> str:
    local = step.at.astimezone(zone)
    is_same_day = before is not None and before.at.astimezone(zone).date() == local.date()
    clock = f"{local:%H:%M:%S}" if is_same_day else f"{local:%a} {local.day} {local:%b %H:%M:%S}"
    dot = f' class=decides style="--dot:{fill(step.outcome, theme())}"' if step.outcome in OUTCOMES else ""
    where = " ".join(part for part in (step.host, step.queue_id) if part)
    said = f"<span class=said>{escaped(step.said)}</span>" if step.said else ""
    return (
        f'<li{dot}><time datetime="{step.at:%Y-%m-%dT%H:%M:%SZ}" title="{step.at:%Y-%m-%d %H:%M:%S} UTC">{clock}</time> '
        f"{escaped(step.what)} <span class=where>{escaped(where)}</span>{said}</li>"
    )


def _recipients(told: Story) -> None:
    if not told.recipients:
        st.text("The log names none.")
        return
    rows = pd.DataFrame(
        {
            "outcome": [row["outcome"]],
            "recipient": visible(row["recipient"] or "(not named in the log)"),
            "attempts": row["attempts"],
            "code": visible(row["enhanced_code"] or row["smtp_code"] or ""),
        }
        for row in told.recipients
    )
    st.dataframe(
        rows,
        hide_index=True,
        height="content" if len(rows) <= 10 else 380,
        alt="Recipients of this message and what became of them",
        column_config={
            "outcome": chips(),
            "recipient": st.column_config.TextColumn("Recipient", width=200),
            "attempts": st.column_config.NumberColumn("Attempts", width=70),
            "code": st.column_config.TextColumn("Code", width=60),
        },
    )


def _notes(texts: Iterable[str]) -> None:
    st.html(
        f"<style>{css()}</style><ul class=notes>{''.join(f'<li>{escaped(text)}</li>' for text in texts)}</ul>"
    )


def no_match(found: Found, span: Span) -> None:
    """Nothing was found: what was looked for, where, and what else to try."""
    sentence("No message matches")
    st.text(f"Taken for: {found.kind_name}, then searched as text. {_searched(span)}")
    st.text(
        "Mail that came after the newest line is not in the lake yet (mailscope ingest). "
        "A domain or a part of an address finds more than a whole one."
    )


def gone(span: Span) -> None:
    """A link names a message that the lake does not hold."""
    sentence("That message is not in this lake")
    st.text(
        f"It may be older than the logs, or its first lines came in later and gave it another key. {_searched(span)}"
    )


def how_to_search(span: Span) -> None:
    """An empty box."""
    sentence("Did it arrive? Search for it")
    st.text(_searched(span, "The lake holds"))
