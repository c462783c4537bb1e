"""Delivery lines: how Postfix spells delays, relays and results."""

from dataclasses import dataclass
from typing import NamedTuple

from .mail import Leg, Mail
from .plan import SECOND
from .site import MS, Site

# Source: log_adhoc.c, format_tv(): two significant digits, at most two decimals, no trailing zeros.
HUNDREDTHS = tuple(f"{n / 100:g}" for n in range(101))
TENTHS = tuple(f"{n / 10:g}" for n in range(101))


def seconds(duration: int) -> str:
    """A duration in microseconds as `delay=` has it."""
    if duration < 995_000:
        return HUNDREDTHS[(duration + 5_000) // 10_000]
    if duration < 9_950_000:
        return TENTHS[(duration + 50_000) // 100_000]
    return str((duration + SECOND // 2) // SECOND)


class Result(NamedTuple):
    """How an attempt for one recipient ended."""

    dsn: str
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the delivery lines of one transaction share. The relay's name is None if there was none."""

    tag: str  # program[pid]
    relay: str  # as logged, conn_use included
    relay_name: str | None
    wait: int  # in the queue manager
    connect: int
    transmit: int

    def ends(self, mail: Mail) -> int:
        """When the delivery lines are logged."""
        return mail.active + self.wait + self.connect + self.transmit

    def line(self, mail: Mail, leg: Leg, result: Result) -> str:
        """The delivery line of one recipient."""
        before = mail.active - mail.created
        total = before + self.wait + self.connect + self.transmit
        return (
            f"{self.tag}: {mail.queue_id}: to=<{leg.address}>{leg.orig_to}, relay={self.relay}, "
            f"delay={seconds(total)}, delays={seconds(before)}/{seconds(self.wait)}/{seconds(self.connect)}"
            f"/{seconds(self.transmit)}, dsn={result.dsn}, status={result.status} ({result.text})"
        )


def waiting(site: Site) -> int:
    """The queue manager's latency."""
    return site.between(1 * MS, 45 * MS)


def final(site: Site, mail: Mail, leg: Leg, transaction: Transaction, result: Result) -> None:
    """Log an attempt at the last hop, and settle the recipient if it was sent or bounced."""
    t = transaction.ends(mail)
    mail.host.log(t, transaction.line(mail, leg, result))
    site.attempted(leg, t, result.dsn, transaction.relay_name)
    if result.status != "deferred":
        site.settle(mail.host, leg.row, t, "delivered" if result.status == "sent" else result.status)


def handed_on(site: Site, mail: Mail, leg: Leg, transaction: Transaction, text: str) -> None:
    """Log a hand-off: another queue file goes on from here, and counts its own attempts."""
    t = transaction.ends(mail)
    mail.host.log(t, transaction.line(mail, leg, Result("2.0.0", "sent", text)))
    if t < site.end:
        leg.row.attempts -= leg.attempts
        leg.attempts = 0
        leg.row.enhanced_code = leg.row.relay = None
