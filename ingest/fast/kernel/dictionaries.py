"""Texts that repeat, each noted once: hash tables of positions."""

import numpy as np

from ingest.fast.kernel.contract import (
    ABSENT,
    CONSTANT,
    ENTRIES,
    HOST,
    LENGTH_BITS,
    LENGTH_MASK,
    MAX_TAG_WORDS,
    Ints,
    SmallInts,
    Words,
)
from ingest.fast.kernel.machine import inlined, jit
from ingest.fast.kernel.words import MIX, hash_of, is_equal, low


@inlined
def find_entry(
    words: Words,
    position: int,
    length: int,
    dictionary: int,
    slots: SmallInts,
    entries: Ints,
    state: Ints,
    seed: np.uint64,
) -> int:
    """The number of a text of a dictionary, which is noted if it is new; -1 if there are too many."""
    mask = len(slots) - 1
    at = np.int64(hash_of(words, position, length, seed + np.uint64(dictionary) * MIX) & np.uint64(mask))
    while True:
        number = slots[at]
        if number < 0:
            break
        if (
            entries[number, 1] == length
            and entries[number, 2] == dictionary
            and is_equal(words, position, words, entries[number, 0], 8, length)
        ):
            return number
        at = (at + 1) & mask
    number = state[ENTRIES]
    if number >= len(entries):
        return -1
    slots[at] = number
    entries[number, 0] = position
    entries[number, 1] = length
    entries[number, 2] = dictionary
    state[ENTRIES] = number + 1
    return number


@jit
def note_constants(
    words: Words, constants: Ints, slots: SmallInts, entries: Ints, state: Ints, seed: np.uint64
) -> None:
    """Makes the constants the first entries of the dictionaries, in their order."""
    for row in range(len(constants)):
        find_entry(
            words, constants[row, 1], constants[row, 2], constants[row, 0], slots, entries, state, seed
        )


@inlined
def find_tag(
    words: Words, position: int, length: int, slots: SmallInts, text: Words, size: Ints, seed: np.uint64
) -> tuple[int, int]:
    """A tag's number, or -1; and where among the slots it is or would be. Half of the slots are free."""
    mask = len(slots) - 1
    at = np.int64(hash_of(words, position, length, seed) & np.uint64(mask))
    while True:
        number = slots[at]
        if number < 0:
            return -1, at
        if size[number] == length and is_equal(words, position, text, number * MAX_TAG_WORDS, 1, length):
            return number, at
        at = (at + 1) & mask


@inlined
def note_texts(
    words: Words,
    dictionaries: SmallInts,
    shape: int,
    count: int,
    absent: Words,
    absent_sizes: Ints,
    captures: Ints,
    first: int,
    slots: SmallInts,
    entries: Ints,
    state: Ints,
    seed: np.uint64,
) -> bool:
    """Makes entries of the captures that belong to dictionaries; false if there is no room."""
    for slot in range(count):
        dictionary = np.int64(dictionaries[shape, slot])
        capture = captures[first + slot]
        if dictionary < 0 or capture == ABSENT:
            continue
        if capture <= CONSTANT:
            captures[first + slot] = CONSTANT - capture
            continue
        position = capture >> LENGTH_BITS
        length = capture & LENGTH_MASK
        if length == absent_sizes[dictionary] and (words[position] & low(length)) == absent[dictionary]:
            captures[first + slot] = ABSENT
            continue
        number = find_entry(words, position, length, dictionary, slots, entries, state, seed)
        if number < 0:
            return False
        captures[first + slot] = number
    return True


@jit
def find_entry_of(
    words: Words, position: int, length: int, slots: SmallInts, entries: Ints, state: Ints, seed: np.uint64
) -> int:
    """The number of a host that no line names."""
    return find_entry(words, position, length, HOST, slots, entries, state, seed)


@jit
def number(values: Ints, numbers: SmallInts, used: SmallInts, codes: SmallInts) -> int:
    """Numbers values in the order in which they come -> how many there are; `used` has each once, ABSENT stays ABSENT.

    `numbers` are -1, as many as there can be values, and so they remain.
    """
    count = 0
    for row in range(len(values)):
        value = values[row]
        if value == ABSENT:
            codes[row] = ABSENT
            continue
        code = np.int64(numbers[value])
        if code < 0:
            code = count
            numbers[value] = count
            used[count] = value
            count += 1
        codes[row] = code
    for code in range(count):
        numbers[used[code]] = -1
    return count


@jit
def pack_sizes(entries: Ints, used: SmallInts, count: int) -> int:
    """How many bytes some entries have together."""
    size = 0
    for code in range(count):
        size += entries[used[code], 1]
    return size


@jit
def pack(words: Words, entries: Ints, used: SmallInts, count: int, offsets: SmallInts, out: Words) -> None:
    """The texts of some entries one after the other, as Arrow's string arrays hold them.

    `out` is where eight bytes are written at a time: up to seven behind the last text, too.
    """
    to = 0
    for code in range(count):
        offsets[code] = to
        begin, length = entries[used[code], 0], entries[used[code], 1]
        for each in range(0, length, 8):
            out[to + each] = words[begin + each]
        to += length
    offsets[count] = to
