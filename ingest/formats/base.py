"""What a log format is: a name, a test of the program that wrote a line, and a parser of its message."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.framing import Frame
from ingest.schema import Kind
from ingest.shapes import CaptureClass


class Program(NamedTuple):
    """Who wrote a line, as its server names itself: `postfix/submission/smtpd` is instance, service and daemon."""

    server: str
    instance: str | None
    service: str | None
    daemon: str | None


class Event(NamedTuple):
    """One understood message: its kind and the texts of its columns; the schema says how they become typed."""

    kind: Kind
    queue_id: str | None
    columns: tuple[str, ...]
    values: tuple[str | None, ...]
    daemon: str | None = None  # inferred, where the frame lost it


# A constant of this name is no column of its kind: it says which daemon wrote a message that its tag does not tell.
DAEMON: Final = "daemon"

Row: TypeAlias = tuple[Kind, tuple[str, ...], str] | tuple[Kind, tuple[str, ...], str, dict[str, str]]


class NoRecordError(ParseError):
    """A line of a server's own file that says nothing about mail: the names of columns, a comment."""


class Turn(NamedTuple):
    """Texts of a column that make a line another kind than its row says."""

    texts: frozenset[str]
    kind: Kind


# Behind a word: whatever begins with it.
ANY_END: Final = "*"


class Words(NamedTuple):
    """What the words of a server mean in a column: of the column's own text, or of another's."""

    of: str
    meanings: Mapping[str, str]  # a word, or what it begins with and `*`


class FixedForms(NamedTuple):
    """What of a format is data, and so can be read without its Python: the messages of a fixed form.

    A message may begin with a queue id and `after_id`, or with the text that stands for no id. What follows is of the
    first of its daemon's rows that fits; if none does, or the daemon is not here, `parse` alone knows what it says.

    Of a server with files of its own, `own_tag` is that of their frames if their lines begin as Exim's do:
    `2026-11-23 19:00:28`, then perhaps `.123`, ` +0100` and ` [pid]`; or each with a `stamp`, where syslog writes none.
    """

    queue_ids: tuple[CaptureClass, ...]
    no_queue_id: str
    with_id: Mapping[str, tuple[Row, ...]]  # by daemon, in the order in which they are tried
    without_id: Mapping[str, tuple[Row, ...]]
    turns: Mapping[str, Turn]  # by column; of kinds of one family
    left: frozenset[str] = frozenset()  # templates of which only `parse` makes events
    after_id: str = ": "
    dashes: tuple[
        tuple[int, ...], ...
    ] = ()  # where the dashes of each of `queue_ids` are, if it must have them
    # By column, or capture; a row with another word there does not fit
    words: Mapping[str, Words] = MappingProxyType({})
    # By column: the parts that it is put together from, a blank between two. `{capture}` in a part is no column as a
    # rule; a part is there if its first capture is
    made: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    # By column: another that is told alone where both are the same address, or the first is without its domain
    repeated: Mapping[str, str] = MappingProxyType({})
    # By column of an SMTP reply, whose escapes are taken out: that of the enhanced code in it
    replies: Mapping[str, str] = MappingProxyType({})
    own_tag: str = ""
    stamp: tuple[str, ...] = ()  # the steps of `declared.stamps.steps_of`


class Piece(NamedTuple):
    """One of the messages that syslog gets for one long or many-lined entry.

    `ends_line`: a line of the entry ends here, and the first line is what the entry says; otherwise it was cut for
    its length, and goes on in the next piece.
    """

    number: int  # counted from 1
    total: int
    ends_line: bool
    text: str


class Format(NamedTuple):
    """One mail server's log.

    `claim(tag)` names the program behind a syslog tag, or None if the line belongs to somebody else.
    `parse(program, message)` gives the event, or several of one line, or raises ParseError. `fixed` says what of that
    is data.

    Where a server writes a file of its own, without syslog, `frame(line, clock)` takes such a line apart: the tag of
    its frame is one that `claim` knows, the host that it does not name is None. Lines of one file may be of either
    kind. ParseError for what is no such line, and for what syslog may have written of a program that is claimed.
    A message that syslog carries may begin with the same stamp, which then wins.
    With `has_continuations`, lines behind a bare one that nobody can frame belong to it. Without `has_syslog`, syslog
    is not asked: its lines may look as if syslog had written them (JSON).

    Of a server that cuts long entries for syslog, `piece(message)` tells which piece a message is, or None for a whole
    one; of one that writes some kinds of entries to several logs, `copied` are these: syslog has them twice.
    """

    name: str
    claim: Callable[[str], Program | None]
    parse: Callable[[Program, str], Event | list[Event]]
    fixed: FixedForms | None = None
    frame: Callable[[str, Clock], Frame] | None = None
    has_continuations: bool = False
    piece: Callable[[str], Piece | None] | None = None
    copied: frozenset[Kind] = frozenset()
    has_syslog: bool = True
    about: str = ""
