"""Deliveries on the server itself: local(8), virtual(8), pipe(8), and lmtp(8) to Dovecot."""

from .lines import Result, Transaction, final, handed_on, waiting
from .mail import Attempt, Envelope, Errand, Leg, Mail
from .site import MS, Site
from .smtpd import activate, queue
from .world import FORWARDED_TO

# transport: relay, what the delivery agent says
AGENTS = {
    "local": ("local", "delivered to mailbox"),
    "virtual": ("virtual", "delivered to maildir"),
    "pipe": ("bouncehandler", "delivered via bouncehandler service"),
}


def mailbox(site: Site, errand: Errand) -> Attempt:
    """One process, one line a recipient."""
    mail, program = errand.mail, errand.transport
    relay, text = AGENTS[program]
    pool = mail.host.pool(program)
    worker = pool.take(mail.active)
    tag = f"postfix/{program}[{worker[0]}]"
    work = Transaction(tag, relay, relay, waiting(site), 0, site.between(2 * MS, 60 * MS))
    attempt = Attempt(work.ends(mail))
    for leg in errand.legs:
        if leg.address.startswith("webmaster@"):
            attempt.children.append(forward(site, mail, leg, work))
        else:
            final(site, mail, leg, work, Result("2.0.0", "sent", text))
    pool.give(worker, attempt.done)
    return attempt


def forward(site: Site, mail: Mail, leg: Leg, work: Transaction) -> Mail:
    """A ~/.forward: a new queue file without a client, made before the parent's line is logged."""
    host, parent = mail.host, mail.envelope
    leg.row.final = [FORWARDED_TO]
    envelope = Envelope(mail.sender, [(FORWARDED_TO, leg.row)], parent.message_id, parent.size + 104)
    legs = [Leg(FORWARDED_TO, leg.row, f", orig_to=<{leg.address}>")]
    child = queue(site, host, work.ends(mail) - 900, envelope, legs, on_time=True)
    host.once(child.created, "cleanup", f"{child.queue_id}: message-id={envelope.message_id}")
    activate(site, child, child.created + 400)
    handed_on(site, mail, leg, work, f"forwarded as {child.queue_id}")
    return child


def lmtp(site: Site, errand: Errand) -> Attempt:
    """One process for all; Dovecot's own lines stand before Postfix's."""
    mail, host = errand.mail, errand.mail.host
    pool = host.pool("lmtp")
    worker = pool.take(mail.active)
    tag, relay = f"postfix/lmtp[{worker[0]}]", f"{host.fqdn}[private/dovecot-lmtp]"
    connect, transmit = site.between(1 * MS, 30 * MS), site.between(8 * MS, 160 * MS)
    work = Transaction(tag, relay, host.fqdn, waiting(site), connect, transmit)
    attempt = Attempt(work.ends(mail))
    session = f"{site.token(8).lower()}{site.token(8)}AB8AJkg"
    for n, leg in enumerate(errand.legs, 1):
        name = session if n == 1 else f"{session}:R{n}"
        if leg.address.startswith("gone."):
            said = f"host {relay} said: 550 5.1.1 <{leg.address}> User doesn't exist: {leg.address}"
            final(site, mail, leg, work, Result("5.1.1", "bounced", f"{said} (in reply to RCPT TO command)"))
            attempt.bounced.append(leg)
            continue
        saved = f"<{name}>: msgid={mail.envelope.message_id}: saved mail to INBOX"
        dovecot = f"dovecot: lmtp({leg.address})<{host.daemon('dovecot/lmtp')}>"
        host.log(attempt.done - 1 * MS, f"{dovecot}{saved}")
        final(site, mail, leg, work, Result("2.0.0", "sent", f"250 2.0.0 <{leg.address}> {name} Saved"))
    pool.give(worker, attempt.done)
    return attempt
