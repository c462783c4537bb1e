"""What stitching knows of its earlier runs, and how a run's files take their place.

    lake/.stitch/state.json        checkpoints: up to where lines are stitched
    lake/.stitch/carry/<number>/   the lines that a checkpoint left open
    lake/.stitching/               files in the making; with plan.json they are complete and about to move

A run is committed by the rename of its plan. What the plan says can be done again any number of times, so a kill
between leaves work for the next run, never a half of it.
"""

import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from analysis.warehouse import STITCHED
from ingest.schema import STATE_FILE

# Raised when the steps give other rows: the lake's tables are then made anew from its lines.
STITCH_VERSION: Final = 3
# Checkpoints that are kept: the last of each day for late lines, and the last few for another host's.
DAYS_KEPT: Final = 8
LAST_KEPT: Final = 3


class Ingested(NamedTuple):
    """What ingest says of its lines: the number of its last commit, and since when lines were taken away."""

    last_commit: int
    dirty_at: datetime | None
    pruned_at: datetime | None = None  # lines before were thrown away on purpose: what was made of them stays


class Own(NamedTuple):
    """What the site says is its own."""

    domains: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


NOTHING_OWN: Final = Own()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The lines of all commits up to `commit` are stitched, those logged before `upto`."""

    number: int
    commit: int
    upto: datetime
    is_whole: bool  # whether there were none after it: `upto` is no cut between chunks
    horizon: datetime  # what came to its end before is settled; later lines may not be older


@dataclass(frozen=True, slots=True)
class State:
    """Checkpoints in the order of their numbers, and the last commit that the tables show."""

    checkpoints: tuple[Checkpoint, ...] = ()
    last_commit: int = 0
    own: Own = NOTHING_OWN
    version: int = STITCH_VERSION

    @property
    def newest(self) -> Checkpoint | None:
        """The last checkpoint."""
        return self.checkpoints[-1] if self.checkpoints else None

    def is_of(self, now: Ingested) -> bool:
        """Whether the tables show all that was ingested."""
        return self.last_commit == now.last_commit and now.dirty_at is None

    def back_to(self, checkpoint: Checkpoint | None) -> "State":
        """The state when that checkpoint was the newest; None: before all."""
        number = checkpoint.number if checkpoint else 0
        return replace(self, checkpoints=tuple(kept for kept in self.checkpoints if kept.number <= number))

    def with_checkpoint(self, checkpoint: Checkpoint) -> "State":
        """The state after one more chunk, with no more checkpoints than are worth their space."""
        every = (*self.checkpoints, checkpoint)
        last_of_day = {each.upto.date(): each for each in every}
        days = sorted(last_of_day)[-DAYS_KEPT:]
        kept = {last_of_day[day].number for day in days} | {each.number for each in every[-LAST_KEPT:]}
        return replace(self, checkpoints=tuple(each for each in every if each.number in kept))

    def done(self, now: Ingested) -> "State":
        """The state at the end of a run."""
        return replace(self, last_commit=now.last_commit)


def ingested(lake: Path) -> Ingested:
    """What ingest wrote beside its files."""
    text = _read(lake / STATE_FILE)
    return Ingested(text.get("last_commit", 0), _moment(text.get("dirty_at")), _moment(text.get("pruned_at")))


def _moment(utc_us: int | None) -> datetime | None:
    return None if utc_us is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=utc_us)


def read_state(lake: Path, own: Own | None = None) -> State:
    """The state of the last run; an empty one if all is to be made anew.

    That is so if there was no run, if its steps were others or `own` was, and if files have been taken away.
    """
    text = _read(lake / ".stitch" / "state.json")
    if text.get("version") != STITCH_VERSION or (lake / ".stitching" / "plan.json").exists():
        return State(own=own or NOTHING_OWN)
    said = Own(*map(tuple, text["own"]))
    if (own is not None and said != own) or text["files"] != _count_files(lake):
        return State(own=own or said)
    return State(tuple(map(_checkpoint, text["checkpoints"])), text["last_commit"], said)


def _checkpoint(text: dict[str, Any]) -> Checkpoint:
    moments = {name: datetime.fromisoformat(text[name]) for name in ("upto", "horizon")}
    return Checkpoint(**(text | moments))


def carry_folder(lake: Path, checkpoint: Checkpoint) -> Path:
    """Where the lines lie that a checkpoint left open."""
    return lake / ".stitch" / "carry" / f"{checkpoint.number:06}"


class TableFile(NamedTuple):
    """A file of a stitched table: the first and last chunk whose rows it holds."""

    path: Path
    first: int
    last: int


def table_files(lake: Path) -> Iterator[TableFile]:
    """The files of settled rows: `000012.parquet`, or `000012_000019.parquet` where compaction merged them."""
    for table in STITCHED:
        for path in (lake / table).glob("date=*/[0-9]*.parquet"):
            first, _, last = path.stem.partition("_")
            yield TableFile(path, int(first), int(last or first))


class Staging:
    """Files of a run in the making."""

    def __init__(self, lake: Path) -> None:
        self.lake = lake
        self.folder = lake / ".stitching"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def path(self, relative: str | Path) -> Path:
        """Where to write a file that is to lie at `relative` in the lake; its folder exists."""
        path = self.folder / "new" / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def commit(self, state: State, remove: Iterable[Path]) -> None:
        """Makes the staged files part of the lake and removes others, all or nothing."""
        staged = {path.relative_to(self.folder / "new") for path in (self.folder / "new").rglob("*.parquet")}
        gone = {path.relative_to(self.lake) for path in remove} - staged
        plan = {
            "remove": sorted(map(str, gone)),
            "state": asdict(state),
        }
        _write(self.folder / "plan.json", plan)
        recover(self.lake)


def recover(lake: Path) -> None:
    """Finishes a run that was stopped after its commit; sweeps away one that was stopped before."""
    staging = lake / ".stitching"
    if (staging / "plan.json").exists():
        plan = _read(staging / "plan.json")
        for path in plan["remove"]:
            (lake / path).unlink(missing_ok=True)
        _move(staging / "new", lake)
        _write(lake / ".stitch" / "state.json", plan["state"] | {"files": _count_files(lake)})
        _drop_carries(lake, {each["number"] for each in plan["state"]["checkpoints"]})
        (staging / "plan.json").unlink()
    shutil.rmtree(staging, ignore_errors=True)


def _move(new: Path, lake: Path) -> None:
    """What was open goes before what settled comes: a reader may miss a row for a moment, never see it twice."""
    for path in sorted(new.rglob("*.parquet"), key=lambda path: path.stem != "open"):
        target = lake / path.relative_to(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def _count_files(lake: Path) -> int:
    """Somebody who deletes a day of a table gets it back by the next ingest."""
    return sum(1 for table in STITCHED for _ in (lake / table).glob("date=*/*.parquet"))


def _drop_carries(lake: Path, kept: Collection[int]) -> None:
    for folder in (lake / ".stitch" / "carry").glob("*"):
        if int(folder.name) not in kept:
            shutil.rmtree(folder)


def _read(path: Path) -> dict[str, Any]:
    try:
        text: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return text


def _write(path: Path, text: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(text, default=lambda moment: moment.astimezone(UTC).isoformat()), "utf-8")
    temporary.replace(path)
