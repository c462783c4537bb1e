"""What the ledger knows: files, sources, and what one commit changes. Moments are UTC microseconds since 1970."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields
from hashlib import sha256
from typing import Final, NamedTuple

Coverage = Counter[tuple[str, str, bool]]  # lines by program, result, and whether it is the open last line


class Part(NamedTuple):
    """One Parquet file of events, unparsed lines, messages or their hops."""

    path: str  # below the lake
    kind: str  # its table
    family: str | None
    date: str | None
    source_ids: tuple[str, ...]
    rows: int
    bytes: int
    first_at: int | None
    last_at: int | None
    commit_no: int
    is_tail: bool = False


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A source as far as it was read."""

    source_id: str
    name: str
    head_bytes: int
    head: str
    size_bytes: int  # all that was read, an open last line included
    offset: int  # where reading goes on: behind the last newline
    line_no: int  # complete lines before it
    is_tail_open: bool
    first_at: int | None
    last_at: int | None
    hosts: tuple[str, ...]
    years: tuple[tuple[int, int], ...]  # (line number, year of the BSD stamps from there on)
    last_date: str | None  # of its last dated line, as it stands there, with its year: YYYY-MM-DD
    cut_lines: tuple[int, ...]
    archive_damage: str | None
    format_name: str
    zone: str | None
    year: int | None  # what the user said
    host: str | None  # what the user said of lines that name none
    parser_version: int
    first_ingested_at: int
    ingested_at: int


SOURCE_COLUMNS: Final = [column.name for column in fields(KnownSource)]


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit does."""

    what: str
    at: int
    added: Sequence[Part] = ()
    removed: Sequence[str] = ()  # paths
    sources: Sequence[KnownSource] = ()
    coverage: Mapping[str, Coverage] = field(default_factory=dict)  # of sources, replacing what was
    forgotten: Sequence[str] = ()
    checkpoint: tuple[str, int, str] | None = None
    archive: tuple[str, str] | None = None
    dirty_at: int | None = None
    emails: Sequence[tuple[int, str]] = ()  # messages, by number, and the names of files that they lie in
    files: Sequence[tuple[str, str, int]] = ()  # read to their end: name, identity, and how many messages
    forgotten_emails: Sequence[int] = ()
    forgotten_files: Sequence[str] = ()  # of messages, by name
    is_silent: bool = False  # nothing for stitching: the same rows in other files, or old ones thrown away
    pruned_at: Mapping[str, int] = field(
        default_factory=dict
    )  # what: the moment before which it was thrown away


def number_of(email_id: str) -> int:
    """A message as the ledger knows it: SQLite's integers have a sign."""
    return int(email_id, 16) - (1 << 63)


def email_id_of(number: int) -> str:
    """What `number_of` made a number of."""
    return f"{number + (1 << 63):016x}"


class State(NamedTuple):
    """What the stitcher needs to know."""

    schema_version: int
    last_commit: int
    dirty_at: int | None
    pruned_at: int | None = None  # before it, events were thrown away on purpose


def fingerprint(data: bytes) -> str:
    """Of some bytes of a source."""
    return sha256(data).hexdigest()[:32]


def part_row(part: Part) -> tuple[object, ...]:
    """As SQLite holds it."""
    return tuple(part._replace(source_ids=json.dumps(part.source_ids)))  # type: ignore[arg-type]  # a text there


_JSON_COLUMNS: Final = ("hosts", "years", "cut_lines")


def source_row(source: KnownSource) -> tuple[object, ...]:
    """As SQLite holds it."""
    values = zip(SOURCE_COLUMNS, astuple(source), strict=True)
    return tuple(json.dumps(value) if name in _JSON_COLUMNS else value for name, value in values)


def known_source(row: tuple[object, ...]) -> KnownSource:
    """What `source_row` made a row of."""
    values = dict(zip(SOURCE_COLUMNS, row, strict=True))
    for name in _JSON_COLUMNS:
        values[name] = tuple(
            tuple(each) if isinstance(each, list) else each for each in json.loads(str(values[name]))
        )
    return KnownSource(**values | {"is_tail_open": bool(values["is_tail_open"])})  # type: ignore[arg-type]
