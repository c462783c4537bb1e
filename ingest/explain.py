"""One raw line in plain words: how it was taken apart, what it says, and where the server documents it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.formats import Format
from ingest.formats.base import Event
from ingest.recognition import Recogniser
from ingest.schema import FAMILY_BY_KIND, Kind

# kind: (what such a line says, where it is documented)
MEANINGS: Final[dict[Kind, tuple[str, str]]] = {
    Kind.CONNECT: ("A client opened an SMTP connection.", "smtpd(8)"),
    Kind.DISCONNECT: ("The connection ended; ok/total of each SMTP command of the session.", "smtpd(8)"),
    Kind.LOST_CONNECTION: ("The session broke off after the named command.", "smtpd(8)"),
    Kind.TLS_IN: ("A client's connection is encrypted from here on.", "TLS_README, smtpd_tls_loglevel"),
    Kind.TLS_FAILURE: ("The TLS handshake with a client failed.", "TLS_README"),
    Kind.AUTH_FAILURE: ("A client gave a wrong user name or password.", "SASL_README"),
    Kind.RATE_LIMIT: ("A client was refused because it was too busy.", "TUNING_README, anvil(8)"),
    Kind.CLIENT_NOTE: ("Something odd about a client; nothing was refused by this line.", "smtpd(8)"),
    Kind.SCREEN: ("postscreen tested or decided on a client before smtpd met it.", "POSTSCREEN_README"),
    Kind.DNSBL_LISTING: ("A client's address is on a block or allow list.", "dnsblog(8)"),
    Kind.LOGIN: ("A user logged in to a mailbox, or to send mail.", "doc.dovecot.org, Logging"),
    Kind.BALANCED: ("A load balancer passed a client's connection to one of several servers.", "HAProxy Configuration Manual, TCP log format"),
    Kind.ARRIVAL: ("A message was taken into the queue: from whom, how, and how big.", "Exim spec, Log files: Logging message reception"),
    Kind.CLIENT: ("A message got its queue id; this client sends it.", "smtpd(8)"),
    Kind.PICKUP: ("A message was written on this host by the sendmail command.", "pickup(8)"),
    Kind.MESSAGE_ID: ("The Message-ID header of the message.", "cleanup(8)"),
    Kind.QUEUED: ("The message entered the active queue; written again at every retry.", "qmgr(8)"),
    Kind.REMOVED: ("The queue is done with the message, delivered or returned.", "qmgr(8)"),
    Kind.EXPIRED: ("The message was in the queue for too long and goes back to its sender.", "qmgr(8), maximal_queue_lifetime"),
    Kind.NOTICE: ("The server wrote a notification about this message; its own id is named.", "bounce(8)"),
    Kind.QUEUE_ADMIN: ("An administrator's command changed the queue.", "postsuper(1)"),
    Kind.CANCELLED: ("The message was given up before its time, and goes back to its sender.", "exim -Mg, timeout_frozen_after"),
    Kind.SKIPPED: ("The queue manager passed over the message this time.", "qmgr(8)"),
    Kind.MESSAGE_REFUSED: ("The whole message was refused after its data.", "cleanup(8)"),
    Kind.FILTER_VERDICT: ("The content filter's verdict on the message.", "amavisd.conf, $log_templ"),
    Kind.SENDER_CHECK: ("What SPF, DKIM, DMARC or ARC says of the message.", "Exim spec, DKIM, SPF, SRS and DMARC"),
    Kind.MESSAGE_NOTE: ("A remark about the message, by the server or by the site's configuration; no result.", "Exim spec, Log files"),
    Kind.DELIVERY: ("The result of one attempt to deliver to one recipient.", "smtp(8), lmtp(8), local(8), pipe(8)"),
    Kind.POSTPONED: ("It was too early to try again: nothing was tried.", "Exim spec, Retry configuration"),
    Kind.PROBE: ("A test whether an address exists; no mail was sent.", "ADDRESS_VERIFICATION_README"),
    Kind.CONNECT_FAILURE: ("No connection to a destination; the next address is tried.", "smtp(8)"),
    Kind.REMOTE_TROUBLE: ("The destination misbehaved; the result follows in a delivery line.", "smtp(8)"),
    Kind.TLS_OUT: ("The connection to a destination is encrypted from here on.", "TLS_README, smtp_tls_loglevel"),
    Kind.TLS_OUT_FAILURE: ("The TLS handshake with a destination failed.", "TLS_README"),
    Kind.DELIVERY_NOTE: ("A remark of the delivery agent; no result.", "smtp(8)"),
    Kind.ATTEMPT_STARTED: ("An attempt to deliver begins; a later line of the same number has its result.", "qmail-log(5)"),
    Kind.ATTEMPT_ENDED: ("The result of the attempt of this number.", "qmail-log(5)"),
    Kind.MAILBOX: ("A message was stored in a mailbox, passed on, or discarded by the user's filter.", "doc.dovecot.org, Logging; RFC 5228"),
    Kind.TRANSACTION: ("What a load test saw of one message that it sent.", "JMeter, SMTP Sampler"),
    Kind.DECISION: ("An access rule, policy, milter or content check decided on mail.", "access(5), header_checks(5), MILTER_README"),
    Kind.WARNING: ("The server warns; it goes on.", "DEBUG_README"),
    Kind.ERROR: ("The server met an error; it goes on.", "DEBUG_README"),
    Kind.FATAL: ("A process of the server gave up.", "DEBUG_README"),
    Kind.PANIC: ("A process of the server found a fault in itself and stopped.", "DEBUG_README"),
    Kind.SERVER: ("The server speaks about itself: start, stop, reload, tables.", "master(8)"),
    Kind.STATISTICS: ("Counters that a daemon writes from time to time.", "anvil(8), scache(8)"),
    Kind.QUEUE_RUN: ("A walk through the queue began or ended.", "exim -q"),
    Kind.REMARK: ("A text of the site's own configuration, or one that no form of the server's is known for.", "Exim spec, logwrite"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a line says. `fields` are the columns that it fills; the server's own documentation is named by `see`."""

    format: str
    kind: str
    family: str
    meaning: str
    see: str
    fields: dict[str, str]


def explain_line(line: str, formats: tuple[Format, ...], clock: Clock) -> Explanation:
    """Takes a line apart and says what it means; ParseError says what was expected and not found."""
    recogniser = Recogniser(formats)
    frame = recogniser.frame(line, recogniser.framer(clock))
    claimed = recogniser.claim(frame.tag)
    if claimed is None:
        raise ParseError(
            f"a line of {frame.tag!r}, which is no program of {', '.join(each.name for each in formats)}"
        )
    server, program = claimed
    told = server.parse(program, frame.message)
    events = [told] if isinstance(told, Event) else told
    event = events[0]
    offset = timezone(timedelta(seconds=frame.moment.offset_s))
    parts = {
        "logged_at": datetime.fromtimestamp(frame.moment.utc_us / 1e6, UTC).astimezone(offset).isoformat(),
        "host": frame.host,
        "server": program.server,
        "instance": program.instance,
        "service": program.service,
        "daemon": event.daemon or program.daemon,
        "pid": frame.pid,
        "queue_id": event.queue_id,
        "repeated": str(frame.repeat) if frame.repeat > 1 else None,
        **_of_all(events),
    }
    meaning, see = MEANINGS[event.kind]
    fields = {name: value for name, value in parts.items() if value is not None}
    return Explanation(server.name, str(event.kind), str(FAMILY_BY_KIND[event.kind]), meaning, see, fields)


def _of_all(events: Sequence[Event]) -> dict[str, str | None]:
    """The columns of all events of a line; where they differ, one value after the other."""
    texts: dict[str, dict[str, None]] = {}
    for event in events:
        for column, value in zip(event.columns, event.values, strict=True):
            texts.setdefault(column, {}).update({value: None} if value is not None else {})
    return {column: ", ".join(values) if values else None for column, values in texts.items()}
