"""Who parses chunks: this process, threads of the fast lane, or processes of the reference.

Help costs time before it gives any: half a second to load machine code, a second to start processes. A few minutes
of mail are read sooner by the reference right here. Workers write their own Parquet parts, because sending rows
between processes costs more than parsing them.
"""

import gc
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from ingest import fast
from ingest.batch import Result
from ingest.blocks import Chunk
from ingest.parsing import Settings, read_chunk
from ingest.parts import PartSummary, write_part
from ingest.times import Years

WORTH_THREADS_BYTES: Final = 6 << 20
WORTH_PROCESSES_BYTES: Final = 24 << 20


class Task(NamedTuple):
    """Chunks to parse into files of their own, with all that a worker needs to know."""

    chunks: tuple[tuple[Chunk, Years], ...]
    number: int
    commit_no: int
    source_id: str
    staging: Path
    settings: Settings


def by_reference(task: Task) -> PartSummary:
    """Parses chunks and writes their files."""
    return _work(task, read_chunk)


def by_fast_lane(task: Task) -> PartSummary:
    """The same rows, sooner."""
    return _work(task, fast.read_chunk)


def _work(task: Task, read: Callable[[Chunk, str, Years, Settings], Result]) -> PartSummary:
    results = (
        read(_without_people(chunk, task.settings), task.source_id, years, task.settings)
        for chunk, years in task.chunks
    )
    return write_part(task.staging, task.commit_no, task.source_id, task.number, results)


def _without_people(chunk: Chunk, settings: Settings) -> Chunk:
    """The chunk with pseudonyms, where they are asked for: nothing reads it before."""
    made = settings.pseudonyms
    return chunk._replace(data=made.rewrite(chunk.data), before=made.rewrite(chunk.before)) if made else chunk


class Workers:
    """Takes tasks; help is called when `expect` has announced so many bytes that it is worth it."""

    def __init__(self, settings: Settings, progress: Callable[[str, int, int], None] | None = None) -> None:
        self._progress = progress
        self.count = settings.workers or os.cpu_count() or 1
        self._settings = settings
        self._has_fast_lane = not settings.reference and fast.is_available()
        self._expected = self._left = (
            0  # bytes of all sources, and of those that the fast lane would leave to the reference
        )
        self._threads: Executor | None = None
        self._processes: Executor | None = None
        self._hand_out: Callable[[Task], Future[PartSummary]] = _right_here

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in filter(None, (self._threads, self._processes)):
            pool.shutdown(cancel_futures=error is not None)
        if self._threads:
            gc.unfreeze()

    def expect(self, size_bytes: int, head: bytes, settings: Settings) -> None:
        """To be called before the tasks of a source, with its size, its first bytes and its own settings."""
        self._expected += size_bytes
        if self._has_fast_lane and self._expected >= WORTH_THREADS_BYTES and fast.suits(head, settings):
            threads = self._to_threads()
            self._hand_out = lambda task: threads.submit(by_fast_lane, task)
            return
        self._left += size_bytes
        if self.count > 1 and self._left >= WORTH_PROCESSES_BYTES:
            processes = self._to_processes()
            self._hand_out = lambda task: processes.submit(by_reference, task)
        else:
            self._hand_out = _right_here

    def submit(self, task: Task) -> "Future[PartSummary]":
        """Hands out a task; without help it is done when this returns."""
        return self._hand_out(task)

    def _to_threads(self) -> Executor:
        if self._threads is None:
            if self._progress:
                self._progress("starting, slow the first time", 0, 0)
            fast.prepare(self._settings)
            gc.freeze()  # to look through all that numba has loaded, again and again, costs 5 %
            self._threads = ThreadPoolExecutor(self.count)
        return self._threads

    def _to_processes(self) -> Executor:
        # A batch makes no reference cycles; a collector that looks for them in its millions of tuples costs 7 %.
        if self._processes is None:
            self._processes = ProcessPoolExecutor(
                self.count, mp_context=get_context("spawn"), initializer=gc.disable
            )
        return self._processes


def _right_here(task: Task) -> "Future[PartSummary]":
    future: Future[PartSummary] = Future()
    future.set_result(by_reference(task))
    return future
