"""What a user names to be taken out of a lake, or to be read anew: logs and files of messages alike."""

from collections.abc import Sequence
from typing import NamedTuple

from ingest.headers.keeping import find_held, forget_mail
from ingest.headers.rereading import Reread, reread
from ingest.lake import Lake, line_count
from ingest.ledger import Ledger
from ingest.records import KnownSource
from ingest.reparse import Reparsed, forget, is_pruned, reparse


class Forgotten(NamedTuple):
    """A log with so many lines, or a file of messages with so many that no other file has.

    `losers` are logs that had lines in common with it, and may miss them now.
    """

    name: str
    is_mail: bool
    size: int
    losers: Sequence[KnownSource] = ()


class Renewed(NamedTuple):
    """Logs and messages that were read anew; and logs that were not, as lines of them are pruned."""

    logs: list[Reparsed]
    mail: list[tuple[str, Reread]]
    pruned: list[KnownSource]


def forget_named(lake: Lake, ledger: Ledger, words: Sequence[str]) -> list[Forgotten]:
    """Takes sources out of the lake, by identity, the beginning of one, or name. Raises SourceError before it begins."""
    told: list[Forgotten] = []
    for source, mail in [find_held(ledger, each) for each in words]:
        if source:
            losers = forget(lake, ledger, source)
            told.append(Forgotten(source.name, False, line_count(source), losers))
        if mail:
            told.append(Forgotten(mail, True, forget_mail(lake, ledger, mail)))
    return told


def reparse_named(lake: Lake, ledger: Ledger, words: Sequence[str]) -> Renewed:
    """Reads sources anew, or all that can be where none is named. Raises SourceError before it begins."""
    found = [find_held(ledger, each) for each in words]
    sources = [source for source, _ in found if source] if words else ledger.sources()
    pruned = [] if words else [each for each in sources if is_pruned(ledger, each)]
    names = [name for _, name in found if name] if words else [None] if ledger.mail_files() else []
    return Renewed(
        [reparse(lake, ledger, source) for source in sources if source not in pruned],
        [(name or "messages", reread(lake, ledger, name)) for name in names],
        pruned,
    )
