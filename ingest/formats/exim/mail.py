"""Arrivals and deliveries: the lines with a flag behind the message id.

Exim specification, "Log files": "Log line flags" and "Logging message reception" to "Deferred deliveries".
"""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from ingest.errors import ParseError
from ingest.formats.base import Event
from ingest.formats.exim.fields import Fields, Host, read_fields, read_recipient
from ingest.schema import Kind

Columns: TypeAlias = dict[str, str | None]

_STATUS_BY_FLAG: Final = {
    "=>": "sent", "->": "sent", ">>": "sent",  # `->`: a further address of the same delivery; `>>`: cut-through
    "*>": "discarded",  # -N: everything but the delivery itself was done
    "**": "bounced", "==": "deferred",
}  # fmt: skip
FLAGS: Final = frozenset({"<=", "(=", *_STATUS_BY_FLAG})
# What an address becomes that nobody gets.
_NOWHERE: Final = frozenset({":blackhole:", "discarded", "/dev/null"})
_GIVEN_UP: Final = "retry timeout exceeded"
# "Retry time not yet reached" for an address, a router or all hosts (exim.h, ERRNO_*RETRY): nothing was tried.
_NOT_TRIED: Final = frozenset({"-51", "-52", "-53", "-54"})
_TOOK: Final = re.compile(r" DT=([0-9wdhms.]{2,20})$")  # behind the reason since 4.94
_DEFER: Final = re.compile(r" ?defer \((-?\w+)\)")
_ROUTING: Final = re.compile(r" (?:routing|transport)(?= defer \()")
# What the other side said, and to which command. The command may hold a colon, a reply begins with its code.
_REMOTE: Final = re.compile(
    r"((?:SMTP|LMTP) error from remote mail server after [^\n]*?): ([245]\d\d[ -].*|[245]\d\d)", re.S
)
_ENHANCED: Final = re.compile(r"[245]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})(?!\S)")
_NEW_LINE: Final = re.compile(r"\\{1,2}n")
# `X=TLS1.3:ECDHE_X25519__RSA_AES_256_GCM:256`; `*`: the session was resumed.
_TLS: Final = re.compile(r"(TLS|SSL)v?([0-9x.]+):(\S*?)(?::([0-9]{1,5}|xxx))?\*?")
_TRUST: Final = {"yes": "Trusted", "dane": "Verified", "no": "Untrusted"}
_DURATION: Final = re.compile(
    r"(?:([0-9]{1,4})w)?(?:([0-9]{1,4})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,4})m)?(?:([0-9]{1,9}(?:\.[0-9]{1,6})?)s)?"
)
_SECONDS: Final = (604_800, 86_400, 3_600, 60, 1)
_COUNT: Final = re.compile(r"[0-9]{1,18}")
_FROM: Final = re.compile(r'from <((?:"(?:[^"\\]|\\.)*"[^<>]*|[^<>]*))>')


def event(
    kind: Kind, message_id: str | None, columns: Mapping[str, str | None], daemon: str | None = None
) -> Event:
    """An event of the columns that say something."""
    told = {name: value for name, value in columns.items() if value is not None}
    return Event(kind, message_id, tuple(told), tuple(told.values()), daemon)


def parse_flagged(message_id: str, flag: str, text: str) -> Event:
    """The line behind a message id and a flag; ParseError if it is not complete."""
    if flag in _STATUS_BY_FLAG:
        return _delivery(message_id, flag, text)
    return _arrival(message_id, flag, text)


def _arrival(message_id: str, flag: str, text: str) -> Event:
    """`<= sender H=... P=... S=...`, and `(=` of a message that was said to be refused, and was kept."""
    sender, _, end = read_recipient(text)
    read = read_fields(text, end, r"from$|for$")
    values, host = read.values, read.host
    method, _, login = values.pop("A", "").partition(":")
    header_id = values.pop("id", None) or values.pop("id*", None)
    size = values.pop("S", None)
    columns: Columns = {
        "sender": "" if sender == "<>" else sender,
        **client(host),
        "protocol": values.pop("P", None) or None,
        **tls(values),
        "sasl_method": method or None,
        "sasl_username": login.partition(":")[0] or None,
        "size_bytes": size if size and _COUNT.fullmatch(size) else None,
        "message_id": f"<{header_id}>" if header_id else None,
        "related_queue_id": values.pop("R", None),
        "action": "fakereject" if flag == "(=" else None,
        **_envelope(text[read.end :]),
        "attributes": attributes(values, read.marks),
    }
    return event(Kind.ARRIVAL, message_id, columns)


def _envelope(text: str) -> Columns:
    """`from <sender> for recipient recipient`: +received_sender and +received_recipients."""
    found = _FROM.match(text)
    rest = text[found.end() :].lstrip() if found else text
    if not rest.startswith("for "):
        return {}
    return {"recipients": rest.removeprefix("for ")}


def _delivery(message_id: str, flag: str, text: str) -> Event:
    """One address' result: where it went, or the reason why not."""
    is_sent = flag not in ("**", "==")
    address = read_recipient(text)
    routing = _ROUTING.match(text, address.end)
    read = read_fields(text, routing.end() if routing else address.end, ends_at_colon=not is_sent)
    deferral = _DEFER.match(text, read.end - 1) if flag == "==" else None
    if deferral:
        after = read_fields(text, deferral.end(), ends_at_colon=True)
        read = Fields(
            read.values | after.values, after.host or read.host, read.marks + after.marks, after.end
        )
    values, host = read.values, read.host
    reply = text[read.end :].removeprefix(":").strip()
    if not is_sent and (took := _TOOK.search(reply)):
        reply, values["DT"] = reply[: took.start()], took[1]
    status = _status(flag, address.final, values.get("T"), reply)
    relay = _relay(host, values, is_sent=is_sent)
    agent = _agent(address.final, values.get("T"), relay, status)
    columns: Columns = {
        **_recipients(address.final, address.original),
        **relay,
        "delay_s": seconds(values.pop("QT", None)),
        "transmit_s": seconds(values.pop("DT", None)),
        "connection_use": "2" if host and host.is_reused else None,  # Exim says again, not how often
        "status": status,
        **(_confirmation(values.pop("C", None)) if is_sent else _reasons(reply)),
        **tls(values),
        "attributes": attributes(
            values, [*read.marks, *([f"defer={deferral[1]}"] if deferral else []), *_path(address.final)]
        ),
    }
    is_postponed = deferral is not None and deferral[1] in _NOT_TRIED
    return event(Kind.POSTPONED if is_postponed else Kind.DELIVERY, message_id, columns, agent)


def _status(flag: str, final: str, transport: str | None, reply: str) -> str:
    if flag == "**" and reply.endswith(_GIVEN_UP):
        return "expired"
    if flag in ("=>", "->") and (final in _NOWHERE or transport == "**bypassed**"):
        return "discarded"
    return _STATUS_BY_FLAG[flag]


def _recipients(final: str, original: str | None) -> Columns:
    """Who got it, and as whom he was addressed. A file, a pipe or a mailbox without domain is nobody's address."""
    if original is None:
        return {"recipient": final}
    if final.startswith("xn--") and not original.isascii():
        return {"recipient": original}  # as it had to be spelt for a server without SMTPUTF8
    is_nobody = final[:1] in ("/", "|", ">", ":") or final in _NOWHERE
    if is_nobody or original.lower() in (final.lower(), f"{final}@{original.rpartition('@')[2]}".lower()):
        return {"recipient": original}
    return {"recipient": final, "orig_recipient": original}


def _path(final: str) -> list[str]:
    return [f"to={final}"] if final[:1] in ("/", "|", ">", ":") else []


def _relay(host: Host | None, values: dict[str, str], *, is_sent: bool) -> Columns:
    """The host, or the transport where there is none. What was not sent may be for a host that nobody reached."""
    if host and (host.ip or host.name):
        return {"relay_name": host.name or f"[{host.ip}]", "relay_ip": host.ip, "relay_port": host.port}
    transport = values.get("T")
    return {"relay_name": None if transport and not is_sent and "smtp" in transport else transport}


def _agent(final: str, transport: str | None, relay: Columns, status: str) -> str:
    """What kind of delivery it was, in Postfix' names of its daemons: transports are called as the site likes."""
    if relay.get("relay_ip") or (transport and not relay["relay_name"]):
        return "smtp"
    if status == "discarded":
        return "discard"
    if final.startswith("|"):
        return "pipe"
    return "local" if relay.get("relay_name") else "error"


def _confirmation(reply: str | None) -> Columns:
    return {"reply": _plain(reply) if reply else None, "enhanced_code": _enhanced(reply or "")}


def _reasons(text: str) -> Columns:
    """Why not: the other side's reply, with the command that it answered as the reason; or Exim's own words."""
    remote = _REMOTE.match(text)
    if not remote:
        return {"reply": _plain(text) or None}
    return {"reply": _plain(remote[2]), "reason": remote[1], "enhanced_code": _enhanced(remote[2])}


def _plain(text: str) -> str:
    """Lines of a reply are kept apart by the two characters `\\n`; as Postfix has it, by a blank."""
    return _NEW_LINE.sub(" ", text).replace('\\"', '"')


def _enhanced(reply: str) -> str | None:
    found = _ENHANCED.match(reply)
    return found[1] if found else None


def client(host: Host | None) -> Columns:
    """A host as the client of a session."""
    if host is None:
        return {}
    return {"client_name": host.name, "client_ip": host.ip, "client_port": host.port, "helo": host.helo}


def tls(values: dict[str, str]) -> Columns:
    """Takes `X=` and `CV=` out of the values, in the words of Postfix."""
    trust = _TRUST.get(values.pop("CV", ""))
    found = _TLS.fullmatch(values.pop("X", ""))
    if not found:
        return {}
    bits = found[4] if found[4] and found[4].isdigit() else None
    return {
        "tls_version": f"{found[1]}v{found[2]}",
        "tls_cipher": found[3],
        "tls_bits": bits,
        "tls_trust": trust,
    }


def attributes(values: Mapping[str, str], marks: list[str]) -> str | None:
    """What no column knows, as it stood."""
    return " ".join([*(f"{key}={value}" for key, value in values.items()), *marks]) or None


def seconds(text: str | None) -> str | None:
    """`3m45s`, `1.578s`, `2d4h` in seconds; None for what is no such time."""
    found = _DURATION.fullmatch(text) if text else None
    if not found or not any(found.groups()):
        return None
    total = sum(float(part) * unit for part, unit in zip(found.groups(), _SECONDS, strict=True) if part)
    return f"{total:.3f}".rstrip("0").rstrip(".")


def required(found: re.Match[str] | None, what: str) -> re.Match[str]:
    """The match, or a ParseError that says what was expected."""
    if found is None:
        raise ParseError(f"expected {what}")
    return found
