"""The report: what a postmaster reads in the morning, problems first.

A report is data: sections of metric rows with their titles and meanings. Terminal, HTML and JSON print the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import duckdb

from analysis import metrics
from analysis.problems import Problem, find_problems, headline
from analysis.values import records


class Column(NamedTuple):
    """One column of a section: where its values come from, its heading, and how they are written.

    `form` is text, count, mean, bytes, share, seconds, moment, second or day.
    """

    name: str
    heading: str
    form: str = "text"


class Plan(NamedTuple):
    """One section: its title, the metric and its parameters, and the columns shown."""

    title: str
    metric: str
    parameters: Mapping[str, metrics.Parameter]
    columns: tuple[Column, ...]
    is_whole: bool = False  # a time series is not cut to its top rows


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report, with the definition of its numbers; `more` rows were left out."""

    title: str
    meaning: str
    columns: tuple[Column, ...]
    rows: list[dict[str, Any]]
    more: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says."""

    headline: str
    first_at: datetime | None
    last_at: datetime | None
    hosts: list[str]
    lines: int
    problems: list[Problem]
    totals: dict[str, Any]
    totals_meaning: str
    sections: list[Section]


_NAME_AND_OUTCOMES: Final = (
    Column("recipients", "rcpts", "count"),
    Column("delivered", "sent", "count"),
    Column("deferred", "defer", "count"),
    Column("bounced", "bounce", "count"),
    Column("expired", "expire", "count"),
    Column("other", "other", "count"),
)
_SPAN: Final = (Column("first_at", "first", "moment"), Column("last_at", "last", "moment"))


def _by(title: str, by: str, heading: str, order: str = "recipients") -> Plan:
    columns = (
        Column("name", heading),
        Column("messages", "msgs", "count"),
        *_NAME_AND_OUTCOMES,
        Column("bytes_delivered", "bytes", "bytes"),
    )
    return Plan(title, "outcomes_by", {"by": by, "order": order}, columns)


_REPLY: Final = (
    Column("recipients", "rcpts", "count"),
    Column("attempts", "tries", "count"),
    Column("still_failing", "still", "count"),
    Column("enhanced_code", "code"),
    Column("main_domain", "mainly"),
    *_SPAN,
    Column("sample", "what they said"),
)
_RULE: Final = (
    Column("decisions", "times", "count"),
    Column("stage", "at"),
    Column("rule", "rule"),
    Column("clients", "clients", "count"),
    Column("later_accepted", "later ok", "count"),
    *_SPAN,
)
_DELAY: Final = (
    Column("recipients", "rcpts", "count"),
    Column("p50_delay_s", "median", "seconds"),
    Column("p95_delay_s", "95 %", "seconds"),
    Column("max_delay_s", "longest", "seconds"),
    Column("p95_before_queue_s", "before", "seconds"),
    Column("p95_in_queue_s", "queue", "seconds"),
    Column("p95_connect_s", "connect", "seconds"),
    Column("p95_transmit_s", "transmit", "seconds"),
)

_TRAFFIC: Final = (
    *_NAME_AND_OUTCOMES,
    Column("rejected", "reject", "count"),
    Column("bytes_delivered", "bytes", "bytes"),
)
_MEAN_TRAFFIC: Final = tuple(
    column._replace(form="mean" if column.form == "count" else column.form)
    for column in _TRAFFIC
    if column.name != "other"
)

SECTIONS: Final = (
    Plan("Per day", "traffic_over_time", {"step_s": 86_400}, (Column("bucket_at", "day", "day"), *_TRAFFIC), is_whole=True),
    Plan("Per hour of the day", "traffic_by_hour", {}, (Column("hour", "hour", "count"), *_MEAN_TRAFFIC), is_whole=True),
    _by("Destinations that fail most", "recipient_domain", "recipient domain", "not_delivered"),
    Plan("Why mail bounced", "failure_replies", {"status": "bounced"}, _REPLY),
    Plan("Why mail was deferred", "failure_replies", {"status": "deferred"}, _REPLY),
    Plan(
        "Connections that failed",
        "connection_failures",
        {},
        (Column("failures", "times", "count"), Column("relay_name", "server"), Column("relay_ip", "address"), Column("reason", "reason"), *_SPAN),
    ),
    Plan("Whom we rejected", "rejections_by_rule", {"action": "reject"}, _RULE),
    Plan("Reject warnings", "rejections_by_rule", {"action": "reject_warning"}, _RULE),
    Plan("Holds by rule", "rejections_by_rule", {"action": "hold"}, _RULE),
    Plan("Discards by rule", "rejections_by_rule", {"action": "discard"}, _RULE),
    Plan(
        "Failed logins",
        "auth_failures",
        {},
        (Column("failures", "times", "count"), Column("client_ip", "address"), Column("client_name", "name"), Column("users", "users", "count"), Column("succeeded_later", "in later"), *_SPAN),
    ),
    Plan("Delay by destination", "delay_by", {"by": "recipient_domain"}, (Column("name", "recipient domain"), *_DELAY)),
    Plan("Delay of hand-offs (filters, forwards, relays of ours)", "delay_by", {"by": "handoff"}, (Column("name", "hand-off"), *_DELAY)),
    Plan(
        "Attempts per delivered recipient",
        "attempts_per_delivered",
        {},
        (Column("attempts", "tries", "count"), Column("recipients", "rcpts", "count"), Column("share", "share", "share")),
    ),
    _by("Recipient domains", "recipient_domain", "recipient domain"),
    _by("Relays", "relay", "relay"),
    _by("Sender domains", "sender_domain", "sender domain"),
    _by("Senders", "sender", "sender"),
    _by("Senders by size", "sender", "sender", "bytes"),
    _by("Recipients", "recipient", "recipient"),
    _by("Clients", "client", "client"),
    _by("Users", "user", "user"),
    _by("Hosts", "host", "host"),
    Plan(
        "Services behind a load balancer",
        "services",
        {},
        (
            Column("frontend", "service"), Column("balancer", "balancer"), Column("connections", "conns", "count"), Column("not_served", "no server", "count"),
            Column("servers", "servers", "count"), Column("sessions", "sessions", "count"), Column("messages", "msgs", "count"),
            Column("rejections", "reject", "count"), Column("auth_failures", "logins failed", "count"), Column("p95_connect_s", "connect 95 %", "seconds"), *_SPAN,
        ),
    ),
    Plan(
        "A load test beside the servers",
        "load_test",
        {},
        (
            Column("bucket_at", "from", "moment"), Column("transactions", "tested", "count"), Column("failed", "failed", "count"), Column("users", "users", "count"),
            Column("p50_s", "median", "seconds"), Column("p95_s", "95 %", "seconds"), Column("accepted", "accepted", "count"),
            Column("rejected", "reject", "count"), Column("deferred", "defer", "count"), Column("p95_delay_s", "delivery 95 %", "seconds"),
        ),
        is_whole=True,
    ),
    Plan(
        "Warnings and errors of the server",
        "server_messages",
        {},
        (Column("lines", "lines", "count"), Column("kind", "kind"), Column("daemon", "daemon"), *_SPAN, Column("sample", "text")),
    ),
)  # fmt: skip


def build(
    connection: duckdb.DuckDBPyConnection,
    since: datetime | None = None,
    until: datetime | None = None,
    host: str | None = None,
    top: int = 10,
) -> Report:
    """The report of mail and lines from `since` until before `until`, each table cut to its `top` rows."""
    scope = {"since": since, "until": until, "host": host}
    [span] = records(metrics.run(connection, "span"))
    [totals] = records(metrics.run(connection, "totals", **scope))
    problems = find_problems(connection, since, until, host)
    return Report(
        headline=headline(problems, int(totals["recipients"])),
        first_at=since or span["first_at"],
        last_at=until or span["last_at"],
        hosts=[str(name) for name in span["hosts"] or ()],
        lines=int(span["lines"]),
        problems=problems,
        totals=totals,
        totals_meaning=metrics.metric("totals").meaning,
        sections=[_section(connection, plan, scope, top) for plan in SECTIONS],
    )


def _section(
    connection: duckdb.DuckDBPyConnection, plan: Plan, scope: Mapping[str, metrics.Parameter], top: int
) -> Section:
    rows = metrics.run(connection, plan.metric, **plan.parameters, **scope)
    shown = rows if plan.is_whole else rows.head(top)
    return Section(
        plan.title, metrics.metric(plan.metric).meaning, plan.columns, records(shown), len(rows) - len(shown)
    )
