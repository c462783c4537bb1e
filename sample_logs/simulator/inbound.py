"""What comes in: mail from elsewhere, through postscreen and content filter, and from cron on the server."""

from .abuse import nobody, unknown_user
from .mail import Envelope, Leg, envelope
from .people import RECIPIENT_COUNTS, colleague, message_id, size, writer
from .plan import HOUR, MINUTE
from .providers import BRANCH
from .qmgr import delete, enqueue, own_message_id, release
from .site import MS, Host, Kind, Site
from .smtpd import Session, activate, queue, screened
from .world import (
    CLUB,
    FIRST_NAMES,
    HANDOVER_CLIENTS,
    LAST_NAMES,
    NEWS_DOMAIN,
    OUR_DOMAIN,
    PEOPLE,
    SHARED,
    Client,
)

FILTERED_SHARE = 0.7

# Of a hundred: mostly people; now and then an alias, a club, a forward, the branch or a closed mailbox.
MAILBOXES = (
    *["{person}@example.org"] * 80,
    *["{shared}@example.org"] * 5,
    *["office@example.org"] * 4,
    *["{club}@club.example.org"] * 4,
    *["board@club.example.org"] * 2,
    *["webmaster@{fqdn}"] * 2,
    *["counter@branch.example.net"] * 2,
    "gone.{last}@example.org",
)


def inbound(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """Somebody elsewhere writes to us."""
    client = site.pick(HANDOVER_CLIENTS)
    sender = writer(site, client.domains[0])
    recipients = [mailbox_of_ours(site, host) for _ in range(site.pick(RECIPIENT_COUNTS) // 2 + 1)]
    deliver_inbound(site, t, host, client, write_in(site, client, sender, recipients))


def write_in(
    site: Site, client: Client, sender: str, recipients: list[str], header_action: str | None = None
) -> Envelope:
    """A message from elsewhere."""
    return envelope(
        sender,
        recipients,
        message_id(site, client.domains[0]),
        size(site),
        header_action=header_action,
        client_ip=client.ip,
    )


def deliver_inbound(site: Site, t: int, host: Host, client: Client, message: Envelope) -> None:
    """Through postscreen and smtpd into the queue, for most mail with the content filter ahead."""
    session = Session(site, host, screened(site, host, t, client, known=site.random() < 0.94), client)
    mail = session.accept(message)
    mail.filtered = site.random() < FILTERED_SHARE
    enqueue(site, mail)
    session.close()


def mailbox_of_ours(site: Site, host: Host) -> str:
    """Somebody that mail comes in for."""
    return site.pick(MAILBOXES).format(
        person=site.pick(PEOPLE),
        shared=site.pick(SHARED),
        club=site.pick(CLUB),
        last=site.pick(LAST_NAMES),
        fqdn=host.fqdn,
    )


def second_recipient(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """The first recipient is taken, the second refused: the reject carries a queue id."""
    client = site.pick(HANDOVER_CLIENTS)
    sender = writer(site, client.domains[0])
    message = write_in(site, client, sender, [colleague(site), nobody(site)])
    good, (address, bad) = message.rows
    message.rows = [good]
    session = Session(site, host, screened(site, host, t, client), client)
    enqueue(site, session.accept(message, refused=((bad, unknown_user(address)),)))
    session.close()


def bounce_to_us(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A bounce of a newsletter by a server elsewhere: null sender, piped into the bounce handler."""
    client = site.pick(HANDOVER_CLIENTS)
    deliver_inbound(site, t, host, client, write_in(site, client, "", [f"bounce@{NEWS_DOMAIN}"]))


def checked(action: str) -> Kind:
    """Mail that a milter or a header check of ours stops."""

    def kind(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
        client = site.pick(HANDOVER_CLIENTS)
        sender = writer(site, client.domains[0])
        message = write_in(site, client, sender, [colleague(site)], action)
        deliver_inbound(site, t, host, client, message)
        if action == "hold":
            site.at(t + site.between(20 * MINUTE, 6 * HOUR), look_at_held, host)

    return kind


def look_at_held(site: Site, t: int, host: Host) -> None:
    """An operator looks at a held mail: releases it, deletes it, or leaves it."""
    t = host.next_up(t)
    mail = next((m for m in host.held.values() if m.created + MINUTE < t), None)
    dice = site.random()
    if mail and dice < 0.5:
        release(site, t, mail)
    elif mail and dice < 0.75:
        delete(site, t, host, [mail])


def verified(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """Mail for the branch: during the conversation verify(8) asks there whether the address exists."""
    client = site.pick(HANDOVER_CLIENTS)
    message = write_in(
        site, client, writer(site, client.domains[0]), [f"{site.pick(FIRST_NAMES)}@{BRANCH.domain}"]
    )
    session = Session(site, host, screened(site, host, t, client), client)
    session.t = probe(site, host, session.t + 20 * MS, message.rows[0][0]) + 1 * MS
    enqueue(site, session.accept(message))
    session.close()


def probe(site: Site, host: Host, t: int, address: str) -> int:
    """An address verification probe: a queue file, but no mail. Returns when it is over."""
    (name, ip) = BRANCH.mx[0]
    sender = f"double-bounce@{host.fqdn}"
    t, queue_id, inode = host.ids.new(t)
    qmgr = f"postfix/qmgr[{host.daemon('qmgr')}]: {queue_id}"
    host.once(t, "cleanup", f"{queue_id}: message-id={own_message_id(host, t, queue_id)}")
    host.log(t + 5 * MS, f"{qmgr}: from=<{sender}>, size=240, nrcpt=1 (queue active)")
    result = "delay=0.06, delays=0.01/0.01/0.03/0.01, dsn=2.1.5, status=deliverable (250 2.1.5 Ok)"
    host.once(t + 60 * MS, "relay/smtp", f"{queue_id}: to=<{address}>, relay={name}[{ip}]:25, {result}")
    host.log(t + 61 * MS, f"{qmgr}: removed")
    host.ids.free(t + 61 * MS, inode, t)
    return t + 61 * MS


def cron(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A cron job's output: root writes to root, by sendmail(1) and pickup(8)."""
    sender = f"root@{host.fqdn}"
    message = envelope(sender, ["root"], "", 500 + site.between(0, 9000), story, origin="local")
    row = message.rows[0][1]
    address = sender if host.plan.inbound else f"postmaster@{OUR_DOMAIN}"
    row.final = [address]
    mail = queue(site, host, t, message, [Leg(address, row, ", orig_to=<root>")])
    message.message_id = row.message_id = own_message_id(host, mail.created, mail.queue_id)
    host.log(mail.created, f"postfix/pickup[{host.daemon('pickup')}]: {mail.queue_id}: uid=0 from=<root>")
    host.once(mail.created + 9 * MS, "cleanup", f"{mail.queue_id}: message-id={message.message_id}")
    activate(site, mail, mail.created + 15 * MS)
    enqueue(site, mail)
