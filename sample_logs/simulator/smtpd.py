"""Mail coming in: SMTP conversations, what they log and what they leave in the queue.

The order of lines is Postfix 3.7's: connect, TLS, client=, message-id=, (queue active), disconnect with its
counters.
"""

from dataclasses import dataclass
from typing import NamedTuple

from .mail import Envelope, Leg, Mail
from .plan import SECOND
from .site import MS, Host, Site
from .truth import Row
from .world import ALIASES, LOCALHOST, Client

# Source: smtpd.c, smtpd_cmd_table: "disconnect from" counts the commands in this order.
COMMANDS = ("helo", "ehlo", "xforward", "starttls", "auth", "mail", "rcpt", "data", "rset", "quit", "unknown")

HEADER_ACTIONS = {
    "milter-reject": "milter-reject: END-OF-MESSAGE from {client}: 5.7.1 Spam message rejected; {envelope}",
    "discard": "discard: header Subject: You have been chosen from {client}; {envelope}: no prizes here",
    "hold": "hold: header Subject: Overdue invoice from {client}; {envelope}: a human looks first",
}


class Refusal(NamedTuple):
    """What a client is told that is not taken."""

    code: int
    dsn: str
    text: str


@dataclass(frozen=True, slots=True)
class Release:
    """What differs between the Postfix versions of the sample."""

    allowlisted: str
    reinject: str


RELEASES = {"3.5.25": Release("WHITELISTED", "smtpd"), "3.7.11": Release("ALLOWLISTED", "reinject/smtpd")}


def release(host: Host, t: int) -> Release:
    """What the host's Postfix is like at `t`."""
    return RELEASES[host.log_file.part_at(t).postfix]


def activate(site: Site, mail: Mail, t: int) -> None:
    """The queue manager takes the mail up."""
    envelope = mail.envelope
    mail.host.log(
        t,
        f"postfix/qmgr[{mail.host.daemon('qmgr')}]: {mail.queue_id}: from=<{envelope.sender}>, "
        f"size={envelope.size}, nrcpt={mail.nrcpt} (queue active)",
    )
    mail.active = t
    if t < site.end:
        for leg in mail.legs:
            if leg.row.size_bytes is None:
                leg.row.size_bytes = envelope.size


def expanded(host: Host, address: str, row: Row, *, aliases: bool) -> list[Leg]:
    """The final addresses of a recipient: virtual aliases are known to the inbound servers only."""
    members = ALIASES.get(address) if aliases and host.plan.inbound else None
    if members is None:
        row.final = row.final or [address]
        return [Leg(address, row)]
    row.final = list(members)
    row.unsettled = len(members)
    return [Leg(member, row, f", orig_to=<{address}>") for member in members]


def queue(
    site: Site, host: Host, t: int, envelope: Envelope, legs: list[Leg], *, on_time: bool = False
) -> Mail:
    """A new queue file: from now on the truth knows its recipients."""
    created, queue_id, inode = host.ids.new(t, on_time=on_time)
    register(site, host, created, queue_id, [row for _, row in envelope.rows])
    return Mail(host, queue_id, inode, created, envelope, legs, nrcpt=len(legs))


def register(site: Site, host: Host, t: int, queue_id: str, rows: list[Row]) -> None:
    """A queue id has been given to these recipients' message."""
    if t >= site.end:
        return
    for row in rows:
        if not row.queue_ids:
            row.host, row.accepted_at = host.name, host.stamp(t)
            site.truth.opened((row,))
        row.queue_ids.append(f"{host.name}/{queue_id}")


class Session:
    """One SMTP conversation: logs as it goes on, and counts the client's commands."""

    __slots__ = ("_counts", "_tag", "_worker", "client", "host", "program", "sasl", "site", "t")

    def __init__(
        self,
        site: Site,
        host: Host,
        t: int,
        client: Client,
        program: str = "smtpd",
        *,
        tls: bool = True,
        greets: bool = True,
    ) -> None:
        self.site, self.host, self.client, self.program, self.t = site, host, client, program, t
        self.sasl = ""
        self._worker = host.pool(program).take(t)
        self._tag = f"postfix/{program}[{self._worker[0]}]"
        self._counts: dict[str, list[int]] = {}
        host.last_client = (client.ip, t)
        if client.claimed:
            host.log(
                t, f"{self._tag}: warning: hostname {client.claimed} does not resolve to address {client.ip}"
            )
        host.log(t, f"{self._tag}: connect from {client.label}")
        if greets:
            self.count("ehlo", *["xforward"] * (client is LOCALHOST))
        if tls:
            self.wait(15, 120)
            self.count("starttls", "ehlo")
            self.say(f"Anonymous TLS connection established from {client.label}: {client.tls}")

    def say(self, text: str) -> None:
        """A line of this smtpd process, now."""
        self.host.log(self.t, f"{self._tag}: {text}")

    def wait(self, low_ms: int, high_ms: int) -> None:
        """Time goes by."""
        self.t += self.site.between(low_ms * MS, high_ms * MS)

    def count(self, *commands: str, ok: bool = True) -> None:
        """The client has said these commands."""
        for command in commands:
            count = self._counts.setdefault(command, [0, 0])
            count[0] += ok
            count[1] += 1

    def login(self, username: str) -> None:
        """The right password."""
        self.count("auth")
        self.sasl = f", sasl_method=PLAIN, sasl_username={username}"

    def fail_login(self, username: str) -> None:
        """A wrong password."""
        self.wait(400, 2500)
        self.count("auth", ok=False)
        self.say(
            f"warning: {self.client.label}: SASL LOGIN authentication failed: UGFzc3dvcmQ6, "
            f"sasl_username={username}"
        )
        if self.t < self.site.end:
            self.site.truth.auth_failures[self.client.ip] += 1

    def refuse(self, row: Row, stage: str, refusal: Refusal, queue_id: str = "NOQUEUE") -> None:
        """A reject at MAIL, RCPT or EHLO: nothing gets into the queue for this recipient."""
        known = "" if row.sender is None else f"from=<{row.sender}> "
        known += "" if row.recipient is None else f"to=<{row.recipient}> "
        proto = "SMTP" if stage == "EHLO" else "ESMTP"
        self.wait(20, 300)
        self.count(stage.lower(), ok=False)
        self.say(
            f"{queue_id}: reject: {stage} from {self.client.label}: {refusal.code} {refusal.dsn} "
            f"{refusal.text}; {known}proto={proto} helo=<{self.client.helo}>"
        )
        row.host, row.smtp_code, row.enhanced_code = self.host.name, refusal.code, refusal.dsn
        row.client_ip = self.client.ip
        self.site.truth.refused(row, self.t, self.host.stamp(self.t))

    def accept(
        self, envelope: Envelope, *, aliases: bool = True, refused: tuple[tuple[Row, Refusal], ...] = ()
    ) -> Mail:
        """MAIL, RCPT, DATA. What a header check or a milter stops is gone for the queue manager."""
        self.wait(25, 260)
        legs = [leg for a, row in envelope.rows for leg in expanded(self.host, a, row, aliases=aliases)]
        mail = queue(self.site, self.host, self.t, envelope, legs)
        self.t = mail.created
        mail.client = self.client.label
        self.say(f"{mail.queue_id}: client={self.client.label}{envelope.orig}{self.sasl}")
        self.count("mail", *["rcpt"] * len(envelope.rows))
        for row, refusal in refused:
            register(self.site, self.host, mail.created, mail.queue_id, [row])
            self.refuse(row, "RCPT", refusal, mail.queue_id)
        self._data(mail)
        return mail

    def _data(self, mail: Mail) -> None:
        host = self.host
        self.wait(20, 180)
        pool = host.pool("cleanup")
        worker = pool.take(self.t)
        tag = f"postfix/cleanup[{worker[0]}]: {mail.queue_id}"
        host.log(self.t, f"{tag}: message-id={mail.envelope.message_id}")
        self.wait(3, 90)
        action = mail.envelope.header_action
        if action:
            self._intervene(mail, action, tag)
        else:
            if host.plan.outbound and self.sasl:
                self._sign(mail)
            activate(self.site, mail, self.t)
        pool.give(worker, self.t)
        self.count("data", ok=action != "milter-reject")

    def _sign(self, mail: Mail) -> None:
        domain = mail.sender.partition("@")[2]
        self.host.log(
            self.t,
            f"opendkim[{self.host.daemon('opendkim')}]: {mail.queue_id}: "
            f"DKIM-Signature field added (s=mail2026, d={domain})",
        )
        self.wait(1, 8)

    def _intervene(self, mail: Mail, action: str, tag: str) -> None:
        """A header check or a milter decides before the queue manager hears of the mail."""
        mail.gone = True
        recipient = mail.envelope.rows[-1][0]
        known = f"from=<{mail.sender}> to=<{recipient}> proto=ESMTP helo=<{self.client.helo}>"
        self.host.log(
            self.t, f"{tag}: {HEADER_ACTIONS[action].format(client=self.client.label, envelope=known)}"
        )
        if action == "hold":
            self.host.held[mail.queue_id] = mail
            for leg in mail.legs:
                leg.row.held = self.t < self.site.end
            return
        for leg in mail.legs:
            if action == "milter-reject":
                leg.row.smtp_code, leg.row.enhanced_code = 550, "5.7.1"
                self.site.truth.refused(leg.row, self.t, self.host.stamp(self.t))
            else:
                self.site.settle(self.host, leg.row, self.t, "discarded")
        self.host.ids.free(self.t, mail.inode, mail.created)

    def close(self, lost_after: str | None = None) -> int:
        """The end of the conversation, polite or not; returns when."""
        self.wait(5, 90)
        if lost_after:
            self.say(f"lost connection after {lost_after} from {self.client.label}")
        else:
            self.count("quit")
        counts = {c: self._counts[c] for c in COMMANDS if c in self._counts}
        counts["commands"] = [sum(ok for ok, _ in counts.values()), sum(n for _, n in counts.values())]
        spelt = " ".join(f"{c}={ok}" if ok == n and n else f"{c}={ok}/{n}" for c, (ok, n) in counts.items())
        self.say(f"disconnect from {self.client.label} {spelt}")
        self.host.pool(self.program).give(self._worker, self.t)
        return self.t


def screened(site: Site, host: Host, t: int, client: Client, *, known: bool = True) -> int:
    """postscreen(8) in front of port 25 lets the client pass; returns when smtpd(8) gets the connection."""
    tag = f"postfix/postscreen[{host.daemon('postscreen')}]"
    peer = f"[{client.ip}]:{32768 + int(site.random() * 28000)}"
    host.log(t, f"{tag}: CONNECT from {peer} to [{host.plan.ip}]:25")
    if client.domains == ("example.org",):
        verdict = release(host, t).allowlisted
    else:
        verdict = "PASS OLD" if known else "PASS NEW"
        t += 0 if known else 6 * SECOND + int(site.random() * 50 * MS)  # postconf(5): postscreen_greet_wait
    t += 200 + int(site.random() * 900)
    host.log(t, f"{tag}: {verdict} {peer}")
    return t + 1000 + int(site.random() * 9000)
