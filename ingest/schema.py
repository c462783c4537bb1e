"""The contract between ingest and analysis: the tables of the lake, their columns, and the words in them.

Moments are UTC microseconds, units stand at the end of a column's name, absent is NULL. The one value that looks
absent and is not: `sender = ''` is the null reverse-path `<>` of RFC 5321 section 4.5.5, which the server logged.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import pyarrow as pa


class Family(StrEnum):
    """Which file an event lies in: a sparse column costs time even where it is NULL, so kinds that share columns lie together."""

    SESSION = "session"
    QUEUE = "queue"
    DELIVERY = "delivery"
    REJECT = "reject"
    OTHER = "other"


class Kind(StrEnum):
    """What one log line of a mail server says."""

    # a client's connection
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    LOST_CONNECTION = "lost_connection"
    TLS_IN = "tls_in"
    TLS_FAILURE = "tls_failure"
    AUTH_FAILURE = "auth_failure"
    RATE_LIMIT = "rate_limit"
    CLIENT_NOTE = "client_note"
    SCREEN = "screen"
    DNSBL_LISTING = "dnsbl_listing"
    LOGIN = "login"
    BALANCED = "balanced"
    # a queue id's life
    ARRIVAL = "arrival"
    CLIENT = "client"
    PICKUP = "pickup"
    MESSAGE_ID = "message_id"
    QUEUED = "queued"
    REMOVED = "removed"
    EXPIRED = "expired"
    NOTICE = "notice"
    QUEUE_ADMIN = "queue_admin"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    MESSAGE_REFUSED = "message_refused"
    FILTER_VERDICT = "filter_verdict"
    SENDER_CHECK = "sender_check"
    MESSAGE_NOTE = "message_note"
    # an attempt to deliver
    DELIVERY = "delivery"
    POSTPONED = "postponed"
    PROBE = "probe"
    CONNECT_FAILURE = "connect_failure"
    REMOTE_TROUBLE = "remote_trouble"
    TLS_OUT = "tls_out"
    TLS_OUT_FAILURE = "tls_out_failure"
    DELIVERY_NOTE = "delivery_note"
    ATTEMPT_STARTED = "attempt_started"
    ATTEMPT_ENDED = "attempt_ended"
    MAILBOX = "mailbox"
    TRANSACTION = "transaction"
    # what an access rule, policy service, milter or content check decided
    DECISION = "decision"
    # about the server itself
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"
    PANIC = "panic"
    SERVER = "server"
    STATISTICS = "statistics"
    QUEUE_RUN = "queue_run"
    REMARK = "remark"


FAMILY_BY_KIND: Final = MappingProxyType(
    {
        **dict.fromkeys(
            (
                Kind.CONNECT,
                Kind.DISCONNECT,
                Kind.LOST_CONNECTION,
                Kind.TLS_IN,
                Kind.TLS_FAILURE,
                Kind.AUTH_FAILURE,
                Kind.RATE_LIMIT,
                Kind.CLIENT_NOTE,
                Kind.SCREEN,
                Kind.DNSBL_LISTING,
                Kind.LOGIN,
                Kind.BALANCED,
            ),
            Family.SESSION,
        ),
        **dict.fromkeys(
            (
                Kind.ARRIVAL,
                Kind.CLIENT,
                Kind.PICKUP,
                Kind.MESSAGE_ID,
                Kind.QUEUED,
                Kind.REMOVED,
                Kind.EXPIRED,
                Kind.NOTICE,
                Kind.QUEUE_ADMIN,
                Kind.CANCELLED,
                Kind.SKIPPED,
                Kind.MESSAGE_REFUSED,
                Kind.FILTER_VERDICT,
                Kind.SENDER_CHECK,
                Kind.MESSAGE_NOTE,
            ),
            Family.QUEUE,
        ),
        **dict.fromkeys(
            (
                Kind.DELIVERY,
                Kind.POSTPONED,
                Kind.PROBE,
                Kind.CONNECT_FAILURE,
                Kind.REMOTE_TROUBLE,
                Kind.TLS_OUT,
                Kind.TLS_OUT_FAILURE,
                Kind.DELIVERY_NOTE,
                Kind.ATTEMPT_STARTED,
                Kind.ATTEMPT_ENDED,
                Kind.MAILBOX,
                Kind.TRANSACTION,
            ),
            Family.DELIVERY,
        ),
        Kind.DECISION: Family.REJECT,
        **dict.fromkeys(
            (
                Kind.WARNING,
                Kind.ERROR,
                Kind.FATAL,
                Kind.PANIC,
                Kind.SERVER,
                Kind.STATISTICS,
                Kind.QUEUE_RUN,
                Kind.REMARK,
            ),
            Family.OTHER,
        ),
    }
)


class Status(StrEnum):
    """The result of one attempt for one recipient, in the words of Postfix and RFC 3464 section 2.3.3."""

    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    EXPIRED = "expired"
    DISCARDED = "discarded"


class Action(StrEnum):
    """What an access rule, policy, milter or header check decided (Postfix access(5), header_checks(5))."""

    REJECT = "reject"
    REJECT_WARNING = "reject_warning"
    HOLD = "hold"
    DISCARD = "discard"
    FILTER = "filter"
    REDIRECT = "redirect"
    WARN = "warn"
    INFO = "info"
    REPLACE = "replace"
    PREPEND = "prepend"
    STRIP = "strip"
    BCC = "bcc"
    ACCEPT = "accept"
    DELAY = "delay"
    QUARANTINE = "quarantine"
    DELETE = "delete"


class Outcome(StrEnum):
    """What became of one recipient of one message, as its sender sees it."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    EXPIRED = "expired"
    DISCARDED = "discarded"
    MIXED = "mixed"  # an alias whose members fared differently
    DEFERRED = "deferred"  # tried, still in the queue
    HELD = "held"
    DELETED = "deleted"  # by an administrator
    QUEUED = "queued"  # accepted, not tried yet
    UNKNOWN = "unknown"  # the log ends, or has a gap, before the answer


MOMENT: Final[pa.DataType] = pa.timestamp("us", tz="UTC")
TEXT: Final[pa.DataType] = pa.string()
COUNT: Final[pa.DataType] = pa.int64()
SMALL: Final[pa.DataType] = pa.int32()
SECONDS: Final[pa.DataType] = pa.float64()

FRAME: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {
        "logged_at": MOMENT,
        "utc_offset_s": SMALL,
        "host": TEXT,
        "server": TEXT,  # postfix, exim, ...
        "instance": TEXT,  # Postfix's syslog_name
        "service": TEXT,  # the master.cf label between instance and daemon: submission, smtps, ...
        "daemon": TEXT,
        "pid": COUNT,
        "queue_id": TEXT,
        "kind": TEXT,
        "repeat_no": SMALL,  # NULL, or 1.. where a line is several events: `message repeated N times`, or of a list
        "source_id": TEXT,
        "line_no": COUNT,
        "line": TEXT,
    }
)

_PEER = {"client_name": TEXT, "client_ip": TEXT, "client_port": COUNT}
_SASL = {"sasl_method": TEXT, "sasl_username": TEXT}
_TLS = {"tls_trust": TEXT, "tls_version": TEXT, "tls_cipher": TEXT, "tls_bits": COUNT}
_REASON = {"reason": TEXT}

ATTRIBUTES: Final[Mapping[Family, Mapping[str, pa.DataType]]] = MappingProxyType(
    {
        Family.SESSION: {
            **_PEER,
            "helo": TEXT,
            **_SASL,
            **_TLS,
            **_REASON,
            "stage": TEXT,  # the SMTP command after which it happened
            "counters": TEXT,  # smtpd's commands of the session, ok/total: `ehlo=1 auth=0/1 commands=1/2`
            "dnsbl": TEXT,
            "action": TEXT,
            "session_id": TEXT,  # as its server names it
            # a load balancer's: where it listened, whom it chose, how long that took
            "frontend": TEXT,
            "backend": TEXT,
            "backend_server": TEXT,
            "connect_s": SECONDS,
            "duration_s": SECONDS,
            "transferred_bytes": COUNT,
        },
        Family.QUEUE: {
            **_PEER,
            "helo": TEXT,
            "protocol": TEXT,
            **_SASL,
            **_TLS,
            **_REASON,
            "orig_queue_id": TEXT,
            "orig_client_name": TEXT,
            "orig_client_ip": TEXT,
            "uid": COUNT,
            "message_id": TEXT,
            "sender": TEXT,
            "size_bytes": COUNT,
            "recipient_count": COUNT,
            "recipients": TEXT,  # as Exim lists them (+received_recipients), a blank between two
            "related_queue_id": TEXT,
            "action": TEXT,
            "method": TEXT,  # of a sender check: SPF, DKIM, DMARC, ARC
            "attributes": TEXT,  # key=value pairs that no column knows
        },
        Family.DELIVERY: {
            "recipient": TEXT,
            "orig_recipient": TEXT,
            "relay_name": TEXT,
            "relay_ip": TEXT,
            "relay_port": COUNT,
            "connection_use": COUNT,  # how often this connection carried mail, this time included
            "delay_s": SECONDS,
            "before_queue_s": SECONDS,
            "in_queue_s": SECONDS,
            "connect_s": SECONDS,
            "transmit_s": SECONDS,
            "enhanced_code": TEXT,
            "status": TEXT,
            "reply": TEXT,
            "tls_policy": TEXT,  # Postfix 3.11: `tls=dane/!requiretls:nocertmatch`
            "attempt_id": TEXT,  # of servers that write start and end of an attempt in two lines
            # of servers that say all of a recipient in one line
            "sender": TEXT,
            "message_id": TEXT,
            "size_bytes": COUNT,
            "client_name": TEXT,
            "client_ip": TEXT,
            "session_id": TEXT,  # as its server names it
            "attributes": TEXT,  # key=value pairs that no column knows
            **_TLS,
            **_REASON,
        },
        Family.REJECT: {
            "action": TEXT,
            "stage": TEXT,
            **_PEER,
            "smtp_code": TEXT,
            "enhanced_code": TEXT,
            "reply": TEXT,
            "sender": TEXT,
            "recipient": TEXT,
            "protocol": TEXT,
            "helo": TEXT,
            "sasl_username": TEXT,
            "trigger": TEXT,  # the header or body text that a content check met
            "decider": TEXT,  # smtpd's own restrictions (NULL), or milter, proxy, header, body
            "attributes": TEXT,  # key=value pairs that no column knows
        },
        Family.OTHER: {**_REASON},
    }
)


def events_schema(family: Family) -> pa.Schema:
    """Columns of one family's Parquet files: the frame's, then those of its kinds."""
    return pa.schema([pa.field(name, kind) for name, kind in {**FRAME, **ATTRIBUTES[family]}.items()])


UNPARSED: Final = pa.schema(
    [("source_id", TEXT), ("line_no", COUNT), ("reason", TEXT), ("program", TEXT), ("line", TEXT)]
)

SOURCES: Final = pa.schema(
    [
        ("source_id", TEXT),
        ("name", TEXT),
        ("size_bytes", COUNT),
        ("line_count", COUNT),
        ("event_lines", COUNT),
        ("unparsed_lines", COUNT),
        ("foreign_lines", COUNT),
        ("blank_lines", COUNT),
        ("duplicate_lines", COUNT),  # lines that another source has too, and keeps
        ("first_at", MOMENT),
        ("last_at", MOMENT),
        ("damage", TEXT),
        ("is_last_line_open", pa.bool_()),  # no newline at its end: it was read as it stands
        ("parser_version", COUNT),
        ("ingested_at", MOMENT),
        ("schema_version", COUNT),
    ]
)

TEXTS: Final[pa.DataType] = pa.list_(TEXT)
YES: Final[pa.DataType] = pa.bool_()

# One row a message: what its headers say.
EMAILS: Final = pa.schema(
    [
        ("email_id", TEXT),  # of its headers
        ("message_id", TEXT),
        ("sent_at", MOMENT),  # as the sender's Date header says
        ("sent_offset_s", SMALL),
        ("from_domains", TEXTS),
        ("to_domains", TEXTS),
        ("return_path", TEXT),
        ("subject", TEXT),
        ("size_bytes", COUNT),
        ("hop_count", SMALL),
        ("transit_s", SECONDS),  # from the first to the last Received header whose clocks agree
        (
            "verdicts",  # on SPF, DKIM, DMARC and ARC; worth as much as who wrote them
            pa.list_(
                pa.struct(
                    [
                        ("header", TEXT),
                        ("authserv_id", TEXT),
                        ("instance", SMALL),  # i= of ARC
                        ("method", TEXT),
                        ("result", TEXT),
                        ("domain", TEXT),
                        ("selector", TEXT),
                        ("reason", TEXT),
                        ("received_above", SMALL),  # Received headers above it in the message
                    ]
                )
            ),
        ),
        ("signatures", pa.list_(pa.struct([("domain", TEXT), ("selector", TEXT)]))),
        ("list_id", TEXT),
        ("list_unsubscribe", TEXT),
        ("auto_submitted", TEXT),
        ("spam_flag", TEXT),
        ("spam_score", TEXT),
        ("exchange_scl", SMALL),  # Exchange's spam confidence level, -1 to 9
        ("refusal", TEXT),  # of a message in Exim's rejectlog: what the log says of it
        ("defects", TEXTS),
    ]
)

# One row a Received header; hop 1 is the nearest to the origin.
HOPS: Final = pa.schema(
    [
        ("email_id", TEXT),
        ("hop", SMALL),
        ("from_helo", TEXT),  # what the client called itself
        ("from_host", TEXT),  # the name that the server found for its address
        ("from_ip", TEXT),
        ("by_host", TEXT),
        ("with_protocol", TEXT),
        ("tls", YES),  # NULL: unknown
        ("tls_version", TEXT),
        ("tls_cipher", TEXT),
        ("authenticated", YES),
        ("hop_id", TEXT),
        ("for_address", TEXT),
        ("received_at", MOMENT),
        ("utc_offset_s", SMALL),
        (
            "delay_s",
            SECONDS,
        ),  # since the hop before as the two clocks have it, maybe negative; a delay only where both are right
        (
            "skew_s",
            SECONDS,
        ),  # the clock is wrong by at least so much, positive if ahead; 0: it agrees with the others
        ("is_internal", YES),  # within one host or organisation: private address, local protocol, no client
        ("server", TEXT),  # who seems to have written the header
        ("confidence", TEXT),  # of the reading: high, medium, low
        ("defects", TEXTS),
        ("raw", TEXT),
    ]
)

COVERAGE: Final = pa.schema([("source_id", TEXT), ("program", TEXT), ("result", TEXT), ("lines", COUNT)])

SCHEMA_VERSION: Final = 2

# What analysis needs to know of the ledger, in a file of JSON: schema_version, last_commit, dirty_at.
STATE_FILE: Final = ".state.json"


def commits_of(part_name: str) -> tuple[int, int]:
    """The first and last commit whose lines a part holds, by its file name.

    `00000012-<source>-00001.parquet`; of several commits, merged: `00000012_00000019-00003.parquet`;
    of messages `00000012.parquet`.
    """
    first, _, last = part_name.partition(".")[0].partition("-")[0].partition("_")
    return int(first), int(last or first)
