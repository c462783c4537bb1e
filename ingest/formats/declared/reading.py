"""A declaration as a `Format`: how its lines are framed, and what makes events of their messages.

A message is of the first pattern that fits. A pattern whose words know none of the message's, or a column of which
takes no such text, does not fit; if no other does, that is why the line is not understood.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from ingest.clock import Clock
from ingest.errors import ParseError
from ingest.formats.base import ANY_END, DAEMON, Event, FixedForms, Format, NoRecordError, Program, Row, Words
from ingest.formats.declared.declaration import (
    RECORDS,
    TEXT_FRAMINGS,
    Declaration,
    Framing,
    RecordPattern,
    TextPattern,
)
from ingest.formats.declared.records import (
    LIST,
    Path,
    Read,
    Record,
    cells,
    json_record,
    list_reader,
    pairs_record,
    row_reader,
)
from ingest.formats.declared.stamps import Stamp, read_stamp, steps_of
from ingest.formats.declared.values import CONVERSIONS, VOCABULARIES, check, is_checked, is_duration
from ingest.framing import Frame
from ingest.schema import Kind
from ingest.shapes import Shape, captures, compile_shape, pieces
from ingest.times import Moment

Fields: TypeAlias = dict[str, str | None]
Step: TypeAlias = Callable[[Fields], None]

# A sender may be empty: the null reverse-path of RFC 5321. Any other empty field is absent.
MAY_BE_EMPTY: Final = "sender"
_SIGNS: Final = {"csv": ",", "tsv": "\t"}
_READERS: Final[Mapping[str, Read]] = {"json": json_record, "pairs": pairs_record}
_RECORDS_KEPT: Final = 64


def format_of(declaration: Declaration, columns: Sequence[str] = ()) -> Format:
    """The format that a declaration describes; `columns` are those of a table whose header names others."""
    framing = declaration.framing
    claimed = {tag: Program(declaration.name, None, None, framing.daemon or tag) for tag in framing.programs}
    claimed |= (
        {}
        if framing.programs
        else {declaration.name: Program(declaration.name, None, None, declaration.name)}
    )
    if framing.kind in TEXT_FRAMINGS:
        readings = [
            reading
            for each in declaration.patterns
            if isinstance(each, TextPattern)
            for reading in _readings(each, declaration)
        ]
        parse, read = _text_parser(readings), None
    else:
        read = _reader_of(declaration, tuple(columns) or framing.columns)
        parse = _record_parser(declaration, read)
    return Format(
        declaration.name,
        lambda tag: claimed.get(tag.rpartition("/")[2]),
        parse,
        _fixed_forms(declaration) if framing.kind in TEXT_FRAMINGS else None,
        frame=_frame_of(declaration, read, tuple(columns) or framing.columns),
        has_syslog=framing.kind == "syslog",
        about=declaration.about,
    )


def header_of(declaration: Declaration, head: str) -> tuple[str, ...]:
    """The columns that a table's first lines name; none if they do not, or it is no table."""
    framing = declaration.framing
    if framing.header is None:
        return ()
    return next((found for line in head.split("\n") if (found := _header(framing, line.rstrip("\r")))), ())


def _header(framing: Framing, line: str) -> tuple[str, ...]:
    """The columns that a line names, if it does: the stamp's is among them, and the first is known."""
    if framing.header is None or not line.startswith(framing.header):
        return ()
    text = line[len(framing.header) :]
    if not text.startswith((*framing.columns, '"')):  # most lines are rows
        return ()
    try:
        names = tuple(name.strip() for name in cells(text, _SIGNS[framing.kind]))
    except ParseError:
        return ()
    has_stamp = any(field.steps[0] in names for field in framing.stamp_fields)
    return names if has_stamp and names[0] in framing.columns else ()


# Frames


def _frame_of(
    declaration: Declaration, read: Read | None, columns: tuple[str, ...]
) -> Callable[[str, Clock], Frame] | None:
    framing = declaration.framing
    if not framing.stamps:
        return None
    if framing.kind in TEXT_FRAMINGS:
        return _bare_frame(framing.stamps, _own_tag(declaration))
    assert read  # noqa: S101  # what is no text has a reader
    return _record_frame(framing, declaration.name, read, columns)


def _own_tag(declaration: Declaration) -> str:
    return (*declaration.framing.programs, declaration.name)[0]


def _bare_frame(stamps: Sequence[Stamp], tag: str) -> Callable[[str, Clock], Frame]:
    last: tuple[str, Clock | None, Moment] = "", None, Moment(0, 0)  # neighbours often share a second

    def frame(line: str, clock: Clock) -> Frame:
        nonlocal last
        for stamp in stamps:
            found = stamp.pattern.match(line)
            if found:
                text, of_clock, moment = last
                if text != found[0] or of_clock is not clock:
                    moment = stamp.read(found, clock)
                    last = found[0], clock, moment
                return Frame(moment, None, tag, None, line[found.end() :].lstrip(" "))
        forms = " or ".join(repr(stamp.form) for stamp in stamps)
        raise ParseError(f"no stamp of the form {forms} at the beginning")

    return frame


def _record_frame(
    framing: Framing, name: str, read: Read, columns: tuple[str, ...]
) -> Callable[[str, Clock], Frame]:
    def frame(line: str, clock: Clock) -> Frame:
        if framing.header is not None and line.startswith(framing.header):
            header = _header(framing, line)
            if header == columns:
                raise NoRecordError("a header")
            if header:
                raise ParseError(
                    f"other columns than before: {', '.join(header)[:200]}; a source has one header"
                )
        if framing.comment and line.startswith(framing.comment):
            raise NoRecordError("a comment")
        record = read(line)
        text = next((found for field in framing.stamp_fields if (found := field.within(record))), None)
        if text is None:
            names = " or ".join(repr(".".join(field.steps)) for field in framing.stamp_fields)
            raise ParseError(f"no field {names}, which has the stamp")
        host = framing.host_field.within(record) if framing.host_field else None
        return Frame(read_stamp(framing.stamps, text, clock), host or None, name, None, line)

    return frame


def _reader_of(declaration: Declaration, columns: tuple[str, ...]) -> Read:
    """Reads a line as a record; framing and parsing want the same, so the last ones are kept."""
    framing = declaration.framing
    read: Read
    if framing.kind in _READERS:
        read = _READERS[framing.kind]
    else:
        lists = {path.steps[0]: framing.list_sign for path in _lists(declaration) if framing.list_sign}
        read = row_reader(columns, _SIGNS[framing.kind], lists)
    return lru_cache(maxsize=_RECORDS_KEPT)(read)


def _paths(pattern: RecordPattern) -> Iterator[Path]:
    for text in (*pattern.fields.values(), *(part for part, _ in pattern.parts)):
        yield from text.paths


def _lists(declaration: Declaration) -> list[Path]:
    return [
        path
        for each in declaration.patterns
        if isinstance(each, RecordPattern)
        for path in _paths(each)
        if LIST in path.steps
    ]


# Steps: what is done with the columns of an event before it is one


def _steps(
    declaration: Declaration, captured: Mapping[str, str | None], constants: Mapping[str, str]
) -> list[Step]:
    """What columns need that are captured by these classes (None: they are fields)."""
    steps = list[Step]()
    for column, words in declaration.words.items():
        if words.of in captured and column not in constants:
            steps.append(_translation(column, words))
    durations = dict.fromkeys((name for name, cls in captured.items() if is_duration(name, cls)), "span")
    for column, form in {**durations, **declaration.convert}.items():
        if column in captured:
            steps.append(_conversion(column, form))
    translated = {
        column
        for column, words in declaration.words.items()
        if words.of in captured and column in VOCABULARIES
    }
    for column, cls in captured.items():
        if column not in (*translated, *constants) and (
            is_checked(column, cls) or column in declaration.convert
        ):
            steps.append(_check(column))
    return steps


def _translation(column: str, words: Words) -> Step:
    exact = {word: meaning for word, meaning in words.meanings.items() if not word.endswith(ANY_END)}
    begins = sorted(
        ((word[:-1], meaning) for word, meaning in words.meanings.items() if word.endswith(ANY_END)),
        key=lambda pair: -len(pair[0]),
    )

    def translate(fields: Fields) -> None:
        text = fields[words.of]
        if text is None:
            return
        meaning = exact.get(text)
        if meaning is None:
            meaning = next((meaning for word, meaning in begins if text.startswith(word)), None)
        if meaning is None:
            raise ParseError(
                f"{words.of} is {text[:40]!r}; [words.{column}] knows {', '.join(words.meanings)}"
            )
        fields[column] = meaning

    return translate


def _conversion(column: str, form: str) -> Step:
    convert = CONVERSIONS[form]

    def apply(fields: Fields) -> None:
        text = fields[column]
        if text is not None:
            fields[column] = convert(text)

    return apply


def _check(column: str) -> Step:
    def apply(fields: Fields) -> None:
        text = fields[column]
        if text is not None:
            check(column, text)

    return apply


def _event(kind: Kind, fields: Fields) -> Event:
    queue_id, daemon = fields.pop("queue_id", None), fields.pop(DAEMON, None)
    return Event(kind, queue_id, tuple(fields), tuple(fields.values()), daemon)


# Messages that are text


class Reading(NamedTuple):
    """One template of a pattern, compiled."""

    template: str
    shape: Shape
    steps: tuple[Step, ...]
    each: str | None
    constants: Mapping[str, str]
    record: "tuple[str, Read, _RecordReading] | None" = None  # the capture that is one


def _readings(pattern: TextPattern, declaration: Declaration) -> Iterator[Reading]:
    for template, constants in pattern.templates:
        shape = compile_shape(pattern.kind, template, constants)
        classes: dict[str, str | None] = {
            piece.text: piece.cls for piece in pieces(template) if piece.role == "capture" and piece.text
        }
        record = None
        if pattern.record:
            [capture] = [name for name in classes if name in RECORDS]
            del classes[capture]
            reading = _RecordReading.of(pattern.record, declaration)
            record = capture, _READERS.get(capture) or list_reader(pattern.last), reading
            classes |= dict.fromkeys(reading.columns)
        steps = _steps(declaration, classes | dict.fromkeys(constants, "constant"), constants)
        yield Reading(template, shape, tuple(steps), pattern.each, constants, record)


def _text_parser(readings: Sequence[Reading]) -> Callable[[Program, str], Event | list[Event]]:
    by_first = {
        first: tuple(each for each in readings if _first(each.template) in ("", first))
        for first in {"", *(_first(each.template) for each in readings)}
    }

    def parse(program: Program, message: str) -> Event | list[Event]:
        del program
        if message[-1:].isspace():
            message = message.rstrip()
        trouble: ParseError | None = None
        for reading in by_first.get(message[:1]) or by_first[""]:
            found = reading.shape.match(message)
            if not found:
                continue
            try:
                made = _made(reading, found.groups())
            except ParseError as error:
                trouble = trouble or error
                continue
            if made is not None:
                return made
        raise trouble or ParseError("no pattern of the format reads this message")

    return parse


def _first(template: str) -> str:
    return "" if template[:1] in ("{", "") else template[0]


def _made(reading: Reading, texts: tuple[str | None, ...]) -> Event | list[Event] | None:
    """The events of a message that its template fits; None if its record is not of the pattern."""
    fields: Fields = dict(zip(reading.shape.columns, texts + reading.shape.constants, strict=True))
    if reading.record:
        capture, read, pattern = reading.record
        record = read(fields.pop(capture) or "")
        if not pattern.is_of(record):
            return None
        fields = pattern.fields(record, 0) | fields
    for step in reading.steps:
        step(fields)
    if reading.each is None:
        return _event(reading.shape.kind, fields)
    members = [each.strip() for each in (fields[reading.each] or "").split(",")]
    return [
        _event(reading.shape.kind, fields | {reading.each: each.removeprefix("<").removesuffix(">")})
        for each in members
        if each
    ]


# Messages that are records


def _record_parser(declaration: Declaration, read: Read) -> Callable[[Program, str], Event | list[Event]]:
    patterns = [
        _RecordReading.of(each, declaration)
        for each in declaration.patterns
        if isinstance(each, RecordPattern)
    ]

    def parse(program: Program, message: str) -> Event | list[Event]:
        del program
        record, trouble = read(message), None
        for each in patterns:
            if not each.is_of(record):
                continue
            try:
                return each.events(record)
            except ParseError as error:
                trouble = trouble or error
        raise trouble or ParseError(f"no pattern is of this record; {_told(patterns, record)}")

    return parse


def _told(patterns: Sequence["_RecordReading"], record: Record) -> str:
    """What the fields are that patterns look at."""
    paths = dict.fromkeys(path for each in patterns for path, _ in each.pattern.when)
    return ", ".join(f"{'.'.join(path.steps)} is {(path.within(record) or '')[:40]!r}" for path in paths)


class _RecordReading(NamedTuple):
    """A pattern of records with what its columns need."""

    pattern: RecordPattern
    parts: tuple[tuple[Callable[[Record, int], str | None], tuple[Shape, ...]], ...]
    steps: tuple[Step, ...]
    lists: tuple[Path, ...]

    @classmethod
    def of(cls, pattern: RecordPattern, declaration: Declaration) -> "_RecordReading":
        parts = tuple(
            (text.within, tuple(compile_shape(pattern.kind, template, {}) for template in templates))
            for text, templates in pattern.parts
        )
        made = cls(pattern, parts, (), tuple(path for path in _paths(pattern) if path.is_list))
        classes: dict[str, str | None] = dict.fromkeys((*made.columns, *pattern.constants))
        return made._replace(steps=tuple(_steps(declaration, classes, pattern.constants)))

    @property
    def columns(self) -> list[str]:
        """What it fills."""
        return [
            *self.pattern.fields,
            *(column for _, shapes in self.parts for shape in shapes for column in shape.columns),
        ]

    def is_of(self, record: Record) -> bool:
        """Whether the fields that the pattern looks at say so."""
        return all(choice.has(path.within(record)) for path, choice in self.pattern.when)

    def events(self, record: Record) -> Event | list[Event]:
        """The event of a record, or those of the members of its lists."""
        if not self.lists:
            return self._event(record, 0)
        count = max(path.members(record) for path in self.lists)
        if not count:
            raise ParseError(f"{'.'.join(self.lists[0].steps)} has no members")
        return [self._event(record, member) for member in range(count)]

    def fields(self, record: Record, member: int) -> Fields:
        """What the record says, before words are translated."""
        fields: Fields = {column: text.within(record, member) for column, text in self.pattern.fields.items()}
        for part, shapes in self.parts:
            self._take_part(part(record, member), shapes, fields)
        return {
            column: text if text or column == MAY_BE_EMPTY else None for column, text in fields.items()
        } | dict(self.pattern.constants)

    def _event(self, record: Record, member: int) -> Event:
        fields = self.fields(record, member)
        for step in self.steps:
            step(fields)
        return _event(self.pattern.kind, fields)

    @staticmethod
    def _take_part(text: str | None, shapes: Sequence[Shape], fields: Fields) -> None:
        for shape in shapes:
            fields.update(dict.fromkeys(shape.columns, None) | fields)
        for shape in shapes:
            found = shape.match(text) if text else None
            if found:
                fields.update(zip(shape.columns, found.groups(), strict=True))
                return


# Messages whose form is data: what the fast lane reads


def _fixed_forms(declaration: Declaration) -> FixedForms:
    rows, left = list[Row](), set[str]()
    for pattern in declaration.patterns:
        if isinstance(pattern, TextPattern):
            for reading in _readings(pattern, declaration):
                rows.append((pattern.kind, (), reading.template, dict(reading.constants)))
                if not _is_simple(pattern, reading, declaration):
                    left.add(reading.template)
    framing = declaration.framing
    forms = FixedForms((), "", {}, {}, {}, frozenset(left), words=declaration.words)
    if framing.kind == "bare":
        stamp = steps_of(framing.stamps[0].form) if len(framing.stamps) == 1 else ()
        return forms._replace(without_id={"": tuple(rows)}, own_tag=_own_tag(declaration), stamp=stamp)
    daemons = (framing.daemon,) if framing.daemon else framing.programs
    return forms._replace(without_id=dict.fromkeys(daemons, tuple(rows)))


def _is_simple(pattern: TextPattern, reading: Reading, declaration: Declaration) -> bool:
    """Whether nothing needs to be done with what a reading captures but to look up words, and to read durations."""
    captured = captures(reading.template)
    durations = [
        piece
        for piece in pieces(reading.template)
        if is_duration(piece.text, piece.cls) and piece.text not in declaration.convert
    ]
    words = {
        column: words.of
        for column, words in declaration.words.items()
        if words.of in captured and column not in reading.constants
    }
    return (
        not (pattern.each or pattern.record or DAEMON in captured)
        and len(words) + len(durations) == len(reading.steps)
        and all(column == of or (column not in captured and of not in words) for column, of in words.items())
        and not any(of in words and words[of] != of for of in words.values())
    )
