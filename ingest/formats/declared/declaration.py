"""A format as its TOML file declares it, checked: what is wrong with one is said here, with the place and a remedy."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ingest.errors import ConfigError
from ingest.formats.base import ANY_END, DAEMON, Words
from ingest.formats.declared.grok import templates
from ingest.formats.declared.records import Path as RecordPath
from ingest.formats.declared.records import Text, text_of
from ingest.formats.declared.stamps import Stamp, stamp_of
from ingest.formats.declared.values import CONVERSIONS, VOCABULARIES
from ingest.readable import is_readable
from ingest.schema import ATTRIBUTES, FAMILY_BY_KIND, Kind
from ingest.shapes import ShapeError, captures, check

LEAST_SAMPLES: Final = 2
SUFFIX: Final = ".toml"

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,31}")
_KEYS: Final = frozenset("name about see limits server framing patterns words convert samples".split())
# kind of framing: (the keys that it must have, those that it may have)
_FRAMINGS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = MappingProxyType(
    {
        "syslog": (frozenset({"programs"}), frozenset({"stamp", "daemon"})),
        "bare": (frozenset({"stamp"}), frozenset()),
        "json": (frozenset({"stamp", "stamp_field"}), frozenset({"host_field"})),
        "pairs": (frozenset({"stamp", "stamp_field"}), frozenset({"host_field"})),
        "csv": (frozenset({"stamp", "stamp_field", "columns"}), frozenset({"host_field", "header", "comment", "list"})),
        "tsv": (frozenset({"stamp", "stamp_field", "columns"}), frozenset({"host_field", "header", "comment", "list"})),
    }
)  # fmt: skip
TEXT_FRAMINGS: Final = ("syslog", "bare")
# What a template may end with instead of a column: a record, whose fields are mapped as those of other records are.
RECORDS: Final = ("json", "pairs", "list")
_RECORD_KEYS: Final = frozenset({"kind", "when", "fields", "parts", "set"})
_TEXT_KEYS: Final = _RECORD_KEYS | {"template", "grok", "each", "last"}
_WORDS_OF: Final = "of"


@dataclass(frozen=True, slots=True)
class Framing:
    """How a line begins, or what record it is."""

    kind: str
    programs: tuple[str, ...] = ()
    daemon: str | None = None  # what all of them are called, if not as they call themselves
    stamps: tuple[Stamp, ...] = ()  # the forms that there are
    stamp_fields: tuple[RecordPath, ...] = ()  # the first that is there has the stamp
    host_field: RecordPath | None = None
    columns: tuple[str, ...] = ()
    header: str | None = None  # what stands before the names of columns; '' if nothing does
    comment: str | None = None
    list_sign: str | None = None


@dataclass(frozen=True, slots=True)
class TextPattern:
    """What a message of one form says. `templates` are its readings, each with the columns that it tells itself."""

    kind: Kind
    templates: tuple[tuple[str, Mapping[str, str]], ...]
    each: str | None = None  # the column that is a list, of which every member is an event
    record: "RecordPattern | None" = None  # what the record says that the templates end with
    last: str | None = None  # the key of a list behind which all is its value


@dataclass(frozen=True, slots=True)
class Choice:
    """Texts, and beginnings of texts; the empty beginning is of any text that is there."""

    texts: frozenset[str]
    beginnings: tuple[str, ...]

    def has(self, text: str | None) -> bool:
        """Whether a text is among them."""
        return text is not None and (text in self.texts or text.startswith(self.beginnings))


def choice_of(texts: Iterable[str]) -> Choice:
    """The choice that is written as texts, and beginnings with `*` behind them."""
    said = list(texts)
    return Choice(
        frozenset(text for text in said if not text.endswith(ANY_END)),
        tuple(text.removesuffix(ANY_END) for text in said if text.endswith(ANY_END)),
    )


@dataclass(frozen=True, slots=True)
class RecordPattern:
    """What a record says, if the texts of some of its fields are among those in `when`."""

    kind: Kind
    when: tuple[tuple[RecordPath, "Choice"], ...]
    fields: Mapping[str, Text]
    parts: tuple[tuple[Text, tuple[str, ...]], ...]  # templates, tried in their order on the text of a field
    constants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A line, and what columns its events must have."""

    line: str
    expected: tuple[Mapping[str, Any], ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declaration:
    """A format as declared. `origin` is its file."""

    name: str
    about: str
    framing: Framing
    patterns: tuple[TextPattern, ...] | tuple[RecordPattern, ...]
    words: Mapping[str, Words]
    convert: Mapping[str, str]
    samples: tuple[Sample, ...]
    origin: Path
    see: str = ""
    limits: tuple[str, ...] = ()
    text: str = ""  # of the file: to say where something stands in it


def load(file: Path) -> Declaration:
    """Reads a declaration. ConfigError says what is wrong with it, where, and what would be right."""
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; a format would be a file like panel.toml") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is no UTF-8 text: {error}") from error
    try:
        return _declaration(tomllib.loads(text), file, text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is no TOML: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error


def _declaration(said: Mapping[str, Any], file: Path, text: str) -> Declaration:
    _refuse_unknown(said, _KEYS, "")
    _demand(said, ("name", "framing", "patterns"), "a format")
    name = _text(said, "name")
    if not _NAME.fullmatch(name):
        raise ConfigError(f"name = {name!r}; it would be small letters, digits and dashes")
    framing = _framing(_table(said, "framing"))
    patterns = _patterns(_tables(said, "patterns"), framing)
    words = {column: _words(column, each) for column, each in _table(said, "words").items()}
    convert = dict(_table(said, "convert"))
    filled = _columns_of(patterns)
    fillable = {column for each in patterns for column in _known_columns(each.kind)}
    for column, each in words.items():
        _refuse_column(column, fillable, f"words.{column}: no pattern has such a column")
        _refuse_column(each.of, filled, f"words.{column}: no pattern fills {each.of!r}")
    for column in convert:
        _refuse_column(column, filled, f"convert.{column}: no pattern fills it")
    for column, form in convert.items():
        if form not in CONVERSIONS:
            raise ConfigError(f"convert.{column} = {form!r}; there are {', '.join(CONVERSIONS)}")
    samples = tuple(_samples(_tables(said, "samples")))
    if len(samples) < LEAST_SAMPLES:
        raise ConfigError(
            f"{len(samples)} samples; a format has at least {LEAST_SAMPLES}, each a [[samples]] with line = '...' and "
            "expect = { ... }: they are its test"
        )
    return Declaration(
        name,
        _text(said, "about", ""),
        framing,
        patterns,
        words,
        convert,
        samples,
        file,
        _text(said, "see", ""),
        _texts(said, "limits"),
        text,
    )


def _framing(said: Mapping[str, Any]) -> Framing:
    kind = _text(said, "kind", "")
    if kind not in _FRAMINGS:
        raise ConfigError(f"framing.kind = {kind!r}; there are {', '.join(_FRAMINGS)}")
    needed, allowed = _FRAMINGS[kind]
    _refuse_unknown(said, {"kind"} | needed | allowed, "framing.")
    _demand(said, sorted(needed), f"framing of the kind {kind}")
    return Framing(
        kind,
        _texts(said, "programs"),
        _text(said, "daemon") if "daemon" in said else None,
        tuple(map(stamp_of, _texts(said, "stamp"))),
        tuple(RecordPath.of(each, "columns" not in said) for each in _texts(said, "stamp_field")),
        RecordPath.of(_text(said, "host_field"), "columns" not in said) if "host_field" in said else None,
        _texts(said, "columns"),
        _text(said, "header") if "header" in said else None,
        _text(said, "comment") if "comment" in said else None,
        _text(said, "list") if "list" in said else None,
    )


def _patterns(
    said: Sequence[Mapping[str, Any]], framing: Framing
) -> tuple[TextPattern, ...] | tuple[RecordPattern, ...]:
    if not said:
        raise ConfigError("no [[patterns]]; a format has at least one")
    of_text = framing.kind in TEXT_FRAMINGS
    for number, each in enumerate(said, start=1):
        with_place = f"patterns {number}: "
        _refuse_unknown(each, _TEXT_KEYS if of_text else _RECORD_KEYS, with_place)
        if each.get("kind") not in list(Kind):
            near = _nearest(str(each.get("kind")), list(map(str, Kind)))
            raise ConfigError(f"{with_place}kind = {each.get('kind')!r}; the nearest known one is {near!r}")
    found = []
    for number, each in enumerate(said, start=1):
        try:
            found.append(_text_pattern(each, framing) if of_text else _record_pattern(each, framing))
        except (ConfigError, ShapeError) as error:
            raise ConfigError(f"patterns {number}: {error}") from error
    return tuple(found)  # type: ignore[return-value]  # all are of one sort


def _text_pattern(said: Mapping[str, Any], framing: Framing) -> TextPattern:
    kind = Kind(said["kind"])
    record = _record_pattern(said, framing)
    constants = record.constants
    if ("template" in said) == ("grok" in said):
        raise ConfigError("a pattern has either a template or a grok")
    read = templates(_text(said, "grok")) if "grok" in said else [(_text(said, "template"), {})]
    for template, told in read:
        _check_template(template)
        columns = captures(template)
        records = [column for column in columns if column in RECORDS]
        if len(records) > 1 or bool(records) != bool(record.fields or record.when or record.parts):
            raise ConfigError(
                f"{template!r}: fields, when and parts are of a record; it ends with {{pairs:rest}} or so"
            )
        for column in (*columns, *told):
            _refuse_column(column, {*_known_columns(kind), *RECORDS}, f"{template!r}: no column {column!r}")
        twice = [column for column in {*columns} if [*columns, *told, *constants].count(column) > 1]
        if twice:
            raise ConfigError(f"{template!r} fills {twice[0]!r} twice")
    each = _text(said, "each") if "each" in said else None
    return TextPattern(
        kind,
        tuple((template, {**told, **constants}) for template, told in read),
        each,
        record if records else None,
        _text(said, "last") if "last" in said else None,
    )


def _check_template(template: str) -> None:
    """Whether there is one reading only, without going back: then no line takes longer than its length."""
    check(template)
    if not is_readable(template):
        raise ConfigError(
            f"{template!r} could backtrack: an optional group and what may follow it begin alike, or more than a "
            "literal stands behind {:rest}; write two patterns"
        )


def _record_pattern(said: Mapping[str, Any], framing: Framing) -> RecordPattern:
    kind = Kind(said["kind"])
    when = tuple(
        (
            _checked(RecordPath.of(field, _is_nested(framing)), framing),
            choice_of(_words_of(value, f"when.{field}")),
        )
        for field, value in _table(said, "when").items()
    )
    fields = {
        column: _checked_text(text_of(_string(value, f"fields.{column}"), _is_nested(framing)), framing)
        for column, value in _table(said, "fields").items()
    }
    parts = []
    for field, value in _table(said, "parts").items():
        readings = tuple(_words_of(value, f"parts.{field}"))
        for template in readings:
            _check_template(template)
            for column in captures(template):
                _refuse_column(column, _known_columns(kind), f"{template!r}: no column {column!r}")
        parts.append((_checked_text(text_of(field, _is_nested(framing)), framing), readings))
    for column in fields:
        _refuse_column(column, _known_columns(kind), f"fields: no column {column!r}")
    return RecordPattern(kind, when, fields, tuple(parts), _constants(said, kind))


def _is_nested(framing: Framing) -> bool:
    return not framing.columns


def _checked_text(text: Text, framing: Framing) -> Text:
    for path in text.paths:
        _checked(path, framing)
    return text


def _checked(path: RecordPath, framing: Framing) -> RecordPath:
    """A column that a CSV file does not have would never be filled."""
    if framing.columns and path.steps[0] not in framing.columns:
        near = _nearest(str(path.steps[0]), framing.columns)
        raise ConfigError(f"there is no column {path.steps[0]!r} in framing.columns; the nearest is {near!r}")
    return path


def _constants(said: Mapping[str, Any], kind: Kind) -> dict[str, str]:
    constants = {column: _string(value, f"set.{column}") for column, value in _table(said, "set").items()}
    for column, value in constants.items():
        _refuse_column(column, _known_columns(kind), f"set: no column {column!r}")
        if column in VOCABULARIES and value not in VOCABULARIES[column]:
            raise ConfigError(f"set.{column} = {value!r}; there are {', '.join(VOCABULARIES[column])}")
    return constants


def _words(column: str, said: object) -> Words:
    if not isinstance(said, dict):
        raise ConfigError(f"words.{column} = {said!r}; it would be a table of words and what they mean")
    meanings = {
        word: _string(value, f"words.{column}.{word}") for word, value in said.items() if word != _WORDS_OF
    }
    for word, meaning in meanings.items():
        if column in VOCABULARIES and meaning not in VOCABULARIES[column]:
            known = ", ".join(VOCABULARIES[column])
            raise ConfigError(f"words.{column}: {word!r} means {meaning!r}; there are {known}")
    return Words(_string(said.get(_WORDS_OF, column), f"words.{column}.of"), meanings)


def _samples(said: Sequence[Mapping[str, Any]]) -> Iterator[Sample]:
    for number, each in enumerate(said, start=1):
        _refuse_unknown(each, {"line", "expect", "columns"}, f"samples {number}: ")
        _demand(each, ("line", "expect"), f"sample {number}")
        expected = each["expect"] if isinstance(each["expect"], list) else [each["expect"]]
        if not expected or not all(isinstance(row, dict) and row for row in expected):
            raise ConfigError(f"samples {number}: expect is a table of columns, or a list of such")
        for row in expected:
            if row.get("kind") not in list(Kind):
                raise ConfigError(
                    f"samples {number}: expect says no kind; it would be one of {', '.join(Kind)}"
                )
        yield Sample(_text(each, "line"), tuple(expected), _texts(each, "columns"))


def _columns_of(patterns: Iterable[TextPattern | RecordPattern]) -> set[str]:
    """What some pattern fills."""
    columns = set[str]()
    for each in patterns:
        if isinstance(each, TextPattern):
            for template, constants in each.templates:
                columns |= {*captures(template), *constants}
        record = each.record if isinstance(each, TextPattern) else each
        if record:
            columns |= {*record.fields, *record.constants}
            for _, readings in record.parts:
                columns |= {column for template in readings for column in captures(template)}
    return columns


def _known_columns(kind: Kind) -> set[str]:
    """Those of its family; and what its program is, where the server says it in the message."""
    return {"queue_id", DAEMON, *ATTRIBUTES[FAMILY_BY_KIND[kind]]}


def _refuse_column(column: str, known: Iterable[str], problem: str) -> None:
    if column not in set(known):
        raise ConfigError(f"{problem}; the nearest known one is {_nearest(column, sorted(known))!r}")


def _refuse_unknown(said: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in said:
        if key not in set(known):
            near = _nearest(key, sorted(known))
            raise ConfigError(f"{where}unknown key {key!r}; the nearest known one is {near!r}")


def _nearest(word: str, known: Sequence[str]) -> str:
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0)), "")


def _demand(said: Mapping[str, Any], keys: Iterable[str], what: str) -> None:
    for key in keys:
        if key not in said:
            raise ConfigError(f"no {key}; {what} has one")


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{where} = {value!r}; it would be a text in quotes")
    return value


def _text(said: Mapping[str, Any], key: str, default: str | None = None) -> str:
    return _string(said.get(key, default), key)


def _texts(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(_words_of(said.get(key, []), key))


def _words_of(value: object, where: str) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigError(f"{where} = {value!r}; it would be a list of texts: ['...', '...']")
    return list(value)


def _table(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = said.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{key} = {value!r}; it would be a table")
    return value


def _tables(said: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    value = said.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ConfigError(f"{key} is {value!r}; each of them begins with [[{key}]]")
    return value
