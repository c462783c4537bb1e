"""What to simulate: how long, how much, on which servers. The checked-in sample is one plan among others."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

# "exim" is its default, "exim-all" that of log_selector = +all with log_timezone.
Stamps = Literal["bsd", "rfc3339", "exim", "exim-all"]

SECOND = 1_000_000  # every moment and duration of the simulator is a whole number of microseconds
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """A moment as microseconds since 1970: integers, since floats would blur the last digits."""
    return (moment - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a server's log, and the software that wrote it."""

    file: str = "mail.log"
    until: datetime | None = None
    stamps: Stamps = "rfc3339"
    postfix: str = "3.7.11"


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One mail server: what it does, and how it logs."""

    name: str
    ip: str
    inbound: bool
    outbound: bool
    long_ids: bool = False
    parts: tuple[Part, ...] = (Part(),)
    outage: tuple[datetime, datetime] | None = None  # Postfix is stopped in between


@dataclass(frozen=True, slots=True)
class EximPlan:
    """One Exim server beside the others: it has dice of its own, so they write the same with it and without it."""

    name: str
    ip: str
    parts: tuple[Part, ...] = (Part("mainlog", stamps="exim"),)
    events: int = 420  # conversations, more or less


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides what is written: the same plan gives the same bytes."""

    hosts: tuple[HostPlan, ...]
    start: datetime = datetime(2026, 11, 2, tzinfo=UTC)
    days: int = 7
    lines: int = 20_000
    seed: int = 1
    lifetime_days: float = 5.0  # Postfix's maximal_queue_lifetime
    exim: EximPlan | None = None


MAX_HOSTS = 20


def farm(count: int, stamps: Stamps = "rfc3339", *, long_ids: bool = False) -> tuple[HostPlan, ...]:
    """`count` servers: one that does all, or as many that receive as send, in turn: mx1, out1, mx2, ..."""
    if not 1 <= count <= MAX_HOSTS:
        raise ValueError(f"{count} hosts; there can be 1 to {MAX_HOSTS}")
    parts = (Part(stamps=stamps),)
    if count == 1:
        return (HostPlan("mx1", "192.0.2.10", inbound=True, outbound=True, long_ids=long_ids, parts=parts),)
    return tuple(
        HostPlan(f"out{n // 2 + 1}", f"192.0.2.{20 + n // 2}", False, True, long_ids, parts)
        if n % 2
        else HostPlan(f"mx{n // 2 + 1}", f"192.0.2.{10 + n // 2}", True, False, long_ids, parts)
        for n in range(count)
    )


# mx1 is upgraded from Debian 11 to 12 in the night to Thursday: rsyslog's default stamps, Postfix and the
# name of the re-injection service change with it.
ROTATION = datetime(2026, 11, 5, tzinfo=UTC)

SAMPLE = Plan(
    hosts=(
        HostPlan(
            "mx1",
            "192.0.2.10",
            inbound=True,
            outbound=False,
            parts=(Part("mail.log.1.gz", ROTATION, "bsd", "3.5.25"), Part()),
            outage=(ROTATION - timedelta(seconds=469.616), ROTATION + timedelta(seconds=371.283)),
        ),
        HostPlan("out1", "192.0.2.20", inbound=False, outbound=True, long_ids=True),
    ),
    seed=20261102,
    lifetime_days=2.0,
    exim=EximPlan(
        "ex1",
        "192.0.2.40",
        (Part("mainlog.1", ROTATION, "exim"), Part("mainlog", stamps="exim-all")),
    ),
)
