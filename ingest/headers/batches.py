"""Messages to tables of bounded size: what a worker does.

A task is some files of one message each, or a part of a mailbox. What a worker gives back are Arrow tables, which travel
between processes as they are; whether a message is new only the ledger knows, and that is open in one process.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from ingest.errors import SourceError
from ingest.finding import blaming
from ingest.headers.messages import Message, messages_of
from ingest.headers.people import without_people
from ingest.headers.rows import Values, values_of
from ingest.pseudonyms import Pseudonyms
from ingest.records import number_of
from ingest.schema import EMAILS, HOPS


class Piece(NamedTuple):
    """A file, or the messages of a mailbox that begin between two places in it."""

    name: str
    path: Path
    begin: int = 0
    end: int | None = None


class Task(NamedTuple):
    """What to read, and how. After so many rows of a table a batch is full."""

    pieces: Sequence[Piece]
    rows: int
    pseudonyms: Pseudonyms | None
    with_subjects: bool


class Found(NamedTuple):
    """A message as it was met: in which piece of the task, its number in the ledger, and how many hops it has."""

    piece: int
    number: int
    hops: int


class Batch(NamedTuple):
    """All messages as they were met, and the rows of each once."""

    found: list[Found]
    emails: pa.Table
    hops: pa.Table


def read_all(task: Task) -> list[Batch]:
    """All batches of a task, for another process."""
    return list(read_batches(task))


def read_batches(task: Task) -> Iterator[Batch]:
    """The messages of a task in their order. SourceError if a file cannot be read."""
    found: list[Found] = []
    emails: dict[int, Values] = {}
    hops: list[Sequence[Values]] = []
    hop_count = 0
    for place, piece in enumerate(task.pieces):
        for message in _messages(piece):
            told = without_people(message, task.pseudonyms) if task.pseudonyms else message
            email, rows = values_of(told, with_subject=task.with_subjects)
            number = number_of(email[0])
            found.append(Found(place, number, len(rows)))
            if number not in emails:
                emails[number] = email
                hops.append(rows)
                hop_count += len(rows)
            if max(len(found), hop_count) >= task.rows:
                yield _batch(found, list(emails.values()), hops)
                found, emails, hops, hop_count = [], {}, [], 0
    if found:
        yield _batch(found, list(emails.values()), hops)


def _messages(piece: Piece) -> Iterator[Message]:
    with blaming(piece.name):
        try:
            yield from messages_of(piece.path, piece.begin, piece.end)
        except FileNotFoundError as error:
            raise SourceError(f"{piece.name} has vanished since it was found; run again") from error


def _batch(found: list[Found], emails: Sequence[Values], hops: Sequence[Sequence[Values]]) -> Batch:
    return Batch(found, _table(emails, EMAILS), _table(list(chain.from_iterable(hops)), HOPS))


def _table(rows: Sequence[Values], schema: pa.Schema) -> pa.Table:
    if not rows:
        return schema.empty_table()
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )
