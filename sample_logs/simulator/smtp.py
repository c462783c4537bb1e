"""smtp(8): deliveries to servers elsewhere, and what they answer."""

from typing import Protocol

from .lines import Result, Transaction, final, waiting
from .mail import Attempt, Errand, Leg, Mail
from .plan import SECOND
from .providers import NO_TRANSACTION, TLS_CLIENT, Destination, Reply
from .routing import destination, domain_of
from .site import MS, Site
from .stories import Rule

CONNECT_TIMEOUT = 30 * SECOND  # postconf(5): smtp_connect_timeout, for each MX host
DEAD_FOR = 300 * SECOND  # postconf(5): minimal_backoff_time
CACHE_TIME = 2 * SECOND  # postconf(5): smtp_connection_cache_time_limit
MAX_REUSE = 20


def elsewhere(site: Site, errand: Errand) -> Attempt:
    """One transaction with the servers of a domain, or none if they are thought dead."""
    mail, there = errand.mail, destination(errand.domain)
    since, until, reason, dsn = mail.host.suspended.get(errand.domain, (0, 0, "", ""))
    if since <= mail.active < until:
        return suspended(site, errand, Result(dsn, "deferred", f"delivery temporarily suspended: {reason}"))
    replies = [answer(site, mail, leg, there) for leg in errand.legs]
    trouble = next((reply for reply in replies if reply.stage in NO_TRANSACTION), None)
    pool = mail.host.pool(errand.transport)
    worker = pool.take(mail.active)
    tag = f"postfix/{errand.transport}[{worker[0]}]"
    if trouble:
        attempt = unreachable(site, errand, tag, trouble)
    else:
        attempt = conversation(site, errand, tag, one_verdict(replies))
    pool.give(worker, attempt.done)
    return attempt


class Trying(Protocol):
    """A message of any server, as far as an answer may hang on it."""

    @property
    def sender(self) -> str:
        """The envelope sender."""

    @property
    def active(self) -> int:
        """When this attempt began."""


def answer(site: Site, mail: Trying, leg: Leg, there: Destination) -> Reply:
    """What the server will say about this recipient: as a story has it, or as the dice fall."""
    for active in site.rules:
        if active.start <= mail.active < active.end and concerns(active.rule, mail, leg, there):
            if active.rule.chance < 1 and site.random() >= active.rule.chance:
                continue
            leg.row.story = leg.row.story or active.rule.story
            return active.rule.reply or there.unknown
    dice = site.random()
    if dice < there.temporary_share and there.temporary:
        return site.pick(there.temporary)
    if dice > 1 - there.permanent_share and there.permanent:
        return site.pick(there.permanent)
    return there.unknown if leg.address.startswith("old.") else there.ok


def concerns(rule: Rule, mail: Trying, leg: Leg, there: Destination) -> bool:
    """Whether a story's rule is about this recipient."""
    return (
        rule.domain in (None, there.domain)
        and rule.recipient in (None, leg.address)
        and rule.sender in (None, mail.sender)
        and (rule.sender_domain is None or rule.sender_domain == domain_of(mail.sender))
        and not (rule.first_attempt and leg.attempts)
    )


def one_verdict(replies: list[Reply]) -> list[Reply]:
    """A refusal at MAIL FROM or at the end of DATA is everybody's."""
    whole = next((r for r in replies if r.status != "sent" and r.stage != "RCPT TO"), None)
    return [whole] * len(replies) if whole else replies


def conversation(site: Site, errand: Errand, tag: str, replies: list[Reply]) -> Attempt:
    """One transaction with the first MX host; if that has 4xx for all, Postfix tries the second."""
    mail, there = errand.mail, destination(errand.domain)
    backup = len(there.mx) > 1 and all(reply.status == "deferred" for reply in replies)
    name, ip = there.mx[1 if backup else 0]
    relay, uses = f"{name}[{ip}]:25", 1 if backup else reused(site, mail, there)
    connect = site.between(there.connect_ms * MS * 3 // 5, there.connect_ms * MS * 2) if uses == 1 else 0
    transmit = site.between(there.transmit_ms * MS // 3, there.transmit_ms * MS * 3)
    logged_relay = relay if uses == 1 else f"{relay}, conn_use={uses}"
    work = Transaction(tag, logged_relay, name, waiting(site), connect, transmit)
    attempt = Attempt(work.ends(mail))
    if there.tls and uses == 1:
        tls = TLS_CLIENT[len(name) % len(TLS_CLIENT)]
        mail.host.log(attempt.done - transmit, f"{tag}: {there.tls} {relay}: {tls}")
    token = site.token()
    for leg, reply in zip(errand.legs, replies, strict=True):
        if backup:
            said = refusal(there.mx[0], reply, spell(mail, leg, reply, token))
            mail.host.log(attempt.done - transmit * 2 // 3, f"{tag}: {mail.queue_id}: {said}")
        text = spell(mail, leg, reply, token)
        if reply.status != "sent":
            text = refusal((name, ip), reply, text)
        final(site, mail, leg, work, Result(reply.dsn, reply.status, text))
        sort_out(attempt, leg, reply)
    mail.host.connections[there.domain] = (attempt.done + CACHE_TIME, uses)
    return attempt


def refusal(mx: tuple[str, str], reply: Reply, text: str) -> str:
    """What Postfix logs of a 4xx or 5xx reply."""
    return f"host {mx[0]}[{mx[1]}] said: {text} (in reply to {reply.stage} command)"


def sort_out(attempt: Attempt, leg: Leg, reply: Reply) -> None:
    """Keep the legs that are not delivered."""
    if reply.status == "deferred":
        attempt.deferred.append(leg)
    elif reply.status == "bounced":
        attempt.bounced.append(leg)


def reused(site: Site, mail: Mail, there: Destination) -> int:
    """How often the connection has been used: scache(8) keeps one that was just used for the next mail."""
    until, uses = mail.host.connections.get(there.domain, (0, 0))
    return uses + 1 if mail.active < until and uses < MAX_REUSE and site.random() < 0.8 else 1


def unreachable(site: Site, errand: Errand, tag: str, reply: Reply) -> Attempt:
    """No transaction at all: nobody answers, the greeting is a refusal, or there is no such domain."""
    mail, there, wait = errand.mail, destination(errand.domain), waiting(site)
    text = spell(mail, errand.legs[0], reply, site.token())
    relay, name, connect = "none", None, site.between(2 * MS, 60 * MS)
    if reply.stage == "connect":
        for n, (mx, ip) in enumerate(there.mx, 1):
            connect = n * CONNECT_TIMEOUT + site.between(0, 40 * MS)
            text = f"connect to {mx}[{ip}]:25: {reply.text}"
            mail.host.log(mail.active + wait + connect, f"{tag}: {text}")
    elif reply.stage == "greeting":
        name, ip = there.mx[0]
        relay, text = f"{name}[{ip}]:25", f"host {name}[{ip}] refused to talk to me: {text}"
        connect = there.connect_ms * MS
    work = Transaction(tag, relay, name, wait, connect, 0)
    attempt = Attempt(work.ends(mail))
    for leg in errand.legs:
        final(site, mail, leg, work, Result(reply.dsn, reply.status, text))
        sort_out(attempt, leg, reply)
    if reply.status == "deferred":
        mail.host.suspended[there.domain] = (attempt.done, attempt.done + DEAD_FOR, text, reply.dsn)
    return attempt


def suspended(site: Site, errand: Errand, result: Result) -> Attempt:
    """error(8): the destination failed a short time ago, so it is not even tried."""
    mail, pool = errand.mail, errand.mail.host.pool("error")
    worker = pool.take(mail.active)
    tag, transmit = f"postfix/error[{worker[0]}]", site.between(1 * MS, 20 * MS)
    work = Transaction(tag, "none", None, waiting(site), 0, transmit)
    attempt = Attempt(work.ends(mail), deferred=errand.legs)
    for leg in errand.legs:
        final(site, mail, leg, work, result)
    pool.give(worker, attempt.done)
    return attempt


def spell(mail: Trying, leg: Leg, reply: Reply, token: str) -> str:
    """A reply's text for this recipient."""
    if "{" not in reply.text:
        return reply.text
    return reply.text.format(
        rcpt=leg.address,
        domain=domain_of(leg.address),
        sender_domain=domain_of(mail.sender),
        token=token,
        epoch=mail.active // SECOND,
    )
