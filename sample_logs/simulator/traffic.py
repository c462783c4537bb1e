"""All kinds of traffic, and how much of each an ordinary hour holds."""

from itertools import accumulate

from . import abuse, inbound, outbound
from .site import Host, Kind, Site

# Relative frequencies; rejects are plenty on an MX, submission sees little but users.
INBOUND: tuple[tuple[float, Kind], ...] = (
    (64, inbound.inbound),
    (9, abuse.unknown_recipient),
    (2.5, abuse.relay_attempt),
    (4, abuse.listed_client),
    (5, abuse.greylisted),
    (2, abuse.unknown_sender_domain),
    (0.7, abuse.too_big),
    (1.5, abuse.bad_helo),
    (2.5, abuse.silent),
    (5, abuse.pregreet),
    (7, abuse.screened_out),
    (2, inbound.second_recipient),
    (2, inbound.bounce_to_us),
    (2, inbound.verified),
    (2, inbound.checked("milter-reject")),
    (1, inbound.checked("discard")),
    (2, inbound.checked("hold")),
    (1, inbound.cron),
)
OUTBOUND: tuple[tuple[float, Kind], ...] = (
    (52, outbound.submission),
    (14, outbound.app_mail),
    (4, abuse.guess),
    (2, inbound.cron),
)

# What the stories' bursts may ask for; all of it happens on an outbound server.
KINDS: dict[str, Kind] = {
    "write_to": outbound.submission,
    "newsletter": outbound.newsletter,
    "guess": abuse.guess,
    "hijack": outbound.hijack,
    "hijack_locked_out": outbound.hijack_locked_out,
}

# Share of a day's traffic by hour (UTC) and of a week's by weekday, Monday first.
HOURLY = (9, 7, 6, 6, 7, 10, 18, 38, 66, 84, 88, 82, 66, 70, 80, 78, 70, 56, 40, 32, 27, 22, 17, 12)
WEEKDAY = (100, 104, 103, 101, 92, 38, 34)


class Mix:
    """A weighted choice of server and kind."""

    def __init__(self, site: Site) -> None:
        table = [(weight, host, kind) for host in site.inbound for weight, kind in INBOUND]
        table += [(weight, host, kind) for host in site.outbound for weight, kind in OUTBOUND]
        self._choices = [(host, kind) for _, host, kind in table]
        self._cumulative = list(accumulate(weight for weight, _, _ in table))

    def pick(self, site: Site) -> tuple[Host, Kind]:
        """What happens next, and where."""
        return site.rng.choices(self._choices, cum_weights=self._cumulative)[0]
