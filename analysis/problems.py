"""Problems in words: what was found, and the first thing to do about it."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import Any, Final, NamedTuple

import duckdb

from analysis import metrics
from analysis.text import counted
from analysis.values import records

# kind, or kind/server where a server has words and tools of its own: (sentence, cure). What the log says is kept apart,
# so that each medium can make it safe.
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "account_abused": (
        "{amount:,} of {total:,} recipients that {subject} wrote to were not reached: the account may be abused",
        "Change its password and end its sessions; look at its client addresses with `mailscope trace USER`.",
    ),
    "password_guessed": (
        "{subject} logged in from an address that had failed {amount:,} times before",
        "Ask the user; if it was not theirs, change the password and look at what was sent since.",
    ),
    "server_fatal": (
        "{subject} stopped with a fatal error, {times}",
        "Read the message; mail waits in the queue until the daemon runs again.",
    ),
    "server_fatal/exim": (
        "Exim found itself in trouble, {times}",
        "Read the message; what stands in Exim's panic log must be mended, then the log emptied so that the next one is seen.",
    ),
    "destination_refuses": ("{subject} refuses our mail to {amount:,} of {total:,} recipients: {cause}", "{cure}"),
    "destination_unreachable": ("{subject} was not reached for {amount:,} of {total:,} recipients: {cause}", "{cure}"),
    "destination_defers": ("{subject} keeps {amount:,} of {total:,} recipients waiting: {cause}", "{cure}"),
    "password_guessing": (
        "{subject} guess passwords: {amount:,} failed logins",
        "Block the busiest at the firewall (fail2ban) and require long passwords; none of it needs haste if no login succeeded.",
    ),
    "filter_slow": (
        "The content filter was slow ({subject}): {amount:,} recipients in slow hours",
        "Compare its load and its DNS look-ups in those hours; mail waits before the queue meanwhile.",
    ),
    "mail_held": (
        "Mail for {recipients} is on hold on {subject}",
        "It waits until somebody releases or deletes it.",
    ),
    "mail_held/postfix": (
        "Mail for {recipients} is on hold on {subject}",
        "Look at it with `postqueue -p`; `postsuper -H ID` releases, `postsuper -d ID` deletes.",
    ),
    "mail_held/exim": (
        "Mail for {recipients} is frozen or held on {subject}",
        "Look at it with `exim -bp` and `exim -Mvl ID`; `exim -Mt ID` thaws, `exim -Mrm ID` removes.",
    ),
    "fate_unknown": (
        "What became of mail for {recipients} on {subject} is not in the log",
        "The log begins, ends or has a gap there: ingest the neighbouring files too.",
    ),
    "lines_not_understood": (
        "{amount:,} of {total:,} mail lines of {subject} were not understood",
        "`mailscope coverage` shows them; numbers are without these lines.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: `severity` 1 (act now) to 3 (know it), a sentence, a cure, and the log's own words for it."""

    severity: int
    kind: str
    subject: str
    sentence: str
    cure: str
    detail: str | None
    amount: int
    first_at: datetime | None
    last_at: datetime | None


def find_problems(
    connection: duckdb.DuckDBPyConnection,
    since: datetime | None = None,
    until: datetime | None = None,
    host: str | None = None,
) -> list[Problem]:
    """Problems of the mail accepted and the lines logged from `since` until before `until`, worst first."""
    rows = metrics.run(connection, "problems", since=since, until=until, host=host)
    return [_problem(row) for row in records(rows)]


def _problem(row: Mapping[Any, Any]) -> Problem:
    sentence, cure = _WORDS.get(f"{row['kind']}/{row['server']}") or _WORDS[row["kind"]]
    code = _code(row["code"])
    total = int(row["total"] or 0)
    subject, amount = str(row["subject"] or "(unknown)"), int(row["amount"])
    return Problem(
        severity=int(row["severity"]),
        kind=row["kind"],
        subject=subject,
        sentence=sentence.format(
            subject=subject,
            amount=amount,
            times=counted(amount, "time"),
            recipients=counted(amount, "recipient"),
            total=total,
            cause=code.cause,
        ),
        cure=cure.format(cure=code.cure),
        detail=row["detail"],
        amount=amount,
        first_at=row["first_at"],
        last_at=row["last_at"],
    )


class Code(NamedTuple):
    """What an enhanced status code (RFC 3463) or a reply code means to a postmaster, and the first thing to do."""

    cause: str
    cure: str


@cache
def _codes() -> Mapping[str, Code]:
    text = files("analysis.seeds").joinpath("codes.csv").read_text("utf-8")
    return {row["code"]: Code(row["cause"], row["cure"]) for row in csv.DictReader(StringIO(text))}


def _code(code: object) -> Code:
    """The code's own entry, else that of its class; where there is none, nobody on the other side said anything."""
    text = code if isinstance(code, str) else ""
    return (
        _codes().get(text)
        or _codes().get(text[:1])
        or Code("no server gave an answer", "Read the text; check DNS and the route.")
    )


def headline(problems: list[Problem], recipients: int) -> str:
    """One sentence that answers "is mail flowing?"."""
    if not recipients and not problems:
        return "No mail in this time."
    urgent = sum(problem.severity == 1 for problem in problems)
    others = sum(problem.severity == 2 for problem in problems)
    if urgent:
        return f"Mail needs attention: {counted(urgent, 'urgent problem')}" + (
            f", {others} more" if others else ""
        )
    if others:
        return f"Mail is flowing, with {counted(others, 'problem')}"
    return "Mail is flowing; nothing needs attention"
