"""Messages on their way: what a sender hands over, and what lies in a queue."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .truth import Row
from .world import ALIASES

if TYPE_CHECKING:
    from .site import Host


@dataclass(slots=True)
class Envelope:
    """One message as it is handed to a server: by its sender at first, later by the server before."""

    sender: str
    rows: list[tuple[str, Row]]  # recipient addresses of this transaction, and whose fate they are
    message_id: str
    size: int
    story: str | None = None
    header_action: str | None = (
        None  # what a header check of ours does with it: a key of smtpd.HEADER_ACTIONS
    )
    orig: str = ""  # what a content filter tells about the first leg


@dataclass(slots=True, eq=False)
class Leg:
    """One final address in a queue file."""

    address: str
    row: Row
    orig_to: str = ""  # as logged: ", orig_to=<...>" or nothing
    attempts: int = 0


@dataclass(slots=True, eq=False)
class Mail:
    """One queue file: from its creation until it is removed."""

    host: "Host"
    queue_id: str
    inode: int
    created: int
    envelope: Envelope
    legs: list[Leg]
    client: str = ""  # "name[ip]"
    filtered: bool = False  # goes through the content filter first
    nrcpt: int = 0
    active: int = 0  # when the queue manager took it up last
    rested: int = 0  # when its last attempt was over
    fresh: bool = True  # its first attempt is still to come
    warned: bool = False  # the sender was told about the delay
    gone: bool = False  # rejected, discarded, on hold or deleted: nothing for the queue manager

    @property
    def sender(self) -> str:
        """The envelope sender."""
        return self.envelope.sender


@dataclass(frozen=True, slots=True)
class Errand:
    """Some legs of a mail that go the same way, as the queue manager gives them to a delivery agent."""

    mail: Mail
    transport: str
    domain: str
    legs: list[Leg]


@dataclass(slots=True)
class Attempt:
    """What became of some legs of a mail: when it was over, and which legs are not delivered."""

    done: int
    deferred: list[Leg] = field(default_factory=list)
    bounced: list[Leg] = field(default_factory=list)
    children: list[Mail] = field(default_factory=list)


def envelope(
    sender: str,
    recipients: Sequence[str],
    message_id: str,
    size: int,
    story: str | None = None,
    *,
    header_action: str | None = None,
    client_ip: str | None = None,
    sasl_username: str | None = None,
    origin: str = "smtp",
) -> Envelope:
    """A message as its sender writes it, with a truth row for each recipient.

    Nobody gets it twice: as cleanup(8) does, members of an alias that is a recipient too are left out.
    """
    members = {member for recipient in recipients for member in ALIASES.get(recipient, ())}
    rows = [
        (r, Row(sender, r, message_id, story, origin, client_ip, sasl_username))
        for r in dict.fromkeys(recipients)
        if r not in members
    ]
    return Envelope(sender, rows, message_id, size, story, header_action)
