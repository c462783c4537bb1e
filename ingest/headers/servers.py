"""Which server wrote a Received header, by its own words, and what it is known to write where."""

import re
from enum import StrEnum
from typing import Final, NamedTuple


class Peer(StrEnum):
    """What the first word of a `from` clause is."""

    HELO = "helo"  # what the client called itself; a verified name stands in the comment
    NAME = "name"  # the verified name; what the client called itself stands in the comment, if it differs
    UNKNOWN = "unknown"


class Server(NamedTuple):
    """A server's habits.

    `states_tls`: its `with` says ESMTPS or the like wherever there was TLS, so ESMTP alone means none.
    """

    name: str
    hints: tuple[str, ...]  # in small letters; where none is in the text, the sign is not either
    sign: re.Pattern[str]  # in the text of the header
    peer: Peer = Peer.HELO
    states_tls: bool = False


def _server(name: str, hints: str, sign: str, peer: Peer = Peer.HELO, *, states_tls: bool = False) -> Server:
    return Server(name, tuple(hints.split("|")), re.compile(sign, re.IGNORECASE | re.ASCII), peer, states_tls)


# The first sign that a header bears counts. Where each writes what: Postfix smtpd(8) and cleanup(8), Exim's
# received_header_text, sendmail's HReceived in cf/README, qmail received.c, dma's mail.c, RFC 3848 for the words
# of `with`; of others what they are seen to write.
SERVERS: Final = (
    _server("exchange_online", ":10a6:|.outlook.com", r"\(\d{4}:10a6:|\.prod\.(?:outlook|protection\.outlook)\.com|\.mail\.protection\.outlook\.com", states_tls=False),
    _server("exchange", "microsoft|with mapi|shadowredundancy|internet mail service", r"with (?:Microsoft SMTP Server|mapi|ShadowRedundancy|Internet Mail Service \()|Microsoft SMTPSVC|\(Microsoft Exchange"),
    _server("gmail", "google|with smtp id|by 10.", r"^by 10\.\d{1,3}\.\d{1,3}\.\d{1,3} with (?:SMTP id \w|HTTP$|HTTP ?;)|by mx\.google\.com with|by [\w-]+\.google\.com with|\(Google Transport Security\)|by [0-9a-f:]+ with SMTP id \w+csp|by \d{4}:[0-9a-f:]+ with SMTP id", states_tls=True),
    _server("amazon_ses", "amazonses.com", r"\.smtp-out\.[\w-]*\.?amazonses\.com \(|by amazonses\.com|\bamazonses\.com with"),
    _server("zimbra", "zimbra|(lhlo ", r"by localhost \(\S+ \[127\.0\.0\.1\]\) \(amavisd-new.*\bzimbra|\(Zimbra\)|\(LHLO [^\s)]+\) \([\da-f.:]+\)"),
    _server("amavis", "(amavis", r"\(amavisd?-?new|\(amavis"),
    _server("postfix", "(postfix", r"\(Postfix[^)]*\)|\(Postfix$", states_tls=True),
    _server("exim", "exim", r"\(Exim\b|incSMTP Exim", Peer.NAME, states_tls=True),
    _server("opensmtpd", "(opensmtpd", r"\(OpenSMTPD\)", states_tls=True),
    _server("haraka", "(haraka", r"\(Haraka", states_tls=True),
    _server("mdaemon", "(mdaemon", r"\(MDaemon"),
    _server("communigate", "(communigate", r"\(CommuniGate Pro", Peer.NAME),
    _server("kumomta", "(kumomta", r"\(KumoMTA", states_tls=True),
    _server("powermta", "(powermta", r"\(PowerMTA"),
    _server("ecelerity", "(ecelerity", r"\(ecelerity"),
    _server("yandex", "yandex)", r"\((?:nwsmtp/)?Yandex\)", states_tls=True),
    _server("gmx", "(nemesis)", r"\(Nemesis\)", states_tls=True),
    _server("courier", "(courier", r"\(Courier", Peer.HELO),
    _server("stalwart", "(stalwart", r"\(Stalwart", states_tls=True),
    _server("dma", "(dragonfly", r"\(DragonFly Mail Agent"),
    _server("oracle_messaging", " messaging server|communications messaging", r"\((?:Oracle Communications|Sun Java(?:\(tm\))? System|Sun ONE|iPlanet) Messaging Server"),
    _server("post_office", "(post.office", r"\(Post\.Office MTA"),
    _server("cyrus", "(cyrus", r"\(Cyrus v?\d"),
    _server("mirapoint", "(mos ", r"\(MOS \d"),
    _server("zone_mta", "(zonemta", r"\(ZoneMTA"),
    _server("zoho", ".zoho", r"by [\w.-]+\.zoho(?:mail)?\.(?:com|eu|in) with"),
    _server("yahoo", ".yahoo.", r"by [\w.-]+\.yahoo\.(?:com|co\.jp) (?:with|via) (?:HTTP|NNFMP)"),
    _server("intermail", "(intermail|with esmtp id <|with smtp id <|with esmtps id <", r"\(InterMail v|with E?SMTPS? id <\d{14}\.[A-Z]{4}\d{1,8}\.[\w.-]+@"),
    _server("qmail", "qmail|(qpsmtpd|(helo |(ehlo ", r"\(qmail|qmail-ldap|\(qpsmtpd|qmail-scanner|\((?:HELO|EHLO) [^)]*\) \((?:\S*@)?[\d.]+\)", Peer.NAME),
    _server("sendmail", "/|(sendmail|bits=", r"by \S+ \((?:\d+\.\d+(?:\.\d+)?[\w.+-]*|V8)/[\w.+/: -]+\)|by \S+ \(Sendmail|\(authenticated bits=\d+\)"),
)  # fmt: skip
_QMAIL_PEER: Final = re.compile(r"from [^\s(]+ ?\((?:[^\s@()]*@)?[\d.]+\)[ ,]", re.IGNORECASE)


def server_of(text: str) -> Server | None:
    """The server whose words a header bears; the text has single blanks."""
    lower = text.lower()
    for server in SERVERS:
        for hint in server.hints:
            if hint in lower and server.sign.search(text):
                return server
    return None


def names_peer_first(text: str) -> bool:
    """Whether a server without a name of its own writes as qmail does: an address in bare parentheses."""
    return _QMAIL_PEER.match(text) is not None
