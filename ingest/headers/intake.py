"""Messages into the lake: tables `emails` and `hops`, each message once however often it comes.

A message is known by its headers, so a mailbox may grow, move or be packed. A file that has not changed since it was
read is not opened again. Messages come in many small files, so a commit takes thousands of them.

Very many are read by several processes. They are cut into tasks without regard to how many, and taken in the order of
these, so which rows come and where they lie does not depend on it.
"""

import gc
import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ingest.blocks import BLOCK_BYTES
from ingest.errors import SourceError
from ingest.finding import blaming_found, read_head
from ingest.headers.batches import Batch, Piece, Task, read_all, read_batches
from ingest.headers.messages import LOOK_BYTES, is_mailbox
from ingest.headers.rejectlog import holds_headers, is_exim_log
from ingest.lake import Lake, now_us
from ingest.ledger import Ledger
from ingest.parts import described, write_table
from ingest.pseudonyms import Pseudonyms
from ingest.reader import refuse_to_mix
from ingest.records import Change, Part, email_id_of
from ingest.sources import Source

# Rows of a file: enough for Parquet to pack well, few enough for memory.
_ENOUGH: Final = 20_000
# Of a task: enough to be worth sending, few enough that each worker has some.
_TASK_FILES: Final = 2_000
_TASK_BYTES: Final = 16 << 20  # of a mailbox
# Processes take seconds to start, in which one reads 50,000 messages; and what they found must be sent. So less is read
# sooner right here.
_WORTH_TASKS: Final = 100


class MessagesReport(NamedTuple):
    """What became of one file: how many messages it has, and how many of them the lake did not have."""

    name: str
    messages: int
    new_messages: int
    hops: int
    problem: str | None = None  # why it could not be read, or not to its end


def holds_refused(source: Source) -> bool:
    """Whether a file is a rejectlog of Exim's with the headers of refused messages in it: it is a log as well."""
    try:
        if not is_exim_log(read_head(source.path, LOOK_BYTES)):
            return False
        with source.open() as stream:
            return holds_headers(iter(partial(stream.read, BLOCK_BYTES), b""))
    except (OSError, SourceError):
        return False  # who reads it as a log will say why


def ingest_messages(
    lake: Lake,
    sources: Sequence[Source],
    pseudonyms: Pseudonyms | None = None,
    *,
    with_subjects: bool = True,
    workers: int | None = None,
) -> list[MessagesReport]:
    """Reads the headers of all messages in files into a lake, with pseudonyms for people where it holds those.

    `workers`: processes that read; None: one a processor. Their number changes no row. A file that cannot be read keeps
    no other one out: its report says so. Raises LakeError.
    """
    lake.prepare()
    with lake.ledger() as ledger:
        refuse_to_mix(lake, ledger, pseudonyms)
        every = list(map(_file, sources))
        files = [file for file in every if file.problem is None]
        read_before = ledger.messages_in([file.identity for file in files])
        unread = [file for file in files if file.identity not in read_before]
        jobs = [
            _Job(several, Task(pieces, _ENOUGH, pseudonyms, with_subjects))
            for several, pieces in _cut(unread)
        ]
        intake = _Intake(lake, ledger)
        with lake.discarding():
            for job, batches in _read(jobs, workers or os.cpu_count() or 1):
                for batch in batches:
                    intake.take(job.files, batch)
                intake.finish(job)
            intake.commit()
    for file in files:
        file.messages = read_before.get(file.identity, file.messages)
    return [
        MessagesReport(file.source.name, file.messages, file.new_messages, file.hops, file.problem)
        for file in every
    ]


@dataclass(slots=True)
class _File:
    """A file, its identity, and what was found in it so far."""

    source: Source
    size_bytes: int
    identity: str
    messages: int = 0
    new_messages: int = 0
    hops: int = 0
    problem: str | None = None


def _file(source: Source) -> _File:
    """A mail server never writes into a message again: of such a file no byte need be read to know it again."""
    try:
        with blaming_found(source.name):
            status = os.stat(source.path)  # noqa: PTH116  # a third of the time
    except SourceError as error:
        return _File(source, 0, "", problem=str(error))
    identity = f"{status.st_dev}/{status.st_ino}/{status.st_size}/{status.st_mtime_ns}"
    return _File(source, status.st_size, identity)


class _Job(NamedTuple):
    """A task, and the file of each of its pieces."""

    files: Sequence[_File]
    task: Task

    @property
    def is_bounded(self) -> bool:
        """Whether its rows fit into memory at once; an archive may hold any number, or a log."""
        return all(
            file.source.compression is None and (piece.end is not None or file.size_bytes <= _TASK_BYTES)
            for file, piece in zip(self.files, self.task.pieces, strict=True)
        )


def _cut(files: Sequence[_File]) -> Iterator[tuple[Sequence[_File], Sequence[Piece]]]:
    """The files by tasks: some of them, or a part of a mailbox. How they are cut depends on nothing else."""
    small = [file for file in files if file.size_bytes <= _TASK_BYTES and file.source.compression is None]
    for begin in range(0, len(small), _TASK_FILES):
        several = small[begin : begin + _TASK_FILES]
        yield (
            several,
            [Piece(file.source.name, file.source.path, size_bytes=file.size_bytes) for file in several],
        )
    for file in files:
        name, path, size = file.source.name, file.source.path, file.size_bytes
        if file.source.compression is not None:
            yield [file], [Piece(name, path)]
        elif size > _TASK_BYTES:
            is_cut = _is_mailbox(path)
            for begin in range(0, size if is_cut else 1, _TASK_BYTES):
                yield [file], [Piece(name, path, begin, begin + _TASK_BYTES if is_cut else None)]


def _is_mailbox(path: Path) -> bool:
    try:
        return is_mailbox(read_head(path))
    except OSError:
        return False  # who reads it will say why


def _read(jobs: Sequence[_Job], workers: int) -> Iterator[tuple[_Job, Iterable[Batch]]]:
    """The jobs in their order, and what is in them; read in other processes where that is worth it."""
    if workers == 1 or len(jobs) < _WORTH_TASKS:
        yield from ((job, read_batches(job.task)) for job in jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=gc.disable) as pool:
        pending: deque[tuple[_Job, Callable[[], Iterable[Batch]]]] = deque()
        for job in jobs:
            given: Callable[[], Iterable[Batch]] = (
                pool.submit(read_all, job.task).result if job.is_bounded else partial(read_batches, job.task)
            )
            pending.append((job, given))
            if len(pending) > 2 * workers:
                first, told = pending.popleft()
                yield first, told()
        yield from ((job, told()) for job, told in pending)


class _Intake:
    """New messages until there are enough for a commit."""

    def __init__(self, lake: Lake, ledger: Ledger) -> None:
        self._lake = lake
        self._ledger = ledger
        self._new: set[int] = set()
        self._tables: list[tuple[pa.Table, pa.Table]] = []  # emails and hops
        self._hop_count = 0
        self._emails: list[tuple[int, str]] = []
        self._files: list[tuple[str, str, int]] = []

    def take(self, files: Sequence[_File], batch: Batch) -> None:
        """Counts the messages of a batch, and keeps those that the lake does not have."""
        for place, problem in batch.problems:
            files[place].problem = problem
        known = self._ledger.emails_among([found.number for found in batch.found])
        old = known | (self._new & {found.number for found in batch.found})
        for place, number, hops in batch.found:
            file = files[place]
            file.messages += 1
            self._emails.append((number, file.source.name))
            if number not in known and number not in self._new:
                self._new.add(number)
                file.new_messages += 1
                file.hops += hops
                self._hop_count += hops
        self._tables.append((_without(batch.emails, old), _without(batch.hops, old)))
        if max(self._hop_count, len(self._emails)) >= _ENOUGH:
            self.commit()

    def finish(self, job: _Job) -> None:
        """Notes that files were read to their end."""
        for file, piece in zip(job.files, job.task.pieces, strict=True):
            if file.problem is None and (piece.end is None or piece.end >= file.size_bytes):
                self._files.append((file.source.name, file.identity, file.messages))

    def commit(self) -> None:
        """Makes what was taken so far part of the lake."""
        if not self._emails and not self._files:
            return
        commit_no = self._ledger.next_commit()
        added = [
            part
            for name, tables in zip(("emails", "hops"), zip(*self._tables, strict=True), strict=False)
            for part in self._write(name, pa.concat_tables(tables), commit_no)
        ]
        change = Change(
            f"{len(self._new)} messages",
            now_us(),
            added,
            emails=self._emails,
            files=self._files,
            is_silent=True,
        )
        self._lake.commit(self._ledger, change)
        self._new, self._tables, self._hop_count, self._emails, self._files = set(), [], 0, [], []

    def _write(self, name: str, rows: pa.Table, commit_no: int) -> Iterator[Part]:
        if not rows.num_rows:
            return
        path = f"{name}/{commit_no:08}.parquet"
        write_table(rows, self._lake.staging / path)
        yield described(self._lake.staging, path, rows, commit_no, ())


def _without(rows: pa.Table, emails: Collection[int]) -> pa.Table:
    """The rows without those of some messages."""
    if not emails:
        return rows
    return rows.filter(pc.invert(pc.is_in(rows["email_id"], pa.array(map(email_id_of, emails), pa.string()))))
