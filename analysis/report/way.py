"""The way of one message, in a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from analysis.path import Step, Way, is_known_verdict
from analysis.report import Column
from analysis.report.terminal import print_logged, print_rows
from analysis.text import duration, visible

_HOPS: Final = (
    Column("hop", "hop", "count"),
    Column("at", "at (UTC)", "second"),
    Column("delay", "after"),
    Column("client", "from"),
    Column("by_host", "by"),
    Column("with_protocol", "with"),
    Column("tls", "TLS"),
    Column("hop_id", "id"),
    Column("source", ""),
)
_VERDICTS: Final = (
    Column("authserv_id", "said by"),
    Column("header", "in"),
    Column("method", "method"),
    Column("result", "result"),
    Column("domain", "domain"),
    Column("selector", "selector"),
    Column("source", ""),
)


def print_way(email: Mapping[str, Any], way: Way, console: Console) -> None:
    """The verdict, the hops from the first to the last, what servers said of the message, and what is odd."""
    console.print(Text(visible(way.verdict), style="bold"))
    console.print(
        Text(
            visible(
                f"Message-ID {email['message_id'] or 'none'}, from {', '.join(email['from_domains']) or 'nobody'}, "
                f"{email['hop_count']} Received headers, on the way for {duration(way.transit_s) if way.transit_s is not None else 'unknown'}"
            )
        )
    )
    for note in _notes(email):
        console.print(Text(visible(note)))
    print_rows("Hops, the first at the top", _HOPS, [_hop(step) for step in way.steps], console)
    print_logged(({"hop": step.hop["hop"], **step.log} for step in way.steps if step.log), console)
    verdicts = [
        {**verdict, "source": "yours" if is_known_verdict(way, verdict) else "claimed"}
        for verdict in email["verdicts"]
    ]
    print_rows("What servers said of the sender; anybody can claim it", _VERDICTS, verdicts, console)
    for finding in (*way.findings, *(f"the message: {defect}" for defect in email["defects"])):
        console.print(Text(f"· {visible(finding)}"))


_NOTES: Final = {
    "refusal": "Refused", "list_id": "Mailing list", "auto_submitted": "Auto-Submitted", "spam_flag": "Spam flag",
    "spam_score": "Spam score", "exchange_scl": "Exchange's spam confidence level",
}  # fmt: skip


def _notes(email: Mapping[str, Any]) -> Iterator[str]:
    """What else the headers say that explains the way."""
    signers = [f"{each['domain'] or '?'} ({each['selector'] or '?'})" for each in email["signatures"]]
    if signers:
        yield f"Signed by {', '.join(signers)}, as the message says"
    yield from (f"{what}: {email[column]}" for column, what in _NOTES.items() if email[column] is not None)


def _hop(step: Step) -> dict[str, Any]:
    hop = step.hop
    names = [
        hop["from_host"],
        f"({hop['from_helo']})" if hop["from_helo"] not in (None, hop["from_host"]) else None,
    ]
    return {
        **hop,
        "at": hop["received_at"],
        "delay": _delay(step),
        "client": " ".join(filter(None, (*names, f"[{hop['from_ip']}]" if hop["from_ip"] else None))) or "–",
        "tls": {True: hop["tls_version"] or "yes", False: "no", None: "?"}[hop["tls"]],
        "source": "yours" if step.is_known else "claimed",
    }


def _delay(step: Step) -> str:
    """`12 s`; bounds where clocks disagree."""
    if step.delay_s is None:
        return "–"
    if step.least_s == step.most_s:
        return "< 1 s" if step.delay_s < 1 else duration(step.delay_s)
    return f"≤ {duration(max(1.0, step.most_s))}" if step.most_s is not None else "unknown"
