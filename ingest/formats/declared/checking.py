"""Whether a declaration reads what it says it reads: its samples, and a log.

Samples go the way of all lines, so what is compared is what the lake would get.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, NamedTuple

from ingest.batch import Result, Segment, read_batch
from ingest.clock import Clock
from ingest.formats.declared.declaration import Declaration, Sample, TextPattern
from ingest.formats.declared.reading import format_of
from ingest.shapes import UP_TO, Piece, expressions, pieces

# Where stamps have no year, samples are of this one.
SAMPLE_YEAR: Final = 2026
LEFT_OUT: Final = ("source_id", "line_no", "line", "repeat_no", "utc_offset_s", "server")


class Failure(NamedTuple):
    """What is wrong with one sample: `at` is its line in the file, `found` what was read instead of `expected`."""

    sample: int
    at: int | None
    field: str | None
    expected: str | None
    found: str | None
    where: str

    def sentence(self, origin: str) -> str:
        """For a person who looks for it."""
        place = f"{origin}:{self.at}: sample {self.sample}" if self.at else f"{origin}: sample {self.sample}"
        if self.field is None:
            return f"{place}: {self.where}"
        return f"{place}: {self.field}: expected {self.expected}, found {self.found}{self.where}"


def failures(declaration: Declaration) -> Iterator[Failure]:
    """What the samples of a declaration show to be wrong."""
    for number, sample in enumerate(declaration.samples, start=1):
        at = _line_of(declaration.text, number)
        for field, expected, found, where in _differences(declaration, sample):
            yield Failure(number, at, field, expected, found, where)


def _line_of(text: str, number: int) -> int | None:
    """Where the n-th sample begins in the file."""
    begins = [at for at, line in enumerate(text.split("\n"), start=1) if line.strip() == "[[samples]]"]
    return begins[number - 1] if number <= len(begins) else None


def read_lines(
    declaration: Declaration, lines: Sequence[str], zone: tzinfo, columns: Sequence[str] = ()
) -> Result:
    """What becomes of lines under a declaration."""
    clock = Clock(SAMPLE_YEAR, zone)
    return read_batch([Segment(1, lines, clock)], "", [format_of(declaration, columns)])


def rows_of(result: Result) -> list[dict[str, Any]]:
    """The events of a result in the order of the lines, with the columns that say something."""
    rows = [row for table in result.events.values() for row in table.to_pylist()]
    rows.sort(key=lambda row: (row["line_no"], row["repeat_no"] or 0))
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _differences(declaration: Declaration, sample: Sample) -> Iterator[tuple[str | None, str, str, str]]:
    result = read_lines(declaration, [sample.line], UTC, sample.columns)
    rows = rows_of(result)
    if not rows:
        reasons = result.unparsed["reason"].to_pylist() or ["its program is none of framing.programs"]
        yield None, "", "", f"not understood: {reasons[0]}{_how_far(declaration, sample.line)}"
        return
    if len(rows) != len(sample.expected):
        yield "events", str(len(sample.expected)), str(len(rows)), ""
        return
    for row, expected in zip(rows, sample.expected, strict=True):
        for column, value in expected.items():
            found = row.get(column)
            if not _is_same(value, found):
                yield column, repr(value), _shown(found), _where(sample.line, found)


def _is_same(expected: object, found: object) -> bool:
    if isinstance(found, datetime):
        said = datetime.fromisoformat(expected) if isinstance(expected, str) else expected
        return isinstance(said, datetime) and said.replace(tzinfo=said.tzinfo or UTC) == found
    return expected == found


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return repr(value.isoformat())
    return "nothing" if value is None else repr(value)


def _where(line: str, found: object) -> str:
    at = line.find(found) if isinstance(found, str) and found else -1
    return f" (character {at + 1} of the line)" if at >= 0 else ""


def _how_far(declaration: Declaration, line: str) -> str:
    """How far the pattern came that came farthest."""
    message = _message_of(declaration, line)
    if message is None:
        return ""
    reached = [
        (*furthest(template, message), number)
        for number, pattern in enumerate(declaration.patterns, start=1)
        if isinstance(pattern, TextPattern)
        for template, _ in pattern.templates
    ]
    if not reached:
        return ""
    end, wanted, number = max(reached, key=lambda each: each[0])
    if wanted is None:
        return ""
    return f"; pattern {number} comes as far as {message[:end]!r}, then it wants {wanted}, and there is {message[end:][:40]!r}"


def _message_of(declaration: Declaration, line: str) -> str | None:
    """What patterns are tried on; None if the line could not be taken apart."""
    framing = declaration.framing
    for stamp in framing.stamps:
        found = stamp.pattern.match(line)
        if found:
            return line[found.end() :].lstrip(" ")
    if framing.kind != "syslog":
        return None
    found = re.search(r" [^ ]+?(?:\[\d+\])?: ", line)
    return line[found.end() :] if found else None


def furthest(template: str, text: str) -> tuple[int, str | None]:
    """How much of a text a template reads, and what it wants next; None if it reads all."""
    parts = pieces(template)
    depth = 0
    depths = [depth := depth + {"open": 1, "close": -1}.get(piece.role, 0) for piece in parts]
    for cut in range(len(parts), 0, -1):
        if depths[cut - 1] or parts[cut - 1].cls in UP_TO:
            continue
        found = re.match("".join(expressions(parts[:cut])), text)
        if found:
            wanted = _wanted(parts[cut:]) if cut < len(parts) else "the end"
            return found.end(), wanted if found.end() < len(text) or cut < len(parts) else None
    return 0, _wanted(parts)


def _wanted(parts: Sequence[Piece]) -> str:
    piece = next(each for each in parts if each.role in ("literal", "capture"))
    if piece.role == "literal":
        return repr(piece.text)
    behind = next((each.text for each in parts[1:] if each.role == "literal"), None)
    before = f" up to {behind!r}" if piece.cls in UP_TO else ""
    return f"{{{piece.text}:{piece.cls}}}{before}"


class Trial(NamedTuple):
    """What a declaration makes of the first lines of a log."""

    lines: int
    event_lines: int
    foreign_lines: int
    blank_lines: int
    unparsed: list[dict[str, Any]]
    rows: list[dict[str, Any]]

    @property
    def share(self) -> float | None:
        """Which share of the lines that it claims is understood; None if it claims none."""
        claimed = self.event_lines + len(self.unparsed)
        return self.event_lines / claimed if claimed else None


def try_on(declaration: Declaration, lines: Sequence[str], zone: tzinfo, columns: Sequence[str]) -> Trial:
    """Reads lines of a log as if they were to be ingested."""
    result = read_lines(declaration, lines, zone, columns)
    counts = dict.fromkeys(("event", "foreign", "blank"), 0)
    for (_, what), count in result.coverage.items():
        counts[what] = counts.get(what, 0) + count
    unparsed = [
        {name: row[name] for name in ("line_no", "reason", "line")} for row in result.unparsed.to_pylist()
    ]
    rows = [_plain(row) for row in rows_of(result)]
    return Trial(len(lines), counts["event"], counts["foreign"], counts["blank"], unparsed, rows)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    first = ("line_no", "logged_at", "kind")
    rest = (name for name in row if name not in (*first, *LEFT_OUT))
    return {name: row[name] for name in (*first, *rest)}
