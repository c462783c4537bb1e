"""Hand-offs within the house: to the content filter and back, and from one server of ours to another."""

from .lines import Result, Transaction, final, handed_on, waiting
from .mail import Attempt, Envelope, Errand, Mail
from .plan import SECOND
from .site import MS, Host, Site
from .smtpd import Session, release, screened
from .world import LOCALHOST, Client

FILTER_RELAY = "127.0.0.1[127.0.0.1]:10024"
FILTER_ANSWER = "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as"
SPAM_SHARE = 0.03  # of what the filter sees, and swallows
REFUSED = "Connection refused"


def content_filter(site: Site, errand: Errand) -> Attempt:
    """The first leg: to amavis, which gives the mail back on port 10025 before it answers."""
    mail, host = errand.mail, errand.mail.host
    worker, amavis = host.pool("smtp").take(mail.active), host.pool("amavis").take(mail.active)
    tag, task = f"postfix/smtp[{worker[0]}]", f"{amavis[0]:05d}-{amavis[1] + 1:02d}"
    work = Transaction(
        tag, FILTER_RELAY, "127.0.0.1", waiting(site), site.between(1 * MS, 12 * MS), checking(site, errand)
    )
    verdict = swallow if site.random() < SPAM_SHARE else reinject
    attempt = verdict(site, errand, work, task)
    host.pool("smtp").give(worker, attempt.done)
    host.pool("amavis").give(amavis, attempt.done)
    return attempt


def checking(site: Site, errand: Errand) -> int:
    """How long the filter takes: a story tells of a slow afternoon."""
    if not site.slow_filter[0] <= errand.mail.active < site.slow_filter[1]:
        return site.between(250 * MS, 2600 * MS)
    for leg in errand.legs:
        leg.row.story = leg.row.story or "slow-filter"
    return site.between(40 * SECOND, 90 * SECOND)


def swallow(site: Site, errand: Errand, work: Transaction, task: str) -> Attempt:
    """Spam: the filter takes it and throws it away, which Postfix logs as sent."""
    mail, t = errand.mail, work.ends(errand.mail)
    amavis_line(site, errand, work, f"({task}) Blocked SPAM {{DiscardedInbound,Quarantined}}")
    result = Result("2.7.0", "sent", f"250 2.7.0 Ok, discarded, id={task} - spam")
    for leg in errand.legs:
        mail.host.log(t, work.line(mail, leg, result))
        site.attempted(leg, t, result.dsn, work.relay_name)
        site.settle(mail.host, leg.row, t, "discarded")
    return Attempt(t)


def reinject(site: Site, errand: Errand, work: Transaction, task: str) -> Attempt:
    """The child is in the queue before the filter answers for the parent."""
    mail, host = errand.mail, errand.mail.host
    t = work.ends(mail)
    session = Session(site, host, t, LOCALHOST, release(host, t).reinject, tls=False)
    origin = f", orig_queue_id={mail.queue_id}, orig_client={mail.client}"
    child = session.accept(passed_on(errand, 560, origin), aliases=False)
    session.close()
    work = lasting(work, mail, child.active + 2 * MS + site.between(1 * MS, 30 * MS))
    amavis_line(site, errand, work, f"({task}) Passed CLEAN {{RelayedInbound}}", child.queue_id)
    for leg in errand.legs:
        handed_on(site, mail, leg, work, f"{FILTER_ANSWER} {child.queue_id}")
    return Attempt(work.ends(mail), children=[child])


def passed_on(errand: Errand, added: int, origin: str = "") -> Envelope:
    """The same message for the next server, with some more header lines."""
    parent = errand.mail.envelope
    rows = [(leg.address, leg.row) for leg in errand.legs]
    return Envelope(parent.sender, rows, parent.message_id, parent.size + added, orig=origin)


def lasting(work: Transaction, mail: Mail, until: int) -> Transaction:
    """The same transaction, but the answer comes at `until`."""
    transmit = until - mail.active - work.wait - work.connect
    return Transaction(work.tag, work.relay, work.relay_name, work.wait, work.connect, transmit)


def amavis_line(site: Site, errand: Errand, work: Transaction, verdict: str, child: str = "") -> None:
    """amavis' own line, just before its answer; the verdict starts with the task's (pid-count)."""
    mail, pid = errand.mail, int(verdict[1:].partition("-")[0])
    ip = mail.client.rpartition("[")[2].rstrip("]")
    recipients = ",".join(f"<{leg.address}>" for leg in errand.legs)
    score = site.random() * 4 - 2 + (0 if child else 20)
    queued = f", queued_as: {child}" if child else ""
    mail.host.log(
        work.ends(mail) - 1 * MS,
        f"amavis[{pid}]: {verdict}, [{ip}] <{mail.sender}> -> {recipients}, Queue-ID: {mail.queue_id}, "
        f"Message-ID: {mail.envelope.message_id}, mail_id: {site.token(12)}, Hits: {score:.3f}, "
        f"size: {mail.envelope.size}{queued}, {work.transmit // MS} ms",
    )


def handover(site: Site, errand: Errand) -> Attempt:
    """To an inbound server of ours: its lines and ours tell of one message."""
    mail, peer = errand.mail, site.inbound[errand.mail.inode % len(site.inbound)]
    pool = mail.host.pool("smtp")
    worker = pool.take(mail.active)
    work = Transaction(f"postfix/smtp[{worker[0]}]", "none", None, waiting(site), 1 * MS, 0)
    attempt = (refused if peer.down(work.ends(mail)) else taken)(site, errand, work, peer)
    pool.give(worker, attempt.done)
    return attempt


def refused(site: Site, errand: Errand, work: Transaction, peer: Host) -> Attempt:
    """The other server is down for an upgrade."""
    attempt = Attempt(work.ends(errand.mail), deferred=errand.legs)
    text = f"connect to {peer.relay}: {REFUSED}"
    errand.mail.host.log(attempt.done, f"{work.tag}: {text}")
    for leg in errand.legs:
        final(site, errand.mail, leg, work, Result("4.4.1", "deferred", text))
    return attempt


def taken(site: Site, errand: Errand, idle: Transaction, peer: Host) -> Attempt:
    """The other server accepts the mail while this one waits for its answer."""
    mail, us = errand.mail, own_client(errand.mail.host)
    session = Session(site, peer, screened(site, peer, idle.ends(mail), us), us)
    connect = session.t - mail.active - idle.wait
    secured = f"Verified TLS connection established to {peer.relay}: {us.tls}"
    mail.host.log(session.t + 500, f"{idle.tag}: {secured}")
    child = session.accept(passed_on(errand, 480))
    work = Transaction(idle.tag, peer.relay, peer.fqdn, idle.wait, connect, 0)
    work = lasting(work, mail, child.active + site.between(1 * MS, 20 * MS))
    session.t = work.ends(mail)
    session.close()
    for leg in errand.legs:
        handed_on(site, mail, leg, work, f"250 2.0.0 Ok: queued as {child.queue_id}")
    return Attempt(work.ends(mail), children=[child])


def own_client(host: Host) -> Client:
    """A server of ours, as another one sees it."""
    return Client(host.fqdn, host.plan.ip, host.fqdn, ("example.org",))
