"""Messages into the lake: tables `emails` and `hops`, each message once however often it comes.

A message is known by its headers, so a mailbox may grow, move or be packed. A file that has not changed since it was
read is not opened again. Messages come in many small files, so a commit takes thousands of them.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final, NamedTuple

import pyarrow as pa

from ingest.blocks import BLOCK_BYTES
from ingest.finding import blaming, read_head
from ingest.headers.messages import LOOK_BYTES, looks_like_message, stream_messages
from ingest.headers.people import without_people
from ingest.headers.rejectlog import holds_headers, is_exim_log
from ingest.headers.rows import Rows, rows_of
from ingest.lake import Lake, now_us
from ingest.ledger import Ledger
from ingest.parts import described, write_table
from ingest.pseudonyms import Pseudonyms
from ingest.reader import refuse_to_mix
from ingest.records import Change, Part, number_of
from ingest.schema import EMAILS, HOPS
from ingest.sources import Source

# Rows of a file: enough for Parquet to pack well, few enough for memory.
_ENOUGH: Final = 20_000


class MessagesReport(NamedTuple):
    """What became of one file: how many messages it has, and how many of them the lake did not have."""

    name: str
    messages: int
    new_messages: int
    hops: int


def holds_messages(source: Source) -> bool:
    """Whether a file is a message or a mailbox."""
    with blaming(source.name):
        return looks_like_message(read_head(source.path, LOOK_BYTES))


def holds_refused(source: Source) -> bool:
    """Whether a file is a rejectlog of Exim's with the headers of refused messages in it: it is a log as well."""
    with blaming(source.name):
        if not is_exim_log(read_head(source.path, LOOK_BYTES)):
            return False
        with source.open() as stream:
            return holds_headers(iter(partial(stream.read, BLOCK_BYTES), b""))


def ingest_messages(
    lake: Lake, sources: Sequence[Source], pseudonyms: Pseudonyms | None = None, *, with_subjects: bool = True
) -> list[MessagesReport]:
    """Reads the headers of all messages in files into a lake, with pseudonyms for people where it holds those.

    Raises SourceError, LakeError.
    """
    lake.prepare()
    with lake.ledger() as ledger:
        refuse_to_mix(lake, ledger, pseudonyms)
        intake = _Intake(lake, ledger, pseudonyms, with_subjects=with_subjects)
        with lake.discarding():
            reports = [intake.take(source) for source in sources]
            intake.commit()
    return reports


class _Intake:
    """New messages until there are enough for a commit."""

    def __init__(
        self, lake: Lake, ledger: Ledger, pseudonyms: Pseudonyms | None, *, with_subjects: bool
    ) -> None:
        self._lake = lake
        self._pseudonyms = pseudonyms
        self._with_subjects = with_subjects
        self._ledger = ledger
        self._rows: dict[int, Rows] = {}
        self._emails: list[tuple[int, str]] = []
        self._files: list[tuple[str, str, int]] = []
        self._hop_count = 0

    def take(self, source: Source) -> MessagesReport:
        file = _identity(source)
        if (known := self._ledger.messages_in(file)) is not None:
            return MessagesReport(source.name, known, 0, 0)
        messages = new = hops = 0
        for rows in _read(source, self._pseudonyms, with_subjects=self._with_subjects):
            messages += 1
            number = number_of(rows.email["email_id"])
            self._emails.append((number, source.name))
            if number in self._rows or self._ledger.has_email(number):
                continue
            new, hops = new + 1, hops + len(rows.hops)
            self._rows[number] = rows
            self._hop_count += len(rows.hops)
            if self._hop_count >= _ENOUGH or len(self._emails) >= _ENOUGH:
                self.commit()
        self._files.append((source.name, file, messages))
        return MessagesReport(source.name, messages, new, hops)

    def commit(self) -> None:
        """Makes what was taken so far part of the lake."""
        if not self._emails and not self._files:
            return
        commit_no = self._ledger.next_commit()
        emails = [rows.email for rows in self._rows.values()]
        hops = list(chain.from_iterable(rows.hops for rows in self._rows.values()))
        added = [
            part
            for name, schema, rows in (("emails", EMAILS, emails), ("hops", HOPS, hops))
            for part in self._write(name, schema, rows, commit_no)
        ]
        change = Change(
            f"{len(emails)} messages",
            now_us(),
            added,
            emails=self._emails,
            files=self._files,
            is_silent=True,
        )
        self._lake.commit(self._ledger, change)
        self._rows, self._emails, self._files, self._hop_count = {}, [], [], 0

    def _write(self, name: str, schema: pa.Schema, rows: Sequence[Any], commit_no: int) -> Iterator[Part]:
        if not rows:
            return
        table = pa.table(
            [pa.array([row[field.name] for row in rows], field.type) for field in schema], schema=schema
        )
        path = f"{name}/{commit_no:08}.parquet"
        write_table(table, self._lake.staging / path)
        yield described(self._lake.staging, path, table, commit_no, ())


def _identity(source: Source) -> str:
    """Of a file that stays as it is: a mail server never writes into a message again."""
    with blaming(source.name):
        status = source.path.stat()
    return f"{status.st_dev}/{status.st_ino}/{status.st_size}/{status.st_mtime_ns}"


def _read(source: Source, pseudonyms: Pseudonyms | None, *, with_subjects: bool) -> Iterator[Rows]:
    with source.open() as stream:
        for message in stream_messages(stream):
            told = without_people(message, pseudonyms) if pseudonyms else message
            yield rows_of(told, with_subject=with_subjects)
