"""One Received header to the columns of a hop (RFC 5321 section 4.4).

The clauses are found left to right; what stands in comments is read only where it is known to stand: an address is
taken from the `from` clause alone, so build numbers and ids that look like addresses are none (Exchange's
`id 15.20.1.1`).
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from ingest.headers.dates import USUAL_DATE, Dated, find_date, usual_moment
from ingest.headers.lexer import MAX_LENGTH, TokenKind, is_balanced, scan, without_comments
from ingest.headers.servers import SERVERS, Peer, Server, names_peer_first, server_of

KEYWORDS: Final = frozenset({"from", "by", "via", "with", "id", "for"})
_COMMENTS: Final = 32  # of a clause; servers write three
_SEMICOLONS: Final = 4  # of which the date may stand behind one


class Hop(NamedTuple):
    """What one header says; None for what it does not say. `tls` is True, False or None for unknown."""

    from_helo: str | None = None  # what the client called itself
    from_host: str | None = None  # the name that the server found for the client's address
    from_ip: str | None = None
    by_host: str | None = None
    with_protocol: str | None = None
    tls: bool | None = None
    tls_version: str | None = None
    tls_cipher: str | None = None
    authenticated: bool = False
    hop_id: str | None = None
    for_address: str | None = None
    received_at: datetime | None = None
    utc_offset_s: int | None = None
    server: str | None = None
    confidence: str = "low"
    defects: tuple[str, ...] = ()
    raw: str = ""


@dataclass(slots=True)
class _Clause:
    words: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def first(self) -> str | None:
        return self.words[0] if self.words else None


class _Peer(NamedTuple):
    helo: str | None = None
    host: str | None = None
    ip: str | None = None


def read_received(value: str) -> Hop:
    """The hop of a header's value, folded as it came. Whatever the value is, there is a hop; its defects say the rest."""
    text = " ".join(value[: MAX_LENGTH + 1].split())
    return _usual(value, text) or _any(value, text)


def _any(value: str, text: str) -> Hop:
    defects: tuple[str, ...] = ()
    if len(text) > MAX_LENGTH:
        text = text[:MAX_LENGTH]
        defects = (f"longer than {MAX_LENGTH:,} characters; the rest was not read",)
    if not is_balanced(text):
        defects += ("unbalanced parentheses",)
    dated, rest = _date(text)
    return _hop(value, text, rest, dated, defects)


# What stands behind `id` in most headers, and the date.
ATOM: Final = r"[^ ;()<>\[\],\x22\\]"
VIA: Final = "(?: via (?:Frontend|Mailbox) Transport)"
COMMENT: Final = r"(?: \([^()\x22\\]*+\))"
_TAIL: Final = re.compile(
    rf"({ATOM}++)({VIA}?)(?: for (?:<({ATOM}++)>|({ATOM}++)))?({COMMENT}?) ?; ?{USUAL_DATE}", re.ASCII
)
_DATE: Final = re.compile(USUAL_DATE, re.ASCII)
_ADDRESSEE: Final = re.compile(rf"([^<>]+) for <({ATOM}+)>")
SENDER: Final = " (envelope-from <"  # Exim's; differs from message to message
LONGEST: Final = 1_000
_ODD: Final = frozenset('()"\\')
# What a frame is read with in the place of an id; Gmail's tell who wrote them.
ANY_ID: Final = "0stand1n"
GMAIL_ID: Final = "0csp0stand1n"


def _usual(value: str, text: str) -> Hop | None:
    """The hop of a header that is plain. But for its id, addressee and date it is the same in many messages, so it is
    read once."""
    if len(text) > LONGEST:
        return None
    if SENDER in text and not (text := without_sender(text)):
        return None
    begin, mark, end = text.partition(" id ")
    if mark:
        found = _TAIL.fullmatch(end)
        if not found:
            return None
        hop_id, via, for_address, bare, comment, day, time, zone = found.groups()
        frame = frame_of(f"{begin} id {GMAIL_ID if 'csp' in hop_id else ANY_ID}{via}{comment}")
        for_address = for_address or bare
    else:
        head, _, end = text.rpartition(";")
        found = _DATE.fullmatch(end.strip())
        if not found:
            return None
        hop_id, (day, time, zone) = None, found.groups()
        addressed = _ADDRESSEE.fullmatch(head := head.rstrip())
        begin, for_address = addressed.groups() if addressed else (head, None)
        frame = frame_of(begin)
    if not frame or hop_id in KEYWORDS or for_address in KEYWORDS:
        return None
    dated = usual_moment(day, time, zone)
    return Hop._make(frame[:9] + (hop_id, for_address) + dated + frame[13:16] + (value,)) if dated else None  # noqa: RUF005  # sooner


def without_sender(text: str) -> str:
    """The text without Exim's comment on the envelope's sender; '' where that is more than a comment."""
    head, _, rest = text.partition(SENDER)
    address, close, rest = rest.partition(">)")
    is_comment = close and rest[:1] in (" ", ";") and head.count("(") == head.count(")")
    if not is_comment or not _ODD.isdisjoint(address) or ";" in head:
        return ""
    return "" if head.rpartition(" ")[2].lower() in KEYWORDS else head + rest


# How the client is named in most headers: its names and its address, and the same with others. Names end in a letter,
# so none is an address.
_NAME: Final = r"[\w.-]{0,200}[A-Za-z]"
_IP: Final = r"\[(?P<ip>(?:IPv6:)?[\da-fA-F.:]{2,45})\]"
_V4_IP: Final = r"\((?P<ip>[\d.]{7,15})\)"
_CLIENT: Final = {"helo": "helo.stand.in", "name": "name.stand.in", "ip": "192.0.2.254"}
_CLIENTS: Final = tuple(
    (re.compile(shape, re.ASCII), text.format(**_CLIENT))
    for shape, text in (
        (rf"from (?P<helo>{_NAME}) \((?P<name>{_NAME})\.? {_IP}\)", "from {helo} ({name} [{ip}])"),  # Postfix, sendmail, Gmail
        (rf"from (?P<helo>{_NAME}) \({_IP}\)", "from {helo} ([{ip}])"),  # amavis, Exim
        (rf"from (?P<helo>{_NAME}) \({_IP} helo=(?P<name>{_NAME})\)", "from {helo} ([{ip}] helo={name})"),  # Exim
        (rf"from {_IP} \(helo=(?P<helo>{_NAME})\)", "from [{ip}] (helo={helo})"),  # Exim, no verified name
        (rf"from (?P<helo>{_NAME}) {_V4_IP}", "from {helo} ({ip})"),  # Exchange
        (rf"from (?P<helo>{_NAME}) \(HELO (?P<name>{_NAME})\) {_V4_IP}", "from {helo} (HELO {name}) ({ip})"),  # qmail
    )
)  # fmt: skip
# Names that mean more than a name to the reading of a header: other names must not stand for them.
_TELLING: Final = tuple(
    word
    for word in sorted(
        {hint.strip("() ") for server in SERVERS for hint in server.hints} | {"account", "auth", "tls"}
    )
    if word not in ("", "/") and " " not in word
)
_NO_HELOS: Final = KEYWORDS | {"mail"}  # `mail pickup service`


@lru_cache(maxsize=8192)
def frame_of(begin: str) -> Hop | None:
    """The hop of a header without what differs from message to message; None where that could change its reading.

    Clients are many, and a header reads the same whatever their names are, so that is done once for all of them.
    """
    for shape, text in _CLIENTS:
        if found := shape.match(begin):
            named = found.groupdict()
            ip = _address(named["ip"])
            client = found[0].lower()
            if ip is None or named["helo"].lower() in _NO_HELOS or any(map(client.__contains__, _TELLING)):
                break
            form = _form(text + begin[found.end() :])
            names: dict[str | None, str | None] = {
                _CLIENT[name]: _known(said) for name, said in named.items()
            }
            names[_CLIENT["ip"]] = ip
            return form and Hop._make(tuple(names.get(said, said) for said in form[:3]) + form[3:])
    return _form(begin)


_ODD_WITHIN: Final = frozenset(';"\\')
_NEW_YEAR: Final = Dated(datetime(2000, 1, 1, tzinfo=UTC), 0, (), 0, 0)


@lru_cache(maxsize=4096)
def _form(text: str) -> Hop | None:
    _, _, end = text.partition(" id ")
    hop_id = next((each for each in (ANY_ID, GMAIL_ID) if end.startswith(each)), None)
    if (
        not _ODD_WITHIN.isdisjoint(text)
        or " for " in text.lower()
        or not is_balanced(text)
        or find_date(text)
    ):
        return None
    hop = _hop(text, text, text, _NEW_YEAR, ())
    return None if hop.defects or hop.hop_id != hop_id or hop.for_address else hop


def _hop(value: str, text: str, rest: str, dated: Dated | None, defects: tuple[str, ...]) -> Hop:
    defects += dated.defects if dated else ("no date",)
    clauses = _clauses(rest)
    server = server_of(text)
    facts = _facts(clauses)
    protocol = _protocol(clauses)
    peer = _peer(clauses.get("from"), _peer_of(server, text), protocol)
    by_host = _host(clauses.get("by"))
    if not by_host and "from" not in clauses and not clauses[""].comments:
        defects += ("neither from nor by",)
    return Hop(
        raw=value,
        from_helo=peer.helo,
        from_host=peer.host,
        from_ip=peer.ip,
        by_host=by_host,
        with_protocol=protocol,
        tls=_tls(protocol, facts, server if "from" in clauses else None),
        tls_version=facts.get("tls_version"),
        tls_cipher=facts.get("tls_cipher"),
        authenticated="authenticated" in facts or bool(protocol and _AUTHENTICATED.fullmatch(protocol)),
        hop_id=_bare(clauses["id"].first) if "id" in clauses else None,
        for_address=_bare(clauses["for"].first) if "for" in clauses else None,
        received_at=dated.at if dated else None,
        utc_offset_s=dated.offset_s if dated else None,
        server=server.name if server else None,
        confidence=_confidence(server, peer, by_host, dated),
        defects=defects,
    )


def _date(text: str) -> tuple[Dated | None, str]:
    """The date behind one of the last semicolons, else any date outside of comments; and the text without it."""
    head, semicolon, tail = text.rpartition(";")
    plain, _, comment = tail.partition("(")
    if semicolon and comment.count(")") == bool(comment) and (dated := find_date(plain)):  # nearly always
        return dated, f"{head} {tail[dated.end :]}"
    plain = without_comments(text)
    begin = len(plain)
    for _ in range(_SEMICOLONS):
        begin = plain.rfind(";", 0, begin)
        if begin >= 0 and (dated := find_date(plain[begin:])):
            return dated, f"{text[:begin]} {text[begin + dated.end :]}"
    dated = find_date(plain)
    if dated is None:
        return None, text
    rest = f"{text[: dated.start]} {text[dated.end :]}"
    return dated._replace(defects=("no semicolon before the date", *dated.defects)), rest


def _clauses(text: str) -> dict[str, _Clause]:
    """The clauses by keyword; what stands before the first keyword is under ''."""
    current = _Clause()
    clauses = {"": current}
    for kind, token in scan(text):
        if kind is TokenKind.COMMENT:
            if len(current.comments) < _COMMENTS:
                current.comments.append(token)
        elif kind is TokenKind.WORD:
            word = token.rstrip(",")
            if len(word) < 5 and (keyword := word.lower()) in KEYWORDS:  # no keyword has five letters
                current = clauses.setdefault(keyword, _Clause())
                if current.words or current.comments:  # said again: `from` may then be the envelope's
                    current = _Clause()
            elif word:
                current.words.append(word)
    return clauses


# What a comment says wherever it stands, by column. Each has one reading; none can backtrack.
_FACTS: Final = tuple(
    re.compile(fact, re.IGNORECASE | re.ASCII)
    for fact in (
        r"using (?P<tls_version>(?:TLS|SSL)[\w.]*) with cipher (?P<tls_cipher>[\w-]+)",  # Postfix
        r"version=(?P<tls_version>(?:TLS|SSL)[\w./]*?)[, ]+cipher=(?P<tls_cipher>[\w-]+)",  # sendmail, Exchange, Gmail
        r"(?P<tls_version>(?:TLS|SSL)[\w.-]*):(?P<tls_cipher>[\w-]+):\d+",  # Exim before 4.94
        r"(?P<tls_version>TLSv?1[._]?[0-3]?):?(?P<tls_cipher>[\w-]+)?$",  # Exim, OpenSMTPD
        r"(?P<authenticated>Authenticated sender|authenticated (?:bits|as|user)|AUTH:|AUTH |account |\S+ authenticated user)",
    )
)
_TLS_WORD: Final = "tls"  # Exim: `with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384`


def _facts(clauses: Mapping[str, _Clause]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for clause in clauses.values():
        for comment in clause.comments:
            for fact in _FACTS:
                if found := fact.match(comment):
                    facts = {name: text for name, text in found.groupdict().items() if text} | facts
                    break
        for before, word in pairwise(clause.words):
            if before == _TLS_WORD:
                facts.setdefault("tls_cipher", word)
    return facts


# RFC 3848, RFC 6531 section 4.3, and the words that servers write beside them.
_PROTOCOL: Final = re.compile(
    r"(?:UTF8)?(?:E?SMTP|LMTP|ASMTP|ESMTP)S?A?|HTTPS?|LOCAL|IMAP|POP3|MAPI|BSMTP|HESMTP", re.IGNORECASE
)
# Who writes with a browser or by an API has logged in there.
_AUTHENTICATED: Final = re.compile(r"(?:UTF8)?[EL]?SMTPS?A|ASMTPS?|HTTPS?", re.IGNORECASE)
_ENCRYPTED: Final = re.compile(r"(?:UTF8)?[EL]?SMTPSA?|HTTPS", re.IGNORECASE)
_MAIL: Final = re.compile(r"(?:UTF8)?[EL]?SMTPS?A?", re.IGNORECASE)


def _protocol(clauses: Mapping[str, _Clause]) -> str | None:
    """The protocol in capitals; of a server that names its software instead, those words."""
    words = [word for name in ("with", "via") if name in clauses for word in clauses[name].words]
    if not words and "by" in clauses:  # `by webmail.example.org (via HTTP)`
        words = [comment[4:] for comment in clauses["by"].comments if comment[:4].lower() == "via "]
    known = next((word for word in words if _PROTOCOL.fullmatch(word)), None)
    if known:
        return known.upper()
    return " ".join(words[:4])[:64] or None


def _tls(protocol: str | None, facts: Mapping[str, str], server: Server | None) -> bool | None:
    """Whether a client's connection was encrypted; `server` is who would have said so. None: nobody tells.

    Without a client (Gmail between its own hosts) silence says nothing.
    """
    if "tls_version" in facts or "tls_cipher" in facts or (protocol and _ENCRYPTED.fullmatch(protocol)):
        return True
    return False if server and server.states_tls and protocol and _MAIL.fullmatch(protocol) else None


# Who stands in a comment of the `from` clause. `name [address]`, maybe with an identity before and remarks behind.
_ADDRESS: Final = r"\[(?P<ip>[^\]\s]{2,64})\](?::\d{1,5})?"
_PEERS: Final = tuple(
    re.compile(peer, re.IGNORECASE | re.ASCII)
    for peer in (
        rf"(?P<name>[^\s\[\]()=]{{1,255}}) \(?{_ADDRESS}\)?(?: |$)",  # Postfix, sendmail, MDaemon, Courier
        rf"(?:(?P<ident>[^\s@\[]{{0,64}})@)?{_ADDRESS}(?=[ :,]|$)",  # Exim, Exchange, sendmail without a name
        r"(?P<ip>[0-9a-f.:]{3,45})(?:%\w{1,16})?$",  # qmail, Exchange
        r"[^\s@]{0,64}@(?P<ip>[0-9a-f.:]{3,45})$",  # qmail with ident
    )
)
_HELOS: Final = re.compile(r"(?:^|[ \]])(?:helo=|(?:HELO|EHLO|LHLO) )(?P<helo>[^\s)]{1,255})", re.IGNORECASE)
_CLAIMED: Final = ("claiming", "to", "be")
_PICKUP: Final = ("mail", "pickup", "service")  # Microsoft's SMTPSVC: a message that lay in a folder
_WEB: Final = ("HTTP", "HTTPS")


def _peer_of(server: Server | None, text: str) -> Peer:
    if server:
        return server.peer
    return Peer.NAME if names_peer_first(text) else Peer.HELO


def _peer(clause: _Clause | None, first_is: Peer, protocol: str | None) -> _Peer:
    if clause is None or tuple(clause.words[:3]) == _PICKUP:
        return _Peer()
    first, name, ip, helo = clause.first, None, None, None
    for comment in clause.comments:
        if ip is None and not comment[:5].upper().startswith(("HELO ", "EHLO ", "LHLO ")):
            name, ip = _who(comment)
        if helo is None and (found := _HELOS.search(comment)):
            helo = found["helo"]
    if tuple(clause.words[1:4]) == _CLAIMED and len(clause.words) > 4:
        helo = clause.words[4].strip('"')
    own = _address(first) if first else None
    word = None if own else first
    is_literal = own and first and first[0] == "[" and protocol not in _WEB  # there nobody says HELO
    literal = first if is_literal and (ip or first_is is Peer.HELO) else None
    if ip is None:  # Courier, fetchmail: the address is a word of its own
        ip = next((found for found in map(_address, clause.words[1:]) if found), None) or own
    host = name or (word if first_is is Peer.NAME else None)
    return _Peer(_known(helo or word or literal), _known(host), ip)


def _who(comment: str) -> tuple[str | None, str | None]:
    """The name and the address in a comment that holds an address."""
    for peer in _PEERS:
        found = peer.match(comment)
        ip = _address(found["ip"]) if found else None
        if found and ip:
            name = found.groupdict().get("name")
            return (name.rpartition("@")[2].rstrip(".") if name else None), ip
    return None, None


_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_V4: Final = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}", re.ASCII)
_V4_PORT: Final = re.compile(r"((?:\d{1,3}\.){3}\d{1,3})[.:]\d{1,5}", re.ASCII)


@lru_cache(maxsize=4096)
def _address(text: str) -> str | None:
    """The address in `[192.0.2.1]`, `IPv6:2001:db8::1`, `::ffff:192.0.2.1`, `192.0.2.1.25` or `192.0.2.1:25` (with port)."""
    if _V4.fullmatch(text):  # mostly, and sooner told
        return text
    bare = text.strip("[]")
    bare = bare[5:] if bare[:5].lower() == "ipv6:" else bare
    if found := _V4_PORT.fullmatch(bare):
        bare = found[1]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _host(clause: _Clause | None) -> str | None:
    return _known(clause.first) if clause else None


_NOBODY: Final = frozenset({"unknown", "softdnserr", "unverified", "unavailable"})


def _known(name: str | None) -> str | None:
    bare = (name or "").strip("<>").rstrip(".")
    return None if not bare or bare.lower() in _NOBODY else bare


def _bare(word: str | None) -> str | None:
    return (word or "").strip("<>") or None


def _confidence(server: Server | None, peer: _Peer, by_host: str | None, dated: Dated | None) -> str:
    if server and by_host and dated:
        return "high"
    return "medium" if by_host and dated and (peer.ip or peer.helo) else "low"
