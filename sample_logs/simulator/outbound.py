"""What leaves: users, the web shop, the newsletter, and the thieves of a password."""

from .abuse import try_password
from .mail import envelope
from .people import RECIPIENT_COUNTS, WEIGHTED_DOMAINS, colleague, message_id, size, stranger, writer
from .qmgr import delete, enqueue
from .site import Host, Site
from .smtpd import Session
from .stories import HIJACKED
from .world import APP_CLIENT, HIJACKER_CLIENTS, NEWS_DOMAIN, OUR_DOMAIN, USER_CLIENTS


def submission(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A user writes to one or several people, colleagues among them."""
    sender = colleague(site)
    recipients = [addressee(site, to) for _ in range(1 if to else site.pick(RECIPIENT_COUNTS))]
    client = site.pick(USER_CLIENTS)
    session = Session(site, host, t, client, "submission/smtpd")
    session.login(sender)
    message = envelope(
        sender,
        recipients,
        message_id(site, OUR_DOMAIN),
        size(site),
        story,
        client_ip=client.ip,
        sasl_username=sender,
    )
    enqueue(site, session.accept(message))
    session.close()


def addressee(site: Site, to: str) -> str:
    """Whom a user writes to: `to` if it is an address, somebody there if it is a domain."""
    if "@" in to:
        return to
    if to:
        return writer(site, to)
    dice = site.random()
    if dice < 0.28:
        return colleague(site)
    if dice < 0.31:
        return f"sales@{OUR_DOMAIN}"
    return stranger(site, site.pick(WEIGHTED_DOMAINS))


def app_mail(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """The web shop's order confirmations: from a trusted network, without a login."""
    send_news(site, t, host, f"noreply@{NEWS_DOMAIN}", 1)


def newsletter(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A part of the nightly batch: several mails over one connection."""
    send_news(site, t, host, f"bounce@{NEWS_DOMAIN}", 4 + int(site.random() * 5))


def send_news(site: Site, t: int, host: Host, sender: str, count: int) -> None:
    """`count` mails of the web server over one connection."""
    session = Session(site, host, t, APP_CLIENT)
    for _ in range(count):
        message = envelope(
            sender,
            [stranger(site, site.pick(WEIGHTED_DOMAINS))],
            message_id(site, NEWS_DOMAIN),
            size(site),
            client_ip=APP_CLIENT.ip,
        )
        enqueue(site, session.accept(message))
        session.wait(50, 400)
    session.close()


def hijack(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """The stolen password at work: several mails to harvested addresses over one connection."""
    client = site.pick(HIJACKER_CLIENTS)
    session = Session(site, host, t, client, "submission/smtpd")
    session.login(HIJACKED)
    for _ in range(2 + int(site.random() * 5)):
        recipients = [
            stranger(site, site.pick(WEIGHTED_DOMAINS)) for _ in range(1 + int(site.random() * 1.3))
        ]
        message = envelope(
            HIJACKED,
            recipients,
            message_id(site, "promo.invalid"),
            2100 + int(site.random() * 900),
            story,
            client_ip=client.ip,
            sasl_username=HIJACKED,
        )
        enqueue(site, session.accept(message))
        session.wait(100, 900)
    session.close()


def hijack_locked_out(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """The password was changed: the thieves still try the old one."""
    try_password(site, t, host, site.pick(HIJACKER_CLIENTS), [HIJACKED])


def purge(site: Site, t: int, host: Host) -> None:
    """The postmaster deletes what the stolen account still has in the queue."""
    delete(site, t, host, [m for m in host.deferred.values() if m.sender == HIJACKED and m.rested < t])
