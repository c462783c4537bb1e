"""The way of one message from its Received headers: whom to believe, where it waited, whose clock was wrong.

Only what our own servers wrote is known; everything before is as claimed, because a sender can write any header. A hop
that a log of ours confirms is known wherever it stands, so mail that we sent is told as well as mail that we got.
Times come from many clocks. The largest set of hops whose times do not contradict each other (our own counting most)
is taken to be right; the others' clocks are then wrong by at least so much, and a delay beside them is a bound.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, TypeAlias

from analysis.text import duration
from ingest.headers.clocks import Clock, compare, transit_s

Row = Mapping[str, Any]
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_SLOW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """One hop on the way.

    `delay_s` is the time since the hop before as the two clocks have it, which may be negative; what it really was lies
    between `least_s` and `most_s` (None: unknown). `skew_s`: the hop's clock is wrong by at least so much, positive if
    it was ahead. `log` is what a log of ours has of it, as `analysis.trace.logged_hops` tells.
    """

    hop: Row
    is_known: bool  # written by a server of ours, or confirmed by its log; otherwise as claimed
    is_internal: bool
    delay_s: float | None = None
    least_s: float | None = None
    most_s: float | None = None
    skew_s: float = 0.0
    remarks: list[str] = field(default_factory=list)
    log: Row | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A message's way: its steps, the oldest first, and what there is to say about it, the most telling first.

    `own` are the hosts and domains that were taken for ours; that many of the newest steps are known (`newest_known`).
    """

    steps: list[Step]
    transit_s: float | None
    verdict: str  # us or them, in a line
    findings: list[str]
    own: Collection[str] = ()
    newest_known: int = 0


def read_way(
    hops: Sequence[Row],
    own: Collection[str] = (),
    logged: Mapping[int, Row] | None = None,
    sent_at: datetime | None = None,
) -> Way:
    """The way that rows of `hops` tell, the oldest first.

    `own` are hosts by name (a domain means all hosts in it), and networks. Without any host, the server that wrote the
    newest header is taken for ours, and its domain. `logged` are the rows of our logs, by number of hop; `sent_at` is
    the message's Date.
    """
    logged = logged or {}
    own_networks = [network for network in map(_network, own) if network]
    own_hosts = {host.lower() for host in own if not _network(host)}
    ours = own_hosts or _assumed(hops)
    is_known = _known(hops, ours, logged)
    times = [hop["received_at"].timestamp() if hop["received_at"] else None for hop in hops]
    clocks = compare(times, [len(hops) if known else 1 for known in is_known])
    steps = [
        _step(hop, known, clock, own_networks, logged.get(hop["hop"]))
        for hop, known, clock in zip(hops, is_known, clocks, strict=True)
    ]
    for before, step in pairwise(steps):
        step.remarks.extend(_contradictions(before, step))
    for step in steps:
        step.remarks.extend(_oddities(step))
    passed_s = transit_s(times, clocks)
    findings = [*_findings(steps, bool(own_hosts)), *_date_findings(steps, sent_at)]
    newest_known = (*is_known[::-1], False).index(False)
    return Way(steps, passed_s, _verdict(steps, passed_s), findings, sorted(ours), newest_known)


def collapsed(way: Way) -> Way:
    """The same way without the hops within one host or organisation; delays are then from one organisation to the next."""
    between = [step for step in way.steps if not step.is_internal]
    times = [step.hop["received_at"].timestamp() if step.hop["received_at"] else None for step in between]
    clocks = compare(times, [len(between) if step.is_known else 1 for step in between])
    steps = [
        replace(step, delay_s=clock.delay_s, least_s=clock.least_s, most_s=clock.most_s)
        for step, clock in zip(between, clocks, strict=True)
    ]
    return replace(way, steps=steps)


def _step(hop: Row, is_known: bool, clock: Clock, networks: Collection[Network], log: Row | None) -> Step:
    address = _address(hop["from_ip"])
    is_internal = hop["is_internal"] or any(address in network for network in networks if address)
    return Step(hop, is_known, is_internal, clock.delay_s, clock.least_s, clock.most_s, clock.skew_s, log=log)


def is_known_verdict(way: Way, verdict: Row) -> bool:
    """Whether a verdict is of a server of ours, and was written there: RFC 8601 section 5 has the sender's forgeries."""
    return verdict["received_above"] < way.newest_known and _is_own(verdict["authserv_id"], way.own)


def _assumed(hops: Sequence[Row]) -> set[str]:
    """The host that wrote the newest header, and its domain if that is one of a name with three labels or more."""
    host = next((hop["by_host"].lower() for hop in reversed(hops) if hop["by_host"]), "")
    _, _, domain = host.partition(".")
    return {host, domain} - {""} if "." in domain and not _address(host) else {host} - {""}


def _is_own(host: str | None, own: Collection[str]) -> bool:
    """A host by its whole name, by the first part of it as logs have it, or by its domain."""
    name = (host or "").lower()
    short = name.partition(".")[0]
    return any(each in (name, short) or name.endswith(f".{each}") for each in own)


def _known(hops: Sequence[Row], own: Collection[str], logged: Collection[int]) -> list[bool]:
    """Which hops servers of ours wrote: the newest ones, those that a log has, and those of a filter between ours."""
    newest = True
    known = []
    for hop in reversed(hops):
        newest = newest and (_is_own(hop["by_host"], own) or (_is_local(hop) and hop["hop"] > 1))
        known.append(newest or hop["hop"] in logged)
    known.reverse()
    for place, (hop, before) in enumerate(zip(hops[1:], known[:-1], strict=True), start=1):
        known[place] = known[place] or (before and _is_local(hop) and hop["is_internal"])
    return known


def _is_local(hop: Row) -> bool:
    return hop["by_host"] is None or hop["by_host"].lower() in ("localhost", "localhost.localdomain")


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text or "")
    except ValueError:
        return None


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _contradictions(before: Step, step: Step) -> list[str]:
    """What a hop says against the one before."""
    remarks = []
    by = (before.hop["by_host"] or "").lower()
    names = {(step.hop[name] or "").lower().strip("[]") for name in ("from_helo", "from_host")} - {""}
    if by and names and not any(_same_domain(by, name) for name in names) and not step.is_internal:
        remarks.append(
            f"it got the message from {' / '.join(sorted(names))}, but the hop before was written by {by}"
        )
    if _is_from_nowhere(before, step):
        remarks.append(
            f"it got the message from another organisation at {step.hop['from_ip']}, which is an address within one"
        )
    if before.hop["raw"] == step.hop["raw"]:
        remarks.append("the same header twice")
    return remarks


def _is_from_nowhere(before: Step, step: Step) -> bool:
    """A private address where a public one must be: between servers of two organisations that have public names."""
    address, by, by_before = _address(step.hop["from_ip"]), step.hop["by_host"], before.hop["by_host"]
    if not (step.hop["is_internal"] and address and not address.is_loopback and by and by_before):
        return False
    names = (by_before, step.hop["from_helo"] or "", step.hop["from_host"] or "")
    return (
        _is_public_name(by)
        and _is_public_name(by_before)
        and not any(_same_domain(by, name) for name in names)
    )


def _is_public_name(name: str) -> bool:
    """With a domain, and one that the whole world can look up (RFC 6762 appendix G has names for within)."""
    _, dot, top = name.lower().rpartition(".")
    return bool(dot) and top.isalpha() and top not in _WITHIN


_WITHIN: Final = frozenset(
    {"local", "localdomain", "lan", "intranet", "internal", "private", "corp", "home", "arpa"}
)


def _same_domain(one: str, other: str) -> bool:
    return one.lower().split(".")[-2:] == other.lower().split(".")[-2:]


# What a server of that name writes: Postfix bounce(5) queue ids and smtpd(8), Exim specification "Message
# identification", sendmail's 8- and 14-character ids, Exchange's build numbers; RFC 3848 for the words of `with`.
_MAIL: Final = r"(?:UTF8)?[EL]?SMTPS?A?|LMTPS?A?"
_SHAPES: Final = {
    ("postfix", "hop_id"): r"[0-9A-F]{5,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}",
    ("postfix", "with_protocol"): rf"{_MAIL}|QMQP|QMTP|BOUNCE",
    ("exim", "hop_id"): r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}",
    ("exim", "with_protocol"): rf"{_MAIL}|LOCAL|BSMTP|ASMTP|.*-.*|HTTPS?",  # `local-smtp`, and what -oMr says
    ("gmail", "by_host"): r"(?:[\w.-]+\.)?google\.com|[0-9a-f:.]+",
    ("exchange", "hop_id"): r"\d{1,3}(?:\.\d{1,5}){2,3}|[\w-]{8,32}|\S+@\S+",
    ("exchange_online", "hop_id"): r"\d{1,3}(?:\.\d{1,5}){2,3}|[\w-]{8,64}",
    ("sendmail", "hop_id"): r"[0-9A-Za-z]{7,16}",
    ("opensmtpd", "hop_id"): r"[0-9a-f]{8}",
}
_WRITES: Final = {
    key: re.compile(shape, re.IGNORECASE if key[1] != "hop_id" else 0) for key, shape in _SHAPES.items()
}
_WORDS: Final = {"hop_id": "id", "with_protocol": "protocol", "by_host": "name of a host"}
_ZONED: Final = frozenset({"postfix", "exim", "gmail", "exchange", "exchange_online", "opensmtpd", "haraka"})


def _oddities(step: Step) -> list[str]:
    """What is odd about a hop by itself."""
    hop, remarks = step.hop, list[str]()
    if step.skew_s:
        remarks.append(
            f"its clock is at least {duration(abs(step.skew_s))} {'ahead' if step.skew_s > 0 else 'behind'}"
        )
    for (server, column), shape in _WRITES.items():
        if server == hop["server"] and hop[column] and not shape.fullmatch(hop[column]):
            remarks.append(f"{hop[column]!r} is no {_WORDS[column]} that {server} writes")
    if hop["server"] == "postfix" and hop["from_helo"] and not hop["from_ip"]:
        remarks.append("there is no address of the client, which postfix always writes")
    if hop["server"] in _ZONED and hop["received_at"] and hop["utc_offset_s"] is None:
        remarks.append(f"its date has no zone, which {hop['server']} always writes")
    if hop["tls"] is False and not step.is_internal:
        remarks.append("not encrypted")
    return remarks


def _verdict(steps: Sequence[Step], passed_s: float | None) -> str:
    """Us or them: who had the message for how long, from one right clock to the next."""
    if passed_s is None:
        return "The headers do not tell how long the message took"
    if not any(step.is_known for step in _right(steps)):
        return f"It took {_span(passed_s)}, as claimed; no server on the way is known as yours"
    if passed_s < _SLOW_S:
        return f"Nobody kept it; it took {_span(passed_s)}"
    if all(step.is_known for step in steps):
        return f"You kept it for {_span(passed_s)}; all servers are yours"
    ours = sum(max(0.0, _passed(pair)) for pair in pairwise(_right(steps)) if pair[0].is_known)
    theirs = max(0.0, passed_s - ours)
    return (
        f"They kept it for {_span(theirs)}, you for {_span(ours)}"
        if theirs >= ours
        else f"You kept it for {_span(ours)}, they for {_span(theirs)}"
    )


def _right(steps: Iterable[Step]) -> list[Step]:
    """Those whose clocks are right."""
    return [step for step in steps if step.hop["received_at"] and not step.skew_s]


def _span(seconds: float) -> str:
    """Clocks in headers have whole seconds."""
    return "under a second" if seconds < 1 else duration(seconds)


def _findings(steps: Sequence[Step], is_told: bool) -> list[str]:
    findings = []
    slowest = max(pairwise(_right(steps)), key=_passed, default=None)
    if slowest and _passed(slowest) >= _SLOW_S:
        findings.append(f"slowest: {_span(_passed(slowest))} from {_name(slowest[0])} to {_name(slowest[1])}")
    entry = next((step for step in _right(steps) if step.is_known), None)
    if entry and not steps[0].is_known:
        findings.append(f"{_name(entry)} took it over at {entry.hop['received_at']:%Y-%m-%d %H:%M:%S} UTC")
    findings += [f"{_label(step)}: {_logged(step.log)}" for step in steps if step.log]
    findings += [f"{_label(step)}: {remark}" for step in steps for remark in step.remarks]
    findings += _loops(steps)
    claimed = [step.hop["hop"] for step in steps if not step.is_known]
    if claimed:
        findings.append(f"{_hops(claimed)}: as claimed; only what your own servers wrote is known")
    if not is_told and steps:
        findings.append(f"taken for yours: {', '.join(sorted(_assumed([step.hop for step in steps])))}")
    return findings


def _hops(numbers: Sequence[int]) -> str:
    """`hop 1`, `hops 1 to 3`, `hops 1 to 3, 5`."""
    begins = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    spans = (f"{one}" if one == two else f"{one} to {two}" for one, two in zip(begins, ends, strict=True))
    return f"hop{'s' * (len(numbers) > 1)} {', '.join(spans)}"


def _logged(log: Row) -> str:
    """What our log says of a message that a hop took over."""
    where = f"your log of {log['log_host']} has it by its {log['matched']}"
    if not log["attempts"]:
        return f"{where}; there is no attempt to deliver it"
    tries = f"{log['attempts']} attempts" if log["attempts"] > 1 else "one attempt"
    return f"{where}; {tries}, {log['status']} after {_span(log['log_delay_s'] or 0.0)}"


def _date_findings(steps: Sequence[Step], sent_at: datetime | None) -> list[str]:
    """A Date far from when the first server had the message: the sender's clock, or a message that lay about."""
    first = next(iter(_right(steps)), None)
    if not first or not sent_at:
        return []
    apart_s = (first.hop["received_at"] - sent_at).total_seconds()
    if abs(apart_s) < _SLOW_S:
        return []
    if apart_s > 0:
        return [
            f"its Date is {duration(apart_s)} before {_name(first)} had it: it waited there, or the sender's clock is wrong"
        ]
    return [
        f"its Date is {duration(-apart_s)} after {_name(first)} had it: the sender's clock is wrong, or that hop is made up"
    ]


def _passed(pair: tuple[Step, Step]) -> float:
    before, after = pair
    passed: float = (after.hop["received_at"] - before.hop["received_at"]).total_seconds()
    return passed


def _label(step: Step) -> str:
    host = step.hop["by_host"]
    return f"hop {step.hop['hop']} ({host})" if host else f"hop {step.hop['hop']}"


def _name(step: Step) -> str:
    return step.hop["by_host"] or f"hop {step.hop['hop']}"


def _loops(steps: Sequence[Step]) -> list[str]:
    """The same server again, after another: a loop, or a filter beside it."""
    hosts = [step.hop["by_host"] for step in steps if step.hop["by_host"] and not step.is_internal]
    runs = [host for number, host in enumerate(hosts) if number == 0 or hosts[number - 1] != host]
    again = sorted({host for host in runs if runs.count(host) > 1})
    return [
        f"{host} had it {runs.count(host)} times, with others between: a loop, or a forward back"
        for host in again
    ]
