"""Who parses chunks: this process, threads of the fast lane, or processes of the reference.

Help costs time before it gives any: half a second to load machine code, a second to start processes. A few minutes
of mail are read sooner by the reference right here. Workers write their own Parquet parts, because sending rows
between processes costs more than parsing them.
"""

import gc
import os
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from ingest import fast
from ingest.blocks import Chunk
from ingest.parsing import Settings, read_chunk
from ingest.parts import PartSummary, write_part
from ingest.times import Years

WORTH_THREADS_BYTES: Final = 6 << 20
WORTH_PROCESSES_BYTES: Final = 24 << 20


class Task(NamedTuple):
    """One chunk to parse, with all that a worker needs to know."""

    chunk: Chunk
    number: int
    commit_no: int
    source_id: str
    staging: Path
    years: Years
    settings: Settings


def by_reference(task: Task) -> PartSummary:
    """Parses a chunk and writes its parts."""
    result = read_chunk(task.chunk, task.source_id, task.years, task.settings)
    return write_part(task.staging, task.commit_no, task.source_id, task.number, result)


def by_fast_lane(task: Task) -> PartSummary:
    """The same rows, sooner."""
    result = fast.read_chunk(task.chunk, task.source_id, task.years, task.settings)
    return write_part(task.staging, task.commit_no, task.source_id, task.number, result)


class Workers:
    """Takes tasks; help is called when `expect` has announced so many bytes that it is worth it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._count = settings.workers or os.cpu_count() or 1
        self._is_fast = not settings.reference and fast.is_available()
        self._bytes = 0
        self._pool: Executor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=error is not None)

    def expect(self, size_bytes: int) -> None:
        """To be called before the tasks of a source."""
        self._bytes += size_bytes
        if self._pool is None and self._is_fast and self._bytes >= WORTH_THREADS_BYTES:
            fast.prepare(self._settings)
            self._pool = ThreadPoolExecutor(self._count)
        elif self._pool is None and self._count > 1 and self._bytes >= WORTH_PROCESSES_BYTES:
            # A batch makes no reference cycles; a collector that looks for them in its millions of tuples costs 7 %.
            self._pool = ProcessPoolExecutor(
                self._count, mp_context=get_context("spawn"), initializer=gc.disable
            )

    def submit(self, task: Task) -> "Future[PartSummary]":
        """Hands out a task; without help it is done when this returns."""
        if self._pool:
            return self._pool.submit(by_fast_lane if self._is_fast else by_reference, task)
        future: Future[PartSummary] = Future()
        future.set_result(by_reference(task))
        return future
