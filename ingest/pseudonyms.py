"""Pseudonyms for people: local parts, user names and client addresses, in every byte that reaches the lake.

Lines are rewritten before anything reads them, so typed columns, stored lines and reply texts agree, and both lanes of
the parser see the same. A pseudonym is a keyed hash (HMAC-SHA256, RFC 2104): the same person has the same one
everywhere, so joins, counts and traces work; whoever has the key can look a known address up; nobody can turn one
back. Pseudonyms keep the form of what they stand for, so the grammar reads them like the original.

What stays: domains (unless asked otherwise), names and addresses of servers that we connect to, loopback addresses,
and the senders that Postfix itself writes. Known limits: an address written out in words, or hidden in hexadecimal
digits of a host name, is not recognised; two of 16,000 IPv4 clients share a pseudonym with a probability of one half.
"""

import hmac
import ipaddress
import re
import stat
from base64 import b32encode
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from ingest.errors import ConfigError
from ingest.text import decode, encode

_KEY_BYTES: Final = 32
# Senders of Postfix' own mail: no people, and stitching knows them by name.
_NOBODY: Final = frozenset({"mailer-daemon", "double-bounce"})

# RFC 5321 4.1.2: a local part is a quoted string or atoms; everything beyond ASCII may be in one (RFC 6531). In links
# of replies the @ stands encoded. Every repetition is bounded or begins where no other did, so time is linear.
_ATOM: Final = r"[^\s<>()\[\]\\,;:@\"'?%]"
_ADDRESS: Final = (
    rf"(?<!{_ATOM})(?P<local>\"(?:[^\"\\\n]|\\[^\n]){{0,256}}+\"|(?:{_ATOM}|%(?!40))(?:{_ATOM}|%(?!40)|'){{0,255}}+)"
    r"(?P<at>@|%40)(?P<domain>\[[^\]\s]{1,64}\]|[\w.-]{1,255})"
)
# Names without a domain stand where only names stand (Postfix: cleanup, local, smtpd, virtual; Exim: A=, U=, set_id=, and
# behind a flag).
_NAMED: Final = (
    r"(?P<before>\b(?:sasl_username|sasl_sender|user|login|set_id)=<?|\bU=|\bA=[\w-]{1,64}:|\b(?:to|from|orig_to)=<|unknown user: \"|"
    r"(?<!\w)/(?:home|var/mail|var/spool/mail|var/vmail)/|(?:=>|->|>>|\*>|\*\*|==) (?=[^\s<>@|/:\"]{1,256}+ <))"
    r"(?P<name>[^\s<>,\"/()]{1,256}+)"
)
# Exim: a mailbox of that name, and a Message-ID without brackets.
_MAILBOX: Final = r"(?P<flag>(?:=>|->|>>|\*>|\*\*|==) )(?P<user>[^\s<>@|/:\"]{1,256}+)(?= <(?P=user)@(?P<home>[\w.-]{1,255})>)"
_MESSAGE_ID: Final = (
    rf"(?P<id>\bid\*?=)(?P<left>{_ATOM}{{1,256}}+)@(?P<right>[\w.-]{{1,255}}|\[[^\]\s]{{1,64}}\])"
)

_REFUSED: Final = (
    r"<(?P<refused>[^<>@\s\[\]]{1,256}+)>(?=: (?:Recipient|Sender) address|: [Uu]ser unknown|: unknown user)"
)
# Servers that we talk to are no clients: relay=, host ... said, connect to, TLS established to.
_SERVER: Final = (
    r"(?P<server>\b(?:relay=|host |connect to |connection established to |to |with )"
    r"[^\s\[\]]{1,255}+\[[0-9A-Fa-f.:]{2,45}+\](?=:\d|,| said| refused| while)"
    r"|(?:\bT=[\w-]{1,64}(?: S=\d{1,18})?|\bdefer \(-?\d{1,5}\)) H=[^\s\[\]()]{1,255}+ \[[0-9A-Fa-f.:]{2,45}+\]"
    r"|(?:\w{6}-\w{6,11}-\w{2,4} )H=[^\s\[\]()]{1,255}+ \[[0-9A-Fa-f.:]{2,45}+\](?=:| Connection| No route| Network))"
)
_IPV4: Final = r"(?<![\w.])(?P<v4>(?:\d{1,3}\.){3}\d{1,3})(?!\w|\.\d)"
_DASHED: Final = r"(?<!\d)(?P<dashed>(?:\d{1,3}-){3}\d{1,3})(?!\d)"
_IPV6: Final = r"(?<![\w:.])(?P<v6>(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}+(?:(?<=:)[\d.]{7,15})?)(?![\w:])"
# All but the dashed begin where a word does: one look behind saves seven tries in the middle of every word.
_PERSONAL: Final = re.compile(
    rf"(?<!\w)(?:{'|'.join((_SERVER, _MAILBOX, _NAMED, _MESSAGE_ID, _ADDRESS, _REFUSED, _IPV4, _IPV6))})"
)
_IN_NAMES: Final = re.compile(_DASHED)
# What stitching takes for private, so that it takes their pseudonyms for the same.
_PRIVATE: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)

# Reserved for ever (RFC 1112 section 4) and for discarding (RFC 6666): nobody takes them for a real client's.
_NOWHERE_V4: Final = 0xF0000000
_NOWHERE_V6: Final = 0x0100 << 112
_PRIVATE_V4: Final = 10 << 24
_PRIVATE_V6: Final = 0xFD << 120


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """A key, and what it is applied to."""

    key: bytes
    domains: bool = False
    keep_networks: bool = False

    @classmethod
    def of_file(cls, path: Path, *, domains: bool = False, keep_networks: bool = False) -> Self:
        """With the key in a file of 32 bytes or more that others cannot read. ConfigError if it is not so."""
        try:
            key, mode = path.read_bytes(), path.stat().st_mode
        except OSError as error:
            raise ConfigError(
                f"{path}: {error.strerror}; `head -c 32 /dev/urandom > {path}` makes a key"
            ) from error
        if len(key) < _KEY_BYTES:
            raise ConfigError(f"{path} has {len(key)} bytes; a key has {_KEY_BYTES} or more")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(f"{path} can be read by others; `chmod 600 {path}`, and think of a new key")
        return cls(key, domains, keep_networks)

    @property
    def identity(self) -> str:
        """What a lake remembers of the key and its options, so that two kinds of pseudonyms never mix."""
        return self._digest("identity", f"{self.domains} {self.keep_networks}").hex()[:16]

    def rewrite(self, data: bytes) -> bytes:
        """Log lines with pseudonyms for people; as many lines as before."""
        return encode(self.rewrite_text(decode(data)))

    def rewrite_text(self, text: str) -> str:
        """The same of text."""
        return _IN_NAMES.sub(self._dashed, _PERSONAL.sub(self._replace, text))

    def look_up(self, text: str) -> list[str]:
        """What a text may have become in the lake: as it stands, or as a user's name if it is a single word."""
        names = [self._name(text)] if re.fullmatch(r"[^\s@<>:/\[\]]+", text) else []
        return [self.rewrite_text(text), *names]

    def _dashed(self, found: re.Match[str]) -> str:
        """A client's address as providers put it into its name: dsl-192-0-2-7.example.net."""
        return _client(self, found[0].replace("-", ".")).replace(".", "-")

    def _replace(self, found: re.Match[str]) -> str:
        kind = found.lastgroup
        if kind == "server":
            return found[0]
        if kind == "home":
            return found["flag"] + _address(self, found["user"], "@", found["home"]).partition("@")[0]
        if kind == "right":
            return found["id"] + _address(self, found["left"], "@", found["right"])
        if kind == "domain":
            return _address(self, found["local"], found["at"], found["domain"])
        if kind == "name":
            return found["before"] + self._name(found["name"])
        if kind == "refused":
            return f"<{self._name(found['refused'])}>"
        return _client(self, found[0])

    def _name(self, name: str) -> str:
        """A user name; many are addresses."""
        local, at, domain = name.rpartition("@")
        if at and local:
            return _address(self, local, at, domain)
        return name if name.lower() in _NOBODY else self._word("local", name.lower())

    def _word(self, purpose: str, text: str) -> str:
        return "p" + b32encode(self._digest(purpose, text)[:10]).decode().lower()

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self.key, f"{purpose}:{text}".encode("utf-8", "surrogatepass"), "sha256")


@lru_cache(65_536)
def _address(pseudonyms: Pseudonyms, local: str, at: str, domain: str) -> str:
    """An e-mail address with another local part."""
    if local.lower() in _NOBODY:
        return f"{local}{at}{domain}"
    host = domain.lower().rstrip(".")
    kept = f"{pseudonyms._word('domain', host)}.invalid" if pseudonyms.domains else domain
    return f"{pseudonyms._word('local', f'{local.lower()}@{host}')}{at}{kept}"


@lru_cache(65_536)
def _client(pseudonyms: Pseudonyms, text: str) -> str:
    """Another address in the place of a client's; what is no address stays."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.is_loopback or address.is_unspecified:
        return text
    number = int.from_bytes(pseudonyms._digest("client", str(address))[:16])
    if isinstance(address, ipaddress.IPv4Address):
        return str(ipaddress.IPv4Address(_v4(pseudonyms, address, number)))
    return str(ipaddress.IPv6Address(_v6(pseudonyms, address, number)))


def _v4(pseudonyms: Pseudonyms, address: ipaddress.IPv4Address, number: int) -> int:
    if pseudonyms.keep_networks:
        network = int(address) & ~0xFF
        return network | _ranks(pseudonyms, network)[int(address) & 0xFF]
    if any(address in network for network in _PRIVATE):
        return _PRIVATE_V4 | number & 0xFFFFFF
    return _NOWHERE_V4 | number & 0x0FFFFFFF


@lru_cache(4_096)
def _ranks(pseudonyms: Pseudonyms, network: int) -> list[int]:
    """A permutation of a network's last octets: no two of its clients become one."""
    return sorted(range(256), key=lambda last: pseudonyms._digest("last", f"{network}.{last}"))


def _v6(pseudonyms: Pseudonyms, address: ipaddress.IPv6Address, number: int) -> int:
    if pseudonyms.keep_networks:
        return int(address) >> 80 << 80 | number & ((1 << 80) - 1)
    return (_PRIVATE_V6 if any(address in network for network in _PRIVATE) else _NOWHERE_V6) | number & (
        (1 << 64) - 1
    )
