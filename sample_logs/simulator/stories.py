"""What a postmaster would tell about the week: stories as data. Hours count from the first day's midnight.

A Rule changes what a destination answers; a Burst is traffic that only its story sends. Both mark the truth.
"""

from dataclasses import dataclass

from .providers import (
    BIGMAIL_RATE_LIMITED,
    BIGMAIL_UNAUTHENTICATED,
    CONNECT_TIMEOUT,
    GREYLISTED,
    MEGAMAIL_OVER_QUOTA,
    MEGAMAIL_QUOTA_GIVEN_UP,
    Reply,
)
from .world import NEWS_DOMAIN

MON, TUE, WED, THU, FRI, SAT, SUN = range(0, 168, 24)

HIJACKED = "t.weber@example.org"
FULL_MAILBOX = "h.brandt@megamail.example"
DEAD_DOMAIN = "oldpartner.example"
BANK_DOMAIN = "kestrel-bank.example"


@dataclass(frozen=True, slots=True)
class Rule:
    """From `start` to `end`, mail that matches gets `reply` (None: the destination's "no such user")."""

    story: str
    start: float
    end: float
    reply: Reply | None
    domain: str | None = None
    recipient: str | None = None
    sender: str | None = None
    sender_domain: str | None = None
    first_attempt: bool = False
    chance: float = 1.0


@dataclass(frozen=True, slots=True)
class Burst:
    """`count` times `kind` (a key of traffic.KINDS), spread over the hours; more of them in a larger log.

    `lines` is what one of them brings, measured: so much is kept free of other traffic.
    """

    story: str | None
    kind: str
    start: float
    end: float
    count: int
    lines: float
    to: str = ""


RULES = (
    Rule("dmarc", THU + 3.6, SAT + 11, BIGMAIL_UNAUTHENTICATED, "bigmail.example", sender_domain=NEWS_DOMAIN),
    Rule("greylisting", TUE + 9, TUE + 11, GREYLISTED, BANK_DOMAIN, first_attempt=True),
    Rule("mailbox-full", MON + 10, SAT, MEGAMAIL_OVER_QUOTA, recipient=FULL_MAILBOX),
    Rule("mailbox-full", SAT, SUN + 24, MEGAMAIL_QUOTA_GIVEN_UP, recipient=FULL_MAILBOX),
    Rule("dead-mx", WED + 8, SUN + 24, CONNECT_TIMEOUT, DEAD_DOMAIN),
    Rule("compromised-account", FRI + 13, FRI + 16, None, sender=HIJACKED, chance=0.3),
    Rule("compromised-account", FRI + 14.25, FRI + 16, BIGMAIL_RATE_LIMITED, "bigmail.example"),
)

SLOW_FILTER = (WED + 13.0, WED + 17.0)
HIJACK_ENDS = FRI + 15.2  # the postmaster locks the account and deletes what is still queued

BURSTS = (
    Burst("greylisting", "write_to", TUE + 9, TUE + 11, 26, lines=14, to=BANK_DOMAIN),
    Burst("mailbox-full", "write_to", MON + 10, SUN + 12, 8, lines=100, to=FULL_MAILBOX),
    Burst("dead-mx", "write_to", WED + 8.2, SUN + 20, 10, lines=170, to=DEAD_DOMAIN),
    Burst("password-guessing", "guess", THU + 22, FRI + 5, 130, lines=4.5),
    Burst("compromised-account", "hijack", FRI + 13, FRI + 15, 50, lines=66),
    Burst("compromised-account", "hijack_locked_out", HIJACK_ENDS, FRI + 17, 9, lines=4.5),
)

# The newsletter's nightly batch: ordinary traffic (no story) until bigmail starts to refuse it.
NIGHTLY = tuple(Burst(None, "newsletter", day + 3.5, day + 4.3, 4, lines=68) for day in range(0, 168, 24))
