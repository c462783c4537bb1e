"""Trace: what became of a message, told across its queue ids, with the lines behind it and what they do not show."""

import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final

import duckdb

from analysis.text import duration

LIMIT: Final = 200
_MARGIN: Final = timedelta(seconds=2)

Row = Mapping[str, Any]

_KINDS: Final = {
    "queue_id": "queue id", "message_id": "Message-ID", "address": "address (sender or recipient)",
    "domain": "domain", "client": "client or relay", "text": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a message: when, on which host under which queue id, and the log's words for it.

    `outcome` is the colour of the step: an outcome's name, or None for a step that decides nothing. `phase` orders
    steps of the same second as a message lives them: acceptance, hand-off, delivery, end.
    """

    at: datetime
    host: str | None
    queue_id: str | None
    what: str
    said: str | None = None
    outcome: str | None = None
    phase: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """One message: a sentence, its steps in order, its recipients, the raw lines, and what they do not show.

    `hops` are the Received headers of an e-mail with its Message-ID, where one was ingested; the first at the top.
    """

    message: Row
    verdict: str
    steps: list[Step]
    recipients: list[Row]
    lines: list[str]
    gaps: list[str]
    hops: list[Row] = field(default_factory=list)


# Postfix' short and long ones, Exim's of 16 and of 23 characters.
_QUEUE_ID: Final = re.compile(
    r"[0-9A-F]{5,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}"
    r"|[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})"
)


@dataclass(frozen=True, slots=True)
class Search:
    """What a search was taken for, and what it found."""

    query: str
    kind: str
    kind_name: str
    messages: list[Row] = field(default_factory=list)
    refusals: list[Row] = field(default_factory=list)


def kind_of(query: str) -> str:
    """What a query most likely is, read left to right: <Message-ID>, address, client address, queue id, domain, text."""
    query = query.strip()
    if query.startswith("<") and query.endswith(">"):
        return "message_id"
    if _is_ip(query):
        return "client"
    if re.fullmatch(r"[^@\s]+@[^@\s]+", query):
        return "address"
    if _QUEUE_ID.fullmatch(query):
        return "queue_id"
    if re.fullmatch(r"@?[\w-]+(\.[\w-]+)+", query):
        return "domain"
    return "text"


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def search(
    connection: duckdb.DuckDBPyConnection, query: str, kind: str | None = None, limit: int = LIMIT
) -> Search:
    """Messages and refusals that match, newest first.

    Where the likeliest kind finds nothing, others are tried: a bare Message-ID looks like an address, a relay's name
    like a domain.
    """
    query = query.strip()
    first = kind or kind_of(query)
    others = (
        ()
        if kind
        else {"address": ("message_id", "text"), "domain": ("client", "text")}.get(first, ("text",))
    )
    for each in (first, *others):
        found = _search(connection, query, each, limit)
        if found.messages or found.refusals:
            return found
    return nothing_found(query, first)


def nothing_found(query: str, kind: str | None = None) -> Search:
    """A search without a hit."""
    kind = kind or kind_of(query)
    return Search(query.strip(), kind, _KINDS[kind])


def _search(connection: duckdb.DuckDBPyConnection, query: str, kind: str, limit: int) -> Search:
    parameters = {
        "query": query.removeprefix("@") if kind == "domain" else query,
        "kind": kind,
        "limit": limit,
    }
    return Search(
        query,
        kind,
        _KINDS[kind],
        _rows(connection, "found", parameters),
        _rows(connection, "refused", parameters),
    )


def tell(connection: duckdb.DuckDBPyConnection, key: str) -> Story | None:
    """The story of the message with that key, or None if the lake does not hold it."""
    family = _rows(connection, "family", {"key": key})
    if not family:
        return None
    first = next((row for row in family if row["message_key"] == key), family[0])
    since = min(row["accepted_at"] for row in family) - _MARGIN
    until = max(_end_of(row) for row in family) + _MARGIN
    keys = [row["message_key"] for row in family]
    attempts = _rows(connection, "attempts", {"keys": keys, "since": since, "until": until})
    recipients = _rows(connection, "outcomes", {"key": key})
    steps = sorted(
        (*_message_steps(family), *map(_attempt_step, attempts)), key=lambda step: (step.at, step.phase)
    )
    return Story(
        first,
        _verdict(first, recipients),
        steps,
        recipients,
        list(_lines(connection, family)),
        list(_gaps(first, family, attempts, recipients)),
        _hops(connection, family),
    )


def _hops(connection: duckdb.DuckDBPyConnection, family: Iterable[Row]) -> list[Row]:
    message_ids = sorted({row["message_id"] for row in family if row["message_id"]})
    hops = _rows(connection, "hops", {"message_ids": message_ids}) if message_ids else []
    found = logged_hops(connection, hops, message_ids)
    return [{**hop, **found.get(hop["hop"], _NOT_LOGGED)} for hop in hops]


_LOGGED: Final = (
    "log_host", "matched", "message_key", "accepted_at", "log_client_ip", "log_tls_version", "attempts", "status", "relay_name",
    "relay_tls_version", "log_delay_s", "before_queue_s", "in_queue_s", "connect_s", "transmit_s", "reply",
)  # fmt: skip
_NOT_LOGGED: Final = dict.fromkeys(_LOGGED)


def logged_hops(
    connection: duckdb.DuckDBPyConnection, hops: Sequence[Row], message_ids: Collection[str] = ()
) -> dict[int, Row]:
    """What the lake's logs have of hops, by number: the message with a hop's id, or with its Message-ID on its host."""
    if not hops:
        return {}
    parameters: dict[str, object] = {
        f"{name}s": [hop[name] for hop in hops] for name in ("hop", "hop_id", "by_host", "received_at")
    }
    parameters["next_hosts"] = [*(hop["by_host"] for hop in hops[1:]), None]
    rows = _rows(connection, "logged_hops", parameters | {"message_ids": list(message_ids)})
    return {row["hop"]: {name: row[name] for name in _LOGGED} for row in rows}


def _rows(connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, object]) -> list[Row]:
    text = files(__name__).joinpath(f"{name}.sql").read_text("utf-8")
    rows: list[Row] = connection.sql(text, params=dict(parameters)).to_arrow_table().to_pylist()
    return rows


def _end_of(message: Row) -> datetime:
    moments: tuple[datetime | None, ...] = (
        message["removed_at"],
        message["last_logged_at"],
        message["accepted_at"],
    )
    return max(moment for moment in moments if moment)


def _lines(connection: duckdb.DuckDBPyConnection, family: list[Row]) -> Iterator[str]:
    found = {}
    for message in family:
        parameters = {name: message[name] for name in ("queue_id", "host", "instance", "server")} | {
            "since": message["accepted_at"] - _MARGIN,
            "until": _end_of(message) + _MARGIN,
        }
        for row in _rows(connection, "lines", parameters):
            found[row["logged_at"], row["source_id"], row["line_no"]] = row["line"]
    lines = [line for _, line in sorted(found.items()) if line is not None]
    yield from lines
    if len(lines) < len(found):
        yield f"({len(found) - len(lines)} lines are known by their fields only: their text is past its retention)"


_LINK_WORDS: Final = {
    "filter": "Came back from the content filter", "forward": "Forwarded as a new message",
    "relay": "Taken over by the next server", "requeue": "Put back into the queue under a new id",
    "bounce": "Wrote a bounce to the sender", "delay": "Wrote a delay warning to the sender",
    "dsn": "Wrote a delivery report to the sender", "postmaster": "Wrote a notice to the postmaster",
}  # fmt: skip


def _message_steps(family: list[Row]) -> Iterator[Step]:
    for message in family:
        where = (message["host"], message["queue_id"])
        link = _LINK_WORDS.get(message["link_kind"] or "")
        if link:
            yield Step(message["accepted_at"], *where, f"{link} (evidence: {message['link_evidence']})")
        else:
            yield Step(message["accepted_at"], *where, _acceptance(message))
        if message["intake"] in ("refused", "aborted", "held", "discarded"):
            yield Step(message["accepted_at"], *where, _INTAKE_WORDS[message["intake"]], message["refusal"], _INTAKE_OUTCOME[message["intake"]], 3)  # fmt: skip
        if message["expired_at"]:
            yield Step(
                message["expired_at"], *where, "Gave up: it was in the queue for too long", None, "expired", 3
            )
        if message["removed_at"]:
            yield Step(message["removed_at"], *where, "Left the queue", phase=4)


_INTAKE_WORDS: Final = {
    "refused": "Refused at the end of its data", "aborted": "The client went away before it was complete",
    "held": "Put on hold by a rule", "discarded": "Thrown away by a rule",
}  # fmt: skip
_INTAKE_OUTCOME: Final = {
    "refused": "rejected",
    "aborted": "unknown",
    "held": "queued",
    "discarded": "unknown",
}


def _acceptance(message: Row) -> str:
    if message["origin"] == "pickup":
        return "Written on this host (sendmail command)"
    if message["origin"] != "smtp":
        return "First seen"
    client = f"{message['client_name'] or 'unknown'} [{message['client_ip'] or 'unknown'}]"
    user = f", user {message['sasl_username']}" if message["sasl_username"] else ""
    tls = f", {message['tls_version']}" if message["tls_version"] else ""
    return f"Came in from {client}{user}{tls}"


_STATUS_WORDS: Final = {
    "sent": "Delivered to", "deferred": "Deferred by", "bounced": "Refused by", "discarded": "Thrown away by",
    "expired": "Gave up on",
}  # fmt: skip
# Nobody else had a part in it, or was reached.
_ALONE_WORDS: Final = {
    "sent": "Delivered", "deferred": "Deferred", "bounced": "Refused", "discarded": "Thrown away", "expired": "Gave up",
}  # fmt: skip
_STATUS_OUTCOME: Final = {
    "sent": "delivered", "deferred": "deferred", "bounced": "bounced", "discarded": "unknown", "expired": "expired",
}  # fmt: skip


def _attempt_step(attempt: Row) -> Step:
    relay = attempt["relay_name"] or attempt["relay_ip"]
    words = _STATUS_WORDS if relay else _ALONE_WORDS
    verb = "Handed to" if attempt["is_handoff"] else words.get(attempt["status"], attempt["status"])
    tls = f" over {attempt['tls_version']}" if attempt["tls_version"] else ""
    return Step(
        attempt["attempted_at"],
        attempt["host"],
        attempt["queue_id"],
        f"{attempt['recipient']}: {verb} {relay or ''}".rstrip() + tls,
        attempt["reply"],
        None if attempt["is_handoff"] else _STATUS_OUTCOME.get(attempt["status"]),
        1 if attempt["is_handoff"] else 2,
    )


def _verdict(message: Row, recipients: list[Row]) -> str:
    """One sentence: how many recipients fared how, or why there are none."""
    if message["intake"] in ("refused", "aborted"):
        return _INTAKE_WORDS[message["intake"]]
    outcomes = [row["outcome"] for row in recipients]
    if len(outcomes) == 1:
        [row] = recipients
        tried_again = row["attempts"] > max(1, len(row["final_recipients"] or ()))
        tries = f", {row['attempts']} attempts" if tried_again else ""
        took = (
            row["last_attempt_at"] - row["accepted_at"]
            if row["last_attempt_at"] and row["accepted_at"]
            else None
        )
        after = f" after {duration(took.total_seconds())}" if took is not None else ""
        return f"{row['outcome'].capitalize()}{after}{tries}"
    counted = ", ".join(f"{outcomes.count(name)} {name}" for name in dict.fromkeys(sorted(outcomes)))
    return f"{len(outcomes)} recipients: {counted}" if outcomes else "No recipient is known"


def _gaps(first: Row, family: list[Row], attempts: list[Row], recipients: list[Row]) -> Iterator[str]:
    """What the evidence does not show, said plainly."""
    if first["origin"] == "internal" and not first["message_id"]:
        yield "How it came in: its first lines are not in the log."
    finals = [row for row in attempts if row["status"] == "sent" and not row["is_handoff"]]
    remote = sorted({str(row["relay_name"] or row["relay_ip"]) for row in finals if row["relay_port"]})
    if remote:
        yield f"What {', '.join(remote[:3])} did after accepting it: inbox, spam folder or nothing."
    if any(row["relay_port"] is None for row in finals):
        yield "Whether a mailbox rule (Sieve, procmail) filed or threw it away after local delivery."
    if any(row["outcome"] in ("queued", "deferred") for row in recipients):
        last = max(_end_of(row) for row in family)
        yield f"What happened after {last:%Y-%m-%d %H:%M:%S} UTC: the log shows no later line of it; it may still be in the queue."
    if any(row["outcome"] == "unknown" for row in recipients):
        yield "How it ended: the log ends, or has a gap, before the answer."
    if any(row["recipient"] is None for row in recipients):
        yield "Who all of the recipients are: they were counted, but not tried."
