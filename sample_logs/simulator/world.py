"""Who writes to whom: people, servers and bots, with reserved names and addresses only (see providers.py)."""

from dataclasses import dataclass, field

from .providers import AES_256, BRANCH

AES_128 = AES_256.replace("256/256", "128/128").replace("AES_256_GCM_SHA384", "AES_128_GCM_SHA256")
TLS_SERVER = (
    f"{AES_256} server-signature RSA-PSS (2048 bits) server-digest SHA256",
    f"{AES_128} server-signature RSA-PSS (2048 bits) server-digest SHA256",
    "TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
)


@dataclass(frozen=True, slots=True)
class Client:
    """An SMTP client as smtpd(8) sees it. `claimed` is a name of its address that does not point back."""

    name: str
    ip: str
    helo: str
    domains: tuple[str, ...] = ()
    claimed: str | None = None
    label: str = field(init=False)
    tls: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", f"{self.name}[{self.ip}]")
        object.__setattr__(self, "tls", TLS_SERVER[len(self.helo) % len(TLS_SERVER)])


OUR_DOMAIN = "example.org"
NEWS_DOMAIN = "news.example.org"
CLUB_DOMAIN = "club.example.org"
OUR_DOMAINS = (OUR_DOMAIN, NEWS_DOMAIN, CLUB_DOMAIN, BRANCH.domain)

USERS = """
    anna.keller ben.roth carla.stein dora.lind emil.brandt frida.holm georg.mayr hanna.voss ivo.petrov
    jana.kral karl.adler lena.fuchs mara.weiss nils.berg olga.sand paul.thoma rosa.klein sven.dahl t.weber
    uta.frank viktor.noll wanda.ruiz yara.costa zoe.marsh
"""
FIRST = """
    ada alan alice bruno celia chris dana david elena ella eric fiona greg helen hugo ines jack julia kim
    laura leo maria mark nadia oscar petra quinn ruth sam sara theo tina ursula vera will xenia yusuf zelda
"""
LAST = """
    abbot baker carver dyer eaton farmer glover harper ingram joiner knight lister mason naylor oakes porter
    quill reeve sawyer tanner usher vintner weaver yeoman
"""
PEOPLE, FIRST_NAMES, LAST_NAMES = USERS.split(), FIRST.split(), LAST.split()
SHARED = ("info", "invoices", "jobs", "postmaster")
ALIASES = {
    "office@example.org": ("anna.keller@example.org", "ben.roth@example.org"),
    "sales@example.org": ("carla.stein@example.org", "nils.berg@example.org", "zoe.marsh@example.org"),
    "board@club.example.org": ("chair@club.example.org", "treasurer@club.example.org"),
}
FORWARDED_TO = "dora.lind@bigmail.example"  # the ~/.forward of webmaster on every mx
CLUB = ("chair", "treasurer", "minutes", "newsletter")
GUESSED_NAMES = (
    "info",
    "admin",
    "test",
    "sales",
    "office",
    "anna.keller",
    "t.weber",
    "postmaster",
    "scan",
    "invoices",
)

HANDOVER_CLIENTS = (
    Client("mail-out17.bigmail.example", "198.51.100.27", "mail-out17.bigmail.example", ("bigmail.example",)),
    Client(
        "mail-out22.bigmail.example", "2001:db8:b1::22", "mail-out22.bigmail.example", ("bigmail.example",)
    ),
    Client(
        "eu-n04.outbound.megamail.example",
        "198.51.100.44",
        "eu-n04.outbound.megamail.example",
        ("megamail.example",),
    ),
    Client("sonic311.webpost.example", "198.51.100.65", "sonic311.webpost.example", ("webpost.example",)),
    Client("mout.freepost.test", "203.0.113.24", "mout.freepost.test", ("freepost.test",)),
    Client(
        "mx1.kestrel-bank.example", "2001:db8:4b::25", "mx1.kestrel-bank.example", ("kestrel-bank.example",)
    ),
    Client(
        "mail.larch-logistics.example",
        "198.51.100.80",
        "mail.larch-logistics.example",
        ("larch-logistics.example",),
    ),
    Client(
        "gw.harbour-clinic.example", "198.51.100.90", "gw.harbour-clinic.example", ("harbour-clinic.example",)
    ),
    Client("mx.quayside-school.test", "203.0.113.40", "mx.quayside-school.test", ("quayside-school.test",)),
    Client(
        "unknown", "203.0.113.47", "mail.smallshop.example", ("smallshop.example",), "mail.smallshop.example"
    ),
)
USER_CLIENTS = (
    Client("office-gw.example.org", "192.0.2.130", "[10.20.0.15]"),
    Client("office-gw.example.org", "192.0.2.130", "[10.20.0.31]"),
    Client("dsl-7.isp.test", "198.51.100.137", "[192.168.1.20]"),
    Client("dsl-21.isp.test", "198.51.100.151", "[192.168.178.33]"),
    Client("unknown", "198.51.100.200", "[100.64.3.9]"),
    Client("v6-9.mobile.test", "2001:db8:f00::9", "[127.0.0.1]"),
)
APP_CLIENT = Client("app.example.org", "192.0.2.30", "app.example.org")
LOCALHOST = Client("localhost", "127.0.0.1", "localhost")
HIJACKER_CLIENTS = tuple(
    Client("unknown", ip, "[127.0.0.1]")
    for ip in ("203.0.113.171", "203.0.113.188", "198.51.100.233", "2001:db8:bad::5")
)
GUESSER_CLIENTS = tuple(
    Client("unknown", ip, "User")
    for ip in ("203.0.113.9", "203.0.113.10", "198.51.100.211", "2001:db8:bad::1f", "203.0.113.114")
)
SPAM_HELOS = (
    "ylmf-pc",
    "mail.promo.invalid",
    "WIN-7B2K0",
    "server1.bulk.test",
    "localhost",
    "smtp.cheap.test",
)
BAD_HELOS = ("ylmf-pc", "WIN-7B2K0", "User", "localhost")
SPAM_DOMAINS = ("promo.invalid", "bulk.test", "cheap.test", "win-a-prize.invalid", "bigmail.example")

MESSAGE_IDS = (
    "<{0}.{1}@{domain}>",
    "<CA+{1}{0}=w@mail.{domain}>",
    "<{0}-{1}@app.{domain}>",
    "<{0}$01d9${1}@{domain}>",
)
