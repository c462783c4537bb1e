"""Whether a lake is sound, and what to do where it is not."""

from __future__ import annotations

import shutil
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from typing import TYPE_CHECKING, Final, NamedTuple

from ingest.errors import LakeError
from ingest.headers.keeping import TABLES, forget_lost
from ingest.lake import LOCK_FILE, Lake, files_below, now_us
from ingest.ledger import Ledger
from ingest.records import Change, KnownSource, Part
from ingest.reparse import without_sources
from ingest.rewriting import Place, opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow.parquet as pq

# Stitching writes all tables beside the old ones before it replaces them.
_LEAST_FREE: Final = 256 << 20
_SHOWN: Final = 20
_INGEST_FINISHES: Final = "the next `mailscope ingest` finishes that, or `mailscope doctor --repair`"


class Finding(NamedTuple):
    """One thing that was looked at."""

    check: str
    is_sound: bool
    found: str
    remedy: str | None = None


def examine(lake: Lake) -> list[Finding]:
    """All that can be told of a lake without changing it."""
    try:
        with lake.ledger_to_read() as ledger:
            found = [
                Finding("version", True, f"lake of version {ledger.state().schema_version}"),
                *_parts(lake, ledger),
                *_unknown_files(lake, ledger),
                *_unfinished(lake, ledger),
            ]
    except LakeError as error:
        return [Finding("ledger", False, str(error))]
    return [*found, _lock(lake), _room(lake)]


def repair(lake: Lake) -> list[KnownSource]:
    """Finishes what was interrupted, and takes the sources of lost or damaged files out of the lake, so that the next
    ingest reads them again. Returns these."""
    lake.prepare()
    with lake.ledger() as ledger:
        broken = [part for part, _ in _broken(lake, ledger.parts()) if part.kind not in TABLES]
        ids = {source_id for part in broken for source_id in part.source_ids}
        lost = [source for source in ledger.sources() if source.source_id in ids]
        if broken:
            paths = {part.path for part in broken}
            commit_no = ledger.next_commit()
            removed, added = without_sources(lake, ledger, ids, commit_no, paths)
            moments = [source.first_at for source in lost if source.first_at is not None]
            dirty_at = min(moments, default=None)
            what = f"repair: forget {', '.join(source.name for source in lost)}"
            lake.commit(
                ledger, Change(what, now_us(), added, removed, forgotten=sorted(ids), dirty_at=dirty_at)
            )
    return lost


def repair_mail(lake: Lake) -> int:
    """Takes messages with rows in lost or damaged files out of the lake, to be read again; how many.

    Where any is lost, messages that retention had thrown away may come back with their files, until it runs again.
    """
    lake.prepare()
    with lake.ledger() as ledger:
        broken = [part for part, _ in _broken(lake, ledger.parts()) if part.kind in TABLES]
        return forget_lost(lake, ledger, broken) if broken else 0


def _parts(lake: Lake, ledger: Ledger) -> Iterator[Finding]:
    parts, names = ledger.parts(), {source.source_id: source.name for source in ledger.sources()}
    broken = list(_broken(lake, parts))
    for part, what in broken[:_SHOWN]:
        of = ", ".join(f"{names.get(each, 'unknown')} ({each})" for each in part.source_ids) or "messages"
        yield Finding(
            "parts",
            False,
            f"{lake.path / part.path}: {what}; its rows are of {of}",
            "`mailscope doctor --repair` forgets these; then ingest their files again",
        )
    if len(broken) > _SHOWN:
        yield Finding("parts", False, f"{len(broken) - _SHOWN} more files are lost or damaged", "as above")
    rows = sum(part.rows for part in parts)
    yield Finding(
        "parts", True, f"{len(parts) - len(broken)} of {len(parts)} files are whole, {rows:,} rows in all"
    )


def _broken(lake: Lake, parts: Iterable[Part]) -> Iterator[tuple[Part, str]]:
    """Files that are not there or cannot be read to their end. One that is still staged is none of them."""
    for part in parts:
        folder = lake.path if (lake.path / part.path).exists() else lake.staging
        if not (folder / part.path).exists():
            yield part, "is missing"
        elif what := _damage(Place(folder, part)):
            yield part, what


def _damage(place: Place) -> str | None:
    try:
        with opened(place) as file:
            rows = sum(_rows_of(file))
    except LakeError as error:
        return f"is damaged ({str(error.__cause__).partition(chr(10))[0]})"
    return None if rows == place.part.rows else f"has {rows:,} rows, not {place.part.rows:,}"


def _rows_of(file: pq.ParquetFile) -> Iterator[int]:
    """Reads all columns: damage inside shows only so."""
    for batch in file.iter_batches():
        yield batch.num_rows


def _unknown_files(lake: Lake, ledger: Ledger) -> Iterator[Finding]:
    listed = {part.path for part in ledger.parts()}
    unknown = sorted(set(files_below(lake.path)) - listed)
    for path in unknown[:_SHOWN]:
        remedy = (
            f"copy it elsewhere if it is yours; {_INGEST_FINISHES.replace('finishes that', 'deletes it')}"
        )
        yield Finding("files", False, f"{lake.path / path} is not in the ledger", remedy)
    if len(unknown) > _SHOWN:
        yield Finding("files", False, f"{len(unknown) - _SHOWN} more are not in the ledger", "as above")


def _unfinished(lake: Lake, ledger: Ledger) -> Iterator[Finding]:
    staged = list(files_below(lake.staging))
    if staged:
        yield Finding(
            "commits", False, f"an ingest was interrupted: {len(staged)} staged files", _INGEST_FINISHES
        )
    elif not lake.is_exported(ledger):
        yield Finding("commits", False, "an ingest was interrupted after its last commit", _INGEST_FINISHES)
    else:
        yield Finding("commits", True, f"{len(ledger.commits())} commits, all finished")


def _lock(lake: Lake) -> Finding:
    """A lock that is held is no fault, but what is seen meanwhile may be half done."""
    try:
        with (lake.path / LOCK_FILE).open(encoding="utf-8") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                return Finding(
                    "lock", True, f"in use by {lock.read() or 'another process'}: it is changing now"
                )
            flock(lock, LOCK_UN)
    except OSError:
        return Finding("lock", True, "never locked")
    return Finding("lock", True, "not in use")


def _room(lake: Lake) -> Finding:
    free = shutil.disk_usage(lake.path).free
    remedy = None if free >= _LEAST_FREE else f"make room: {_LEAST_FREE >> 20} MB at least"
    return Finding("space", free >= _LEAST_FREE, f"{free / 1e9:,.1f} GB free", remedy)


__all__ = ["Finding", "examine", "repair"]
