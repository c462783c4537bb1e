"""Which templates can be read without going back, so that one look at each byte is enough.

`ingest.shapes.check` sees to it for captures. The scanner decides on an optional group by its literal and the
character behind it: what else may follow must not begin so.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from ingest.shapes import Piece, ShapeError, check, class_of, closing, is_endless, pieces


def is_readable(template: str) -> bool:
    """Whether reading it once from the left finds what its regular expression finds."""
    try:
        check(template)
    except ShapeError:
        return False
    parts = pieces(template)
    for position, piece in enumerate(parts):
        if is_endless(piece.cls) and tail_of(parts, position) is None:
            return False
        if piece.role == "open":
            behind = set(_starts(parts, closing(parts, position) + 1))
            if _may_begin(parts, behind, _head(parts, position)):
                return False
    return True


def tail_of(parts: Sequence[Piece], position: int) -> str | None:
    """The literal that ends the line behind a `rest`; None if more than that follows."""
    behind = [piece for piece in parts[position + 1 :] if piece.role != "close"]
    if len(behind) > 1 or (behind and behind[0].role != "literal"):
        return None
    return behind[0].text if behind else ""


def class_behind(parts: Sequence[Piece], opening: int) -> str | None:
    """The class whose character must stand behind a group's literal, if there is one."""
    piece = parts[opening + 2]
    return piece.cls if piece.role == "capture" and class_of(piece.cls).minimum else None


@cache
def letters(cls: str) -> frozenset[str]:
    """The ASCII characters of a class."""
    pattern = re.compile(f"[{class_of(cls).characters}]")
    return frozenset(chr(byte) for byte in range(128) if pattern.match(chr(byte)))


def _head(parts: Sequence[Piece], opening: int) -> list[frozenset[str]]:
    """What the scanner looks at before it enters a group, character by character."""
    head = [frozenset(character) for character in parts[opening + 1].text]
    behind = class_behind(parts, opening)
    return [*head, letters(behind)] if behind else head


def _starts(parts: Sequence[Piece], position: int) -> Iterator[int]:
    """The literals and captures that may stand first from `position` on; the number of parts is the line's end."""
    while position < len(parts):
        piece = parts[position]
        if piece.role in ("literal", "capture"):
            yield position
            if piece.role == "literal" or class_of(piece.cls).minimum:
                return
        elif piece.role == "open":
            yield position + 1
            position = closing(parts, position)
        position += 1
    yield len(parts)


def _may_begin(parts: Sequence[Piece], starts: set[int], head: Sequence[frozenset[str]]) -> bool:
    """Whether a text that begins with `head` can be read from one of `starts` on."""
    places = {(start, 0) for start in starts}
    for expected in head:
        after: set[tuple[int, int]] = set()
        for position, offset in places:
            if position < len(parts):
                after |= _steps(parts, position, offset, expected)
        places = after
    return bool(places)


def _steps(
    parts: Sequence[Piece], position: int, offset: int, expected: frozenset[str]
) -> set[tuple[int, int]]:
    """Where reading may be after one of the expected characters was read at a place in a template."""
    piece = parts[position]
    if piece.role == "literal" and piece.text[offset] not in expected:
        return set()
    if piece.role == "literal" and offset + 1 < len(piece.text):
        return {(position, offset + 1)}
    if piece.role == "capture" and not letters(piece.cls) & expected:
        return set()
    behind = {(start, 0) for start in _starts(parts, position + 1)}
    return behind | {(position, 0)} if piece.role == "capture" else behind
