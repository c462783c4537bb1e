"""A source, or what is new in it, between its first chunk and its commit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from ingest.dating import LineNumbers
from ingest.formats import PARSER_VERSION
from ingest.heads import HEAD_BYTES
from ingest.lake import now_us
from ingest.records import Change, Coverage, KnownSource, Part, fingerprint
from ingest.times import DateSeen, Years, infer_years, year_of, zone_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from ingest.parts import PartSummary
    from ingest.surveys import Survey


@dataclass(slots=True)
class Draft:
    """What one commit will add to the ledger of a source, and take from it."""

    name: str
    surveyed: Survey
    commit_no: int
    format_name: str
    zone: tzinfo
    year: int | None
    host: str | None
    years: Years  # by offset
    numbers: LineNumbers
    line_no: int  # complete lines, those of former commits included
    has_open_line: bool = False
    cut_lines: list[int] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    hosts: set[str] = field(default_factory=set)
    is_host_assumed: bool = False
    # Of other sources, or replaced
    others: dict[str, Coverage] = field(default_factory=dict)
    rewritten: list[Part] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    dirty_at: int | None = None
    _numbers: count[int] = field(default_factory=count)

    @property
    def source_id(self) -> str:
        """The identity of the source."""
        return self.surveyed.source_id

    def add(self, summary: PartSummary, is_tail: bool) -> None:
        """Takes in what a chunk held."""
        self.files += [part._replace(is_tail=is_tail) for part in summary.files]
        for (program, result), lines in summary.coverage.items():
            self.coverage[program, result, is_tail] += lines
        self.hosts |= summary.hosts
        self.is_host_assumed |= summary.is_host_assumed

    def fresh_number(self) -> int:
        """For the name of one more file of this commit."""
        return next(self._numbers)

    def replace_part(self, old: Part, new: Part | None) -> None:
        """A file of this draft, or of the lake, has a successor, or none."""
        for files in (self.files, self.rewritten):
            if old in files:
                files.remove(old)
                files.extend([new] if new else [])
                return
        self.removed.append(old.path)
        self.rewritten += [new] if new else []

    def span(self) -> tuple[int, int] | None:
        """The first and last moment of its events."""
        moments = [at for part in self.files for at in (part.first_at, part.last_at) if at is not None]
        return (min(moments), max(moments)) if moments else None

    def lines(self, result: str) -> int:
        """How many of its lines became that."""
        return sum(lines for (_, told, _), lines in self.coverage.items() if told == result)

    def make_dirty(self, moments: Iterable[int | None]) -> None:
        """Rows of these moments go; what was stitched from them on must be stitched again."""
        known = [at for at in (self.dirty_at, *moments) if at is not None]
        self.dirty_at = min(known, default=None)


def begin(
    name: str,
    surveyed: Survey,
    commit_no: int,
    format_name: str,
    zone: tzinfo,
    year: int | None,
    host: str | None,
    open_line: Sequence[Part],
) -> Draft:
    """An empty draft. `open_line` are the files of a last line that had no newline: it is read again."""
    known = surveyed.known
    anchor = _anchor(known)
    dates = [*anchor, *surveyed.dates]
    years = (*_stated(anchor), *years_of(dates, surveyed.newest, year))
    numbers = LineNumbers(years, known.offset, known.line_no + 1) if known else LineNumbers(years)
    draft = Draft(
        name,
        surveyed,
        commit_no,
        format_name,
        zone,
        year,
        host,
        years,
        numbers,
        known.line_no if known else 0,
    )
    draft.removed += [part.path for part in open_line]
    draft.make_dirty(part.first_at for part in open_line)
    return draft


def years_of(dates: Sequence[DateSeen], newest: datetime, year: int | None) -> Years:
    """The years of BSD stamps; where all dates have theirs, stray stamps between these are of the same year."""
    return infer_years(dates, newest, year) or _stated(dates)


def _stated(dates: Sequence[DateSeen]) -> Years:
    stated = [(date.at, date.year) for date in dates if date.year]
    return tuple(change for at, change in enumerate(stated) if not at or stated[at - 1][1] != change[1])


def _anchor(known: KnownSource | None) -> list[DateSeen]:
    """The last date that was read, with its year: the years of what follows are counted from it."""
    if not known or not known.last_date:
        return []
    year, month, day = map(int, known.last_date.split("-"))
    return [DateSeen(known.offset - 1, month, day, year)]


def change_of(draft: Draft, before: Coverage, archive: str | None, damage: str | None) -> Change:
    """The commit of a draft; `before` is what the ledger counted of the source so far."""
    source_id, surveyed = draft.source_id, draft.surveyed
    kept = Coverage({key: lines for key, lines in before.items() if not key[2]})
    return Change(
        what=f"ingest {draft.name}",
        at=now_us(),
        added=[*draft.files, *draft.rewritten],
        removed=draft.removed,
        sources=[_known(draft, damage)],
        coverage={**draft.others, source_id: kept + draft.coverage},
        checkpoint=(source_id, surveyed.size_bytes, surveyed.tail),
        archive=(archive, source_id) if archive else None,
        dirty_at=draft.dirty_at,
    )


def _known(draft: Draft, damage: str | None) -> KnownSource:
    now, surveyed = now_us(), draft.surveyed
    news = {
        "name": draft.name,
        "size_bytes": surveyed.size_bytes,
        "offset": draft.numbers.last_line_at,
        "line_no": draft.line_no,
        "is_tail_open": draft.has_open_line,
        "archive_damage": damage,
        "ingested_at": now,
    }
    span = draft.span()
    first_at, last_at = span or (None, None)
    if surveyed.known is None:
        return KnownSource(
            source_id=draft.source_id,
            head_bytes=min(HEAD_BYTES, surveyed.size_bytes),
            head=fingerprint(surveyed.head),
            first_at=first_at,
            last_at=last_at,
            hosts=tuple(sorted(draft.hosts)),
            years=tuple(draft.numbers.years),
            last_date=_last_date(draft),
            cut_lines=tuple(draft.cut_lines),
            format_name=draft.format_name,
            zone=zone_name(draft.zone),
            year=draft.year,
            host=draft.host,
            parser_version=PARSER_VERSION,
            first_ingested_at=now,
            **news,  # type: ignore[arg-type]  # as named above
        )
    known = surveyed.known
    return replace(
        known,
        first_at=min((at for at in (known.first_at, first_at) if at is not None), default=None),
        last_at=max((at for at in (known.last_at, last_at) if at is not None), default=None),
        hosts=tuple(sorted({*known.hosts, *draft.hosts})),
        years=_joined(known, draft.numbers.years),
        last_date=_last_date(draft) or known.last_date,
        cut_lines=(*(line_no for line_no in known.cut_lines if line_no <= known.line_no), *draft.cut_lines),
        **news,  # type: ignore[arg-type]
    )


def _joined(known: KnownSource, new: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    old = [change for change in known.years if change[0] <= known.line_no]
    return (*old, *(change for change in new if change[0] > known.line_no or not old))


def _last_date(draft: Draft) -> str | None:
    if not draft.surveyed.dates:
        return None
    last = draft.surveyed.dates[-1]
    year = last.year or year_of(draft.years, last.at)
    return f"{year:04}-{last.month:02}-{last.day:02}"
