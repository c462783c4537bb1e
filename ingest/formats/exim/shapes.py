"""The frequent lines of Exim, as data, in the order that its fields usually have: what the fast lane reads.

They say of a line what `parse` says, and of fewer lines: a field in another place, a host without address, a pipe are
left to it. Exim specification, "Log files": "Summary of Fields in Log Lines".
"""

from collections.abc import Iterator
from typing import Final

from ingest.formats.base import FixedForms, Row, Turn, Words
from ingest.formats.exim.frame import TAG
from ingest.schema import Kind
from ingest.shapes import CaptureClass

# A value: no blanks, quotes, brackets. Where a colon may end the fields it has none either.
_VALUE: Final = "[!#-;=?-~]+"
_INSIDE: Final = "[!#-;=?-~]*"
_SHORT: Final = "[!#-9;=?-~]+"
_ADDRESS: Final = r"[!#-'*-.0-9;=?-{}~]+"
_NAME: Final = "[0-9A-Za-z._-]+"
_IP: Final = "[0-9A-Za-z.:%]{1,64}"
_PORT: Final = "{?:{%s:[0-9]{1,5}}?}"
_HELO: Final = "{helo:[ !-'*-~]+}"

_BY: Final = f"[{{client_ip:{_IP}}}]" + _PORT % "client_port"
_CLIENTS: Final = (f"{{client_name:{_NAME}}}{{? ({_HELO})?}} {_BY}", f"({_HELO}) {_BY}", _BY)
_HERE: Final = f"{{? I=[{{I:{_IP}}}]:{{I_port:int}}?}}"
_TLS: Final = 'X={tls_version:[0-9A-Za-z.]+}:{tls_cipher:[0-9A-Za-z_-]+}:{tls_bits:[0-9]{1,5}}{? CV={tls_trust:[a-z]+}?}{? DN="{DN:quoted}"?}'

_PIPELINING: Final = "{? L{pipelined:[-]{1}}?}{? {L:[L]{1}}?}"
_BEGUN: Final = (
    f"{{? U={{U:{_VALUE}}}?}} P={{protocol:{_VALUE}}}{_PIPELINING}{{? {_TLS}?}}{{? SNI={{SNI:{_VALUE}}}?}}"
    "{? A={sasl_method:[!#-9;=?-~]+}{?:{sasl_username:[!#-9;=?-~]+}{?:{:[!#-;=?-~]*}?}?}?}"
    f"{{? {{K:[K]{{1}}}}?}} S={{size_bytes:int}}{{? M8S={{M8S:int}}?}}"
)
_ID: Final = f"{{? id={{id:{_VALUE}}}?}}"
_TOOK: Final = f"{{? RT={{RT:{_VALUE}}}?}}"
_LETTER: Final = f'{{? T="{{subject:quoted}}"?}}{{? from <{{:{_INSIDE}}}>?}}{{? for {{recipients:rest}}?}}'
_ARRIVALS: Final = (
    f"{_BEGUN}{_TOOK}{{? DKIM={{DKIM:{_VALUE}}}?}}{_ID}{_LETTER}",
    f"{_BEGUN}{_ID}{_TOOK}{_LETTER}",
)
_ENVELOPE: Final = f"{{? F=<{{F:{_INSIDE}}}>?}}{{? P=<{{P:{_INSIDE}}}>?}}"
_RECIPIENT: Final = f"{{recipient:{_ADDRESS}}}{{? <{{orig_recipient:{_ADDRESS}}}>?}}"
_TIMES: Final = "{? QT={delay_s:duration}?}{? DT={transmit_s:duration}?}"
_RELAY: Final = f"H={{relay_name:{_NAME}}} [{{relay_ip:{_IP}}}]" + _PORT % "relay_port"
_SIZE: Final = "{? S={S:int}?}"
_CONFIRMED: Final = '{? C="{reply:quoted}"?}'
# What was not sent: Exim's own words, which no reply of another server begins like, or such a reply.
_WHY: Final = "{reply:[A-KM-RT-Za-z]...}"
_ANSWERED: Final = "SMTP error from remote mail server after {command:upto}: {reply:[245]...}"
_DEFERS: Final = ("defer (-{own_error:[0-9]+})", "defer ({error:[0-9]+})")
_GIVEN_UP: Final = "retry timeout exceeded"
# Not how a reply with a code begins, nor one that has another code than 550: `message too big`, `no HELO/EHLO given`,
# `syntactically ...` (`refusals.py`).
_REFUSED: Final = (
    "{told:[016-9A-Za-lo-rt-z]...}", "s{told_s:[a-xz]...}", "m{told_m:[a-df-z]...}", "no {told_no:[A-GI-Za-z]...}",
)  # fmt: skip
_BEFORE_REFUSAL: Final = (
    f"{_HERE}{{? X={{:{_VALUE}}}{{? CV={{:{_VALUE}}}?}}?}}{{? F=<{{sender:{_INSIDE}}}>?}}"
    f"{{? A={{:{_SHORT}}}:{{sasl_username:{_SHORT}}}?}}"
)

_CONNECTION_USES: Final[tuple[tuple[str, dict[str, str]], ...]] = (("", {}), ("*", {"connection_use": "2"}))
_SENT: Final = {"status": "sent"}
_SMTP: Final = {"daemon": "smtp"}
_LEFT: Final = (
    f"** {{:rest}}{_GIVEN_UP}",
    *(f"{flag} {to}{{:rest}}" for flag in ("=>", "->") for to in ("discarded", "/dev/null")),
)


def _deliveries() -> Iterator[Row]:
    for flag in ("=>", "->"):
        begin = f"{flag} {_RECIPIENT}{_ENVELOPE} R={{R:{_VALUE}}}"
        for again, use in _CONNECTION_USES:
            relay = f"{_RELAY}{again}{_HERE}{{? {_TLS}?}}{{? A={{A:{_VALUE}}}?}}{_PIPELINING}{{? {{K:[K]{{1}}}}?}}"
            for fields in (f"{_SIZE} {relay}", f" {relay} S={{S_behind:int}}"):
                sent = f"{begin} T={{T:{_VALUE}}}{fields}{_CONFIRMED}{_TIMES}"
                yield Kind.DELIVERY, (), sent, {**_SENT, **_SMTP, **use}
        to_transport = f"T={{transport:[0-9A-Za-z_.-]+}}{_SIZE}{_CONFIRMED}{_TIMES}"
        yield Kind.DELIVERY, (), f"{begin} {to_transport}", {**_SENT, "daemon": "local"}
        begin = f"<{{recipient:{_ADDRESS}}}>{_ENVELOPE} R={{R:{_VALUE}}}"
        yield (
            Kind.DELIVERY, (), f"{flag} /{{file:[!#-;=?-~]+}} {begin} {to_transport}", {**_SENT, "daemon": "local"},
        )  # fmt: skip
        yield (
            Kind.DELIVERY, (), f"{flag} :{{nowhere:[a-z]+}}: {begin}{_SIZE}{_TIMES}",
            {"status": "discarded", "daemon": "discard"},
        )  # fmt: skip


def _failures() -> Iterator[Row]:
    bounced, deferred = {"status": "bounced"}, {"status": "deferred"}
    yield Kind.DELIVERY, (), f"** {_RECIPIENT}{{? ?}}: {_WHY}", {**bounced, "daemon": "error"}
    for defer in _DEFERS:
        told = {**deferred, "daemon": "error"}
        yield Kind.DELIVERY, (), f"== {_RECIPIENT} routing {defer}: {_WHY}", told
    for flag, status, word in (
        ("**", bounced, ""),
        *(("==", deferred, f" {defer}") for defer in _DEFERS),
    ):
        routed = f"{flag} {_RECIPIENT}{_ENVELOPE} R={{R:{_SHORT}}}"
        for again, use in _CONNECTION_USES:
            remote = f"{routed} T={{T:{_SHORT}}}{word} {_RELAY}{again}{_HERE}{{? {_TLS}?}}: "
            for reply in (_ANSWERED, _WHY):
                yield Kind.DELIVERY, (), remote + reply, {**status, **_SMTP, **use}
        smtp = f"{routed} T={{smtp_transport:{_SHORT}}}{word}: {_WHY}"
        yield Kind.DELIVERY, (), smtp, {**status, **_SMTP}
        # A name without one letter of "smtp" has no "smtp" in it
        for others in ("A-Za-rt-z", "A-Za-oq-z", "A-Za-su-z"):
            local = f"{routed} T={{transport:[0-9{others}_.-]+}}{word}: {_WHY}"
            yield Kind.DELIVERY, (), local, {**status, "daemon": "local"}
        yield Kind.DELIVERY, (), f"{routed}{word}: {_WHY}", {**status, "daemon": "error"}


def _refusals() -> Iterator[Row]:
    for client in _CLIENTS:
        begin = f"H={client}{_BEFORE_REFUSAL}"
        for words, code in (("", "550"), ("temporarily ", "451")):
            told = {"action": "reject", "smtp_code": code}
            for reply in _REFUSED:
                yield (
                    Kind.DECISION,
                    (),
                    f"{begin} {words}rejected RCPT <{{recipient:{_INSIDE}}}>: {reply}",
                    {**told, "stage": "RCPT"},
                )


_QUEUED: Final[tuple[Row, ...]] = (
    *((Kind.ARRIVAL, (), f"<= {sender}{{? R={{related_queue_id:{_VALUE}}}?}}{client}{arrival}")
      for sender in (f"{{sender:{_ADDRESS}}}", r"<{sender:[\n]*}>")
      for client in (*(f" H={client}{{? I={{here:{_VALUE}}}?}}" for client in _CLIENTS), "")
      for arrival in _ARRIVALS),
    (Kind.DELIVERY, (), f"** {_RECIPIENT}: {{given_up:[ a-z]+}}", {"status": "expired", "daemon": "error"}),
    *((Kind.DELIVERY, (), template) for template in _LEFT),
    *_deliveries(),
    *_failures(),
    (Kind.REMOVED, (), "Completed"),
    (Kind.REMOVED, (), "Completed QT={QT:rest}"),
    (Kind.SKIPPED, (), "Message is frozen", {"reason": "Message is frozen"}),
    (Kind.SKIPPED, (), "Spool file is locked (another process is handling this message)",
     {"reason": "Spool file is locked (another process is handling this message)"}),
    (Kind.SKIPPED, (), f"Spool file for {{spool:{_VALUE}}} is locked (another process is handling this message)"),
    (Kind.SKIPPED, (), "no immediate delivery: {waits:rest}"),
    (Kind.QUEUE_ADMIN, (), "Frozen {reason:rest}", {"action": "hold"}),
    (Kind.QUEUE_ADMIN, (), "Unfrozen {reason:rest}", {"action": "release"}),
    (Kind.QUEUE_ADMIN, (), "removed by {reason:rest}", {"action": "delete"}),
    (Kind.REMOTE_TROUBLE, (), f"{_RELAY}{{?*?}}: {{reason:rest}}"),
    (Kind.CONNECT_FAILURE, (), f"{_RELAY} Connection {{connection:rest}}"),
    (Kind.CONNECT_FAILURE, (), f"{_RELAY} No route to host", {"reason": "No route to host"}),
    (Kind.CONNECT_FAILURE, (), f"{_RELAY} Network is unreachable", {"reason": "Network is unreachable"}),
)  # fmt: skip

_ALONE: Final[tuple[Row, ...]] = (
    (Kind.QUEUE_RUN, (), "Start queue run: {started:rest}"),
    (Kind.QUEUE_RUN, (), "End queue run: {ended:rest}"),
    *((Kind.CLIENT_NOTE, (), f"no host name found for IP address {{client_ip:{_IP}}}", {"reason": "no host name"}),),
    *_refusals(),
    *((Kind.AUTH_FAILURE, (),
       f"{{sasl_method:[0-9A-Za-z_-]{{1,64}}}} authenticator failed for {client}{{? I=[{{:{_IP}}}]:{{:int}}?}}: 535 Incorrect authentication data"
       "{? (set_id={sasl_username:[!-'*-~]+})?}", {"reason": "535 Incorrect authentication data"})
      for client in _CLIENTS),
    *((Kind.LOST_CONNECTION, (), f"unexpected disconnection while reading SMTP command from {client}{{? I={{:{_VALUE}}}?}}{{? D={{:{_VALUE}}}?}}",
       {"reason": "lost connection"}) for client in _CLIENTS),
    *((Kind.CONNECT, (), f"SMTP connection from {client}{{? I={{:{_VALUE}}}?}} (TCP/IP connection count = {{:int}})")
      for client in _CLIENTS),
    *((Kind.DISCONNECT, (), f"SMTP connection from {client}{{? I={{:{_VALUE}}}?}}{{? D={{:{_VALUE}}}?}} closed {{closed:[ab]...}}")
      for client in _CLIENTS),
)  # fmt: skip

_VERSIONS: Final = ("1", "1.0", "1.1", "1.2", "1.3")

FORMS: Final = FixedForms(
    queue_ids=(CaptureClass("0-9A-Za-z-", 16, 16), CaptureClass("0-9A-Za-z-", 23, 23)),
    no_queue_id="",
    with_id={"": _QUEUED},
    without_id={"": _ALONE},
    turns={"own_error": Turn(frozenset({"51", "52", "53", "54"}), Kind.POSTPONED)},
    left=frozenset(_LEFT),
    after_id=" ",
    dashes=((6, 13), (6, 18)),
    words={
        name: Words(name, meanings)
        for name, meanings in {
            "tls_version": {f"TLS{v}{number}": f"TLSv{number}" for number in _VERSIONS for v in ("", "v")},
            "tls_trust": {"yes": "Trusted", "dane": "Verified", "no": "Untrusted"},
            "nowhere": {"blackhole": ":blackhole:"},
            "given_up": {_GIVEN_UP: _GIVEN_UP},
            # Nothing was sent: these send by SMTP, as the "smtp" in their names says
            "smtp_transport": dict.fromkeys(("remote_smtp", "remote_smtp_smarthost", "smtp", "dkim_remote_smtp"), "smtp"),
        }.items()
    },
    made={
        "message_id": ("<{id}>",),
        "relay_name": ("{transport}",),
        "reply": ("{given_up}", "{told}", "s{told_s}", "m{told_m}", "no {told_no}"),
        "reason": (
            "Start queue run: {started}", "End queue run: {ended}", "closed {closed}", "Connection {connection}",
            "SMTP error from remote mail server after {command}", "no immediate delivery: {waits}",
            "Spool file for {spool} is locked (another process is handling this message)",
        ),
        # In the order of the fields; then marks, and what `mail.py` adds
        "attributes": (
            "QT={QT}", "F={F}", "P={P}", "R={R}", "T={T}", "T={smtp_transport}", "T={transport}", "S={S}", "I={here}",
            "I=[{I}]:{I_port}", "U={U}", "DN={DN}", "SNI={SNI}", "A={A}", "S={S_behind}", "M8S={M8S}", "RT={RT}",
            "DKIM={DKIM}", "T={subject}", "L{pipelined}", "{L}", "{K}", "defer=-{own_error}", "defer={error}", "to=/{file}", "to=:{nowhere}:",
        ),
    },
    repeated={"recipient": "orig_recipient"},
    replies={"reply": "enhanced_code"},
    own_tag=TAG,
)  # fmt: skip
