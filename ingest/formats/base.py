"""What a log format is: a name, a test of the program that wrote a line, and a parser of its message."""

from collections.abc import Callable
from typing import NamedTuple

from ingest.schema import Kind


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


class Format(NamedTuple):
    """One mail server's log.

    `claim(tag)` names the program behind a syslog tag, or None if the line belongs to somebody else.
    `parse(program, message)` gives the event, or raises ParseError.
    """

    name: str
    claim: Callable[[str], Program | None]
    parse: Callable[[Program, str], Event]
