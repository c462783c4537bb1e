"""What servers elsewhere are like: their MX hosts, their speed, what they answer and how often.

Names are reserved by RFC 2606 and RFC 6761, addresses by RFC 5737 and RFC 3849. The replies are our own words
for what large providers say with the same codes (a collection: github.com/ActiveCampaign/smtp-field-manual).
"""

from dataclasses import dataclass
from typing import Literal

Stage = Literal["RCPT TO", "MAIL FROM", "end of DATA", "connect", "greeting", "dns"]
NO_TRANSACTION = ("connect", "greeting", "dns")  # the whole destination is out of reach, not a recipient

AES_256 = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519"
TLS_CLIENT = (
    f"{AES_256} server-signature ECDSA (P-256) server-digest SHA256",
    f"{AES_256} server-signature RSA-PSS (2048 bits) server-digest SHA256",
    "TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits)",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers. In `text`: {rcpt} {domain} {sender_domain} {token} {epoch}."""

    status: Literal["sent", "deferred", "bounced"]
    dsn: str
    text: str
    stage: Stage = "RCPT TO"


@dataclass(frozen=True, slots=True)
class Destination:
    """A domain elsewhere, its MX hosts and its manners."""

    domain: str
    mx: tuple[tuple[str, str], ...]
    ok: Reply
    unknown: Reply
    temporary: tuple[Reply, ...] = ()
    permanent: tuple[Reply, ...] = ()
    temporary_share: float = 0.012
    permanent_share: float = 0.006
    tls: str = "Trusted TLS connection established to"
    connect_ms: int = 160  # TCP, greeting, EHLO, TLS
    transmit_ms: int = 350
    weight: int = 1


def sent(text: str, dsn: str = "2.0.0") -> Reply:
    """2xx."""
    return Reply("sent", dsn, text, "end of DATA")


def later(dsn: str, text: str, stage: Stage = "RCPT TO") -> Reply:
    """4xx, or nobody there."""
    return Reply("deferred", dsn, text, stage)


def never(dsn: str, text: str, stage: Stage = "RCPT TO") -> Reply:
    """5xx, or no such domain."""
    return Reply("bounced", dsn, text, stage)


POSTFIX_OK = sent("250 2.0.0 Ok: queued as {token}")
POSTFIX_UNKNOWN = never(
    "5.1.1", "550 5.1.1 <{rcpt}>: Recipient address rejected: User unknown in virtual mailbox table"
)
GREYLISTED = later(
    "4.2.0", "450 4.2.0 <{rcpt}>: Recipient address rejected: Greylisted, please come back in 5 minutes"
)
BUSY = later("4.3.2", "451 4.3.2 Server busy, please try again later", "end of DATA")
SPAM = never("5.7.1", "550 5.7.1 Message looks like spam and was not accepted", "end of DATA")
NO_DOMAIN = never(
    "5.4.4",
    "Host or domain name not found. Name service error for name={domain} type=MX: Host not found",
    "dns",
)
CONNECT_TIMEOUT = later("4.4.1", "Connection timed out", "connect")
CONNECT_REFUSED = later("4.4.1", "Connection refused", "connect")

# The replies that stories are about. Several reply lines are flattened to one, as smtp(8) does.
BIGMAIL_UNAUTHENTICATED = never(
    "5.7.26",
    "550-5.7.26 Your message was blocked because its sender is unauthenticated. 550-5.7.26 Bigmail asks all "
    "senders to authenticate with SPF or DKIM. 550-5.7.26  550-5.7.26  Authentication results: 550-5.7.26  "
    "DKIM = did not pass 550-5.7.26  SPF [{sender_domain}] with ip: [192.0.2.20] = did not pass 550-5.7.26  "
    "550 5.7.26  How to set up authentication: https://postmaster.bigmail.example/auth {token} - bsmtp",
    "end of DATA",
)
BIGMAIL_RATE_LIMITED = later(
    "4.7.28",
    "421-4.7.28 Bigmail has seen an unusual rate of unsolicited mail from your IP address. 421-4.7.28 To "
    "protect our users, mail from it is rate limited for now. 421 4.7.28 See "
    "https://postmaster.bigmail.example/bulk {token} - bsmtp",
    "end of DATA",
)
MEGAMAIL_OVER_QUOTA = later(
    "4.2.2", "452 4.2.2 <{rcpt}>: mailbox is over quota, try again later [{token}.megamail.example]"
)
MEGAMAIL_QUOTA_GIVEN_UP = never(
    "5.2.2", "552 5.2.2 <{rcpt}>: mailbox is full and has been for too long [{token}.megamail.example]"
)

DESTINATIONS = (
    Destination(
        "bigmail.example",
        (("mx.bigmail.example", "198.51.100.26"),),
        ok=sent("250 2.0.0 OK  {epoch} {token} - bsmtp"),
        unknown=never(
            "5.1.1",
            "550-5.1.1 There is no such account here. Please check the address for 550-5.1.1 typos or "
            "blanks. 550 5.1.1  See https://help.bigmail.example/nosuchuser {token} - bsmtp",
        ),
        temporary=(
            later(
                "4.2.1",
                "450-4.2.1 This user is receiving mail too fast just now. 450 4.2.1 Try again later {token}",
            ),
            later(
                "4.3.0", "451 4.3.0 Mail server temporarily rejected message. {token} - bsmtp", "end of DATA"
            ),
        ),
        permanent=(
            never("5.2.1", "550 5.2.1 The account you tried to reach is disabled. {token} - bsmtp"),
            never(
                "5.7.1",
                "550-5.7.1 [192.0.2.20] This message is likely unsolicited and was blocked. 550 5.7.1 See "
                "https://postmaster.bigmail.example/why {token} - bsmtp",
                "end of DATA",
            ),
        ),
        connect_ms=120,
        transmit_ms=620,
        weight=34,
    ),
    Destination(
        "megamail.example",
        (("megamail-example.mail.protection.megamail.example", "198.51.100.40"),),
        ok=sent(
            "250 2.6.0 <{token}@megamail.example> [InternalId={epoch}, Hostname=AM7P.megamail.example] "
            "Queued mail for delivery",
            "2.6.0",
        ),
        unknown=never(
            "5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable. [{token}.megamail.example]"
        ),
        temporary=(
            later(
                "4.7.500",
                "451 4.7.500 Server busy. Please try again later from [192.0.2.20]. (S77715) [{token}]",
            ),
            later(
                "4.7.650",
                "451 4.7.650 The mail server [192.0.2.20] is rate limited due to IP reputation. (S843)",
                "MAIL FROM",
            ),
        ),
        permanent=(
            never("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. [{token}.megamail.example]"),
            never(
                "5.7.1",
                "550 5.7.1 Service unavailable, sender domain is on a block list (S8002)",
                "end of DATA",
            ),
        ),
        connect_ms=210,
        transmit_ms=1450,
        weight=22,
    ),
    Destination(
        "webpost.example",
        (("mta5.am0.webpost.example", "198.51.100.61"), ("mta7.am0.webpost.example", "198.51.100.62")),
        ok=sent("250 ok dirdel"),
        unknown=never(
            "5.0.0",
            "554 delivery error: dd This user doesn't have a webpost.example account ({rcpt}) [0]",
            "end of DATA",
        ),
        temporary=(
            later(
                "4.7.0",
                "421 4.7.0 [TS03] Messages from 192.0.2.20 deferred due to user complaints; see https://webpost.example/e",
                "greeting",
            ),
            later(
                "4.0.0",
                "451 Resources temporarily unavailable. Please try again later [#4.16.1].",
                "MAIL FROM",
            ),
        ),
        permanent=(
            never(
                "5.7.9",
                "554 5.7.9 Message not accepted for policy reasons. See https://webpost.example/e",
                "end of DATA",
            ),
        ),
        connect_ms=380,
        transmit_ms=700,
        weight=12,
    ),
    Destination(
        "freepost.test",
        (("mx00.freepost.test", "203.0.113.20"), ("mx01.freepost.test", "203.0.113.21")),
        ok=sent("250 Requested mail action okay, completed: id={token}"),
        unknown=never("5.0.0", "550 Requested action not taken: mailbox unavailable"),
        temporary=(
            later(
                "4.0.0",
                "450 Requested mail action not taken: mailbox unavailable. Resource limit. id={token}",
            ),
        ),
        permanent=(
            never("5.0.0", "550 Reject due to policy restrictions (header based) id={token}", "end of DATA"),
        ),
        weight=9,
    ),
    Destination(
        "kestrel-bank.example",
        (("mx1.kestrel-bank.example", "2001:db8:4b::25"), ("mx2.kestrel-bank.example", "198.51.100.71")),
        ok=POSTFIX_OK,
        unknown=POSTFIX_UNKNOWN,
        temporary=(GREYLISTED,),
        permanent=(SPAM,),
        permanent_share=0.0,
        tls="Verified TLS connection established to",
        weight=4,
    ),
    Destination(
        "larch-logistics.example",
        (("mail.larch-logistics.example", "198.51.100.80"),),
        ok=POSTFIX_OK,
        unknown=POSTFIX_UNKNOWN,
        temporary=(GREYLISTED, BUSY),
        permanent=(SPAM,),
        temporary_share=0.06,
        tls="Untrusted TLS connection established to",
        weight=6,
    ),
    Destination(
        "harbour-clinic.example",
        (("gw.harbour-clinic.example", "198.51.100.90"),),
        ok=sent("250 2.0.0 {token} Message accepted for delivery"),
        unknown=never("5.1.1", "550 5.1.1 <{rcpt}>... User unknown"),
        temporary=(BUSY,),
        permanent=(never("5.2.3", "552 5.2.3 Message exceeds the size limit of this site", "MAIL FROM"),),
        tls="",
        connect_ms=60,
        weight=5,
    ),
    Destination(
        "quayside-school.test",
        (("mx.quayside-school.test", "203.0.113.40"),),
        ok=sent("250 OK id={token}"),
        unknown=never("5.0.0", "550 No such user here"),
        temporary=(later("4.0.0", "451 Temporary local problem - please try later"),),
        tls="Untrusted TLS connection established to",
        weight=4,
    ),
    Destination(
        "oldpartner.example",
        (("mx1.oldpartner.example", "203.0.113.80"), ("mx2.oldpartner.example", "203.0.113.81")),
        ok=POSTFIX_OK,
        unknown=POSTFIX_UNKNOWN,
    ),
    Destination("mistyped.invalid", (), ok=NO_DOMAIN, unknown=NO_DOMAIN),
)
BRANCH = Destination(
    "branch.example.net",
    (("mail.branch.example.net", "192.0.2.60"),),
    ok=POSTFIX_OK,
    unknown=POSTFIX_UNKNOWN,
    tls="Verified TLS connection established to",
    connect_ms=20,
    transmit_ms=40,
)
