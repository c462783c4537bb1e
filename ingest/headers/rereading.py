"""Messages read anew by today's parser, as far as the lake has what was written in them: their Received headers.

All columns of `hops` come of these, and of those of `emails` the transit time. The other headers are not kept, so what
was made of them stays as it is until the messages themselves are read again. In a lake of pseudonyms the headers hold
these, as they did when they were first read. Without its text (`mailscope prune`) a message stays as it is.
"""

from collections import defaultdict
from collections.abc import Sequence
from operator import add
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ingest.headers.keeping import mail_parts, replaced
from ingest.headers.received import read_received
from ingest.headers.rows import Values, hop_values
from ingest.lake import Lake, now_us
from ingest.ledger import Ledger
from ingest.records import Change, email_id_of
from ingest.schema import EMAILS, HOPS


class Reread(NamedTuple):
    """How many messages have hops, of how many these read otherwise than before, and how many have lost their text."""

    messages: int
    changed_messages: int
    wordless_messages: int


def reread(lake: Lake, ledger: Ledger, name: str | None = None) -> Reread:
    """Reads the hops of all messages anew, or of those in a file, or below a folder."""
    only = frozenset(map(email_id_of, ledger.emails_in(name))) if name is not None else None
    reading = _Reading(only)
    parts = mail_parts(ledger)
    removed, added = replaced(lake, ledger, [part for part in parts if part.kind == "hops"], reading.hops)
    if reading.transits:
        emails = [part for part in parts if part.kind == "emails"]
        gone, new = replaced(lake, ledger, emails, reading.emails)
        removed, added = [*removed, *gone], [*added, *new]
    if added:
        paths = [part.path for part in removed]
        lake.commit(ledger, Change("reparse messages", now_us(), added, paths, is_silent=True))
    return reading.told


class _Reading:
    """Tables with what the headers say now, and what of it belongs into the tables of messages."""

    def __init__(self, only: frozenset[str] | None) -> None:
        self._only = only
        self.transits: dict[str, float | None] = {}  # of messages whose hops have changed
        self.told = Reread(0, 0, 0)

    def hops(self, rows: pa.Table) -> pa.Table:
        """The hops of some messages, each of which lies in one file with all its hops."""
        by_email: defaultdict[str, list[int]] = defaultdict(list)
        for place, email_id in enumerate(map(str, rows["email_id"].to_pylist())):
            if self._only is None or email_id in self._only:
                by_email[email_id].append(place)
        raw: list[Any] = rows["raw"].to_pylist()
        numbers: list[Any] = rows["hop"].to_pylist()
        before = _values(rows)
        after = list(before)
        wordless = 0
        changed = len(self.transits)
        for email_id, places in by_email.items():
            places.sort(key=numbers.__getitem__)
            is_whole = [numbers[place] for place in places] == list(range(1, len(places) + 1))
            if not is_whole or any(raw[place] is None for place in places):
                wordless += 1
                continue
            fresh, transit_s = hop_values(email_id, [read_received(raw[place]) for place in places])
            if [before[place] for place in places] == list(map(_plain, fresh)):
                continue
            self.transits[email_id] = transit_s
            for place, values in zip(places, fresh, strict=True):
                after[place] = values
        changed = len(self.transits) - changed
        self.told = Reread(*map(add, self.told, (len(by_email), changed, wordless)))
        return _table(after) if changed else rows

    def emails(self, rows: pa.Table) -> pa.Table:
        """Messages with the transit times of their hops."""
        ids = pa.array(self.transits, pa.string())
        if not pc.any(pc.is_in(rows["email_id"], ids)).as_py():
            return rows
        places = pc.index_in(rows["email_id"].combine_chunks(), ids)
        found = pa.array(self.transits.values(), EMAILS.field("transit_s").type).take(places)
        at = rows.schema.get_field_index("transit_s")
        return rows.set_column(
            at, rows.schema.field(at), pc.if_else(pc.is_valid(places), found, rows["transit_s"])
        )


def _values(rows: pa.Table) -> list[Values]:
    """The rows as values; what a column holds that came later is not known."""
    columns = [
        rows[name].to_pylist() if name in rows.column_names else [_UNKNOWN] * rows.num_rows
        for name in HOPS.names
    ]
    return list(zip(*columns, strict=True))


_UNKNOWN: Final = object()  # unlike any value


def _plain(values: Values) -> Values:
    """As Parquet gives it back: defects are a list there."""
    return tuple(list(each) if isinstance(each, tuple) else each for each in values)


def _table(rows: Sequence[Values]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table(
        [
            pa.array([None if each is _UNKNOWN else each for each in column], field.type)
            for column, field in zip(columns, HOPS, strict=True)
        ],
        schema=HOPS,
    )
