"""How Exim spells things: message ids, hosts, durations, and the fields that `log_selector = +all` adds."""

from dataclasses import dataclass

from .mail import Leg
from .plan import DAY, HOUR, MINUTE, SECOND
from .world import Client

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TLS_IN = (
    "TLS1.3:TLS_AES_256_GCM_SHA384:256",
    "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256",
    "TLS1.2:ECDHE_RSA_AES_128_GCM_SHA256:128",
)


def base62(number: int, digits: int) -> str:
    """A number as Exim has it in message ids (string_base62)."""
    spelt = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        spelt = DIGITS[digit] + spelt
    return spelt


def exim_id(t: int, pid: int, *, long: bool) -> str:
    """Second, process and fraction of the second: 6-6-2, and 6-11-4 since 4.97."""
    second, microsecond = divmod(t, SECOND)
    if long:
        return f"{base62(second, 6)}-{base62(pid, 11)}-{base62(microsecond // 2, 4)}"
    return f"{base62(second, 6)}-{base62(pid, 6)}-{base62(microsecond // 500, 2)}"


def duration(length: int, *, exact: bool) -> str:
    """Microseconds as QT= and DT= have them: `3m45s`, and `1.578s` where milliseconds are logged."""
    if exact and length < MINUTE:
        return f"{length / SECOND:.3f}s"
    units = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))
    spelt = ""
    for name, unit in units:
        count, length = divmod(length, unit)
        spelt += f"{count}{name}" if count else ""
    return spelt or "0s"


def peer(client: Client, port: int | None) -> str:
    """A client: its name if it has one, what it called itself if that differs, its address."""
    name = "" if client.name == "unknown" else client.name
    helo = "" if client.helo == name else f"({client.helo})"
    address = f"[{client.ip}]" + (f":{port}" if port else "")
    return " ".join(filter(None, (name, helo, address)))


@dataclass(slots=True, eq=False)
class Message:
    """One message in Exim's spool."""

    exim_id: str
    created: int
    sender: str
    message_id: str | None
    size: int
    legs: list[Leg]
    tried: int = 0  # when it was last
    frozen: bool = False

    @property
    def active(self) -> int:
        """When the attempt under way began: what a destination's rules ask for."""
        return self.tried
