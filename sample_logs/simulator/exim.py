"""One Exim server: a studio's, with its own mailboxes. What is for the house goes on to an inbound server of ours.

It writes mainlog only. The order of lines, and which fields are there by default, is Exim 4.96's; from the second
file of the log on it is a 4.98 that logs all it can.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random

from .eximlines import TLS_IN, Message, duration, exim_id, peer
from .logfile import LogFile
from .mail import Envelope, Leg, Mail, envelope
from .people import WEIGHTED_DOMAINS, colleague, message_id, size, stranger, writer
from .plan import HOUR, MINUTE, SECOND, EximPlan, microseconds
from .providers import NO_TRANSACTION, Destination, Reply
from .qmgr import attempt
from .routing import destination, domain_of
from .site import MS, Site
from .smtp import answer, spell
from .smtpd import Session, screened
from .stories import DEAD_DOMAIN, FULL_MAILBOX
from .truth import Row
from .world import FIRST_NAMES, HANDOVER_CLIENTS, LAST_NAMES, OUR_DOMAIN, SPAM_DOMAINS, SPAM_HELOS, Client

DOMAIN = "studio.example.org"
STAFF = ("amir", "berta", "cleo", "dario", "elif", "falk")
TEAM = ("berta", "dario")
QUEUE_RUN = 2 * HOUR
RETRY = (15 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR)
SLOT = 15 * MINUTE
QUIET_END = 90 * SECOND
USERS = (
    Client("dsl-9.isp.test", "198.51.100.139", "[192.168.1.77]"),
    Client("unknown", "198.51.100.204", "[10.0.0.5]"),
    Client("v6-3.mobile.test", "2001:db8:f00::3", "phone"),
)


class Exim:
    """The server, its spool and its clock."""

    def __init__(self, site: Site, plan: EximPlan, folder: Path) -> None:
        self.site, self.plan = site, plan
        self.fqdn = f"{plan.name}.example.org"
        self.log_file = LogFile(folder, plan, site.end)
        self._dice = Random(site.plan.seed + 2)
        self._pid = 4_000
        self.deferred: list[Message] = []
        self.frozen: list[Message] = []
        self._up_to: dict[str, int] = {}  # domain: not to be tried before
        self._answered = 0  # when a server of ours had taken a message

    def schedule(self, rhythm: Callable[[int], int]) -> None:
        """The week's conversations by the daily rhythm, and the queue runs."""
        slots = range(self.site.start, self.site.end, SLOT)
        moments = self._dice.choices(slots, [rhythm(slot) for slot in slots], k=self.plan.events)
        kinds = self._dice.choices(KINDS, [weight for weight, _ in MIX], k=self.plan.events)
        for slot, kind in zip(moments, kinds, strict=True):
            t = slot + int(self._dice.random() * SLOT)
            if t < self.site.end - QUIET_END:
                self.site.at(t, self.happen, kind)
        upgrades = [microseconds(part.until) for part in self.plan.parts if part.until]
        for begin in (self.site.start, *upgrades):
            self.site.at(begin + SECOND, self.happen, started)
        for t in range(self.site.start + QUEUE_RUN, self.site.end - MINUTE, QUEUE_RUN):
            self.site.at(t, self.happen, queue_run)

    def happen(self, site: Site, t: int, kind: "Kind") -> None:
        """Does what is due, with dice of its own."""
        with site.guest():
            kind(self, t)

    # Words

    def logs_all(self, t: int) -> bool:
        """Whether it logs all it can at `t`."""
        return self.log_file.part_at(t).stamps == "exim-all"

    def say(self, t: int, text: str, pid: int | None = None) -> None:
        """A line, with the process if it logs that."""
        self.log_file.add(t, f"[{pid or self.new_pid()}] {text}" if self.logs_all(t) else text)

    def new_pid(self) -> int:
        """Each message and each conversation has a process of its own."""
        self._pid += 1 + int(self.site.random() * 5)
        return self._pid

    def stamp(self, t: int) -> str:
        """`t` as precise as the log has it."""
        return self.log_file.stamp(t)

    def port(self, t: int) -> int | None:
        """A client's port, where ports are logged."""
        return 32_768 + int(self.site.random() * 28_000) if self.logs_all(t) else None

    # What comes in

    def accept(
        self,
        t: int,
        letter: Envelope,
        client: Client | None,
        login: str | None = None,
        cause: str | None = None,
    ) -> Message:
        """A message is taken: `<=`. Without a client it is Exim's own notification about `cause`."""
        pid = self.new_pid()
        message = Message(
            exim_id(t, pid, long=self.logs_all(t)), t, letter.sender, letter.message_id or None, letter.size,
            [leg for address, row in letter.rows for leg in expanded(address, row)],
        )  # fmt: skip
        if t < self.site.end:
            for _, row in letter.rows:
                row.host, row.instance, row.accepted_at = self.plan.name, None, self.stamp(t)
                row.size_bytes = letter.size
                row.queue_ids.append(f"{self.plan.name}/{message.exim_id}")
                self.site.truth.opened((row,))
        if client is None:
            origin = f"R={cause} U=Debian-exim P=local" if cause else "U=root P=local"
        else:
            here = f" I=[{self.plan.ip}]:{587 if login else 25}" if self.logs_all(t) else ""
            tls = f" X={TLS_IN[len(client.helo) % len(TLS_IN)]} CV=no"
            user = f" A=plain_login:{login}" if login else ""
            protocol = "esmtpsa" if login else "esmtps"
            origin = f"H={peer(client, self.port(t))}{here} P={protocol}{tls}{user}"
        known = f" id={message.message_id.strip('<>')}" if message.message_id else ""
        more = ""
        if self.logs_all(t):
            more = f' RT={self.site.between(20, 400) / 1000:.3f}s T="{subject(self.site)}" from <{letter.sender}>'
            more += "".join([" for", *(f" {address}" for address, _ in letter.rows)])
        self.say(
            t, f"{message.exim_id} <= {letter.sender or '<>'} {origin} S={letter.size}{known}{more}", pid
        )
        return message

    # What goes out

    def deliver(self, t: int, message: Message) -> None:
        """One attempt for all that is still to be served; then the message is done, or waits."""
        message.tried, left, failed, done = t, [], [], t
        pid = self.new_pid()
        for leg in message.legs:
            done += self.site.between(20 * MS, 900 * MS)
            fate = self._serve(done, message, leg, pid)
            done = max(done, self._answered)
            if fate == "deferred":
                left.append(leg)
            elif fate in ("bounced", "expired"):
                failed.append(leg)
        message.legs = left
        self._finish(done + 5 * MS, message, failed, pid)

    def _finish(self, t: int, message: Message, failed: list[Leg], pid: int) -> None:
        if failed and message.sender:
            story = next((leg.row.story for leg in failed if leg.row.story), None)
            notice = envelope("", [message.sender], "", message.size % 9000 + 2300, story, origin="dsn")
            for _, row in notice.rows:
                row.message_id = None
            self.site.at(
                t + 40 * MS, self.happen, following(self.accept(t, notice, None, cause=message.exim_id))
            )
        elif failed:
            self.say(t, f"{message.exim_id} Frozen (delivery error message)", pid)
            message.frozen = True
            for leg in failed:
                leg.row.held = t < self.site.end
            message.legs = failed
            self.frozen.append(message)
            return
        if message.legs:
            if message not in self.deferred:
                self.deferred.append(message)
            return
        if message in self.deferred:
            self.deferred.remove(message)
        taken = f" QT={duration(t - message.created, exact=True)}" if self.logs_all(t) else ""
        self.say(t, f"{message.exim_id} Completed{taken}", pid)

    def _serve(self, t: int, message: Message, leg: Leg, pid: int) -> str:
        domain = domain_of(leg.address)
        if domain == DOMAIN:
            return self._locally(t, message, leg, pid)
        if domain == OUR_DOMAIN and self.site.inbound:
            return self._hand_over(t, message, leg, pid)
        return self._elsewhere(t, message, leg, pid)

    def _line(
        self, t: int, message: Message, flag: str, column: str, route: str, tail: str, pid: int
    ) -> None:
        more = ""
        if self.logs_all(t) and flag in ("=>", "->"):
            taken = duration(t - message.created, exact=True)
            more = f" QT={taken} DT={duration(t - message.tried, exact=True)}"
            route = f"F=<{message.sender}> P=<{message.sender}> {route} S={message.size + 300}"
        self.say(t, f"{message.exim_id} {flag} {column} {route}{tail}{more}", pid)

    def _locally(self, t: int, message: Message, leg: Leg, pid: int) -> str:
        user, _, _ = leg.address.partition("@")
        original = leg.orig_to or leg.address
        if user == "noreply":
            self._line(t, message, "=>", f":blackhole: <{original}>", "R=system_aliases", "", pid)
        elif user == "tickets":
            pipe = f'|/usr/local/bin/tickets -m "new one" <{original}>'
            self._line(t, message, "=>", pipe, "R=system_aliases T=address_pipe", "", pid)
        else:
            self._line(t, message, "=>", f"{user} <{original}>", "R=local_user T=maildir_home", "", pid)
        self.site.attempted(leg, t, None, None)
        self.settle(t, leg, "discarded" if user == "noreply" else "delivered")
        return "sent"

    def _hand_over(self, t: int, message: Message, leg: Leg, pid: int) -> str:
        site, there = self.site, self.site.inbound[0]
        route = "R=to_house T=remote_smtp"
        if there.next_up(t) != t:
            self.say(t, f"{message.exim_id} H={there.fqdn} [{there.plan.ip}] Connection refused", pid)
            self._line(t, message, "==", leg.address, route, " defer (111): Connection refused", pid)
            site.attempted(leg, t, None, None)
            return "deferred"
        us = Client(self.fqdn, self.plan.ip, self.fqdn, ("example.org",))
        session = Session(site, there, screened(site, there, t - 200 * MS, us), us)
        passed = Envelope(
            message.sender, [(leg.address, leg.row)], message.message_id or "", message.size + 520
        )
        child = session.accept(passed)
        session.close()
        self._answered = taken = max(t, child.active + 3 * MS)
        tls = "X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes"
        host = f"H={there.fqdn} [{there.plan.ip}]{':25' if self.logs_all(t) else ''}"
        tail = f' {host} {tls} C="250 2.0.0 Ok: queued as {child.queue_id}"'
        self._line(taken, message, "=>", leg.address, route, tail, pid)
        if taken < site.end:
            leg.row.attempts -= leg.attempts
        site.at(child.active, self.happen, arriving(child))
        return "sent"

    def _elsewhere(self, t: int, message: Message, leg: Leg, pid: int) -> str:
        there = destination(domain_of(leg.address))
        reply = answer(self.site, message, leg, there)
        if reply.stage == "dns":
            self._line(t, message, "**", leg.address, ":", " Unrouteable address", pid)
            return self.settle(t, leg, "bounced", tried=True, sender=message.sender)
        age = t - message.created
        if reply.stage in NO_TRANSACTION:
            return self._no_transaction(t, message, leg, reply, there, pid, age)
        host = self._host(t, there)
        text = spell(message, leg, reply, self.site.token())
        route = f"R=dnslookup T=remote_smtp {host}"
        if reply.status == "sent":
            self._line(t, message, "=>", leg.address, route, f' C="{text}"', pid)
            return self.settle(t, leg, "delivered", tried=True)
        command = "end of data" if reply.stage == "end of DATA" else str(reply.stage)
        command += {"RCPT TO": f":<{leg.address}>", "MAIL FROM": f":<{message.sender}>"}.get(command, "")
        said = f"SMTP error from remote mail server after {command}: {text}"
        if reply.status == "bounced":
            self._line(t, message, "**", leg.address, route, f": {said}", pid)
            return self.settle(t, leg, "bounced", tried=True, sender=message.sender)
        return self._defer(t, message, leg, f"defer (-44) {host}: {said}", pid, age)

    def _no_transaction(
        self, t: int, message: Message, leg: Leg, reply: Reply, there: Destination, pid: int, age: int
    ) -> str:
        """Nobody answers, or the greeting is a refusal; until the retry time it is not even tried."""
        name, ip = there.mx[0]
        if self._up_to.get(there.domain, 0) > t and age < self.site.lifetime:
            text = f"defer (-54): retry time not reached for any host for '{there.domain}'"
            self._line(t, message, "==", leg.address, "R=dnslookup T=remote_smtp", f" {text}", pid)
            leg.row.put_off = leg.row.put_off or t < self.site.end
            return "deferred"
        self._up_to[there.domain] = t + RETRY[min(leg.attempts, len(RETRY) - 1)]
        for mx, address in there.mx:
            self.say(t, f"{message.exim_id} H={mx} [{address}] {reply.text.partition(' [TS')[0]}", pid)
        errno = "110" if "timed out" in reply.text else "111"
        text = f"defer ({errno}): {reply.text}"
        if reply.stage == "greeting":
            said = f"SMTP error from remote mail server after initial connection: {reply.text}"
            text = f"defer (-46) H={name} [{ip}]: {said}"
        return self._defer(t, message, leg, text, pid, age)

    def _defer(self, t: int, message: Message, leg: Leg, text: str, pid: int, age: int) -> str:
        self._line(t, message, "==", leg.address, "R=dnslookup T=remote_smtp", f" {text}", pid)
        self.site.attempted(leg, t, None, None)
        if age < self.site.lifetime:
            return "deferred"
        self.say(t + MS, f"{message.exim_id} ** {leg.address}: retry timeout exceeded", pid)
        self.site.attempted(leg, t + MS, None, None)
        self.settle(t + MS, leg, "expired")
        return "expired"

    def _host(self, t: int, there: Destination) -> str:
        name, ip = there.mx[0]
        tls = " X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes" if there.tls else ""
        return f"H={name} [{ip}]{':25' if self.logs_all(t) else ''}{tls}"

    def settle(self, t: int, leg: Leg, outcome: str, *, tried: bool = False, sender: str | None = "?") -> str:
        """An address has met its fate, in an attempt or without."""
        if tried:
            self.site.attempted(leg, t, None, None)
        if outcome == "bounced" and not sender:
            return outcome  # nobody to tell: the message will be frozen
        self.site.truth.settle(leg.row, t, self.stamp(t), outcome)
        return outcome


Kind = Callable[[Exim, int], None]


def expanded(address: str, row: Row) -> list[Leg]:
    """The final addresses of a recipient: `team` is an alias."""
    if address != f"team@{DOMAIN}":
        row.final = [address]
        return [Leg(address, row)]
    members = [f"{user}@{DOMAIN}" for user in TEAM]
    row.final, row.unsettled = members, len(members)
    return [Leg(member, row, address) for member in members]


def following(message: Message) -> Kind:
    """The first attempt to deliver a message."""
    return lambda exim, t: exim.deliver(t, message)


def arriving(mail: Mail) -> Kind:
    """What a server of ours does with what it was given."""
    return lambda exim, t: attempt(exim.site, t, mail)


def started(exim: Exim, t: int) -> None:
    """The daemon starts."""
    version = "4.98" if exim.logs_all(t) else "4.96"
    exim.say(
        t,
        f"exim {version} daemon started: pid={exim.new_pid()}, -q2h, listening for SMTP on port 25 port 587 (IPv6 and IPv4)",
    )


def queue_run(exim: Exim, t: int) -> None:
    """Every message that waits is tried, or found to be too early, or frozen."""
    pid = exim.new_pid()
    exim.say(t, f"Start queue run: pid={pid}", pid)
    for message in list(exim.frozen):
        if t - message.created > 12 * HOUR and exim.site.random() < 0.5:
            exim.frozen.remove(message)
            exim.say(t + 20 * MS, f"{message.exim_id} removed by root")
            for leg in message.legs:
                leg.row.held = False
                exim.settle(t + 20 * MS, leg, "deleted")
        else:
            exim.say(t + 30 * MS, f"{message.exim_id} Message is frozen")
    for n, message in enumerate(list(exim.deferred), 1):
        exim.deliver(t + n * SECOND, message)
    exim.say(t + 20 * SECOND, f"End queue run: pid={pid}", pid)


def subject(site: Site) -> str:
    """A subject line, now and then one with a trap for readers."""
    return site.pick(
        (
            "Rehearsal on Friday",
            "Invoice 2026-11",
            'Re: the \\"big\\" one',
            "cut: R=3 T=4 => later",
            "M\\303\\266bel",
        )
    )


def inbound(exim: Exim, t: int) -> None:
    """Somebody elsewhere writes to the studio."""
    site, client = exim.site, exim.site.pick(HANDOVER_CLIENTS)
    sender = writer(site, client.domains[0])
    people = {f"{site.pick(BOXES)}@{DOMAIN}" for _ in range(site.pick((1, 1, 1, 2)))}
    letter = envelope(
        sender, sorted(people), message_id(site, client.domains[0]), size(site), client_ip=client.ip
    )
    message = exim.accept(t, letter, client)
    site.at(t + 60 * MS, exim.happen, following(message))


def submission(exim: Exim, t: int) -> None:
    """One of the studio writes: to the world, to the house, to colleagues."""
    site, client = exim.site, exim.site.pick(USERS)
    user = site.pick(STAFF)
    sender = f"{user}@{DOMAIN}"
    people = {addressee(exim) for _ in range(site.pick((1, 1, 1, 2, 3)))}
    letter = envelope(
        sender, sorted(people), message_id(site, DOMAIN), size(site), client_ip=client.ip, sasl_username=user
    )
    message = exim.accept(t, letter, client, login=user)
    site.at(t + 60 * MS, exim.happen, following(message))


def addressee(exim: Exim) -> str:
    """Whom the studio writes to."""
    site, dice = exim.site, exim.site.random()
    if dice < 0.35:
        return colleague(site)
    if dice < 0.45:
        return f"team@{DOMAIN}"
    if dice < 0.50:
        return stranger(site, DEAD_DOMAIN)
    if dice < 0.53:
        return FULL_MAILBOX
    return stranger(site, site.pick(WEIGHTED_DOMAINS))


def bounce_of_spam(exim: Exim, t: int) -> None:
    """A notification from elsewhere for nobody: it cannot be returned, and freezes."""
    site, client = exim.site, exim.site.pick(HANDOVER_CLIENTS)
    letter = envelope(
        "",
        [stranger(site, "mistyped.invalid")],
        message_id(site, client.domains[0]),
        2400,
        client_ip=client.ip,
    )
    message = exim.accept(t, letter, client)
    site.at(t + 60 * MS, exim.happen, following(message))


def refusal(words: str, recipient: Callable[[Site], str]) -> Kind:
    """A spammer is refused at RCPT."""

    def kind(exim: Exim, t: int) -> None:
        site, client = exim.site, spammer(exim.site)
        sender, address = writer(site, site.pick(SPAM_DOMAINS)), recipient(site)
        row = Row(sender, address, client_ip=client.ip, host=exim.plan.name, instance=None)
        fields = f"H={peer(client, exim.port(t))}" + (f" I=[{exim.plan.ip}]:25" if exim.logs_all(t) else "")
        pid = exim.new_pid()
        if client.name == "unknown":
            exim.say(t - 5 * MS, f"no host name found for IP address {client.ip}", pid)
        exim.say(t, f"{fields} F=<{sender}> rejected RCPT <{address}>: {words.format(ip=client.ip)}", pid)
        site.truth.refused(row, t, exim.stamp(t))

    return kind


def spammer(site: Site) -> Client:
    """Some host of a dial-up network."""
    n = 120 + int(site.random() * 130)
    name = "unknown" if site.random() < 0.7 else f"host-198-51-100-{n}.dyn.isp.test"
    return Client(name, f"198.51.100.{n}", site.pick(SPAM_HELOS))


def nobody(site: Site) -> str:
    """An address of the studio that never was."""
    return f"{site.pick(LAST_NAMES)}{int(site.random() * 90) + 10}@{DOMAIN}"


def guess(exim: Exim, t: int) -> None:
    """A wrong password."""
    client, name = spammer(exim.site), exim.site.pick(FIRST_NAMES)
    text = f"535 Incorrect authentication data (set_id={name}@{DOMAIN})"
    exim.say(t, f"plain_login authenticator failed for {peer(client, exim.port(t))}: {text}")
    if t < exim.site.end:
        exim.site.truth.auth_failures[client.ip] += 1


def lost(exim: Exim, t: int) -> None:
    """A bot goes away."""
    client = spammer(exim.site)
    exim.say(t, f"unexpected disconnection while reading SMTP command from {peer(client, exim.port(t))} D=2s")


def stranger_of_spam(site: Site) -> str:
    """Somebody elsewhere."""
    return writer(site, "webpost.example")


def staff(site: Site) -> str:
    """Somebody of the studio."""
    return f"{site.pick(STAFF)}@{DOMAIN}"


BOXES = (*STAFF * 3, "team", "noreply", "tickets")
MIX: tuple[tuple[float, Kind], ...] = (
    (38, submission),
    (30, inbound),
    (1.5, bounce_of_spam),
    (9, refusal("Unknown user", nobody)),
    (3, refusal("relay not permitted", stranger_of_spam)),
    (5, refusal("{ip} is listed at zen.dnsbl.example", staff)),
    (7, guess),
    (3, lost),
)
KINDS = [kind for _, kind in MIX]
