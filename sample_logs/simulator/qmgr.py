"""The queue manager: attempts, retries, expiry, notifications, and the operator's postsuper."""

from collections.abc import Callable
from datetime import timedelta

from .handoffs import content_filter, handover
from .mail import Attempt, Errand, Leg, Mail, envelope
from .mailboxes import lmtp, mailbox
from .plan import EPOCH, HOUR, SECOND
from .routing import Target, target
from .site import MS, Host, Site
from .smtp import elsewhere
from .smtpd import activate, queue

MIN_BACKOFF = 300 * SECOND  # postconf(5): minimal_backoff_time, maximal_backoff_time
MAX_BACKOFF = 4000 * SECOND
DELAY_WARNING = 4 * HOUR  # postconf(5): delay_warning_time


DELIVERIES: dict[str, Callable[[Site, Errand], Attempt]] = {
    "filter": content_filter,
    "handover": handover,
    "lmtp": lmtp,
    "local": mailbox,
    "pipe": mailbox,
    "relay/smtp": elsewhere,
    "smtp": elsewhere,
    "virtual": mailbox,
}


def enqueue(site: Site, mail: Mail) -> None:
    """The queue manager will try to deliver what was accepted."""
    if not mail.gone:
        site.at(mail.active, attempt, mail)


def attempt(site: Site, t: int, mail: Mail) -> None:
    """One delivery attempt for all recipients that are still to be served."""
    if mail.gone:
        return
    host = mail.host
    if host.down(t):
        site.at(host.next_up(t), attempt, mail)
        return
    host.deferred.pop(mail.queue_id, None)
    if not mail.fresh:
        activate(site, mail, t)
    mail.fresh = False
    results = [DELIVERIES[errand.transport](site, errand) for errand in errands(site, mail)]
    for result in results:
        for child in result.children:
            enqueue(site, child)
    finish(
        site,
        mail,
        max(result.done for result in results) + 200 + site.between(0, 2 * MS),
        [leg for result in results for leg in result.deferred],
        [leg for result in results for leg in result.bounced],
    )


def errands(site: Site, mail: Mail) -> list[Errand]:
    """What is to be done: one errand for each transport and domain, or one for all to the content filter."""
    if mail.filtered:
        return [Errand(mail, "filter", "", mail.legs)]
    groups: dict[Target, list[Leg]] = {}
    for leg in mail.legs:
        groups.setdefault(target(site, mail.host, leg.address), []).append(leg)
    return [Errand(mail, where.transport, where.domain, legs) for where, legs in groups.items()]


def finish(site: Site, mail: Mail, t: int, deferred: list[Leg], bounced: list[Leg]) -> None:
    """After an attempt: give up, notify, try again later or remove."""
    host, age = mail.host, t - mail.created
    qmgr = f"postfix/qmgr[{host.daemon('qmgr')}]: {mail.queue_id}"
    if deferred and age > site.lifetime:
        host.log(t, f"{qmgr}: from=<{mail.sender}>, status=expired, returned to sender")
        for leg in deferred:
            site.settle(host, leg.row, t, "expired")
        deferred, bounced = [], bounced + deferred
        t += site.between(1 * MS, 9 * MS)
    if bounced and mail.sender:
        t = notify(site, mail, t, bounced, "non-delivery")
    if not deferred:
        host.log(t, f"{qmgr}: removed")
        host.ids.free(t, mail.inode, mail.created)
        return
    if age > DELAY_WARNING and mail.sender and not mail.warned:
        mail.warned = True
        t = notify(site, mail, t, deferred, "delay")
    mail.legs, mail.rested = deferred, t
    host.deferred[mail.queue_id] = mail
    site.at(host.next_scan(t + min(max(age, MIN_BACKOFF), MAX_BACKOFF)), attempt, mail)


def notify(site: Site, mail: Mail, t: int, legs: list[Leg], kind: str) -> int:
    """bounce(8) tells the sender: a message of its own, made before the line that names it. Returns when."""
    host = mail.host
    story = next((leg.row.story for leg in legs if leg.row.story), None)
    letter = envelope("", [mail.sender], "", mail.envelope.size % 9000 + 2300, story, origin="dsn")
    address, row = letter.rows[0]
    row.final = [address]
    dsn = queue(site, host, t, letter, [Leg(address, row)])
    letter.message_id = row.message_id = own_message_id(host, dsn.created, dsn.queue_id)
    host.once(dsn.created, "cleanup", f"{dsn.queue_id}: message-id={letter.message_id}")
    told = dsn.created + site.between(300, 2 * MS)
    host.once(told, "bounce", f"{mail.queue_id}: sender {kind} notification: {dsn.queue_id}")
    activate(site, dsn, told + site.between(200, 1 * MS))
    enqueue(site, dsn)
    return told + 150


def own_message_id(host: Host, created: int, queue_id: str) -> str:
    """The Message-ID that cleanup(8) makes for mail without one: <date and time.queue id@host>."""
    moment = EPOCH + timedelta(seconds=created // SECOND)
    return f"<{moment:%Y%m%d%H%M%S}.{queue_id}@{host.fqdn}>"


def postsuper(host: Host, t: int, mails: list[Mail], what: str, summary: str) -> None:
    """An operator's command, and what happens to the mails."""
    tag = f"postfix/postsuper[{host.new_pid()}]"
    for mail in mails:
        host.log(t, f"{tag}: {mail.queue_id}: {what}")
    host.log(t + 1 * MS, f"{tag}: {summary}: {len(mails)} message{'s' if len(mails) != 1 else ''}")


def release(site: Site, t: int, mail: Mail) -> None:
    """postsuper -H: what was on hold is delivered after all."""
    host = mail.host
    t = host.next_up(t)
    del host.held[mail.queue_id]
    postsuper(host, t, [mail], "released from hold", "Released from hold")
    for leg in mail.legs:
        leg.row.held = False
    mail.fresh = mail.gone = False
    site.at(host.next_scan(t), attempt, mail)


def delete(site: Site, t: int, host: Host, mails: list[Mail]) -> None:
    """postsuper -d: nobody is told."""
    if not mails:
        return
    postsuper(host, t, mails, "removed", "Deleted")
    for mail in mails:
        mail.gone = True
        host.held.pop(mail.queue_id, None)
        host.deferred.pop(mail.queue_id, None)
        host.ids.free(t, mail.inode, mail.created)
        for leg in mail.legs:
            site.settle(host, leg.row, t, "deleted")
