"""The second compiler of shapes: templates become programs of a few operations for the scanner.

A row that the scanner cannot read, or whose captures it cannot store, becomes the operation that declines.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from ingest.batch import ABSENT
from ingest.fast.kernel import contract
from ingest.fast.tables import (
    UNBOUNDED,
    Lists,
    Pool,
    bytes_of,
    class_table,
    id_dashes_of,
    id_sizes_of,
    number_rows,
)
from ingest.formats import find_formats
from ingest.formats.base import ANY_END, DAEMON, FixedForms, Row, Turn
from ingest.readable import class_behind, is_readable, tail_of
from ingest.schema import ATTRIBUTES, COUNT, FAMILY_BY_KIND, FRAME, SECONDS, TEXT, Family, Kind
from ingest.shapes import CLASSES, LED, NO_REMARKS, UP_TO, Piece, class_of, is_endless, pieces

# What hardly repeats within a chunk is not looked up in a dictionary. Parquet gets it as it lies in the log.
UNIQUE_TEXTS: Final = frozenset({"line", "message_id", "reply", "recipient", "sender"})
# The other texts are numbered, each column by itself; a text that means nothing there gets no number.
DICTIONARIES: Final = {
    name: number
    for number, name in enumerate(
        dict.fromkeys(
            name
            for columns in ({"host": TEXT, "queue_id": TEXT}, *ATTRIBUTES.values())
            for name, kind in columns.items()
            if kind == TEXT and name not in UNIQUE_TEXTS
        )
    )
}
_TYPES: Final = {name: kind for columns in (FRAME, *ATTRIBUTES.values()) for name, kind in columns.items()}
_NO_SLOT: Final = -1
_STAMP_STEPS: Final = {
    "%Y": contract.YEAR, "%m": contract.MONTH, "%b": contract.MONTH_NAME, "%d": contract.DAY_OF_MONTH, "%H": contract.HOUR,
    "%M": contract.MINUTE, "%S": contract.SECOND, "%f": contract.FRACTION, "%z": contract.OFFSET, "[T ]": contract.DAY_ENDS,
    "[.,]%f?": contract.MAY_BE_FRACTION, "%z?": contract.MAY_BE_OFFSET,
}  # fmt: skip
_MOST_DIGITS: Final = 18
_IN_PART: Final = re.compile(r"([^{}]+)|\{(\w+)\}")

Operation = tuple[int, int, int, int, int]


class Fixed(NamedTuple):
    """One row of a format, compiled: which slot of its captures each column is, and which text it is always."""

    kind: Kind
    family: Family
    slots: Mapping[str, int]
    constants: Mapping[str, int]  # which of `Tables.constants`
    daemon: str | None = None  # where the message tells it, and not the tag


class Own(NamedTuple):
    """What the lines of a server's own files are: their frame's tag, and the number of the program that reads them."""

    tag: str
    program: int


class Programs(NamedTuple):
    """All that the scanner needs to know of some formats."""

    tables: contract.Tables
    shapes: tuple[Fixed, ...]
    ranked: tuple[Fixed, ...]  # by family and kind: alike lines side by side compress better
    ranks: contract.SmallInts  # where each of `shapes` is in `ranked`
    constants: bytes
    numbers: Mapping[tuple[str, str], int]  # of a program, by format and daemon
    own: Own | None


class _Compiler:
    """Programs in the making."""

    def __init__(self) -> None:
        self.pool = Pool()
        self.ops: list[Operation] = []
        self.starts: list[int] = []
        self.twins: list[int] = []
        self.shapes: list[Fixed] = []
        self.classes = list(CLASSES)
        self.words: list[tuple[int, int, int, int]] = []
        self.constants: dict[tuple[int, str], int] = {}  # (dictionary, text)
        self._known: dict[tuple[object, ...], int] = {}

    def shape(self, row: Row, has_id: bool, forms: FixedForms, left: Set[Kind]) -> int:
        """The number of a row's shape; the same row of another daemon has the same. Kinds may be left, too."""
        kind, _, template, *rest = row
        constants = rest[0] if rest else {}
        is_left = template in forms.left or kind in left
        key = (kind, template, tuple(constants.items()), has_id, is_left)
        if key not in self._known:
            self._known[key] = len(self.shapes)
            self.starts.append(len(self.ops))
            self.shapes.append(self._compile(kind, template, constants, has_id, forms, is_left))
            self._add_twin(forms.turns)
        return self._known[key]

    def _add_twin(self, turns: Mapping[str, Turn]) -> None:
        """Behind a shape that may turn into another kind, the same of that kind."""
        shape = self.shapes[-1]
        kinds = [turn.kind for column, turn in turns.items() if column in shape.slots]
        self.twins.append(len(self.shapes) if kinds else -1)
        if kinds:
            self.twins.append(-1)
            self.starts.append(self.starts[-1])
            self.shapes.append(shape._replace(kind=kinds[0]))

    def _compile(
        self,
        kind: Kind,
        template: str,
        constants: Mapping[str, str],
        has_id: bool,
        forms: FixedForms,
        is_left: bool,
    ) -> Fixed:
        family = FAMILY_BY_KIND[kind]
        parts = pieces(template)
        captures = [piece.text for piece in parts if piece.role == "capture" and piece.text]
        made = _made(captures, forms)
        codes = {column: code for column, code in forms.replies.items() if column in captures}
        texts = {name: text for name, text in constants.items() if _type_of(name) == TEXT}
        counts = {name: text for name, text in constants.items() if name not in texts}
        told = [
            name
            for name, words in forms.words.items()
            if words.of in captures and words.of != name and name not in constants
        ]
        names = ["queue_id"] * has_id + [*captures, *made, *codes.values(), *counts, *told]
        slots = {name: place for place, name in enumerate(names)}
        numbers = {name: self._constant(name, text) for name, text in texts.items() if name != DAEMON}
        fixed = Fixed(kind, family, slots, numbers, constants.get(DAEMON))
        parts_only = {*_parts_only(forms)} & {*captures}
        if is_left and is_readable(template):
            self._emit(parts, {}, forms, ())
            self.ops.append((contract.DECLINE, 0, 0, 0, _NO_SLOT))
        elif (
            is_readable(template)
            and _can_tell(forms, slots)
            and _is_storable(fixed, parts, counts, [name for name in names if name not in parts_only])
        ):
            self.ops += [(contract.SET, int(count), 0, 0, slots[name]) for name, count in counts.items()]
            self._emit(parts, slots, forms, [*captures, *told])
            for column, code in codes.items():
                self.ops.append((contract.REPLY, slots[code], 0, 0, slots[column]))
            for column, other in forms.repeated.items():
                if column in captures and other in captures:
                    self.ops.append((contract.REPEATED, slots[column], 0, 0, slots[other]))
            for column, texts_of in made.items():
                for text in texts_of:
                    self._make(text, slots, slots[column])
            self.ops.append((contract.END, 0, 0, 0, _NO_SLOT))
        else:
            self.ops.append((contract.DECLINE, 0, 0, 0, _NO_SLOT))
        return fixed

    def _make(self, text: str, slots: Mapping[str, int], slot: int) -> None:
        """Adds one part to a text that is put together: `I=[{I}]:{I_port}`."""
        begin = len(self.ops)
        for literal, capture in _IN_PART.findall(text):
            if literal:
                self.ops.append((contract.TEXT, *self.pool.place(literal), 0, slot))
            else:
                self.ops.append((contract.COPY, slots[capture], 0, 0, slot))
        end = len(self.ops) + 1
        self.ops.insert(begin, (contract.PART, slots[_captures_of(text)[0]], 0, end, slot))

    def _words(
        self, texts: Iterable[str], meanings: Mapping[str, int] = MappingProxyType({})
    ) -> tuple[int, int]:
        """Where some words are among all words: the first, the end. They may mean a constant each."""
        first = len(self.words)
        self.words += [
            (
                *self.pool.place(text.removesuffix(ANY_END)),
                meanings.get(text, _NO_SLOT),
                text.endswith(ANY_END),
            )
            for text in texts
        ]
        return first, len(self.words)

    def _class(self, name: str) -> int:
        """The number of a class; one that is spelt out gets its number here."""
        if name not in self.classes:
            self.classes.append(name)
        return self.classes.index(name)

    def _constant(self, column: str, text: str) -> int:
        key = (DICTIONARIES.get(column, contract.HOST), text)
        return self.constants.setdefault(key, len(self.constants))

    def _emit(
        self, parts: Sequence[Piece], slots: Mapping[str, int], forms: FixedForms, captures: Sequence[str]
    ) -> None:
        options: list[int] = []
        skip = -1
        for position, piece in enumerate(parts):
            if position == skip:
                continue
            if piece.role == "literal":
                self.ops.append((contract.LITERAL, *self.pool.place(piece.text), 0, _NO_SLOT))
            elif piece.role == "open":
                skip = position + 1
                options.append(len(self.ops))
                behind = class_behind(parts, position)
                cls = self._class(behind) if behind else _NO_SLOT
                self.ops.append((contract.OPTION, *self.pool.place(parts[skip].text), 0, cls))
            elif piece.role == "close":
                option = options.pop()
                self.ops[option] = (*self.ops[option][:3], len(self.ops), self.ops[option][4])
            else:
                if piece.cls.endswith(LED):
                    self.ops.append((contract.PEEK, self._class(piece.cls), 0, 0, _NO_SLOT))
                self.ops.append(self._capture(parts, position, slots.get(piece.text, _NO_SLOT)))
                if piece.text in captures:
                    self._look_at(piece.text, {name: slots[name] for name in captures}, forms)

    def _look_at(self, column: str, slots: Mapping[str, int], forms: FixedForms) -> None:
        """What the text of a capture means for its row."""
        if column in forms.turns:
            words = self._words(sorted(forms.turns[column].texts))
            self.ops.append((contract.TURN, *words, 0, slots[column]))
        for name, told in forms.words.items():
            if told.of == column and name in slots:
                numbers = {
                    word: self._constant(name, text)
                    for word, text in told.meanings.items()
                    if name in DICTIONARIES
                }
                words = self._words(sorted(told.meanings, key=_is_less_exact), numbers)
                self.ops.append((contract.WORD, *words, slots[name], slots[column]))

    def _capture(self, parts: Sequence[Piece], position: int, slot: int) -> Operation:
        piece = parts[position]
        cls = self._class(piece.cls)
        _, least, most = class_of(piece.cls)
        if is_endless(piece.cls):
            words = self._words(NO_REMARKS) if piece.cls == "remark" else (0, 0)
            return contract.REST, len(tail_of(parts, position) or ""), *words, slot
        if piece.cls in UP_TO:
            operation = contract.UPTO if least else contract.DATA
            return operation, *self.pool.place(parts[position + 1].text), cls, slot
        if piece.cls == "num":
            return contract.DECIMAL, 0, 0, 0, slot
        if piece.cls == "quoted":
            return contract.QUOTED, 0, 0, 0, slot
        if piece.cls == "duration":
            return contract.DURATION, 0, 0, 0, slot
        if piece.cls == "enhanced":
            return contract.ENHANCED, 0, 0, 0, slot
        if piece.text and _type_of(piece.text) == COUNT:
            return contract.INTEGER, 0, 0, most or UNBOUNDED, slot
        return contract.SPAN, cls, least, most or UNBOUNDED, slot


def _is_storable(
    fixed: Fixed, parts: Sequence[Piece], counts: Mapping[str, str], filled: Sequence[str]
) -> bool:
    """Whether each column gets one capture or constant, of a form that suits its type."""
    names = [*filled, *fixed.constants]
    return (
        len(set(names)) == len(names)
        and not UNIQUE_TEXTS & fixed.constants.keys()
        and set(names) <= {"queue_id", *ATTRIBUTES[fixed.family]}
        and all(_type_of(name) == COUNT and text.isdecimal() for name, text in counts.items())
        and all(_suits(piece) for piece in parts if piece.role == "capture" and piece.text)
    )


def _suits(piece: Piece) -> bool:
    """Whether a capture's class is of a form that its column can hold."""
    kind = _type_of(piece.text)
    if kind == COUNT:
        characters, _, most = class_of(piece.cls)
        return characters == "0-9" and (most or UNBOUNDED) <= _MOST_DIGITS
    numbers = {"num", "duration"}
    return piece.cls in numbers if kind == SECONDS else piece.cls not in numbers


def _made(captures: Sequence[str], forms: FixedForms) -> dict[str, list[str]]:
    """The columns that are put together from some captures, with the parts that there may be."""
    fitting = {
        column: [part for part in parts if {*_captures_of(part)} <= {*captures}]
        for column, parts in forms.made.items()
    }
    return {column: parts for column, parts in fitting.items() if parts}


def _can_tell(forms: FixedForms, slots: Mapping[str, int]) -> bool:
    """Whether what words mean can be stored: as a constant that is not nothing. Parts stay as they are."""
    columns = set().union(*ATTRIBUTES.values())
    return all(
        name in DICTIONARIES and ABSENT.get(name) not in words.meanings.values()
        for name, words in forms.words.items()
        if name in columns and name in slots and words.of in slots
    )


def _is_less_exact(word: str) -> tuple[bool, int]:
    """Whole words are looked for first, then the longest beginnings."""
    return word.endswith(ANY_END), -len(word)


def _parts_only(forms: FixedForms) -> Iterable[str]:
    """Captures that are no columns."""
    return (name for parts in forms.made.values() for part in parts for name in _captures_of(part))


def _captures_of(part: str) -> list[str]:
    return [capture for _, capture in _IN_PART.findall(part) if capture]


def _type_of(column: str) -> pa.DataType:
    return _TYPES.get(column, TEXT)


def _first_bytes(template: str) -> Iterable[int]:
    """The bytes that a message of this template can begin with."""
    first = pieces(template)[0]
    if first.role == "literal":
        return [ord(first.text[0])]
    if first.role == "capture" and class_of(first.cls).minimum:
        return bytes_of(class_of(first.cls).characters)
    return range(256)


def _dispatch(
    compiler: _Compiler, lists: Lists, forms: FixedForms, daemon: str, left: Set[Kind]
) -> list[list[int]]:
    """The shapes of a daemon's messages by their first byte: of those without an id, and of those behind one."""
    found = []
    for has_id, rows in ((False, forms.without_id), (True, forms.with_id)):
        of_daemon = rows.get(daemon, ())
        shapes = [compiler.shape(row, has_id, forms, left) for row in of_daemon]
        found.append(lists.by_first_byte(shapes, [_first_bytes(row[2]) for row in of_daemon]))
    return found


@lru_cache
def compile_formats(name: str) -> Programs:
    """Programs of the formats that `--format NAME` means, as far as they say in data what their messages look like."""
    compiler = _Compiler()
    lists = Lists()
    numbers: dict[tuple[str, str], int] = {}
    dispatch: list[list[int]] = []
    forms_of: list[FixedForms] = []
    own: Own | None = None
    stamp: tuple[str, ...] = ()
    for each in find_formats(name):
        if each.fixed is None or not (each.has_syslog or each.fixed.stamp):
            continue
        for daemon in sorted(each.fixed.with_id.keys() | each.fixed.without_id.keys()):
            numbers[each.name, daemon] = len(forms_of)
            # Whether a line is a copy of the one before, the reference knows; in a server's own files there are none
            dispatch += _dispatch(compiler, lists, each.fixed, daemon, each.copied)
            forms_of.append(each.fixed)
        if each.fixed.own_tag and own is None:
            own, stamp = Own(each.fixed.own_tag, len(forms_of)), each.fixed.stamp
            dispatch += _dispatch(compiler, lists, each.fixed, "", frozenset())
            forms_of.append(each.fixed)
    tables = contract.Tables(
        id_dashes=id_dashes_of([forms.dashes for forms in forms_of]),
        after_id=number_rows([compiler.pool.place(forms.after_id) for forms in forms_of], np.int64, 2),
        no_id=number_rows([compiler.pool.place(forms.no_queue_id) for forms in forms_of], np.int64, 2),
        ops=number_rows(compiler.ops, np.int32, 5),
        starts=np.array(compiler.starts, np.int32),
        twins=np.array(compiler.twins, np.int32),
        slots=np.array([len(shape.slots) for shape in compiler.shapes], np.int32),
        literals=compiler.pool.words(),
        words=number_rows(compiler.words, np.int64, 4),
        classes=class_table([[class_of(name).characters] for name in compiler.classes]),
        dispatch=number_rows(dispatch, np.int32, 256),
        candidates=np.array(lists.items, np.int32),
        id_alphabets=class_table([[each.characters for each in forms.queue_ids] for forms in forms_of]),
        id_sizes=id_sizes_of([forms.queue_ids for forms in forms_of]),
        dictionaries=_dictionaries(compiler.shapes),
        absent=np.array([_word(ABSENT.get(name, "")) for name in DICTIONARIES], np.uint64),
        absent_sizes=np.array([len(ABSENT.get(name, "")) or -1 for name in DICTIONARIES], np.int64),
        constants=number_rows(_places(compiler.constants), np.int64, 3),
        stamp=number_rows([_stamp_step(step) for step in stamp], np.int32, 2),
    )
    order = sorted(range(len(compiler.shapes)), key=lambda number: _rank(compiler.shapes[number]))
    return Programs(
        tables=tables,
        shapes=tuple(compiler.shapes),
        ranked=tuple(compiler.shapes[number] for number in order),
        ranks=np.argsort(order).astype(np.int32),
        constants="".join(text for _, text in compiler.constants).encode(),
        numbers=numbers,
        own=own,
    )


def _rank(shape: Fixed) -> tuple[Family, int]:
    return shape.family, list(Kind).index(shape.kind)


def _dictionaries(shapes: Sequence[Fixed]) -> contract.SmallInts:
    """Which dictionary each capture of each shape belongs to."""
    table = np.full((len(shapes), max((len(shape.slots) for shape in shapes), default=0)), -1, np.int32)
    for row, shape in enumerate(shapes):
        for name, slot in shape.slots.items():
            table[row, slot] = DICTIONARIES.get(name, -1)
    return table


def _stamp_step(step: str) -> tuple[int, int]:
    return (contract.CHARACTER, ord(step)) if len(step) == 1 else (_STAMP_STEPS[step], 0)


def _word(text: str) -> int:
    return int.from_bytes(text.encode(), "little")


def _places(constants: Iterable[tuple[int, str]]) -> list[tuple[int, int, int]]:
    """(dictionary, position, length) of constants that lie one after the other."""
    places, position = [], 0
    for dictionary, text in constants:
        places.append((dictionary, position, len(text)))
        position += len(text)
    return places
