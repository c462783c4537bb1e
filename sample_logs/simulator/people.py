"""Names and sizes: who writes to whom, drawn from the dice of the site."""

from .providers import DESTINATIONS
from .site import Site
from .world import FIRST_NAMES, LAST_NAMES, MESSAGE_IDS, OUR_DOMAIN, PEOPLE

WEIGHTED_DOMAINS = [destination.domain for destination in DESTINATIONS for _ in range(destination.weight)]
RECIPIENT_COUNTS = (1,) * 14 + (2,) * 3 + (3,) * 2 + (5,)


def colleague(site: Site) -> str:
    """One of our users."""
    return f"{site.pick(PEOPLE)}@{OUR_DOMAIN}"


def stranger(site: Site, domain: str) -> str:
    """Somebody at a domain elsewhere; a few addresses ("old.") exist no more."""
    old = "old." if site.random() < 0.03 else ""
    return f"{old}{site.pick(FIRST_NAMES)}.{site.pick(LAST_NAMES)}@{domain}"


def message_id(site: Site, domain: str) -> str:
    """A Message-ID in one of the usual styles."""
    return site.pick(MESSAGE_IDS).format(site.token(12), site.token(6), domain=domain)


def size(site: Site) -> int:
    """Mostly some kilobytes; a few with attachments."""
    large = 4_000_000 if site.random() < 0.06 else 30_000
    return 900 + site.between(0, large)


def writer(site: Site, domain: str) -> str:
    """Somebody elsewhere who still exists."""
    return f"{site.pick(FIRST_NAMES)}.{site.pick(LAST_NAMES)}@{domain}"
