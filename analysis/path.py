"""The way of one message from its Received headers: whom to believe, where it waited, whose clock was wrong.

Only what our own servers wrote is known; everything before is as claimed, because a sender can write any header.
Times come from many clocks. The largest set of hops whose times do not contradict each other (our own counting most)
is taken to be right; the others' clocks are then wrong by at least so much, and a delay beside them is a bound.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, TypeAlias

from analysis.text import duration

Row = Mapping[str, Any]
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# Addresses that only mean something within one organisation (RFC 1918, 3927, 4193, 4291, 6598). Those of documentation
# are none of them, unlike what `ipaddress` calls private.
_INTERNAL: Final = tuple(
    map(
        ipaddress.ip_network,
        "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 169.254.0.0/16 100.64.0.0/10 fc00::/7 fe80::/10 ::1/128".split(),
    )
)
# Whole seconds, and clocks kept by NTP: less says nothing.
_TOLERANCE_S: Final = 1.0
_SLOW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """One hop on the way.

    `delay_s` is the time since the hop before as the two clocks have it, which may be negative; what it really was lies
    between `least_s` and `most_s` (None: unknown). `skew_s`: the hop's clock is wrong by at least so much, positive if
    it was ahead.
    """

    hop: Row
    is_known: bool  # written by a server of ours; otherwise as claimed
    is_internal: bool
    delay_s: float | None = None
    least_s: float | None = None
    most_s: float | None = None
    skew_s: float = 0.0
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Way:
    """A message's way: its steps, the oldest first, and what there is to say about it, the most telling first.

    `own` are the hosts and domains that were taken for ours.
    """

    steps: list[Step]
    transit_s: float | None
    verdict: str  # us or them, in a line
    findings: list[str]
    own: Collection[str] = ()


def read_way(hops: Sequence[Row], own: Collection[str] = ()) -> Way:
    """The way that rows of `hops` tell, the oldest first.

    `own` are hosts by name (a domain means all hosts in it), and networks. Without any host, the server that wrote the
    newest header is taken for ours, and its domain.
    """
    own_networks = [network for network in map(_network, own) if network]
    own_hosts = {host.lower() for host in own if not _network(host)}
    ours = own_hosts or _assumed(hops)
    known = _known(hops, ours)
    clocks = _clocks(hops, known)
    steps = [
        Step(hop, hop["hop"] > known, _is_internal(hop, own_networks), *clocks[number])
        for number, hop in enumerate(hops)
    ]
    for before, step in pairwise(steps):
        step.remarks.extend(_contradictions(before, step))
    for step in steps:
        step.remarks.extend(_oddities(step))
    transit_s = _transit(steps)
    verdict, findings = _verdict(steps, transit_s), _findings(steps, bool(own_hosts))
    return Way(steps, transit_s, verdict, findings, sorted(ours))


def is_known_verdict(way: Way, verdict: Row) -> bool:
    """Whether a verdict is of a server of ours, and was written there: RFC 8601 section 5 has the sender's forgeries."""
    known = sum(step.is_known for step in way.steps)
    return verdict["received_above"] < known and _is_own(verdict["authserv_id"], way.own)


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


def _known(hops: Sequence[Row], own: Collection[str]) -> int:
    """The number of the newest hop that a server of somebody else wrote; 0 if all are ours."""
    for hop in reversed(hops):
        local = hop["by_host"] is None or hop["by_host"].lower() in ("localhost", "localhost.localdomain")
        if not (_is_own(hop["by_host"], own) or (local and hop["hop"] > 1)):
            return int(hop["hop"])
    return 0


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


def _is_internal(hop: Row, networks: Collection[Network]) -> bool:
    """Within one host or one organisation: loopback, private addresses, local protocols, or no client at all."""
    address = _address(hop["from_ip"])
    if address is None:
        return hop["from_helo"] is None or hop["with_protocol"] in ("LOCAL", "MAPI", "HTTP", "LMTP")
    return any(address in network for network in (*_INTERNAL, *networks))


def _clocks(hops: Sequence[Row], known: int) -> list[tuple[float | None, float | None, float | None, float]]:
    """Delay, its least and most, and skew of each hop, in seconds."""
    times = [hop["received_at"].timestamp() if hop["received_at"] else None for hop in hops]
    right = _consistent(times, [len(hops) if hop["hop"] > known else 1 for hop in hops])
    told: list[tuple[float | None, float | None, float | None, float]] = []
    for number, at in enumerate(times):
        before = _neighbour(times, right, range(number - 1, -1, -1))
        after = _neighbour(times, right, range(number + 1, len(times)))
        previous = times[number - 1] if number else None
        delay = at - previous if at is not None and previous is not None else None
        skew = 0.0
        if at is not None and number not in right:
            skew = (
                at - after
                if after is not None and at > after
                else at - before
                if before is not None and at < before
                else 0.0
            )
        if delay is None:
            told.append((None, None, None, skew))
        elif number in right and number - 1 in right:
            told.append((delay, delay, delay, skew))
        else:
            end = at if number in right else after
            told.append((delay, 0.0, None if end is None or before is None else max(0.0, end - before), skew))
    return told


def _neighbour(times: Sequence[float | None], right: Collection[int], places: range) -> float | None:
    return next((times[place] for place in places if place in right), None)


def _consistent(times: Sequence[float | None], weights: Sequence[int]) -> set[int]:
    """The places of the heaviest series of times that never goes back by more than the tolerance."""
    best: dict[int, tuple[int, int | None]] = {}
    for place, at in enumerate(times):
        if at is None:
            continue
        earlier = [(best[other][0], other) for other in best if (times[other] or 0.0) <= at + _TOLERANCE_S]
        weight, other = max(earlier, default=(0, None), key=lambda pair: pair[0])
        best[place] = (weight + weights[place], other)
    right: set[int] = set()
    last = max(best, key=lambda place: best[place][0], default=None)
    while last is not None:
        right.add(last)
        last = best[last][1]
    return right


def _transit(steps: Sequence[Step]) -> float | None:
    """From the first to the last clock that is right."""
    times = [step.hop["received_at"] for step in _right(steps)]
    return max(0.0, (times[-1] - times[0]).total_seconds()) if len(times) > 1 else None


def _contradictions(before: Step, step: Step) -> list[str]:
    """What a hop says against the one before."""
    remarks = []
    if step.skew_s:
        direction = "ahead" if step.skew_s > 0 else "behind"
        remarks.append(f"its clock is at least {abs(step.skew_s):.0f} s {direction}")
    by = (before.hop["by_host"] or "").lower()
    names = {(step.hop[name] or "").lower().strip("[]") for name in ("from_helo", "from_host")} - {""}
    if by and names and not any(_same_domain(by, name) for name in names) and not step.is_internal:
        remarks.append(
            f"it got the message from {' / '.join(sorted(names))}, but the hop before was written by {by}"
        )
    if before.hop["raw"] == step.hop["raw"]:
        remarks.append("the same header twice")
    return remarks


def _same_domain(one: str, other: str) -> bool:
    return one.split(".")[-2:] == other.split(".")[-2:]


# Ids that a server of that name can write: Postfix bounce(5) queue ids, Exim spec "Message identification".
_IDS: Final = {
    "postfix": re.compile(r"[0-9A-F]{5,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}"),
    "exim": re.compile(r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}"),
}


def _oddities(step: Step) -> list[str]:
    """What is odd about a hop by itself."""
    hop, remarks = step.hop, []
    shape = _IDS.get(hop["server"] or "")
    if shape and hop["hop_id"] and not shape.fullmatch(hop["hop_id"]):
        remarks.append(f"{hop['hop_id']!r} is no id that {hop['server']} writes")
    if hop["tls"] is False and not step.is_internal:
        remarks.append("not encrypted")
    return remarks


def _verdict(steps: Sequence[Step], transit_s: float | None) -> str:
    """Us or them: how much of the way was before the first server of ours."""
    if transit_s is None:
        return "The headers do not tell how long the message took"
    ours = _right(step for step in steps if step.is_known)
    if not ours:
        return f"It took {_span(transit_s)}, as claimed; the last server is not yours"
    inside = max(0.0, (ours[-1].hop["received_at"] - ours[0].hop["received_at"]).total_seconds())
    if transit_s < _SLOW_S:
        return f"Nobody kept it; it took {_span(transit_s)}"
    if all(step.is_known for step in steps):
        return f"You kept it for {_span(transit_s)}; all servers are yours"
    theirs = max(0.0, transit_s - inside)
    first, second = (f"They kept it for {_span(theirs)}", f"you for {_span(inside)}")
    return (
        f"{first}, {second}"
        if theirs >= inside
        else f"You kept it for {_span(inside)}, they for {_span(theirs)}"
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
    findings += [
        f"hop {step.hop['hop']} ({_name(step)}): {remark}" for step in steps for remark in step.remarks
    ]
    findings += _loops(steps)
    claimed = [step for step in steps if not step.is_known]
    if claimed:
        limit = f"hop 1 to {claimed[-1].hop['hop']}" if len(claimed) > 1 else "hop 1"
        findings.append(f"{limit}: as claimed; only what your own servers wrote is known")
    if not is_told and steps:
        findings.append(f"taken for yours: {', '.join(sorted(_assumed([step.hop for step in steps])))}")
    return findings


def _passed(pair: tuple[Step, Step]) -> float:
    before, after = pair
    passed: float = (after.hop["received_at"] - before.hop["received_at"]).total_seconds()
    return passed


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
