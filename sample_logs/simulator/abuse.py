"""What is refused: unknown recipients, relaying, listed clients, greylisting, bots, guessed passwords."""

from dataclasses import replace

from .mail import Envelope, envelope
from .people import colleague, message_id, size, writer
from .plan import MINUTE, SECOND
from .qmgr import enqueue
from .site import MS, Host, Site
from .smtpd import Refusal, Session, screened
from .truth import Row
from .world import (
    BAD_HELOS,
    GUESSED_NAMES,
    GUESSER_CLIENTS,
    HANDOVER_CLIENTS,
    LAST_NAMES,
    OUR_DOMAIN,
    SPAM_DOMAINS,
    SPAM_HELOS,
    Client,
)


def spammer(site: Site) -> Client:
    """Some host of a dial-up network."""
    n = 120 + int(site.random() * 130)
    ip, name = f"203.0.113.{n}", f"host-203-0-113-{n}.dyn.isp.test"
    dice = site.random()
    if dice < 0.5:
        return Client("unknown", ip, site.pick(SPAM_HELOS))
    if dice < 0.75:
        return Client("unknown", ip, site.pick(SPAM_HELOS), claimed=name)
    return Client(name, ip, site.pick(SPAM_HELOS))


def nobody(site: Site) -> str:
    """An address of ours that never was."""
    return f"{site.pick(LAST_NAMES)}{int(site.random() * 90) + 10}@{OUR_DOMAIN}"


def unknown_user(address: str) -> Refusal:
    """No such mailbox here."""
    text = f"<{address}>: Recipient address rejected: User unknown in virtual mailbox table"
    return Refusal(550, "5.1.1", text)


def conversation(site: Site, t: int, host: Host, client: Client) -> Session:
    """A bot has got through postscreen; some speak TLS."""
    t = screened(site, host, t, client, known=site.random() < 0.6)
    return Session(site, host, t, client, tls=site.random() < 0.4)


def refused(site: Site, session: Session, recipient: str, refusal: Refusal) -> None:
    """A conversation that gets no further than RCPT."""
    session.count("mail")
    session.refuse(Row(writer(site, site.pick(SPAM_DOMAINS)), recipient), "RCPT", refusal)
    session.close("RCPT" if site.random() < 0.2 else None)


def unknown_recipient(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A spammer tries names."""
    address = nobody(site)
    refused(site, conversation(site, t, host, spammer(site)), address, unknown_user(address))


def relay_attempt(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A spammer looks for an open relay."""
    address = writer(site, "webpost.example")
    refusal = Refusal(554, "5.7.1", f"<{address}>: Relay access denied")
    refused(site, conversation(site, t, host, spammer(site)), address, refusal)


def listed_client(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A client on a DNS block list that postscreen does not ask."""
    client = spammer(site)
    listed = (
        f"Client host [{client.ip}] blocked using bl.dnsbl.example; https://dnsbl.example/query/{client.ip}"
    )
    refusal = Refusal(554, "5.7.1", f"Service unavailable; {listed}")
    refused(site, conversation(site, t, host, client), colleague(site), refusal)


def greylisted(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """We greylist a server that we do not know yet; most of them come back with a new message for us."""
    client = site.pick(HANDOVER_CLIENTS)
    sender, recipient = writer(site, client.domains[0]), colleague(site)
    session = Session(site, host, screened(site, host, t, client, known=False), client)
    session.count("mail")
    text = f"<{recipient}>: Recipient address rejected: Greylisted, see https://postgrey.example/help/{OUR_DOMAIN}"
    session.refuse(Row(sender, recipient), "RCPT", Refusal(450, "4.2.0", text))
    t = host.next_up(session.close() + site.between(5 * MINUTE, 25 * MINUTE))
    message = envelope(
        sender, [recipient], message_id(site, client.domains[0]), size(site), client_ip=client.ip
    )
    if site.random() < 0.8 and t < site.end - MINUTE:
        site.at(t, come_back, host, client, message)


def come_back(site: Site, t: int, host: Host, client: Client, message: Envelope) -> None:
    """The retry after greylisting."""
    session = Session(site, host, screened(site, host, t, client), client)
    enqueue(site, session.accept(message))
    session.close()


def unknown_sender_domain(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """Refused at MAIL: no recipient was named yet."""
    sender = writer(site, "no-such-domain.invalid")
    session = conversation(site, t, host, spammer(site))
    refusal = Refusal(450, "4.1.8", f"<{sender}>: Sender address rejected: Domain not found")
    session.refuse(Row(sender, None), "MAIL", refusal)
    session.close()


def too_big(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """Refused at MAIL because of SIZE=."""
    client = site.pick(HANDOVER_CLIENTS)
    session = Session(site, host, screened(site, host, t, client), client)
    row = Row(writer(site, client.domains[0]), None)
    session.refuse(row, "MAIL", Refusal(552, "5.3.4", "Message size exceeds fixed limit"))
    session.close()


def bad_helo(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """Refused at EHLO: neither sender nor recipient."""
    client = replace(spammer(site), helo=site.pick(BAD_HELOS))
    t = screened(site, host, t, client, known=False)
    session = Session(site, host, t, client, tls=False, greets=False)
    text = f"<{client.helo}>: Helo command rejected: need fully-qualified hostname"
    session.refuse(Row(None, None), "EHLO", Refusal(504, "5.5.2", text))
    session.close("EHLO")


def silent(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A port scanner or a monitor: connects and leaves."""
    client = spammer(site)
    polite = site.random() < 0.5
    session = Session(site, host, screened(site, host, t, client), client, tls=False, greets=polite)
    session.close(None if polite else "CONNECT")


# postscreen(8): the bots that never get to smtpd


def postscreen(site: Site, t: int, host: Host, lines: tuple[tuple[int, str], ...], client: Client) -> int:
    """CONNECT, then `lines` with their delays; {peer} stands for [address]:port. Returns when it is over."""
    tag = f"postfix/postscreen[{host.daemon('postscreen')}]"
    peer = f"[{client.ip}]:{32768 + int(site.random() * 28000)}"
    host.log(t, f"{tag}: CONNECT from {peer} to [{host.plan.ip}]:25")
    for delay, text in lines:
        t += site.between(delay // 2, delay)
        host.log(t, f"{tag}: {text.replace('{peer}', peer)}")
    return t


def pregreet(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A bot that talks before the greeting."""
    client = spammer(site)
    words = f"EHLO {client.helo}\\r\\n"
    size_of_words = len(client.helo) + 7
    lines = (
        (120 * MS, f"PREGREET {size_of_words} after 0.0{int(site.random() * 9) + 1} from {{peer}}: {words}"),
        (
            4 * SECOND,
            f"HANGUP after {1 + int(site.random() * 9) / 10} from {{peer}} in tests after SMTP handshake",
        ),
        (1 * MS, "DISCONNECT {peer}"),
    )
    postscreen(site, t, host, lines, client)


def screened_out(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """A listed client: postscreen speaks SMTP with it only to log whom it would have written to."""
    client = spammer(site)
    sender, recipient = writer(site, site.pick(SPAM_DOMAINS)), colleague(site)
    host.once(t + 100 * MS, "dnsblog", f"addr {client.ip} listed by domain zen.dnsbl.example as 127.0.0.4")
    answer = f"550 5.7.1 Service unavailable; client [{client.ip}] blocked using zen.dnsbl.example"
    known = f"from=<{sender}>, to=<{recipient}>, proto=ESMTP, helo=<{client.helo}>"
    lines = (
        (12 * SECOND, "DNSBL rank 3 for {peer}"),
        (1200 * MS, f"NOQUEUE: reject: RCPT from {{peer}}: {answer}; {known}"),
        (0, "DISCONNECT {peer}"),
    )
    over = postscreen(site, t, host, lines, client)
    row = Row(sender, recipient, client_ip=client.ip, host=host.name, smtp_code=550, enhanced_code="5.7.1")
    site.truth.refused(row, over, host.stamp(over))


# Passwords


def try_password(site: Site, t: int, host: Host, client: Client, names: list[str]) -> None:
    """One connection with a wrong password for each name."""
    secure = site.random() < 0.5
    session = Session(site, host, t, client, "submission/smtpd", tls=secure)
    for name in names:
        session.fail_login(name)
    session.close("AUTH" if site.random() < 0.6 else None)


def guess(site: Site, t: int, host: Host, story: str | None = None, to: str = "") -> None:
    """Password guessing: in an attack by a few addresses, otherwise by anybody."""
    client = site.pick(GUESSER_CLIENTS) if story else spammer(site)
    names = [f"{site.pick(GUESSED_NAMES)}@{OUR_DOMAIN}" for _ in range(1 + int(site.random() * 1.6))]
    try_password(site, t, host, client, names)
