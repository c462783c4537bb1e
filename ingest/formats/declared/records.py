"""Lines that are records: JSON objects, CSV and TSV rows, `key=value` pairs; and where in them a field is.

Pairs are `key=value key="a value"`; in a list, `key=value, key=value`, a value may have blanks, and goes on until the
next comma with a key behind it. What stands in <> is data: no key is looked for there.

A path is the name of a field, in JSON with dots between levels: `response.code`. `bouncedRecipients[].status` is the
status of each member of a list: the line then gives an event a member. A text is a path, or a text with paths in
braces: `{response.code} {response.content}`; it is absent where one of them is.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from ingest.errors import ParseError
from ingest.framing import storable

Record: TypeAlias = Mapping[str, Any]
Read: TypeAlias = Callable[[str], Record]

LIST: Final = "[]"
_DEEPEST: Final = 64
_PLACE: Final = re.compile(r"\{([^{}]+)\}")
_PAIR: Final = re.compile(r'(?<![\w.-])([A-Za-z_][\w.-]*+)=(?:"((?:[^"\\]|\\.)*)"|(<[^<>]*>|[^\s,;]*))')
_KEY: Final = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]*+)=")
_NEXT_KEY: Final = re.compile(r", (?=[A-Za-z_][\w.-]*+=)")
_ESCAPED: Final = re.compile(r"\\(.)")


class Path(NamedTuple):
    """Where a field is."""

    steps: tuple[str, ...]

    @classmethod
    def of(cls, text: str, is_nested: bool = True) -> "Path":
        """The path that is written so; without levels, dots belong to names."""
        steps = list[str]()
        for name in text.split(".") if is_nested else [text]:
            steps += [name.removesuffix(LIST), LIST] if name.endswith(LIST) else [name]
        return cls(tuple(step for step in steps if step))

    @property
    def is_list(self) -> bool:
        """Whether it has a value for each member of a list."""
        return LIST in self.steps

    def within(self, record: Record, member: int = 0) -> str | None:
        """The text that is there in a record, of one member of a list; None if there is none."""
        found: Any = record.get(self.steps[0])
        if isinstance(found, str) and len(self.steps) == 1:
            return found
        found = record
        for step in self.steps:
            if step == LIST:
                found = _members(found)[member : member + 1]
                found = found[0] if found else None
            else:
                found = found.get(step) if isinstance(found, dict) else None
        return _shown(found)

    def members(self, record: Record) -> int:
        """How many members its list has there."""
        found: Any = record
        for step in self.steps:
            if step == LIST:
                return len(_members(found))
            found = found.get(step) if isinstance(found, dict) else None
        return 1


class Text(NamedTuple):
    """What a column is made of: literals between paths."""

    literals: tuple[str, ...]
    paths: tuple[Path, ...]

    def within(self, record: Record, member: int = 0) -> str | None:
        """The text of a record; None where one of its fields is absent."""
        if len(self.paths) == 1 and self.literals == ("", ""):
            return self.paths[0].within(record, member)
        parts = [path.within(record, member) for path in self.paths]
        if None in parts:
            return None
        return "".join(
            literal + (part or "") for literal, part in zip(self.literals, [*parts, ""], strict=True)
        )


def _members(value: Any) -> list[Any]:  # noqa: ANN401  # whatever JSON holds
    """Of a list; what is none has itself."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def text_of(text: str, is_nested: bool = True) -> Text:
    """The text that is written so."""
    if "{" not in text:
        return Text(("", ""), (Path.of(text, is_nested),))
    parts = _PLACE.split(text)
    return Text(tuple(parts[::2]), tuple(Path.of(each, is_nested) for each in parts[1::2]))


def _shown(value: Any) -> str | None:  # noqa: ANN401  # as above
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(text for each in value if (text := _shown(each)) is not None)
    return str(value)


def json_record(line: str) -> Record:
    """A JSON object; ParseError if the line is none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"no JSON: {error}") from error
    if not isinstance(record, dict):
        raise ParseError("a JSON line that is no object")
    return _storable(record) if "\\u" in line else record


def _storable(value: Any, depth: int = 0) -> Any:  # noqa: ANN401  # as above
    """What escapes have put in may be what no Parquet text holds."""
    if depth > _DEEPEST:
        raise ParseError(f"JSON of more than {_DEEPEST} levels")
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {storable(key): _storable(each, depth + 1) for key, each in value.items()}
    return value


def pairs_record(line: str) -> Record:
    """`key=value key="a value"`; of a key that stands twice the first counts."""
    record: dict[str, str] = {}
    for key, quoted, bare in _PAIR.findall(line):
        record.setdefault(key, _ESCAPED.sub(r"\1", quoted) if quoted else bare)
    return record


def list_reader(last: str | None) -> Read:
    """Reads a list of pairs, and what stands before the first one as nothing; `last`: all behind that key is its value.

    Of a key that stands twice the last counts: who guesses passwords chooses the user's name, and the client that the
    server names stands behind it.
    """

    def read(text: str) -> Record:
        record: dict[str, str] = {}
        found = _KEY.match(text)
        if not found and (begins := _NEXT_KEY.search(text)):
            found = _KEY.match(text, begins.end())
        while found:
            key, begin = found[1], found.end()
            inside = text.find(">", begin) + 1 if text.startswith("<", begin) else begin
            end = None if key == last else _NEXT_KEY.search(text, inside or begin)
            record[key] = text[begin : end.start() if end else len(text)]
            found = _KEY.match(text, end.end()) if end else None
        if not record:
            raise ParseError("no list of pairs: key=value, key=value")
        return record

    return read


def cells(line: str, sign: str) -> list[str]:
    """The cells of a CSV or TSV line (RFC 4180). ParseError for a quote that does not end."""
    if '"' not in line:
        return line.split(sign)
    try:
        [row] = csv.reader([line], delimiter=sign, strict=True)
    except (csv.Error, ValueError) as error:
        raise ParseError(f"no line of CSV: {error}") from error
    return row


def row_reader(columns: Sequence[str], sign: str, lists: Mapping[str, str]) -> Read:
    """Reads the rows of a table of these columns. `lists`: what stands between members, by the columns that are lists."""

    def read(line: str) -> Record:
        row = cells(line, sign)
        if len(row) > len(columns) and any(row[len(columns) :]):
            raise ParseError(f"{len(row)} columns; there would be {len(columns)}: {', '.join(columns)[:200]}")
        record: dict[str, Any] = dict(zip(columns, row, strict=False))
        for name, between in lists.items():
            if record.get(name):
                record[name] = [member.strip() for member in record[name].split(between)]
        return record

    return read
