"""The report, a trace and coverage for a terminal: aligned tables, colour only where a terminal takes it.

Every text from a log passes `visible()`, and none is read as markup.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.problems import Problem
from analysis.report import Column, Report, Section
from analysis.text import counted, visible, written
from analysis.trace import Search, Story

_SEVERITY_STYLE: Final = {1: "bold red", 2: "yellow", 3: "dim"}
_SEVERITY_WORD: Final = {1: "URGENT", 2: "look", 3: "note"}
_OUTCOME_STYLE: Final = {
    "delivered": "green", "deferred": "yellow", "bounced": "red", "expired": "magenta", "rejected": "cyan",
    "queued": "blue", "unknown": "dim",
}  # fmt: skip
_MAX_CELL: Final = 160
# (label, key of totals, form, indented)
TOTALS: Final = (
    ("messages accepted", "messages_accepted", "count", False),
    ("bytes accepted", "bytes_accepted", "bytes", False),
    ("recipients of these", "recipients", "count", False),
    ("delivered", "delivered", "count", True),
    ("bounced", "bounced", "count", True),
    ("expired (given up)", "expired", "count", True),
    ("discarded", "discarded", "count", True),
    ("mixed (alias, some members only)", "mixed", "count", True),
    ("deferred, still in the queue", "deferred", "count", True),
    ("on hold", "held", "count", True),
    ("deleted by an administrator", "deleted", "count", True),
    ("queued, not tried yet", "queued", "count", True),
    ("unknown (the log ends)", "unknown", "count", True),
    ("delivery rate", "delivery_rate", "share", False),
    ("bytes delivered", "bytes_delivered", "bytes", False),
    ("attempts to deliver", "attempts", "count", False),
    ("sent", "attempts_sent", "count", True),
    ("deferred", "attempts_deferred", "count", True),
    ("bounced", "attempts_bounced", "count", True),
    ("hand-offs (no deliveries)", "handoffs", "count", False),
    ("forwarded", "forwarded", "count", True),
    ("rejections", "rejected", "count", False),
    ("greylisted", "rejected_greylisted", "count", True),
    ("on a block list", "rejected_dnsbl", "count", True),
    ("reject warnings", "reject_warnings", "count", False),
    ("messages refused after their data", "messages_refused", "count", False),
    ("messages that clients gave up", "messages_aborted", "count", False),
    ("notifications we wrote", "notifications", "count", False),
    ("senders", "senders", "count", False),
    ("distinct recipients", "distinct_recipients", "count", False),
    ("client addresses", "clients", "count", False),
)


def print_report(report: Report, console: Console) -> None:
    """The whole report; sections without rows are left out."""
    console.print(Text(report.headline, style="bold"))
    span = f"{written(report.first_at, 'date')} to {written(report.last_at, 'date')} UTC"
    console.print(
        Text(f"{span} · hosts {', '.join(map(visible, report.hosts))} · {report.lines:,} log lines")
    )
    _print_problems(report.problems, console)
    _heading("Totals", console)
    for label, key, form, indented in TOTALS:
        value = written(report.totals[key], form)
        if value not in ("0", "–") or not indented:
            console.print(Text(f"{value:>14}  {'  ' if indented else ''}{label}"))
    for section in report.sections:
        print_section(section, console)


def _print_problems(problems: Sequence[Problem], console: Console) -> None:
    _heading("Problems, worst first", console)
    if not problems:
        console.print(Text("None found."))
    for problem in problems:
        mark = Text(f"{_SEVERITY_WORD[problem.severity]:>6}  ", style=_SEVERITY_STYLE[problem.severity])
        console.print(mark + Text(visible(problem.sentence), style="bold"))
        if problem.first_at:
            console.print(
                Text(
                    f"        since {written(problem.first_at, 'moment')}, last {written(problem.last_at, 'moment')}"
                )
            )
        if problem.detail:
            console.print(Text(f"        “{_short(problem.detail)}”", style="italic"))
        console.print(Text(f"        {problem.cure}"))


def print_section(section: Section, console: Console) -> None:
    """One table; the definition of its numbers is in the HTML report and in `--json`."""
    print_rows(section.title, section.columns, section.rows, console)
    if section.more:
        console.print(Text(f"… and {section.more:,} more", style="dim"))


def print_rows(
    title: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], console: Console
) -> None:
    """A titled table, or nothing where there are no rows."""
    if rows:
        _heading(title, console)
        console.print(_table(columns, rows))


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, style="bold underline"))


def _table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="dim")
    for column in columns:
        is_text = column.form == "text"
        # Identifying text gets the room that is left; numbers are never folded.
        table.add_column(
            column.heading, justify="left" if is_text else "right", overflow="fold", no_wrap=not is_text
        )
    for row in rows:
        table.add_row(*(Text(_short(written(row.get(column.name), column.form))) for column in columns))
    return table


def _short(text: str) -> str:
    text = visible(text)
    return text if len(text) <= _MAX_CELL else f"{text[: _MAX_CELL - 1]}…"


_HITS: Final = (
    Column("accepted_at", "accepted", "moment"),
    Column("outcomes", "outcome"),
    Column("sender", "from"),
    Column("recipient_list", "to"),
    Column("attempts", "attempts", "count"),
    Column("host", "host"),
    Column("queue_id", "queue id"),
)
_RECIPIENTS: Final = (
    Column("recipient", "recipient"),
    Column("outcome", "outcome"),
    Column("attempts", "attempts", "count"),
    Column("last_attempt_at", "last attempt", "moment"),
    Column("relay_name", "relay"),
)
_REFUSALS: Final = (
    Column("rejected_at", "refused", "moment"),
    Column("action", "action"),
    Column("stage", "at"),
    Column("client_ip", "client"),
    Column("sender", "from"),
    Column("recipient", "to"),
    Column("smtp_code", "code"),
    Column("reply", "reply"),
)

_HOPS: Final = (
    Column("hop", "hop", "count"),
    Column("received_at", "at (UTC)", "second"),
    Column("from_ip", "from"),
    Column("by_host", "by"),
    Column("with_protocol", "with"),
    Column("hop_id", "id"),
)
_LOGGED: Final = (
    Column("hop", "hop", "count"),
    Column("log_host", "in the log of"),
    Column("log_tls_version", "TLS in"),
    Column("attempts", "attempts", "count"),
    Column("log_delay_s", "delay", "seconds"),
    Column("before_queue_s", "before queue", "seconds"),
    Column("in_queue_s", "in queue", "seconds"),
    Column("connect_s", "connect", "seconds"),
    Column("transmit_s", "transmit", "seconds"),
    Column("relay_name", "to"),
    Column("relay_tls_version", "TLS out"),
    Column("status", "status"),
)


def print_logged(rows: Iterable[Mapping[str, Any]], console: Console) -> None:
    """What logs have of Received headers; those that no log knows are left out."""
    known = [row for row in rows if row["log_host"]]
    print_rows("The same in your logs: TLS, attempts, parts of the delay", _LOGGED, known, console)
    for row in known:
        if row["reply"]:
            console.print(Text(f"hop {row['hop']}: “{_short(row['reply'])}”", style="italic"))


def print_search(search: Search, story: Story | None, console: Console) -> None:
    """What was found, and the story of the newest message."""
    console.print(
        Text(
            f"Read as {search.kind_name}: {counted(len(search.messages), 'message')}, {counted(len(search.refusals), 'decision')} against mail"
        )
    )
    if len(search.messages) > 1:
        print_rows("Messages, newest first", _HITS, [_hit(row) for row in search.messages[:20]], console)
    print_rows("Decisions, newest first", _REFUSALS, search.refusals[:20], console)
    if story:
        print_story(story, console)


def _hit(row: Mapping[str, Any]) -> dict[str, Any]:
    recipients = row["recipient_list"] or []
    named = ", ".join(recipients[:2]) + (f" and {len(recipients) - 2} more" if len(recipients) > 2 else "")
    return {**row, "outcomes": ", ".join(row["outcomes"] or [row["intake"]]), "recipient_list": named}


def print_story(story: Story, console: Console) -> None:
    """The verdict, the steps in order, the raw lines, and what they do not show."""
    message = story.message
    _heading(story.verdict, console)
    console.print(Text(visible(f"from <{message['sender'] or ''}>  Message-ID {message['message_id'] or 'unknown'}  {written(message['size_bytes'], 'bytes')}")))  # fmt: skip
    for step in story.steps:
        where = f"{step.host or '?'} {step.queue_id or ''}"
        style = _OUTCOME_STYLE.get(step.outcome or "", "")
        console.print(
            Text(f"{step.at:%Y-%m-%d %H:%M:%S}  {visible(where):<22}  ")
            + Text(visible(step.what), style=style)
        )
        if step.said:
            console.print(Text(f"    “{_short(step.said)}”", style="italic"))
    if len(story.recipients) > 1:
        print_rows("Recipients", _RECIPIENTS, story.recipients, console)
    print_rows("Received headers of an e-mail with its Message-ID", _HOPS, story.hops, console)
    print_logged(story.hops, console)
    _heading(f"Lines behind it ({len(story.lines)})", console)
    for line in story.lines:
        console.print(Text(visible(line)), soft_wrap=True)
    if story.gaps:
        _heading("What the logs do not show", console)
        for gap in story.gaps:
            console.print(Text(f"- {visible(gap)}"))
