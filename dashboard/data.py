"""The one door to analysis: every number and every text of a page comes through here.

One DuckDB instance a state of the lake, one cursor a question, answers cached until the lake changes, text made
visible. Pages see DataFrames and plain objects, never SQL and never the database.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import duckdb
import pandas as pd
import streamlit as st

from analysis import metrics, problems, trace
from analysis.path import Way, read_way
from analysis.problems import Problem
from analysis.text import duration, visible
from analysis.trace import Story
from analysis.warehouse import open_lake
from ingest.errors import MailscopeError
from ingest.headers.messages import read_messages
from ingest.headers.pasted import keep_pasted
from ingest.headers.rows import Rows, rows_of

LAKE_VARIABLE: Final = "MAILSCOPE_LAKE"
CONFIG_VARIABLE: Final = "MAILSCOPE_CONFIG"  # the site's file, where the front door was told one
TIME_LIMIT_S: Final = 10
SHOWN: Final = 200
# DuckDB's `time_bucket` counts its steps from this Monday.
_ORIGIN: Final = pd.Timestamp("2000-01-03", tz="UTC")
# A host whose newest line is that much older than the lake's newest is silent.
_SILENT: Final = timedelta(hours=3)

Answer = TypeVar("Answer")
Parameters = Mapping[str, metrics.Parameter]


class TooSlowError(Exception):
    """A question took longer than TIME_LIMIT_S and was stopped."""


class LakeState(StrEnum):
    """What there is to show."""

    MISSING = "missing"
    EMPTY = "empty"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Window:
    """A time range, half-open, and a host (None is all of them)."""

    since: datetime
    until: datetime
    host: str | None = None

    @property
    def step_s(self) -> int:
        """How long a bucket of a chart is."""
        return metrics.step_for((self.until - self.since).total_seconds(), at_most=170)

    @property
    def before(self) -> "Window":
        """The window of the same length just before this one."""
        return replace(self, since=self.since - (self.until - self.since), until=self.since)

    @property
    def scope(self) -> dict[str, metrics.Parameter]:
        """The window as parameters of a metric."""
        return {"since": self.since, "until": self.until, "host": self.host}


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when the lake has lines, and of which hosts; `silent` are those that stopped before the others."""

    first_at: datetime
    last_at: datetime
    hosts: tuple[str, ...]
    silent: Mapping[str, datetime]

    @property
    def age(self) -> timedelta:
        """How old the newest line is."""
        return datetime.now(UTC) - self.last_at


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: messages and refusals as tables, and the keys of the messages in the same order."""

    kind_name: str
    keys: list[str]
    messages: pd.DataFrame
    refusals: pd.DataFrame
    is_cut: bool


# ---- the lake


def lake_path() -> Path:
    """The lake that the dashboard shows."""
    return Path(os.environ.get(LAKE_VARIABLE) or "lake")


def version() -> int:
    """A number that changes when the lake does."""
    lake = lake_path()
    folders = (lake, lake / "sources", lake / "outcomes", *(lake / "outcomes").glob("date=*"))
    return hash(tuple(folder.stat().st_mtime_ns for folder in folders if folder.exists()))


def state() -> LakeState:
    """Whether there is a lake, and whether any line in it was understood."""
    if not (lake_path() / "sources").is_dir():
        return LakeState.MISSING
    if not (lake_path() / "messages").is_dir() or pd.isna(_one("span")["last_at"]):
        return LakeState.EMPTY
    return LakeState.READY


def span() -> Span:
    """From when to when the lake has lines, and of which hosts."""
    whole = _one("span")
    hosts = _rows("hosts", {}).to_dict("records")
    last_at = whole["last_at"].to_pydatetime()
    return Span(
        whole["first_at"].to_pydatetime(),
        last_at,
        tuple(row["host"] for row in hosts),
        {row["host"]: row["last_at"].to_pydatetime() for row in hosts if last_at - row["last_at"] > _SILENT},
    )


@st.cache_resource(max_entries=2, show_spinner=False)
def _database(path: str, stamp: int) -> duckdb.DuckDBPyConnection:  # the stamp is part of the key
    connection = open_lake(Path(path))
    # GLOBAL, because cursors do not inherit what is only SET.
    connection.execute(f"SET GLOBAL max_execution_time = {TIME_LIMIT_S * 1000}")
    return connection


def _cursor() -> duckdb.DuckDBPyConnection:
    return _database(str(lake_path()), version()).cursor()


def _ask(question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
    """The answer of a fresh cursor; asked again if an ingest was just putting new files into place."""
    try:
        return question(_cursor())
    except duckdb.InterruptException as error:
        raise TooSlowError from error
    except (duckdb.IOException, duckdb.CatalogException):
        time.sleep(0.3)
        return question(_cursor())


# ---- metrics


def metric(name: str) -> metrics.Metric:
    """Title and meaning of a metric: the definition that stands beside its numbers."""
    return metrics.metric(name)


def numbers(window: Window) -> dict[str, Any]:
    """The totals of a window, its delay, the share not delivered, and the queue at its end; NaN is not known."""
    row = _one("delay", window.scope) | _one("totals", window.scope)
    queue = _one("queue_at", {"at": window.until, "host": window.host})
    lost = sum(row[name] for name in ("bounced", "expired", "mixed", "deferred"))
    share = lost / row["recipients"] if row["recipients"] else float("nan")
    return (
        row
        | {"not_delivered": lost, "not_delivered_share": share}
        | {f"queue_{name}": queue[name] for name in queue}
    )


def course(window: Window) -> pd.DataFrame:
    """One row a step of the window, none missing: recipients by outcome, refusals, delay, messages in the queue.

    Counts are 0 where nothing happened; a delay is missing where nothing was delivered.
    """
    return _course(str(lake_path()), version(), window)


def failing_destinations(window: Window, limit: int = 12) -> pd.DataFrame:
    """Recipient domains with recipients that were not reached, most first."""
    rows = _rows(
        "outcomes_by", window.scope | {"by": "recipient_domain", "order": "not_delivered", "limit": limit}
    )
    return rows[rows["not_delivered"] > 0]


def find_problems(window: Window) -> list[Problem]:
    """What needs attention, worst first; its texts are visible, its subject is as in the log."""
    return _problems(str(lake_path()), version(), window)


def headline(found: list[Problem], recipients: int) -> str:
    """One sentence: is mail flowing?"""
    return problems.headline(found, recipients)


# Kinds of problems whose subject is something that Trace can look for.
_SOUGHT: Final = frozenset(
    {
        "account_abused",
        "password_guessed",
        "destination_refuses",
        "destination_unreachable",
        "destination_defers",
    }
)


def query_of(problem: Problem) -> str | None:
    """What to type into Trace to see the mail behind a problem."""
    return problem.subject if problem.kind in _SOUGHT else None


def _one(name: str, parameters: Parameters | None = None) -> dict[str, Any]:
    return _record(str(lake_path()), version(), name, dict(parameters or {}))


@st.cache_data(max_entries=400, show_spinner=False)
def _record(path: str, stamp: int, name: str, parameters: dict[str, metrics.Parameter]) -> dict[str, Any]:
    # Kept as a plain dict: unpacking a row of a DataFrame takes longer than the whole rest of a cache hit.
    [row] = _readable(_ask(lambda cursor: metrics.run(cursor, name, **parameters))).to_dict("records")
    return {str(key): value for key, value in row.items()}


def _rows(name: str, parameters: Parameters) -> pd.DataFrame:
    return _answer(str(lake_path()), version(), name, dict(parameters))


@st.cache_data(max_entries=400, show_spinner=False)
def _answer(path: str, stamp: int, name: str, parameters: dict[str, metrics.Parameter]) -> pd.DataFrame:
    return _readable(_ask(lambda cursor: metrics.run(cursor, name, **parameters)))


@st.cache_data(max_entries=100, show_spinner=False)
def _problems(path: str, stamp: int, window: Window) -> list[Problem]:  # the cache's key
    found = _ask(lambda cursor: problems.find_problems(cursor, window.since, window.until, window.host))
    return [
        replace(each, sentence=visible(each.sentence), detail=each.detail and visible(each.detail))
        for each in found
    ]


@st.cache_data(max_entries=100, show_spinner=False)
def _course(path: str, stamp: int, window: Window) -> pd.DataFrame:  # the cache's key
    step = pd.Timedelta(seconds=window.step_s)
    first = _ORIGIN + (pd.Timestamp(window.since) - _ORIGIN) // step * step
    buckets = pd.date_range(first, window.until, freq=step, inclusive="left", name="bucket_at")
    parameters = window.scope | {"step_s": window.step_s}
    traffic, delay, queue = (
        _rows(name, parameters).set_index("bucket_at").reindex(buckets)
        for name in ("traffic_over_time", "delay_over_time", "queue_over_time")
    )
    counts = traffic.drop(columns="bytes_delivered").fillna(0).astype("int64")
    delays = delay[["p50_delay_s", "p95_delay_s"]]
    in_queue = queue["messages"].ffill().fillna(0).astype("int64").rename("in_queue")
    return pd.concat([counts, delays, in_queue], axis=1).reset_index()


def warm(window: Window) -> None:
    """Asks what the first page will ask, so that its first viewer finds the answers."""
    for each in (window, window.before):
        numbers(each)
    course(window)
    find_problems(window)
    failing_destinations(window)


# ---- trace


def search(query: str) -> Found:
    """Messages and refusals that match, newest first, at most SHOWN of each."""
    return _search(str(lake_path()), version(), query)


def story(key: str) -> Story | None:
    """The story of the message with that key; None if the lake does not hold it. Its texts are as in the log."""
    return _story(str(lake_path()), version(), key)


@st.cache_data(max_entries=100, show_spinner=False)
def _search(path: str, stamp: int, query: str) -> Found:  # the cache's key
    found = _ask(lambda cursor: trace.search(cursor, query, limit=SHOWN + 1))
    rows = found.messages[:SHOWN]
    return Found(
        found.kind_name,
        [row["message_key"] for row in rows],
        _readable(pd.DataFrame([_result(row) for row in rows])),
        _readable(pd.DataFrame([_refusal(row) for row in found.refusals[:SHOWN]])),
        len(found.messages) > SHOWN or len(found.refusals) > SHOWN,
    )


@st.cache_data(max_entries=100, show_spinner=False)
def _story(path: str, stamp: int, key: str) -> Story | None:  # the cache's key
    return _ask(lambda cursor: trace.tell(cursor, key))


# ---- headers


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message's headers say, and the way that they tell."""

    email: Mapping[str, Any]
    way: Way


def ways(text: bytes, own: Sequence[str] = ()) -> list[Letter]:
    """The messages in a text, at most SHOWN; the hosts that the lake has logs of are ours, and those said to be."""
    is_ready = state() == LakeState.READY
    letters = (rows_of(message) for message in islice(read_messages([text]), SHOWN))
    hosts = [*own, *(span().hosts if is_ready else ())]
    return [_letter(rows, hosts, is_ready=is_ready) for rows in letters]


def keep(text: bytes) -> str:
    """Keeps the messages in a text in the lake; the sentence that says so, or why not."""
    config = os.environ.get(CONFIG_VARIABLE)
    try:
        kept = keep_pasted(lake_path(), text, Path(config) if config else None)
    except MailscopeError as error:
        return f"Not kept: {error}."
    if not kept.new_messages:
        return "The lake has it already."
    return f"Kept as {kept.name}: `mailscope forget` with that name takes it out again."


def _letter(rows: Rows, hosts: Sequence[str], *, is_ready: bool) -> Letter:
    ids = [rows.email["message_id"]] if rows.email["message_id"] else []
    logged = _ask(lambda cursor: trace.logged_hops(cursor, rows.hops, ids)) if is_ready else {}
    return Letter(rows.email, read_way(rows.hops, hosts, logged, rows.email["sent_at"]))


# What a message without recipients of its own came to, by its intake.
_INTAKE_OUTCOME: Final = {"refused": "rejected", "held": "held", "discarded": "discarded"}


def _result(row: trace.Row) -> dict[str, Any]:
    recipients = row["recipient_list"] or []
    more = f" and {len(recipients) - 1} more" if len(recipients) > 1 else ""
    took = row["last_attempt_at"] - row["accepted_at"] if row["last_attempt_at"] else None
    return {
        "outcome": row["outcomes"] or [_INTAKE_OUTCOME.get(row["intake"], "unknown")],
        "accepted_at": row["accepted_at"],
        "recipient": f"{recipients[0]}{more}" if recipients else None,
        "sender": "<>" if row["sender"] == "" else row["sender"],
        "reply": row["reply"],
        "attempts": row["attempts"],
        "took": duration(max(0, took.total_seconds())) if took is not None else None,
        "host": row["host"],
        "queue_id": row["queue_id"],
    }


def _refusal(row: trace.Row) -> dict[str, Any]:
    client = f"{row['client_name'] or 'unknown'} [{row['client_ip'] or 'unknown'}]"
    names = ("rejected_at", "sender", "recipient", "reply", "rule", "stage", "helo", "host")
    return (
        {name: row[name] for name in names[:3]} | {"client": client} | {name: row[name] for name in names[3:]}
    )


# ---- text


def _readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with every text in them made visible: a table draws what it is given."""
    texts = [
        name
        for name in rows.columns
        if rows[name].dtype == object or pd.api.types.is_string_dtype(rows[name].dtype)
    ]
    return rows.assign(**{name: rows[name].map(_seen) for name in texts})


def _seen(value: Any) -> Any:  # noqa: ANN401  # any cell
    if isinstance(value, str):
        return visible(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_seen(each) for each in value] if isinstance(value, list) else value
