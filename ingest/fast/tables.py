"""The tables that the scanner looks things up in: literals, character classes, lists of shapes to try."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingest.fast.kernel import contract
from ingest.shapes import CaptureClass

UNBOUNDED: Final = 1 << 30


class Pool:
    """Literals, each from a whole word on."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self._words = 0

    def place(self, text: str) -> tuple[int, int]:
        """Where a literal's first word is, and its length in bytes."""
        data = text.encode("ascii")
        if data not in self._places:
            self._places[data] = self._words
            self._words += -(-len(data) // 8)
        return self._places[data], len(data)

    def words(self) -> contract.Words:
        """All literals, filled up with zeros."""
        filled = b"".join(data.ljust(-(-len(data) // 8) * 8, b"\0") for data in self._places)
        return np.frombuffer(filled or bytes(8), np.uint64)


class Lists:
    """Lists of shapes to try, each kept once and ended by -1."""

    def __init__(self) -> None:
        self.items = [-1]
        self._places: dict[tuple[int, ...], int] = {(): 0}

    def by_first_byte(self, shapes: Sequence[int], firsts: Sequence[Iterable[int]]) -> list[int]:
        """For each byte, where the list of the shapes is that may begin with it, in their order."""
        fitting: list[list[int]] = [[] for _ in range(256)]
        for shape, first_bytes in zip(shapes, firsts, strict=True):
            for byte in first_bytes:
                fitting[byte].append(shape)
        return [self._place(tuple(each)) for each in fitting]

    def _place(self, shapes: tuple[int, ...]) -> int:
        if shapes not in self._places:
            self._places[shapes] = len(self.items)
            self.items += [*shapes, -1]
        return self._places[shapes]


def number_rows(rows: Sequence[Sequence[int]], kind: type[np.integer[Any]], width: int) -> npt.NDArray[Any]:
    """A table of numbers; the machine code is compiled for two dimensions even where there is nothing."""
    return np.array(rows, kind).reshape(len(rows), width)


def class_table(alphabets: Sequence[Sequence[str]]) -> contract.Bytes:
    """256 bytes for each list of character classes: bit n of a byte says that class n has it."""
    table = np.zeros((len(alphabets), 256), np.uint8)
    for row, classes in enumerate(alphabets):
        for bit, characters in enumerate(classes):
            table[row, bytes_of(characters)] |= 1 << bit
    return table.reshape(-1)


def id_sizes_of(queue_ids: Sequence[Sequence[CaptureClass]]) -> contract.Ints:
    """Least and most characters by program and alphabet; an alphabet that there is not fits no id."""
    sizes = np.zeros((len(queue_ids), 8, 2), np.int64)
    for row, alphabets in enumerate(queue_ids):
        for place, (_, least, most) in enumerate(alphabets):
            sizes[row, place] = least, most or UNBOUNDED
    return sizes


def id_dashes_of(places: Sequence[Sequence[Sequence[int]]]) -> contract.Ints:
    """A bit for each dash, by program and alphabet."""
    dashes = np.zeros((len(places), 8), np.int64)
    for row, alphabets in enumerate(places):
        for alphabet, at in enumerate(alphabets):
            dashes[row, alphabet] = sum(1 << place for place in at)
    return dashes


def bytes_of(characters: str) -> list[int]:
    """The bytes of a character class; nothing but ASCII, and never the end of a line."""
    pattern = re.compile(f"[{characters}]")
    return [byte for byte in range(1, 128) if byte != 10 and pattern.match(chr(byte))]
