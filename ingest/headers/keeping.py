"""Which messages the lake keeps: they leave it with their file, with their age, or with a file of the lake that is lost.

A message that lies in several files leaves with the last of them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from itertools import count
from pathlib import PurePath
from typing import Any, Final, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ingest.lake import Lake, find_source, now_us
from ingest.ledger import Ledger
from ingest.parts import described, part_name, write_table
from ingest.records import Change, KnownSource, Part, email_id_of, number_of
from ingest.rewriting import Place, read_part
from ingest.scratch import scratch

TABLES: Final = ("emails", "hops")
# What stands in a message, or in a log about it, as it was written.
_TEXTS: Final = ("raw", "subject", "refusal")

Ids: TypeAlias = "pa.Array[Any]"  # of messages
Replaced: TypeAlias = tuple[list[Part], list[Part]]  # files of the lake, and those staged in their place


class MailSource(NamedTuple):
    """A file of messages, or a folder with several: a Maildir is one, whatever state its messages are in."""

    name: str
    files: int
    messages: int


def mail_sources(ledger: Ledger) -> list[MailSource]:
    """Where the messages of a lake came from, by name."""
    held = ledger.mail_files()
    in_folder = Counter(_folder(name) for name, _ in held)
    files, messages = Counter[str](), Counter[str]()
    for name, number in held:
        shown = folder if in_folder[folder := _folder(name)] > 1 else name
        files[shown] += 1
        messages[shown] += number
    return [MailSource(name, files[name], messages[name]) for name in sorted(files)]


def _folder(name: str) -> str:
    folder = PurePath(name).parent
    return str(folder.parent if folder.name in ("cur", "new") else folder)


def find_held(ledger: Ledger, words: str) -> tuple[KnownSource | None, str | None]:
    """The log, and the name of the files of messages, that a user means; an Exim rejectlog is both.

    SourceError if it is neither, or several logs.
    """
    has_mail = bool(ledger.mail_files(words))
    if has_mail and all(source.name != words for source in ledger.sources()):
        return None, words
    source = find_source(ledger, words)
    return source, source.name if ledger.mail_files(source.name) else None


def forget_mail(lake: Lake, ledger: Ledger, name: str) -> int:
    """Takes a file of messages, or all below a folder, out of the lake; how many messages no other file has."""
    numbers = ledger.emails_only_in(name)
    removed, added = without_emails(lake, ledger, pa.array(map(email_id_of, numbers), pa.string()))
    _commit(
        lake, ledger, f"forget {name}", removed, added, numbers, [file for file, _ in ledger.mail_files(name)]
    )
    return len(numbers)


def forget_lost(lake: Lake, ledger: Ledger, lost: Collection[Part]) -> int:
    """Takes out messages that lost rows with files of the lake; how many. All files of messages are to be read again."""
    parts = [part for part in mail_parts(ledger) if part not in lost]
    whole = _whole(lake, parts)
    known = {number_of(str(email_id)) for email_id in whole.to_pylist()}
    numbers = [number for number in ledger.emails() if number not in known]
    removed, added = replaced(lake, ledger, parts, lambda rows: _of(rows, whole, are_kept=True))
    unread = [(name, "", messages) for name, messages in ledger.mail_files()]
    _commit(lake, ledger, "repair: forget messages", [*lost, *removed], added, numbers, files=unread)
    return len(numbers)


def _commit(
    lake: Lake,
    ledger: Ledger,
    what: str,
    removed: Iterable[Part],
    added: list[Part],
    numbers: list[int],
    forgotten: Collection[str] = (),
    files: Collection[tuple[str, str, int]] = (),
) -> None:
    change = Change(
        what,
        now_us(),
        added,
        [part.path for part in removed],
        files=list(files),
        forgotten_emails=numbers,
        forgotten_files=list(forgotten),
        is_silent=True,
    )
    lake.commit(ledger, change)


def _whole(lake: Lake, parts: Iterable[Part]) -> Ids:
    """Messages that have all their hops."""
    query = """SELECT email_id FROM emails
        WHERE hop_count = 0 OR email_id IN (SELECT email_id FROM hops)"""
    return _ask(lake, parts, query, {})


def emails_before(lake: Lake, ledger: Ledger, limit_us: int) -> Ids:
    """Messages that were received before a moment, by their newest hop, or else sent before it.

    What its clocks say counts only up to when it was read: nothing is kept longer for a date in the future.
    """
    read_at = {number: at for number, at, _ in ledger.commits()}
    parts = mail_parts(ledger)
    given = {
        "limit": limit_us,
        "names": [str(lake.path / part.path) for part in parts],
        "read": [read_at[part.commit_no] for part in parts],
    }
    query = """WITH files AS (SELECT unnest($names) AS filename, unnest($read) AS read_us),
        received AS (SELECT email_id, max(received_at) AS received_at FROM hops GROUP BY ALL)
        SELECT email_id FROM emails JOIN files USING (filename) LEFT JOIN received USING (email_id)
        WHERE least(epoch_us(coalesce(received_at, sent_at)), read_us) < $limit"""
    return _ask(lake, parts, query, given)


def _ask(lake: Lake, parts: Iterable[Part], query: str, given: dict[str, Any]) -> Ids:
    """Identities of messages that a question about `emails` and `hops` finds in some files."""
    paths = {table: [str(lake.path / part.path) for part in parts if part.kind == table] for table in TABLES}
    if not paths["emails"]:
        return pa.array([], pa.string())
    with scratch(lake) as connection:
        for table, files in paths.items():
            if files:
                rows = connection.read_parquet(
                    files, union_by_name=True, hive_partitioning=False, filename=True
                )
                rows.create_view(table)
            else:  # no message has come with a hop
                connection.execute("CREATE TABLE hops (email_id TEXT, received_at TIMESTAMPTZ)")
        found = connection.execute(query, given).fetchall()
    return pa.array([email_id for (email_id,) in found], pa.string())


def mail_parts(ledger: Ledger) -> list[Part]:
    """The files of the lake that hold messages and hops."""
    return [part for part in ledger.parts() if part.kind in TABLES]


def without_emails(lake: Lake, ledger: Ledger, gone: Ids) -> Replaced:
    """The files that hold some messages, and those staged without them."""
    return replaced(lake, ledger, mail_parts(ledger), lambda rows: _of(rows, gone, are_kept=False))


def without_text(lake: Lake, ledger: Ledger, wordless: Ids) -> Replaced:
    """The files that hold what was written in some messages, and those staged without it."""

    def blanked(rows: pa.Table) -> pa.Table:
        is_old = pc.is_in(rows["email_id"], wordless)
        for name in set(_TEXTS).intersection(rows.column_names):
            if pc.any(pc.and_(is_old, rows[name].is_valid())).as_py():
                at = rows.schema.get_field_index(name)
                rows = rows.set_column(at, rows.schema.field(at), pc.if_else(is_old, None, rows[name]))
        return rows

    return replaced(lake, ledger, mail_parts(ledger), blanked)


def _of(rows: pa.Table, emails: Ids, *, are_kept: bool) -> pa.Table:
    """The rows without those of some messages, or those alone."""
    kept = rows.filter(pc.equal(pc.is_in(rows["email_id"], emails), pa.scalar(are_kept)))
    return rows if kept.num_rows == rows.num_rows else kept


def replaced(
    lake: Lake, ledger: Ledger, parts: Iterable[Part], change: Callable[[pa.Table], pa.Table]
) -> Replaced:
    """The files that a change makes others of, and these, staged, where any row is left."""
    commit_no, number = ledger.next_commit(), count().__next__
    removed, added = [], []
    for part in parts:
        rows = read_part(Place(lake.path, part))
        changed = change(rows)
        if changed is rows:
            continue
        removed.append(part)
        if changed.num_rows:
            path = f"{part.kind}/{part_name(commit_no, None, number())}.parquet"
            write_table(changed, lake.staging / path)
            added.append(described(lake.staging, path, changed, part.commit_no, ()))  # when it was read
    return removed, added
