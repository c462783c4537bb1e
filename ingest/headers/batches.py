"""Messages to tables of bounded size: what a worker does.

A task is some files of one message each, or a part of a mailbox. What a worker gives back are Arrow tables, which travel
between processes as they are; whether a message is new only the ledger knows, and that is open in one process.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from ingest.errors import SourceError
from ingest.finding import blaming_found
from ingest.headers.columns import read_columns
from ingest.headers.fields import Ints
from ingest.headers.messages import FIRST_BYTES, Head, Message, plain_block, unread_in
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
    size_bytes: int | None = None  # of the file, where that is known


class Task(NamedTuple):
    """What to read, and how. After about so many rows a batch is full."""

    pieces: Sequence[Piece]
    rows: int
    pseudonyms: Pseudonyms | None
    with_subjects: bool


class Found(NamedTuple):
    """A message as it was met: in which piece of the task, its number in the ledger, and how many hops it has."""

    piece: int
    number: int
    hops: int


class Unreadable(NamedTuple):
    """A piece of the task that could not be read, or not to its end, and why."""

    piece: int
    problem: str


class Batch(NamedTuple):
    """All messages as they were met, and the rows of each once."""

    found: list[Found]
    emails: pa.Table
    hops: pa.Table
    problems: list[Unreadable]


def read_all(task: Task) -> list[Batch]:
    """All batches of a task, for another process."""
    return list(read_batches(task))


def read_batches(task: Task) -> Iterator[Batch]:
    """The messages of a task in their order; a file that cannot be read keeps no other one out."""
    batch: list[_Plain | _Read | Unreadable] = []
    rows = 0
    for each in _met(task):
        batch.append(each)
        rows += 0 if isinstance(each, Unreadable) else each.rows
        if rows >= task.rows:
            yield _batch(batch, task)
            batch, rows = [], 0
    if batch:
        yield _batch(batch, task)


_ROW_BYTES: Final = 128  # most rows are made of more


class _Plain(NamedTuple):
    """A message whose headers are plain, as far as one can see without reading them."""

    piece: int
    block: bytes
    size_bytes: int | None
    rows: int  # about
    source: Piece | Head


class _Read(NamedTuple):
    """A message as rows."""

    piece: int
    email: Values
    hops: list[Values]
    rows: int


def _met(task: Task) -> Iterator[_Plain | _Read | Unreadable]:
    for place, piece in enumerate(task.pieces):
        if task.pseudonyms is None and piece.end is None and (plain := _plain_file(place, piece)):
            yield plain
            continue
        try:
            yield from _met_in(place, piece, task)
        except SourceError as error:
            yield Unreadable(place, str(error))


def _met_in(place: int, piece: Piece, task: Task) -> Iterator[_Plain | _Read]:
    is_plain = task.pseudonyms is None
    for each in _unread(piece):
        if is_plain and isinstance(each, Head) and 0 < len(block := each.plain_block()) <= FIRST_BYTES:
            yield _Plain(place, block, each.size_bytes, 1 + len(block) // _ROW_BYTES, each)
        else:
            yield from (_read(place, message, task) for message in each.messages())


def _read(place: int, message: Message, task: Task) -> _Read:
    told = without_people(message, task.pseudonyms) if task.pseudonyms else message
    email, hops = values_of(told, with_subject=task.with_subjects)
    return _Read(place, email, hops, 1 + len(hops))


def _plain_file(place: int, piece: Piece) -> _Plain | None:
    """A file that is one plain message, as it seems."""
    try:
        file = os.open(piece.path, os.O_RDONLY)
        try:
            head, size_bytes = os.read(file, FIRST_BYTES), piece.size_bytes
            if size_bytes is None:
                size_bytes = os.fstat(file).st_size
        finally:
            os.close(file)
    except OSError:
        return None  # who reads it in the other way will say why
    block = b"" if head.startswith(_NO_HEADERS) else plain_block(head)
    return _Plain(place, block, size_bytes, 1 + len(block) // _ROW_BYTES, piece) if block else None


_NO_HEADERS: Final = (b"From ", b"BZh")  # a mailbox, bzip2


def _unread(piece: Piece) -> Iterator[Head | Message]:
    with blaming_found(piece.name):
        yield from unread_in(piece.path, piece.begin, piece.end)


def _batch(met: Sequence[_Plain | _Read | Unreadable], task: Task) -> Batch:
    """All of some messages as they were met, and their rows, those of plain ones first."""
    plain = [(place, each) for place, each in enumerate(met) if isinstance(each, _Plain)]
    columns = read_columns(
        [each.block for _, each in plain],
        [each.size_bytes for _, each in plain],
        with_subject=task.with_subjects,
    )
    places = [plain[number][0] for number in columns.taken]
    taken = set(places)
    reread = [
        (place, read) for place in range(len(met)) if place not in taken for read in _reread(met[place], task)
    ]
    others = [(place, read) for place, read in reread if isinstance(read, _Read)]
    problems = [read for _, read in reread if isinstance(read, Unreadable)]
    places += [place for place, _ in others]
    hop_counts = [*columns.hop_counts, *(len(read.hops) for _, read in others)]
    emails, hops = columns.emails, columns.hops
    if others:
        emails = pa.concat_tables([emails, _table([read.email for _, read in others], EMAILS)])
        hops = pa.concat_tables(
            [hops, _table(list(chain.from_iterable(read.hops for _, read in others)), HOPS)]
        )
    numbers = list(map(number_of, [*columns.email_ids, *(read.email[0] for _, read in others)]))
    order = sorted(range(len(places)), key=places.__getitem__) if others else range(len(places))
    found = [Found(met[places[row]].piece, numbers[row], hop_counts[row]) for row in order]
    once: dict[int, int] = {}
    for row in order:
        once.setdefault(numbers[row], row)
    if len(once) < len(order):
        rows = np.array(sorted(once.values()))
        emails, hops = emails.take(rows), hops.take(_hops_of(rows, np.array(hop_counts)))
    return Batch(found, emails, hops, problems)


def _hops_of(emails: Ints, hop_counts: Ints) -> Ints:
    """The rows of the hops of some messages."""
    firsts, counts = (np.cumsum(hop_counts) - hop_counts)[emails], hop_counts[emails]
    return np.repeat(firsts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())


def _reread(each: _Plain | _Read | Unreadable, task: Task) -> Iterator[_Read | Unreadable]:
    """The rows of a message that is not plain; its file may hold others."""
    if not isinstance(each, _Plain):
        yield each
        return
    found = _unread(each.source) if isinstance(each.source, Piece) else [each.source]
    try:
        yield from (_read(each.piece, message, task) for head in found for message in head.messages())
    except SourceError as error:
        yield Unreadable(each.piece, str(error))


def _table(rows: Sequence[Values], schema: pa.Schema) -> pa.Table:
    if not rows:
        return schema.empty_table()
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )
