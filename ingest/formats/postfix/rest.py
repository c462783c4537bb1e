"""The grammar of Postfix lines whose form varies: dirty addresses, attributes in any order, decisions, warnings.

Everything is read from the left, except the tail `; from=<> to=<> proto= helo=<>` of a decision, which follows free
text: it is what reaches the end of the line. Remote servers and clients write part of every line, so no key
is ever looked for inside quoted or parenthesised data.
"""

import re
from collections.abc import Iterator
from typing import Final

from ingest.errors import ParseError
from ingest.formats.base import Event
from ingest.schema import Kind

_SEVERITY: Final = re.compile(r"(warning|error|fatal|panic): ")
_KIND_BY_SEVERITY: Final = {
    "warning": Kind.WARNING, "error": Kind.ERROR, "fatal": Kind.FATAL, "panic": Kind.PANIC,
}  # fmt: skip
_LATE_ID: Final = re.compile(r"([0-9A-F]{5,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}): (.*)", re.S)
# smtpd and cleanup refuse a whole message in a warning, without `reject:` and without a recipient.
_MESSAGE_REFUSED: Final = re.compile(r"message rejected: .*|queue file size limit exceeded")

_KEY: Final = re.compile(r"([a-z][a-z_]*)=")
_ADDRESS_END: Final = re.compile(r">(?:, (?=[a-z_]+=)|$)")
_QUOTED: Final = re.compile(r'<"(?:[^"\\]|\\.)*"[^>]*>(?:, |$)')
_VALUE: Final = re.compile(r"([^,]*(?:,(?! )[^,]*)*)(?:, |$)")
_RELAY: Final = re.compile(r"([^\[]*)(?:\[([^\]]*)\](?::([0-9]{1,5}))?)?")
_COLUMN_BY_KEY: Final = {
    "to": "recipient", "orig_to": "orig_recipient", "conn_use": "connection_use", "delay": "delay_s",
    "dsn": "enhanced_code", "tls": "tls_policy", "from": "sender", "size": "size_bytes", "nrcpt": "recipient_count",
    "uid": "uid", "orig_id": "orig_queue_id", "sasl_method": "sasl_method", "sasl_username": "sasl_username",
    "orig_queue_id": "orig_queue_id",
}  # fmt: skip
_MAY_BE_EMPTY: Final = frozenset({"to", "orig_to", "from", "sasl_username"})  # as it was logged
_DELAY_PARTS: Final = ("before_queue_s", "in_queue_s", "connect_s", "transmit_s")
# The name that a client logged in with may hold blanks and commas.
_USERNAME: Final = re.compile(r"(.*?)(?:, (?=(?:sasl_sender|orig_queue_id|orig_client)=)|$)", re.S)
# postconf(5), soft_bounce: what would bounce stays in the queue.
_STATUS_BY_WORD: Final = {"SOFTBOUNCE": "deferred"}
_SECONDS: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_COUNT: Final = re.compile(r"[0-9]{1,18}")
_NUMBERS: Final = dict.fromkeys(("delay_s", *_DELAY_PARTS), _SECONDS) | dict.fromkeys(
    ("connection_use", "size_bytes", "recipient_count", "uid"), _COUNT
)

_ACTIONS: Final = (
    "reject_warning|reject|hold|discard|filter|redirect|warn|info|replace|prepend|strip|bcc|accept|delay|"
    "quarantine|delete|permit"
)
# A content check that only warns writes `warning: header ...`; `warning: word: ...` is any other warning.
_DECISION: Final = re.compile(
    rf"(?:(milter|proxy)-(?:header-|body-)?)?(?:({_ACTIONS}|warning): (header|body|content|mime-error|mime|nested)(?: |:)"
    rf"|({_ACTIONS}): ([A-Za-z.-]+)(?: content)?(?: from |: ))(.*)",
    re.S,
)
_PEER: Final = re.compile(r"(?:([^\[\]: ]*)\[([^\]]*)\](?::([0-9]{1,5}))?|(local)): ?")
_ADDR: Final = r'(?:"(?:[^"\\]|\\.)*"[^<>]*|[^<>"]*)'
# The client's texts before the tail (addresses in quotes, too) may imitate it, but what follows them is no end of
# line: Postfix neuters `<>` in a HELO name, so nothing behind `helo=<` can hold another tail.
_TAIL: Final = re.compile(
    rf"(?:^|; )(?:from=<({_ADDR})>,? ?)?(?:to=<({_ADDR})>,? ?)?(?:proto=(\w+),? ?)?(?:helo=<([^<>]*)>)?"
    r"(?: sasl_username=<?([^<>]*)>?)?$",
    re.S,
)
_CODES: Final = re.compile(r"(?:([2-5]\d\d) )?(?:([245]\.\d{1,3}\.\d{1,3}) )?(.*)", re.S)
# The header's text comes first and may imitate all that follows it, so the last reading counts.
_CONTENT: Final = re.compile(
    rf"(.*) from (?:([^\s\[\]]*)\[([^\]]*)\](?::([0-9]{{1,5}}))?|local); from=<({_ADDR})>(?: to=<({_ADDR})>)?(?: proto=(\w+))?"
    r"(?: helo=<([^<>]*)>)?(?:: (.*))?",
    re.S,
)
_ACTION_BY_WORD: Final = {"warning": "warn", "permit": "accept"}


def parse_rest(queue_id: str | None, text: str) -> Event:
    """What the shapes left over; raises ParseError if it is none of Postfix' known forms.

    `queue_id` is what stood before `text`, or None.
    """
    decision = _DECISION.match(text)
    if decision:
        return _decision(queue_id, decision)
    severity = _SEVERITY.match(text)
    if severity:
        return _severe(queue_id, _KIND_BY_SEVERITY[severity[1]], text[severity.end() :])
    if queue_id and text.startswith("to="):
        return _event(Kind.DELIVERY, queue_id, _delivery(text))
    if queue_id and text.startswith("from="):
        return _queue_manager(queue_id, text)
    if queue_id and text.startswith("client="):
        return _event(Kind.CLIENT, queue_id, _client(text))
    if queue_id and text.startswith("uid="):
        return _event(Kind.PICKUP, queue_id, _pickup(text))
    raise ParseError("no known form of a Postfix message")


def _event(kind: Kind, queue_id: str | None, fields: dict[str, str | None]) -> Event:
    return Event(kind, queue_id, tuple(fields), tuple(fields.values()))


def _severe(queue_id: str | None, kind: Kind, text: str) -> Event:
    """`warning: text`, `warning: QUEUEID: text` and `QUEUEID: warning: text`."""
    late = None if queue_id else _LATE_ID.fullmatch(text)
    if late:
        queue_id, text = late[1], late[2]
    if queue_id and _MESSAGE_REFUSED.fullmatch(text):
        kind = Kind.MESSAGE_REFUSED
    return _event(kind, queue_id, {"reason": text})


def _address(text: str, position: int) -> tuple[str, int]:
    """The address at `position` and where the next attribute starts; it may hold anything, and be unbracketed."""
    if not text.startswith("<", position):
        value = _VALUE.match(text, position)
        assert value  # noqa: S101  # the pattern matches everywhere
        return value[1], value.end()
    quoted = _QUOTED.match(text, position)
    if quoted:
        return quoted[0].rstrip(", ")[1:-1], quoted.end()
    end = _ADDRESS_END.search(text, position)
    if not end:
        raise ParseError("an address is not closed")
    return text[position + 1 : end.start()], end.end()


def _attributes(text: str, last: str | None = None) -> Iterator[tuple[str, str, int]]:
    """(key, value, end) of `key=value, key=value`, left to right, up to and with the key `last`."""
    position = 0
    while position < len(text):
        key = _KEY.match(text, position)
        if not key:
            raise ParseError(f"key=value expected at character {position + 1}")
        if key[1] == last:
            yield key[1], text[key.end() :], key.end()
            return
        if key[1] in ("to", "orig_to", "from"):
            value, position = _address(text, key.end())
        else:
            match = (_USERNAME if key[1] == "sasl_username" else _VALUE).match(text, key.end())
            assert match  # noqa: S101  # both patterns match everywhere
            value, position = match[1], match.end()
        yield key[1], value, position


def _delivery(text: str) -> dict[str, str | None]:
    """A delivery agent's line: attributes in any order, unknown keys kept, then `status=word (reply)`."""
    fields: dict[str, str | None] = {}
    unknown = []
    for key, value, _ in _attributes(text, last="status"):
        if key == "relay":
            fields |= _relay(value)
        elif key == "delays":
            fields |= dict(zip(_DELAY_PARTS, value.split("/"), strict=False))
        elif key == "status":
            status, _, reply = value.partition(" (")
            fields |= {
                "status": _STATUS_BY_WORD.get(status, status),
                "reply": reply.removesuffix(")") or None,
            }
        elif key in _COLUMN_BY_KEY:
            fields[_COLUMN_BY_KEY[key]] = value if key in _MAY_BE_EMPTY else value or None
        else:
            unknown.append(f"{key}={value}")
    if not fields.get("status"):
        raise ParseError("a delivery without status=")
    fields["attributes"] = " ".join(unknown) or None
    return _checked(fields)


def _relay(value: str) -> dict[str, str | None]:
    match = _RELAY.fullmatch(value)
    if not match:
        return {"relay_name": value}
    name, address, port = match.groups()
    return {
        "relay_name": name or None,
        "relay_ip": None if "/" in (address or "/") else address,
        "relay_port": port,
    }


def _checked(fields: dict[str, str | None]) -> dict[str, str | None]:
    """The fields, if those that are numbers are; whatever is no number cannot become one later."""
    for name, value in fields.items():
        if value is not None and name in _NUMBERS and not _NUMBERS[name].fullmatch(value):
            raise ParseError(f"{name} is not a number: {value[:40]!r}")
    return fields


def _queue_manager(queue_id: str, text: str) -> Event:
    """`from=<...>, size=, nrcpt= (queue active)` and `from=<...>, status=expired, returned to sender`."""
    sender, position = _address(text, len("from="))
    rest = text[position:]
    queued = re.fullmatch(r"size=([0-9]{1,18}), nrcpt=([0-9]{1,18}) \(queue \w+\)", rest)
    if queued:
        return _event(
            Kind.QUEUED, queue_id, {"sender": sender, "size_bytes": queued[1], "recipient_count": queued[2]}
        )
    expired = re.fullmatch(r"status=([a-z-]+), returned to sender", rest)
    if expired:
        return _event(Kind.EXPIRED, queue_id, {"sender": sender, "reason": expired[1]})
    raise ParseError("from=<...> is followed neither by size= nor by status=")


def _client(text: str) -> dict[str, str | None]:
    fields: dict[str, str | None] = {}
    unknown = []
    for key, value, _ in _attributes(text):
        if key in ("client", "orig_client"):
            prefix = "orig_" if key == "orig_client" else ""
            peer = _RELAY.fullmatch(value)
            if not peer:
                raise ParseError(f"{key}= is not NAME[ADDRESS]: {value[:60]!r}")
            fields |= {f"{prefix}client_name": peer[1] or None, f"{prefix}client_ip": peer[2]}
            if not prefix:
                fields["client_port"] = peer[3]
        elif key in _COLUMN_BY_KEY:
            fields[_COLUMN_BY_KEY[key]] = value if key in _MAY_BE_EMPTY else value or None
        else:
            unknown.append(f"{key}={value}")
    fields["attributes"] = " ".join(unknown) or None
    return _checked(fields)


def _pickup(text: str) -> dict[str, str | None]:
    match = re.fullmatch(r"uid=([0-9]{1,10}) from=<(.*)>(?: orig_id=(\w+))?", text, re.S)
    if not match:
        raise ParseError("uid= is not followed by from=<...>")
    return {"uid": match[1], "sender": match[2], "orig_queue_id": match[3]}


def _decision(queue_id: str | None, found: re.Match[str]) -> Event:
    decider, checked, content, ruled, stage, text = found.groups()
    word = checked or ruled
    fields: dict[str, str | None] = {"action": _ACTION_BY_WORD.get(word, word), "decider": decider or content}
    if content:
        fields |= {"stage": content.upper()} | _content_check(text)
    else:
        fields |= {"stage": stage} | _access_rule(text)
    return _event(Kind.DECISION, queue_id, fields)


def _content_check(text: str) -> dict[str, str | None]:
    """cleanup's header_checks and body_checks: the text met, who sent it, and the administrator's answer."""
    match = _CONTENT.fullmatch(text)
    if not match:
        raise ParseError("a header or body check without its `from PEER; from=<...>`")
    trigger, name, ip, port, sender, recipient, protocol, helo, answer = match.groups()
    return {
        "trigger": trigger, "client_name": name, "client_ip": ip, "client_port": port, "sender": sender,
        "recipient": recipient, "protocol": protocol, "helo": helo,
    } | _codes(answer or "")  # fmt: skip


def _access_rule(text: str) -> dict[str, str | None]:
    """smtpd's, postscreen's and a milter's decisions: peer, reply, envelope."""
    peer = _PEER.match(text)
    fields: dict[str, str | None] = {}
    if peer:
        fields = {"client_name": peer[1] or peer[4], "client_ip": peer[2], "client_port": peer[3]}
        text = text[peer.end() :]
    tail = _TAIL.search(text)
    if tail and tail.end() > tail.start():
        names = ("sender", "recipient", "protocol", "helo", "sasl_username")
        fields |= dict(zip(names, tail.groups(), strict=True))
        text = text[: tail.start()]
    return fields | _codes(text)


def _codes(reply: str) -> dict[str, str | None]:
    """SMTP code and enhanced status code (RFC 3463) in front of a reply; milters give only the second, rules none."""
    match = _CODES.fullmatch(reply)
    assert match  # noqa: S101  # every part is optional
    return {"smtp_code": match[1], "enhanced_code": match[2], "reply": match[3] or None}
