"""Bytes, eight at a time: `words[i]` are those at `i` as one little-endian number."""

from typing import Final

import numpy as np

from ingest.fast.kernel.contract import Bytes, Words
from ingest.fast.kernel.machine import inlined, jit

_NEWLINES: Final = np.uint64(0x0A0A0A0A0A0A0A0A)
_ONES: Final = np.uint64(0x0101010101010101)
_HIGHS: Final = np.uint64(0x8080808080808080)
ZERO: Final = np.uint64(0)
_RANKS: Final = np.uint64(0x0001020304050607)
_SEVEN: Final = np.uint64(7)
_TOP: Final = np.uint64(56)
HALF: Final = np.uint64(32)
MIX: Final = np.uint64(0x9FB21C651E98DF25)
_MIX_B: Final = np.uint64(0xD6E8FEB86659FD93)
_FULL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_BITS: Final = np.uint64(8)
# Places without a sign: numba then leaves out the look for places counted from the end
ONE: Final = np.uint64(1)
_EIGHT: Final = np.uint64(8)
_WORD: Final = np.uint64(64)


def words_of(buffer: Bytes) -> Words:
    """The eight bytes from each place of a buffer on, as far as there are eight."""
    return np.ndarray((len(buffer) - 7,), np.uint64, buffer, strides=(1,))


@inlined
def first_newline(words: Words, position: int) -> int:
    """Where the line ends that goes on at a position."""
    at = np.uint64(position)
    while True:
        word = words[at] ^ _NEWLINES
        found = (word - _ONES) & ~word & _HIGHS
        if found != ZERO:
            lowest = (found & (~found + ONE)) >> _SEVEN
            return np.int64(at + ((lowest * _RANKS) >> _TOP))
        at += _EIGHT


@jit
def low(count: int) -> np.uint64:
    """A mask for the first 1 to 8 bytes of a word."""
    return _FULL >> (_WORD - _BITS * np.uint64(count))


@inlined
def is_equal(words: Words, position: int, others: Words, other: int, step: int, length: int) -> bool:
    """Whether `length` bytes are the same; `step` is how many entries of `others` eight bytes take."""
    one = np.uint64(position)
    two = np.uint64(other)
    stride = np.uint64(step)
    while length > 8:
        if words[one] != others[two]:
            return False
        one += _EIGHT
        two += stride
        length -= 8
    return length == 0 or ((words[one] ^ others[two]) & low(length)) == ZERO


@inlined
def hash_of(words: Words, position: int, length: int, seed: np.uint64) -> np.uint64:
    """A number that depends on every byte of a text; who does not know the seed cannot choose it."""
    at = np.uint64(position)
    value = np.uint64(length) * _MIX_B ^ seed
    while length > 8:
        value = (value ^ words[at]) * MIX
        value ^= value >> HALF
        at += _EIGHT
        length -= 8
    if length > 0:
        value = (value ^ (words[at] & low(length))) * MIX
    value ^= value >> HALF
    value *= _MIX_B
    return value ^ (value >> HALF)
