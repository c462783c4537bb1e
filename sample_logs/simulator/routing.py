"""Where a host sends an address: the transport and its destination."""

from dataclasses import dataclass

from .providers import BRANCH, DESTINATIONS, Destination
from .site import Host, Site
from .world import CLUB_DOMAIN, NEWS_DOMAIN, OUR_DOMAIN, OUR_DOMAINS

BY_DOMAIN = {destination.domain: destination for destination in (*DESTINATIONS, BRANCH)}
NOWHERE = BY_DOMAIN["mistyped.invalid"]

# What an inbound host does with mail for our own domains.
INBOUND = {OUR_DOMAIN: "lmtp", NEWS_DOMAIN: "pipe", CLUB_DOMAIN: "virtual", BRANCH.domain: "relay/smtp"}


@dataclass(frozen=True, slots=True)
class Target:
    """A transport and, if it goes elsewhere, a domain: what mail is grouped by for delivery."""

    transport: str
    domain: str


def domain_of(address: str) -> str:
    """What follows the last @."""
    return address.rpartition("@")[2]


def ours(domain: str) -> bool:
    """Whether mail for the domain stays in the house."""
    return domain in OUR_DOMAINS or domain.endswith(f".{OUR_DOMAIN}")


def target(site: Site, host: Host, address: str) -> Target:
    """The transport for an address: outbound hosts hand our own mail to an inbound one, if there is one."""
    domain = domain_of(address)
    if host.plan.inbound and ours(domain):
        return Target(INBOUND.get(domain, "local"), domain)
    if site.inbound and ours(domain):
        return Target("handover", domain)
    return Target("smtp", domain)


def destination(domain: str) -> Destination:
    """The servers of a domain; of most there are none."""
    return BY_DOMAIN.get(domain, NOWHERE)
