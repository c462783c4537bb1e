"""What an ACL, a check or a limit decided: lines that begin with the client's fields and go on with a verb.

Exim specification, "Log files": "Reject log", and "Access control lists". The reply code is in the log only where the
site wrote it; otherwise it is the one that Exim documents ("Setting the default return code": 550, or 451).
"""

import re
from typing import Final

from ingest.formats.base import Event
from ingest.formats.exim.fields import Fields, read_fields, read_host
from ingest.formats.exim.mail import Columns, attributes, client, event, tls
from ingest.schema import Kind

# Where in the dialogue it was, in the words of SMTP.
_STAGE_BY_WORDS: Final = {
    'connection in "connect" ACL': "CONNECT",
    "EHLO or HELO": "EHLO",
    "after DATA": "END-OF-MESSAGE",
    "during MIME ACL checks": "END-OF-MESSAGE",
    "by local_scan()": "END-OF-MESSAGE",
    "by non-SMTP ACL": "END-OF-MESSAGE",
    "from": "END-OF-MESSAGE",
}
_REJECTED: Final = re.compile(
    rf"(temporarily )?rejected ({'|'.join(map(re.escape, _STAGE_BY_WORDS))}|[A-Z]{{4,9}})(?=[\s:]|$)"
)
_ADDRESS: Final = r'<((?:"(?:[^"\\]|\\.)*"[^<>\n]*|[^<>\n]*))>'
_ENVELOPE: Final = re.compile(rf" (?:FROM:|TO:)?(?:{_ADDRESS}|(?!from )([^\s:<>]+))")
_ARGUMENT: Final = re.compile(r" [^:\n]*(?::(?! )[^:\n]*)*")
_CODES: Final = re.compile(r"(?:([2-5]\d\d)[ -])?(?:([245]\.\d{1,3}\.\d{1,3}) )?(.*)", re.S)
# Where no ACL decides (smtp_in.c).
_CODE_BY_CHECK: Final = {
    "syntactically invalid argument": "501", "no HELO/EHLO given": "503", "message too big": "552",
}  # fmt: skip
_DISCARDED: Final = re.compile(rf"RCPT {_ADDRESS}: discarded by RCPT ACL(?:: (.*))?", re.S)
_BLACKHOLE: Final = re.compile(r"=> blackhole (.*)", re.S)
_UNQUALIFIED: Final = re.compile(rf"unqualified (sender|recipient|verify) rejected: {_ADDRESS}")
_VERIFY: Final = re.compile(r"(sender|recipient) verify (fail|defer)(?:ed)?\b.*", re.S)
_NOT_VERIFIED: Final = re.compile(rf"(VRFY|EXPN) failed for {_ADDRESS}")
_SYNCHRONISATION: Final = re.compile(
    r"SMTP protocol synchronization error \(([^()]*)\): rejected (\"(?:[^\"\\]|\\.)*\"|connection from) (?:H=)?"
)
_REFUSED_HOST: Final = re.compile(r"refused connection from ")


def parse_refusal(message_id: str | None, text: str) -> Event | None:
    """The decision that a line speaks of, or a note on a client; None if it is another line."""
    read = read_fields(text, 0)
    told = text[read.end :]
    found = _REJECTED.match(told)
    if found:
        return _rejected(message_id, read, found, told[found.end() :])
    if found := _DISCARDED.match(told):
        return _decided(message_id, read, "discard", "RCPT", {"recipient": found[1], "reply": found[2]})
    if found := _BLACKHOLE.fullmatch(told):
        return _decided(message_id, read, "discard", "END-OF-MESSAGE", {"reply": found[1]})
    if told.startswith("Warning: ") and read.end:
        return _decided(message_id, read, "warn", None, {"reply": told.removeprefix("Warning: ")})
    if found := _VERIFY.match(told):
        columns = client(read.host) | {"reason": found[0], "helo": None}
        if found[1] == "recipient":
            return event(Kind.CLIENT_NOTE, message_id, columns)
        return event(Kind.SENDER_CHECK, message_id, columns | {"method": "verify", "action": found[2]})
    return _by_protocol(message_id, told)


def _rejected(message_id: str | None, read: Fields, found: re.Match[str], rest: str) -> Event:
    is_temporary, words = bool(found[1]), found[2]
    stage = _STAGE_BY_WORDS.get(words, words)
    columns: Columns = {}
    if words in ("RCPT", "MAIL", "from") and (address := _ENVELOPE.match(rest)):
        given = address[2] if address[1] is None else address[1]
        columns["recipient" if words == "RCPT" else "sender"] = given
        rest = rest[address.end() :]
        after = read_fields(rest, 0, ends_at_colon=True)
        read, rest = _both(read, after), rest[after.end :]
    elif rest.startswith(" from "):
        host, end = read_host(rest, len(" from "))
        after = read_fields(rest, end, ends_at_colon=True)
        read, rest = _both(read._replace(host=host), after), rest[after.end :]
    elif argument := _ARGUMENT.match(rest):
        columns["trigger"] = argument[0].strip() or None
        rest = rest[argument.end() :]
    return _decided(message_id, read, "reject", stage, columns | _reply(rest, is_temporary=is_temporary))


def _both(one: Fields, other: Fields) -> Fields:
    return Fields(one.values | other.values, one.host or other.host, one.marks + other.marks, other.end)


def _reply(text: str, *, is_temporary: bool) -> Columns:
    found = _CODES.fullmatch(text.removeprefix(":").strip())
    assert found  # noqa: S101  # every part is optional
    code = next((code for start, code in _CODE_BY_CHECK.items() if found[3].startswith(start)), "550")
    return {
        "smtp_code": found[1] or ("451" if is_temporary else code),
        "enhanced_code": found[2],
        "reply": found[3] or None,
    }


def _by_protocol(message_id: str | None, text: str) -> Event | None:
    """Refusals that no ACL decided."""
    if found := _UNQUALIFIED.match(text):
        column = "sender" if found[1] == "sender" else "recipient"
        stage = {"sender": "MAIL", "recipient": "RCPT"}.get(found[1], "VRFY")
        read = read_fields(text, found.end())
        return _decided(
            message_id,
            read,
            "reject",
            stage,
            {column: found[2], "smtp_code": "501", "reply": "unqualified address"},
        )
    if found := _NOT_VERIFIED.match(text):
        read = read_fields(text, found.end())
        return _decided(message_id, read, "reject", found[1], {"recipient": found[2], "smtp_code": "550"})
    if found := _SYNCHRONISATION.match(text):
        host, end = read_host(text, found.end())
        is_greeting = found[2] == "connection from"
        columns: Columns = {
            "smtp_code": "554",
            "reply": f"synchronization error: {found[1]}",
            "trigger": None if is_greeting else found[2].strip('"'),
        }
        read = Fields({}, host, [], end)
        return _decided(message_id, read, "reject", "CONNECT" if is_greeting else "DATA", columns)
    if found := _REFUSED_HOST.match(text):
        host, end = read_host(text, found.end())
        read = Fields({}, host, [], end)
        return _decided(
            message_id,
            read,
            "reject",
            "CONNECT",
            {"smtp_code": "554", "reply": text[end:].strip(" ()") or None},
        )
    return None


def _decided(message_id: str | None, read: Fields, action: str, stage: str | None, columns: Columns) -> Event:
    """The decision with what the client's fields say; `F=` is the sender, `A=` who logged in."""
    values = dict(read.values)
    sender, login = values.pop("F", None), values.pop("A", "")
    tls(values)
    told: Columns = {
        "action": action,
        "stage": stage,
        **client(read.host),
        "sender": sender,
        "sasl_username": login.partition(":")[2].partition(":")[0] or None,
        **columns,
        "attributes": attributes(values, read.marks),
    }
    return event(Kind.DECISION, message_id, told)
