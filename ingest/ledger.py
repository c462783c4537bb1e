"""The ledger: what was ingested, up to where, and which files of the lake hold it. One SQLite database.

Its transaction is the moment at which a change of the lake has happened; files are staged before it and moved
after it (`ingest.lake`).
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from ingest.errors import LakeError
from ingest.records import (
    SOURCE_COLUMNS,
    Change,
    Coverage,
    KnownSource,
    Part,
    State,
    fingerprint,
    known_source,
    part_row,
    source_row,
)
from ingest.schema import SCHEMA_VERSION

LEDGER_FILE: Final = "ledger.sqlite"

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value);
CREATE TABLE commits (commit_no INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL);
CREATE TABLE sources (
  source_id TEXT PRIMARY KEY, name TEXT NOT NULL,
  head_bytes INTEGER NOT NULL, head TEXT NOT NULL,  -- fingerprint of its first bytes
  size_bytes INTEGER NOT NULL, offset INTEGER NOT NULL, line_no INTEGER NOT NULL, is_tail_open INTEGER NOT NULL,
  first_at INTEGER, last_at INTEGER, hosts TEXT NOT NULL, years TEXT NOT NULL, last_date TEXT,
  cut_lines TEXT NOT NULL, archive_damage TEXT,
  format_name TEXT NOT NULL, zone TEXT, year INTEGER, host TEXT, parser_version INTEGER NOT NULL,
  first_ingested_at INTEGER NOT NULL, ingested_at INTEGER NOT NULL
);
CREATE INDEX sources_by_head ON sources (head);
-- How long a source was at some time, and a fingerprint of the bytes before that.
CREATE TABLE checkpoints (
  source_id TEXT, size_bytes INTEGER, tail TEXT NOT NULL, PRIMARY KEY (source_id, size_bytes)
) WITHOUT ROWID;
-- Compressed files that hold nothing new, by a fingerprint of their own bytes: they need not be unpacked again.
CREATE TABLE archives (fingerprint TEXT PRIMARY KEY, source_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE coverage (
  source_id TEXT, program TEXT, result TEXT, is_tail INTEGER, lines INTEGER NOT NULL,
  PRIMARY KEY (source_id, program, result, is_tail)
) WITHOUT ROWID;
CREATE TABLE parts (
  path TEXT PRIMARY KEY, kind TEXT NOT NULL, family TEXT, date TEXT, source_ids TEXT NOT NULL,
  rows INTEGER NOT NULL, bytes INTEGER NOT NULL, first_at INTEGER, last_at INTEGER,
  commit_no INTEGER NOT NULL, is_tail INTEGER NOT NULL
);
"""
# Tables that lakes of the same version may not have yet.
_LATER_TABLES: Final = """
-- Messages by their headers; their files, with what tells that one has not changed; which message lies in which.
CREATE TABLE IF NOT EXISTS emails (number INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS mail_files (
  file INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, identity TEXT, messages INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS mail_files_by_identity ON mail_files (identity);
CREATE TABLE IF NOT EXISTS emails_of_files (
  file INTEGER, number INTEGER, PRIMARY KEY (file, number)
) WITHOUT ROWID;
"""


class Ledger:
    """An open ledger."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def state(self) -> State:
        """The number of the last commit that changed rows, and since when rows have changed that were stitched."""
        meta = dict(self._connection.execute("SELECT key, value FROM meta").fetchall())
        return State(
            meta["schema_version"], meta["last_commit"], meta["dirty_at"], meta.get(_pruned("events"))
        )

    def pruned_at(self, what: str) -> int | None:
        """The moment before which `text` or `events` were thrown away."""
        at: int | None = self._meta(_pruned(what))
        return at

    def _meta(self, key: str) -> Any:  # noqa: ANN401  # a number or a text
        found = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def claim_pseudonyms(self, identity: str | None) -> str | None:
        """Notes with which pseudonyms the lake is filled, if it is empty; tells those that it is filled with."""
        query = "SELECT EXISTS (SELECT 1 FROM sources) OR EXISTS (SELECT 1 FROM emails)"
        [filled] = self._connection.execute(query).fetchone()
        if not filled:
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('pseudonyms', ?)", (identity,))
        return self.pseudonyms()

    def pseudonyms(self) -> str | None:
        """The identity of the pseudonyms in the lake; None: it has the people's own names."""
        identity: str | None = self._meta("pseudonyms")
        return identity

    def next_commit(self) -> int:
        """The number that the next commit will have."""
        [last] = self._connection.execute("SELECT coalesce(max(commit_no), 0) FROM commits").fetchone()
        return int(last) + 1

    def commits(self) -> list[tuple[int, int, str]]:
        """Number, moment and content of each commit."""
        return self._connection.execute("SELECT * FROM commits ORDER BY commit_no").fetchall()

    def sources(self) -> list[KnownSource]:
        """All sources, the earliest first."""
        return self._sources("TRUE ORDER BY first_at, name, source_id")

    def source(self, source_id: str) -> KnownSource:
        """One source."""
        [found] = self._sources("source_id = ?", source_id)
        return found

    def candidates(self, head: bytes) -> list[KnownSource]:
        """Sources that begin like a file's first bytes, the longest first."""
        sizes = self._connection.execute("SELECT DISTINCT head_bytes FROM sources").fetchall()
        heads = {size: fingerprint(head[:size]) for (size,) in sizes if size <= len(head)}
        found = [self._sources("head_bytes = ? AND head = ?", *each) for each in heads.items()]
        return sorted((source for some in found for source in some), key=lambda source: -source.size_bytes)

    def overlapping(
        self, source_id: str, first_at: int, last_at: int, hosts: Iterable[str]
    ) -> list[KnownSource]:
        """Other sources with lines of the same hosts in the same time; touching moments are no overlap."""
        found = self._sources(
            "source_id <> ? AND first_at < ? AND last_at > ? ORDER BY source_id", source_id, last_at, first_at
        )
        wanted = frozenset(hosts)
        return [source for source in found if wanted.intersection(source.hosts)]

    def checkpoints(self, source_id: str) -> dict[int, str]:
        """Fingerprints of what stood before the ends that a source had."""
        query = "SELECT size_bytes, tail FROM checkpoints WHERE source_id = ?"
        return dict(self._connection.execute(query, (source_id,)).fetchall())

    def archived(self, archive: str) -> str | None:
        """The source that holds all of a compressed file."""
        query = "SELECT source_id FROM archives WHERE fingerprint = ?"
        found = self._connection.execute(query, (archive,)).fetchone()
        return found[0] if found else None

    def coverage(self, source_id: str) -> Coverage:
        """What became of the lines of a source."""
        query = "SELECT program, result, is_tail, lines FROM coverage WHERE source_id = ?"
        rows = self._connection.execute(query, (source_id,)).fetchall()
        return Coverage({(program, result, bool(tail)): lines for program, result, tail, lines in rows})

    def coverage_rows(self) -> list[tuple[str, str, str, int]]:
        """Lines by source, program and result."""
        return self._connection.execute(
            "SELECT source_id, program, result, sum(lines) FROM coverage GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ).fetchall()

    def parts(self, source_id: str | None = None) -> list[Part]:
        """The files of the lake, or those that hold lines of one source."""
        where = "TRUE" if source_id is None else "instr(source_ids, ?) > 0"
        given = () if source_id is None else (source_id,)
        return self._parts(where, *given)

    def new_parts(self, since_commit: int) -> list[Part]:
        """The files of later commits."""
        return self._parts("commit_no > ?", since_commit)

    def _parts(self, where: str, *given: object) -> list[Part]:
        query = f"SELECT {', '.join(Part._fields)} FROM parts WHERE {where} ORDER BY path"  # noqa: S608  # no data in it
        rows = map(Part._make, self._connection.execute(query, given).fetchall())
        return [
            row._replace(source_ids=tuple(json.loads(str(row.source_ids))), is_tail=bool(row.is_tail))
            for row in rows
        ]

    def _sources(self, where: str, *given: object) -> list[KnownSource]:
        query = f"SELECT {', '.join(SOURCE_COLUMNS)} FROM sources WHERE {where}"  # noqa: S608  # no data in it
        return [known_source(row) for row in self._connection.execute(query, given).fetchall()]

    def emails_among(self, numbers: Sequence[int]) -> set[int]:
        """Which messages are in the lake."""
        query = "SELECT number FROM emails WHERE number IN (SELECT value FROM json_each(?))"
        return {number for (number,) in self._connection.execute(query, (json.dumps(numbers),))}

    def messages_in(self, files: Sequence[str]) -> dict[str, int]:
        """How many messages each file has, by its identity, of those that were read."""
        query = "SELECT identity, messages FROM mail_files WHERE identity IN (SELECT value FROM json_each(?))"
        return dict(self._connection.execute(query, (json.dumps(files),)))

    def mail_files(self, name: str | None = None) -> list[tuple[str, int]]:
        """Names of files of messages, and how many each has: all, one, or those below a folder."""
        if not self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'mail_files'").fetchone():
            return []  # a lake of before they were known
        where, given = ("TRUE", ()) if name is None else (_IS_BELOW, (name.rstrip("/"),))
        query = f"SELECT name, messages FROM mail_files WHERE {where} ORDER BY name"  # noqa: S608  # no data in it
        return self._connection.execute(query, given).fetchall()

    def emails(self) -> Iterator[int]:
        """The numbers of all messages, those that were thrown away for their age included."""
        return (number for (number,) in self._connection.execute("SELECT number FROM emails"))

    def emails_in(self, name: str) -> list[int]:
        """The numbers of messages that lie in a file, or below a folder."""
        query = f"SELECT DISTINCT number FROM emails_of_files JOIN mail_files USING (file) WHERE {_IS_BELOW}"  # noqa: S608
        return [number for (number,) in self._connection.execute(query, (name.rstrip("/"),))]

    def emails_only_in(self, name: str) -> list[int]:
        """The numbers of messages that lie in a file, or below a folder, and nowhere else."""
        files = f"SELECT file FROM mail_files WHERE {_IS_BELOW}"  # noqa: S608  # no data in it
        query = f"""SELECT number FROM emails_of_files WHERE file IN ({files})
            EXCEPT SELECT number FROM emails_of_files WHERE file NOT IN ({files})"""  # noqa: S608
        return [number for (number,) in self._connection.execute(query, (name.rstrip("/"),)).fetchall()]

    def remember_archive(self, archive: str, source_id: str) -> None:
        """A compressed file that holds nothing new."""
        self._connection.execute("INSERT OR REPLACE INTO archives VALUES (?, ?)", (archive, source_id))

    def clear_dirty(self) -> None:
        """All tables are stitched again."""
        self._connection.execute("UPDATE meta SET value = NULL WHERE key = 'dirty_at'")

    def commit(self, change: Change) -> int:
        """Makes a change happen, or none of it."""
        commit_no = self.next_commit()
        run, run_many = self._connection.execute, self._connection.executemany
        with self._transaction():
            run("INSERT INTO commits VALUES (?, ?, ?)", (commit_no, change.at, change.what))
            run_many("DELETE FROM parts WHERE path = ?", [(path,) for path in change.removed])
            run_many(f"INSERT INTO parts VALUES ({_marks(len(Part._fields))})", map(part_row, change.added))  # noqa: S608  # no data in it
            for source_id in change.forgotten:
                for table in ("sources", "checkpoints", "archives", "coverage"):
                    run(f"DELETE FROM {table} WHERE source_id = ?", (source_id,))  # noqa: S608  # no data in it
            run_many(
                f"INSERT OR REPLACE INTO sources VALUES ({_marks(len(SOURCE_COLUMNS))})",  # noqa: S608
                map(source_row, change.sources),
            )
            for source_id, coverage in change.coverage.items():
                run("DELETE FROM coverage WHERE source_id = ?", (source_id,))
                rows = [(source_id, *key, lines) for key, lines in coverage.items() if lines]
                run_many("INSERT INTO coverage VALUES (?, ?, ?, ?, ?)", rows)
            self._commit_mail(change)
            if change.checkpoint:
                run("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)", change.checkpoint)
            if change.archive:
                self.remember_archive(*change.archive)
            if not change.is_silent:
                run("UPDATE meta SET value = ? WHERE key = 'last_commit'", (commit_no,))
            for what, at in change.pruned_at.items():
                run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_pruned(what), at))
            if change.dirty_at is not None:
                run(
                    "UPDATE meta SET value = min(coalesce(value, ?1), ?1) WHERE key = 'dirty_at'",
                    (change.dirty_at,),
                )
        return commit_no

    def _commit_mail(self, change: Change) -> None:
        run_many = self._connection.executemany
        names = {name for _, name in change.emails} | {name for name, _, _ in change.files}
        run_many("INSERT OR IGNORE INTO mail_files (name) VALUES (?)", [(name,) for name in names])
        run_many("INSERT OR IGNORE INTO emails VALUES (?)", [(number,) for number, _ in change.emails])
        link = "INSERT OR IGNORE INTO emails_of_files SELECT file, ?1 FROM mail_files WHERE name = ?2"
        run_many(link, change.emails)
        run_many("UPDATE mail_files SET identity = ?2, messages = ?3 WHERE name = ?1", change.files)
        for name in change.forgotten_files:
            files = [
                (file,)
                for (file,) in self._connection.execute("SELECT file FROM mail_files WHERE name = ?", (name,))
            ]
            run_many("DELETE FROM emails_of_files WHERE file = ?", files)
            run_many("DELETE FROM mail_files WHERE file = ?", files)
        run_many("DELETE FROM emails WHERE number = ?", [(number,) for number in change.forgotten_emails])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @classmethod
    @contextmanager
    def open(cls, lake: Path) -> Iterator[Self]:
        """The ledger of a lake, made if the lake is new. LakeError if it is of another version, or damaged."""
        _refuse_version_1(lake)
        with _blaming(lake), closing(_connect(lake / LEDGER_FILE, "rwc")) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                _make(connection)
            _refuse_newer(lake, connection)
            connection.executescript(_LATER_TABLES)
            yield cls(connection)

    @classmethod
    @contextmanager
    def open_to_read(cls, lake: Path) -> Iterator[Self]:
        """The ledger of a lake that must be there; works where nothing can be written."""
        _refuse_version_1(lake)
        if not (lake / LEDGER_FILE).exists():
            raise LakeError(f"{lake} is no lake; `mailscope ingest PATH... --lake {lake}` makes one")
        with _blaming(lake), closing(_connect(lake / LEDGER_FILE, "ro")) as connection:
            _refuse_newer(lake, connection)
            yield cls(connection)


# A file of that name, or one below a folder of that name.
_IS_BELOW: Final = "name = ?1 OR substr(name, 1, length(?1) + 1) = ?1 || '/'"


def _pruned(what: str) -> str:
    return f"{what}_pruned_at"


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _make(connection: sqlite3.Connection) -> None:
    meta = f"INSERT INTO meta VALUES ('schema_version', {SCHEMA_VERSION}), ('last_commit', 0), ('dirty_at', NULL);"  # noqa: S608
    connection.executescript(f"BEGIN; {_TABLES} {meta} COMMIT;")


@contextmanager
def _blaming(lake: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:  # a full disk, no permission, another process
        raise LakeError(
            f"{lake / LEDGER_FILE}: {error}; make room, or let --lake name a folder that you may write"
        ) from error
    except sqlite3.DatabaseError as error:
        raise LakeError(
            f"{lake / LEDGER_FILE} is damaged: {error}; put it back from a backup, or ingest the logs into another folder"
        ) from error


def _refuse_version_1(lake: Path) -> None:
    if not (lake / LEDGER_FILE).exists() and any(lake.glob("sources/*.parquet")):
        raise LakeError(
            f"{lake} was written by an older mailscope, without {LEDGER_FILE}; ingest the logs anew, into another folder"
        )


def _refuse_newer(lake: Path, connection: sqlite3.Connection) -> None:
    [version] = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    if version > SCHEMA_VERSION:
        raise LakeError(
            f"{lake} was written by a newer mailscope: its version is {version}, this one reads up to {SCHEMA_VERSION}; "
            "update mailscope, or let --lake name another folder"
        )


def _marks(count: int) -> str:
    return ", ".join("?" * count)
