"""The machine code of the fast lane: bytes to numbers, without Python objects and without the interpreter's lock.

Whatever is not surely what the reference would read is declined. All numbers are positions in one buffer: the texts of
constants, then the lines, each ended by a newline, then texts that are put together from parts of lines, then `SPARE`
bytes that may be read and mean nothing. Bytes are compared eight at a time: `words[i]` are those at `i` as one
little-endian number.

It is one file because numba keeps machine code by the file of its source alone: code that called another file's
functions would be kept when these change.
"""

from typing import Any, Final, NamedTuple, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from ingest.fast.cache import has_cache

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]
Ints: TypeAlias = npt.NDArray[np.int64]
SmallInts: TypeAlias = npt.NDArray[np.int32]

# Operations of a shape's program: (operation, a, b, c, slot of the capture or -1)
LITERAL: Final = 0  # a: where in the literals, b: length
SPAN: Final = 1  # a: class, b and c: least and most characters
INTEGER: Final = 2  # c: most digits
DECIMAL: Final = 3
REST: Final = (
    4  # a: length of the literal that ends the line; b and c: the first and the end of the words of a remark
)
OPTION: Final = 5  # as LITERAL; c: where to go on if it is not there; slot: the class that must follow, or -1
TURN: Final = 6  # a and b: the first and the end of the words with which the capture makes the shape its twin
UPTO: Final = 7  # a: where in the literals, b: length, c: class
ENHANCED: Final = 8
DECLINE: Final = 9
END: Final = 10
DATA: Final = 11  # as UPTO, and may be nothing
PEEK: Final = 12  # a: class of the character that must follow
QUOTED: Final = 13
DURATION: Final = 14
WORD: Final = (
    15  # a and b: the first and the end of the words that the capture may be; c: slot of what they mean
)
SET: Final = 16  # a: the number that the slot becomes
REPEATED: Final = 17  # a and slot: an address and another that is told alone where it says the same
REPLY: Final = 18  # a: slot of the enhanced code
PART: Final = 19  # begins a part of a text that is put together; a: slot of its first capture, c: where to go on without
TEXT: Final = 20  # a and b: literal that is added to it
COPY: Final = 21  # a: capture that is added to it

# Steps of a stamp that a declaration spells: (step, byte)
CHARACTER: Final = 0  # this byte
YEAR: Final = 1
MONTH: Final = 2
MONTH_NAME: Final = 3
DAY_OF_MONTH: Final = 4
HOUR: Final = 5
MINUTE: Final = 6
SECOND: Final = 7
FRACTION: Final = 8
OFFSET: Final = 9
DAY_ENDS: Final = 10  # a T or a blank
MAY_BE_FRACTION: Final = 11
MAY_BE_OFFSET: Final = 12

# What the scanner's state holds
POSITION: Final = 0
LINE: Final = 1
ROWS: Final = 2
CAPTURES: Final = 3
DECLINED: Final = 4
BLANK: Final = 5
ENTRIES: Final = 6
WANTED: Final = 7  # what Python has to tell before the line at POSITION can be read: a day, or a tag
WANTED_AT: Final = 8
WANTED_SIZE: Final = 9
MADE: Final = 10  # where the texts end that were put together, ...
MADE_NOW: Final = 11  # ... those of the line under way included, ...
MADE_LIMIT: Final = 12  # ... and how far they may reach
OWN_PROGRAM: Final = (
    13  # of the lines of a server's own files, their tag, and the entry of their host: -1 if nobody's
)
OWN_TAG: Final = 14
OWN_HOST: Final = 15
OWN_LINES: Final = 16  # how many were understood
IS_BEHIND_OWN: Final = 17  # whether the line before was one
STATE_SIZE: Final = 18
NOTHING: Final = 0
DAY: Final = 1
TAG: Final = 2

ABSENT: Final = -1  # a capture that is not there
FOREIGN: Final = -1  # a tag that no format claims
FOR_REFERENCE: Final = -2  # a tag whose lines the reference reads

HOST: Final = 0  # the dictionary of host names; the others are columns

# A capture is its position and length in one number
LENGTH_BITS: Final = 20
LENGTH_MASK: Final = (1 << LENGTH_BITS) - 1
# Below ABSENT a capture is a constant: -2 - its number
CONSTANT: Final = -2

SPARE: Final = 64
MAX_MESSAGE: Final = 32_768  # as in ingest.batch
MAX_TAG_WORDS: Final = 8
FIRST_YEAR: Final = 1971
END_YEAR: Final = 2100
FIRST_DAY: Final = 365  # days from 1970 to FIRST_YEAR
QUARTER_S: Final = 900
# In the table of offsets 0 means that Python has not told yet
OFFSET_BIAS: Final = 200_000
OFFSET_UNSURE: Final = -1

_SECOND_US: Final = 1_000_000
_NEWLINES: Final = np.uint64(0x0A0A0A0A0A0A0A0A)
_ONES: Final = np.uint64(0x0101010101010101)
_HIGHS: Final = np.uint64(0x8080808080808080)
_ZERO: Final = np.uint64(0)
_RANKS: Final = np.uint64(0x0001020304050607)
_SEVEN: Final = np.uint64(7)
_TOP: Final = np.uint64(56)
_HALF: Final = np.uint64(32)
_MIX_A: Final = np.uint64(0x9FB21C651E98DF25)
_MIX_B: Final = np.uint64(0xD6E8FEB86659FD93)
_FULL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_BITS: Final = np.uint64(8)
# Places without a sign: numba then leaves out the look for places counted from the end
_ONE: Final = np.uint64(1)
_EIGHT: Final = np.uint64(8)
_WORD: Final = np.uint64(64)
_MESSAGE_R: Final = np.uint64(int.from_bytes(b"message ", "little"))
_REPEATED: Final = np.uint64(int.from_bytes(b"repeated", "little"))


class Tables(NamedTuple):
    """What compile.py makes of the formats."""

    ops: SmallInts  # (operation, a, b, c, slot) a row
    starts: SmallInts  # where a shape's program begins
    slots: SmallInts  # how many captures a shape has, the queue id included
    literals: Words
    # of TURN, REST and WORD: (position in literals, length, constant that it means or -1, whether anything may follow)
    words: Ints
    twins: SmallInts  # by shape: the shape that TURN makes of it
    classes: Bytes  # 256 a class: 1 for the bytes in it
    dispatch: SmallInts  # by 2 * program + has queue id, and first byte: where in `candidates`
    candidates: SmallInts  # shapes in the order they are tried, each list ended by -1
    id_alphabets: Bytes  # by program: a bit an alphabet of queue ids that holds a byte
    id_sizes: Ints  # by program: least and most characters of each alphabet
    id_dashes: (
        Ints  # by program: where in an id of each alphabet dashes must be, a bit a place; 0 for anywhere
    )
    no_id: Ints  # by program: (position in literals, length)
    after_id: Ints
    dictionaries: SmallInts  # by shape and slot: the dictionary that its text belongs to, or -1
    absent: Words  # by dictionary: the text that means nothing, or 0
    absent_sizes: Ints
    constants: Ints  # (dictionary, position, length) a row
    stamp: SmallInts  # (step, byte) a row: how each line begins, if it is none of syslog's


class Tags(NamedTuple):
    """The tags met so far and what their lines are: a program's number, FOREIGN or FOR_REFERENCE."""

    slots: SmallInts
    text: Words
    size: Ints
    program: SmallInts
    count: Ints  # one entry


class Rows(NamedTuple):
    """What the scanner tells, an entry a line that it understood."""

    shape: SmallInts
    start: Ints
    head: Words  # length and first four bytes, as a string_view begins
    moment_us: Ints
    offset_s: SmallInts
    host: SmallInts  # an entry
    tag: SmallInts
    pid: Ints
    line: Ints
    first_capture: Ints
    captures: Ints  # numbers; entries of dictionaries; positions and lengths of texts that no dictionary has
    declined: Ints  # (line, position, length, whether behind a line of a server's own file) an entry
    tag_events: Ints
    tag_foreign: Ints
    entry_slots: SmallInts
    entries: Ints  # (position, length, dictionary) of each text of the dictionaries, once


def words_of(buffer: Bytes) -> Words:
    """The eight bytes from each place of a buffer on, as far as there are eight."""
    return np.ndarray((len(buffer) - 7,), np.uint64, buffer, strides=(1,))


def _jit(function: Any) -> Any:
    return numba.njit(nogil=True, cache=has_cache(), error_model="numpy", _nrt=False)(function)


def _inlined(function: Any) -> Any:
    """What is called for each line or text: an array is seven arguments, and a call's on the stack cost as much as it does."""
    return numba.njit(nogil=True, cache=has_cache(), error_model="numpy", _nrt=False, forceinline=True)(
        function
    )


@_inlined
def _first_newline(words: Words, position: int) -> int:
    at = np.uint64(position)
    while True:
        word = words[at] ^ _NEWLINES
        found = (word - _ONES) & ~word & _HIGHS
        if found != _ZERO:
            lowest = (found & (~found + _ONE)) >> _SEVEN
            return np.int64(at + ((lowest * _RANKS) >> _TOP))
        at += _EIGHT


@_jit
def _low(count: int) -> np.uint64:
    """A mask for the first 1 to 8 bytes of a word."""
    return _FULL >> (_WORD - _BITS * np.uint64(count))


@_inlined
def _is_equal(words: Words, position: int, others: Words, other: int, step: int, length: int) -> bool:
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
    return length == 0 or ((words[one] ^ others[two]) & _low(length)) == _ZERO


@_inlined
def _hash(words: Words, position: int, length: int, seed: np.uint64) -> np.uint64:
    at = np.uint64(position)
    value = np.uint64(length) * _MIX_B ^ seed
    while length > 8:
        value = (value ^ words[at]) * _MIX_A
        value ^= value >> _HALF
        at += _EIGHT
        length -= 8
    if length > 0:
        value = (value ^ (words[at] & _low(length))) * _MIX_A
    value ^= value >> _HALF
    value *= _MIX_B
    return value ^ (value >> _HALF)


@_jit
def _two_digits(buffer: Bytes, position: int) -> int:
    """0 to 99, or -1."""
    tens = np.int64(buffer[position]) - 48
    units = np.int64(buffer[position + 1]) - 48
    return tens * 10 + units if 0 <= tens <= 9 and 0 <= units <= 9 else -1


@_jit
def _time_of_day(buffer: Bytes, position: int) -> int:
    """Seconds of `hh:mm`, or -1."""
    hour = _two_digits(buffer, position)
    minute = _two_digits(buffer, position + 3)
    if buffer[position + 2] != 58 or hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return -1
    return hour * 3600 + minute * 60


@_jit
def _days_to(year: int, month: int) -> int:
    """Days from 1970 to the first of a month (Hinnant, chrono-compatible low-level date algorithms)."""
    year -= month <= 2
    century_part = year % 400
    month_part = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5
    return (
        (year // 400) * 146_097
        + century_part * 365
        + century_part // 4
        - century_part // 100
        + month_part
        - 719_468
    )


@_jit
def _bsd_minute(buffer: Bytes, position: int, month_keys: Ints, year: int) -> int:
    """Local seconds since 1970 of `Nov 23 19:00`, or -1."""
    key = (
        (np.int64(buffer[position]) << 16)
        | (np.int64(buffer[position + 1]) << 8)
        | np.int64(buffer[position + 2])
    )
    month = 0
    for each in range(12):
        if month_keys[each] == key:
            month = each + 1
    if month == 0 or year == 0 or buffer[position + 3] != 32 or buffer[position + 6] != 32:
        return -1
    tens = np.int64(buffer[position + 4])
    units = np.int64(buffer[position + 5]) - 48
    tens = 0 if tens == 32 else tens - 48
    day = tens * 10 + units
    time = _time_of_day(buffer, position + 7)
    if tens < 0 or tens > 3 or units < 0 or units > 9 or day < 1 or time < 0:
        return -1
    days = _days_to(year, month)
    if days + day - 1 >= (_days_to(year, month + 1) if month < 12 else _days_to(year + 1, 1)):
        return -1
    return (days + day - 1) * 86_400 + time


@_jit
def _iso_minute(buffer: Bytes, position: int, between: int) -> int:
    """Local seconds since 1970 of `2026-11-23T19:00`, or -1; `between` is what stands for the T."""
    century = _two_digits(buffer, position)
    year = _two_digits(buffer, position + 2)
    month = _two_digits(buffer, position + 5)
    day = _two_digits(buffer, position + 8)
    if buffer[position + 4] != 45 or buffer[position + 7] != 45 or buffer[position + 10] != between:
        return -1
    if century < 0 or year < 0 or month < 1 or month > 12 or day < 1:
        return -1
    year += 100 * century
    if year < FIRST_YEAR or year >= END_YEAR:
        return -1
    days = _days_to(year, month)
    if days + day - 1 >= (_days_to(year, month + 1) if month < 12 else _days_to(year + 1, 1)):
        return -1
    time = _time_of_day(buffer, position + 11)
    return -1 if time < 0 else (days + day - 1) * 86_400 + time


@_jit
def _fraction(buffer: Bytes, position: int) -> tuple[int, int]:
    """Where the digits at `position` end, and the microseconds that they mean."""
    begin = position
    value = np.int64(0)
    while 48 <= buffer[position] <= 57:
        if position - begin < 6:
            value = value * 10 + np.int64(buffer[position]) - 48
        position += 1
    for _ in range(position - begin, 6):
        value *= 10
    return position, value


@_jit
def _iso_offset(buffer: Bytes, position: int) -> tuple[int, int]:
    """Where `Z`, `+02`, `+0200` or `+02:00` ends, and its seconds; -1 if it is none."""
    sign = buffer[position]
    if sign == 90:
        return position + 1, 0
    hours = _two_digits(buffer, position + 1)
    minutes = 0
    position += 3
    if buffer[position] != 32:
        if buffer[position] == 58:
            position += 1
        minutes = _two_digits(buffer, position)
        position += 2
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
        return -1, 0
    seconds = hours * 3600 + minutes * 60
    return position, -seconds if sign == 45 else seconds


@_jit
def _declared_stamp(
    buffer: Bytes, position: int, steps: SmallInts, month_keys: Ints
) -> tuple[int, int, int, int, bool]:
    """Where a declared stamp ends, its local seconds since 1970, microseconds, and its offset, if it has one.

    The end is -1 if it is not surely one: numbers of fewer digits and months of other languages are the reference's.
    """
    none = (np.int64(-1), np.int64(0), np.int64(0), np.int64(0), False)
    year, month, day, seconds = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    fraction_us, offset, has_offset = np.int64(0), np.int64(0), False
    for number in range(steps.shape[0]):
        step = steps[number, 0]
        byte = np.int64(buffer[position])
        if step == CHARACTER:
            if byte != steps[number, 1]:
                return none
            position += 1
        elif step == DAY_ENDS:
            if byte != 84 and byte != 32:
                return none
            position += 1
        elif step == MONTH_NAME:
            key = (byte << 16) | (np.int64(buffer[position + 1]) << 8) | np.int64(buffer[position + 2])
            for each in range(12):
                if month_keys[each] == key:
                    month = np.int64(each + 1)
            behind = buffer[position + 3]
            if behind == 46 or 65 <= behind <= 90 or 97 <= behind <= 122:
                return none  # a longer name
            position += 3
        elif step == FRACTION or step == MAY_BE_FRACTION:
            if step == MAY_BE_FRACTION:
                if (byte != 46 and byte != 44) or buffer[position + 1] < 48 or buffer[position + 1] > 57:
                    continue
                position += 1
            begin = position
            position, fraction_us = _fraction(buffer, begin)
            if not 1 <= position - begin <= 9:
                return none
        elif step == OFFSET or step == MAY_BE_OFFSET:
            if byte != 90 and byte != 43 and byte != 45:
                if step == MAY_BE_OFFSET:
                    continue
                return none
            position, offset = _iso_offset(buffer, position)
            if position < 0:
                return none
            has_offset = True
        else:
            value = _two_digits(buffer, position)
            position += 2
            if step == YEAR:
                units = _two_digits(buffer, position)
                position += 2
                year = 100 * value + units if value >= 0 and units >= 0 else np.int64(-1)
            elif step == MONTH:
                month = np.int64(value)
            elif step == DAY_OF_MONTH:
                day = np.int64(value)
            elif value < 0 or value > (23 if step == HOUR else 59):
                return none
            else:
                seconds += value * (3600 if step == HOUR else 60 if step == MINUTE else 1)
    if year < FIRST_YEAR or year >= END_YEAR or month < 1 or month > 12 or day < 1:
        return none
    days = _days_to(year, month) + day - 1
    if days >= (_days_to(year, month + 1) if month < 12 else _days_to(year + 1, 1)):
        return none
    return position, days * 86_400 + seconds, fraction_us, offset, has_offset


@_jit
def _is_dated(buffer: Bytes, position: int) -> bool:
    """Whether a message may begin with a stamp, as forwarded lines do; more are told so than do."""
    if buffer[position] == 60:
        begin = position + 1
        position = begin
        while 48 <= buffer[position] <= 57 and position - begin < 3:
            position += 1
        if position == begin or buffer[position] != 62:
            return False
        behind = buffer[position + 1]
        return 48 <= behind <= 57 or 65 <= behind <= 90 or 97 <= behind <= 122 or behind >= 128
    if buffer[position + 3] == 32:
        after = buffer[position + 4]
        return after == 32 or 48 <= after <= 57
    return buffer[position + 4] == 45 and 48 <= buffer[position] <= 57


@_jit
def _process(buffer: Bytes, position: int) -> tuple[int, int]:
    """Where `[1234]` ends, and its number; -1 if it is none."""
    position += 1
    begin = position
    number = np.int64(0)
    while 48 <= buffer[position] <= 57 and position - begin < 10:
        number = number * 10 + np.int64(buffer[position]) - 48
        position += 1
    if position == begin or buffer[position] != 93:
        return -1, 0
    return position + 1, number


@_jit
def _may_be_tag(buffer: Bytes, position: int) -> bool:
    """Whether the second word is like a syslog tag, and so the line perhaps not of a server's own file."""
    while buffer[position] != 32 and buffer[position] != 10:
        position += 1
    if buffer[position] == 10:
        return False
    position += 1
    begin = position
    while (
        buffer[position] > 32 and buffer[position] != 58 and buffer[position] != 91 and buffer[position] != 93
    ):
        position += 1
    if position == begin:
        return False
    if buffer[position] == 91:
        position, _ = _process(buffer, position)
    return position > 0 and buffer[position] == 58


@_jit
def _has_dashes(buffer: Bytes, position: int, length: int, places: int) -> bool:
    """Whether an id's dashes are where they must be, and nowhere else."""
    odd = 0
    for place in range(length):
        odd += (buffer[position + place] == 45) != ((places >> place) & 1)
    return odd == 0


@_jit
def _is_plain(buffer: Bytes, start: int, end: int) -> bool:
    """Whether all bytes are ASCII, and none is NUL."""
    odd = 0
    for position in range(start, end):
        byte = buffer[position]
        odd += (byte == 0) | (byte >= 128)
    return odd == 0


@_inlined
def _find_entry(
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
    at = np.int64(_hash(words, position, length, seed + np.uint64(dictionary) * _MIX_A) & np.uint64(mask))
    while True:
        number = slots[at]
        if number < 0:
            break
        if (
            entries[number, 1] == length
            and entries[number, 2] == dictionary
            and _is_equal(words, position, words, entries[number, 0], 8, length)
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


@_jit
def note_constants(
    words: Words, constants: Ints, slots: SmallInts, entries: Ints, state: Ints, seed: np.uint64
) -> None:
    """Makes the constants the first entries of the dictionaries, in their order."""
    for row in range(len(constants)):
        _find_entry(
            words, constants[row, 1], constants[row, 2], constants[row, 0], slots, entries, state, seed
        )


@_inlined
def find_tag(
    words: Words, position: int, length: int, slots: SmallInts, text: Words, size: Ints, seed: np.uint64
) -> tuple[int, int]:
    """A tag's number, or -1; and where among the slots it is or would be. Half of the slots are free."""
    mask = len(slots) - 1
    at = np.int64(_hash(words, position, length, seed) & np.uint64(mask))
    while True:
        number = slots[at]
        if number < 0:
            return -1, at
        if size[number] == length and _is_equal(words, position, text, number * MAX_TAG_WORDS, 1, length):
            return number, at
        at = (at + 1) & mask


@_inlined
def _span_end(buffer: Bytes, classes: Bytes, number: int, begin: int, end: int) -> int:
    """Where the bytes of a class end that stand from `begin` on."""
    at = np.uint64(begin)
    last = np.uint64(end)
    row = np.uint64(number << 8)
    while at < last and classes[row + np.uint64(buffer[at])] == 1:
        at += _ONE
    return np.int64(at)


@_jit
def _enhanced_code(buffer: Bytes, position: int) -> int:
    """Where `5.7.1` ends (RFC 3463), or -1."""
    if buffer[position] != 50 and buffer[position] != 52 and buffer[position] != 53:
        return -1
    position += 1
    for _ in range(2):
        if buffer[position] != 46:
            return -1
        position += 1
        begin = position
        while 48 <= buffer[position] <= 57 and position - begin < 3:
            position += 1
        if position == begin:
            return -1
    return position


@_jit
def _milliseconds(buffer: Bytes, position: int) -> tuple[int, int]:
    """Where `2h1m50s` or `1.578s` ends, and how long that is; -1 if it is none, or more exact."""
    total = np.int64(0)
    rank = 0
    while 48 <= buffer[position] <= 57:
        begin = position
        value = np.int64(0)
        while 48 <= buffer[position] <= 57 and position - begin < 9:
            value = value * 10 + np.int64(buffer[position]) - 48
            position += 1
        digits = position - begin
        unit = buffer[position]
        thousandths = np.int64(0)
        if unit == 46:
            point = position
            for _ in range(3):
                thousandths *= 10
                if 48 <= buffer[position + 1] <= 57:
                    position += 1
                    thousandths += np.int64(buffer[position]) - 48
            position += 1
            unit = buffer[position]
            if position == point + 1 or unit != 115:
                return -1, 0
        size = np.int64(0)
        before = rank
        if unit == 119:
            rank, size = 1, np.int64(604_800)
        elif unit == 100:
            rank, size = 2, np.int64(86_400)
        elif unit == 104:
            rank, size = 3, np.int64(3_600)
        elif unit == 109:
            rank, size = 4, np.int64(60)
        elif unit == 115:
            rank, size = 5, np.int64(1)
        if size == 0 or rank <= before or (rank < 5 and digits > 4):
            return -1, 0
        total += value * size * 1000 + thousandths
        position += 1
    return position if rank > 0 else -1, total


@_jit
def _is_repeated(buffer: Bytes, one: int, other: int) -> bool:
    """Whether an address is another, but for the case of letters, and perhaps for the domain."""
    begin, length = one >> LENGTH_BITS, one & LENGTH_MASK
    other_begin, other_length = other >> LENGTH_BITS, other & LENGTH_MASK
    if length > other_length:
        return False
    for each in range(length):
        a, b = np.int64(buffer[begin + each]), np.int64(buffer[other_begin + each])
        a += 32 * (65 <= a <= 90)
        b += 32 * (65 <= b <= 90)
        if a != b:
            return False
    for each in range(length + 1, other_length):
        if buffer[other_begin + each] == 64:
            return False
    return length == other_length or buffer[other_begin + length] == 64


@_jit
def _reply_code(buffer: Bytes, reply: int) -> int:
    """The capture of the enhanced code in an SMTP reply, or ABSENT; CONSTANT if the reply needs the reference.

    That is what is nothing, has control characters, begins with digits and no code, or ends with a field of its line.
    """
    begin, length = reply >> LENGTH_BITS, reply & LENGTH_MASK
    stop = begin + length
    word = begin
    for at in range(begin, stop):
        if buffer[at] < 32:
            return CONSTANT
        if buffer[at] == 32:
            word = at + 1
    if buffer[word] == 68 and buffer[word + 1] == 84 and buffer[word + 2] == 61:
        return CONSTANT
    if length == 0:
        return CONSTANT
    if not 48 <= buffer[begin] <= 57:
        return ABSENT
    if length < 5 or (buffer[begin + 3] != 32 and buffer[begin + 3] != 45):
        return CONSTANT
    for at in range(begin, begin + 3):
        if not 48 <= buffer[at] <= 57:
            return CONSTANT
    if buffer[begin] != 50 and buffer[begin] != 52 and buffer[begin] != 53:
        return ABSENT
    end = _enhanced_code(buffer, begin + 4)
    if end < 0 or end > stop or (end < stop and buffer[end] != 32):
        return ABSENT
    return ((begin + 4) << LENGTH_BITS) | (end - begin - 4)


@_jit
def _plain_text(buffer: Bytes, text: int, made: int) -> int:
    """Writes a text without its escapes of new lines, which become blanks, and of quotes -> where it ends."""
    at, stop = text >> LENGTH_BITS, (text >> LENGTH_BITS) + (text & LENGTH_MASK)
    while at < stop:
        byte = buffer[at]
        at += 1
        if byte == 92 and at < stop:
            if buffer[at] == 110:
                byte = 32
                at += 1
            elif buffer[at] == 92 and at + 1 < stop and buffer[at + 1] == 110:
                byte = 32
                at += 2
            elif buffer[at] == 34:
                byte = 34
                at += 1
        buffer[made] = byte
        made += 1
    return made


@_jit
def _is_remark(
    buffer: Bytes, words: Words, literals: Words, turns: Ints, begin: int, first: int, end: int
) -> bool:
    """Whether a text begins neither with a queue id nor with one of some words."""
    at = begin
    while 48 <= buffer[at] <= 57 or 65 <= buffer[at] <= 90 or 97 <= buffer[at] <= 122:
        at += 1
    if at - begin >= 5 and buffer[at] == 58:
        return False
    for each in range(first, end):
        if turns[each, 1] == at - begin and _is_equal(words, begin, literals, turns[each, 0], 1, at - begin):
            return False
    return True


@_inlined
def _note_texts(
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
        if length == absent_sizes[dictionary] and (words[position] & _low(length)) == absent[dictionary]:
            captures[first + slot] = ABSENT
            continue
        number = _find_entry(words, position, length, dictionary, slots, entries, state, seed)
        if number < 0:
            return False
        captures[first + slot] = number
    return True


@_inlined
def _fits(
    buffer: Bytes,
    words: Words,
    ops: SmallInts,
    literals: Words,
    turns: Ints,
    classes: Bytes,
    at: int,
    position: int,
    end: int,
    captures: Ints,
    first: int,
    state: Ints,
) -> int:
    """1 if a message is of a shape, 2 if of its twin, its captures then filled; 0 if not; -1 if the reference must tell."""
    verdict = 1
    made = state[MADE]
    while True:
        operation = ops[at, 0]
        a = np.int64(ops[at, 1])
        b = np.int64(ops[at, 2])
        c = np.int64(ops[at, 3])
        slot = ops[at, 4]
        at += 1
        if operation == SPAN:
            begin = position
            position = _span_end(buffer, classes, a, begin, min(end, begin + c))
            if position - begin < b:
                return 0
            if slot >= 0:
                captures[first + slot] = (begin << LENGTH_BITS) | (position - begin)
        elif operation == LITERAL:
            if position + b > end or not _is_equal(words, position, literals, a, 1, b):
                return 0
            position += b
        elif operation == OPTION:
            if (
                position + b <= end
                and _is_equal(words, position, literals, a, 1, b)
                and (slot < 0 or classes[(np.int64(slot) << 8) + np.int64(buffer[position + b])] == 1)
            ):
                position += b
            else:
                at = c
        elif operation == INTEGER:
            begin = position
            value = np.int64(0)
            last = min(end, begin + c)
            while position < last and 48 <= buffer[position] <= 57:
                value = value * 10 + np.int64(buffer[position]) - 48
                position += 1
            if position == begin:
                return 0
            if slot >= 0:
                captures[first + slot] = value
        elif operation == DECIMAL:
            begin = position
            value = np.int64(0)
            while 48 <= buffer[position] <= 57 and position - begin < 15:
                value = value * 10 + np.int64(buffer[position]) - 48
                position += 1
            digits = position - begin
            decimals = 0
            if digits == 0:
                return 0
            if buffer[position] == 46 and 48 <= buffer[position + 1] <= 57:
                position += 1
                begin = position
                while 48 <= buffer[position] <= 57 and position - begin < 9:
                    if digits < 15:
                        value = value * 10 + np.int64(buffer[position]) - 48
                    position += 1
                    digits += 1
                decimals = position - begin
            if slot >= 0:
                if digits > 15:
                    return -1  # more than a float holds exactly: rounding is left to the reference
                captures[first + slot] = (value << 4) | decimals
        elif operation == REST:
            begin = position
            position = end - a
            if position <= begin or (b < c and not _is_remark(buffer, words, literals, turns, begin, b, c)):
                return 0
            if slot >= 0:
                captures[first + slot] = (begin << LENGTH_BITS) | (position - begin)
        elif operation == UPTO or operation == DATA:
            begin = position
            row = c << 8
            last = end - b
            while position <= last and not _is_equal(words, position, literals, a, 1, b):
                position += 1
            if position > last or (operation == UPTO and position == begin):
                return 0
            for each in range(begin, position):
                if classes[row + np.int64(buffer[each])] == 0:
                    return 0
            if slot >= 0:
                captures[first + slot] = (begin << LENGTH_BITS) | (position - begin)
        elif operation == ENHANCED:
            begin = position
            position = _enhanced_code(buffer, position)
            if position < 0:
                return 0
            if slot >= 0:
                captures[first + slot] = (begin << LENGTH_BITS) | (position - begin)
        elif operation == TURN:
            capture = captures[first + slot]
            length = capture & LENGTH_MASK
            for each in range(a, b):
                if turns[each, 1] == length and _is_equal(
                    words, capture >> LENGTH_BITS, literals, turns[each, 0], 1, length
                ):
                    verdict = 2
        elif operation == END:
            state[MADE_NOW] = made
            return verdict if position == end else 0
        elif operation == PEEK:
            if classes[(a << 8) + np.int64(buffer[position])] == 0:
                return 0
        elif operation == QUOTED:
            begin = position
            while position < end and buffer[position] != 34:
                position += 2 if buffer[position] == 92 else 1
            if position >= end:
                return 0
            if slot >= 0:
                captures[first + slot] = (begin << LENGTH_BITS) | (position - begin)
        elif operation == DURATION:
            position, value = _milliseconds(buffer, position)
            if position < 0:
                return -1
            if slot >= 0:
                captures[first + slot] = (value << 4) | 3
        elif operation == WORD:
            capture = captures[first + slot]
            length = capture & LENGTH_MASK
            begin = capture >> LENGTH_BITS
            is_known = False
            for each in range(a, b):
                size = turns[each, 1]
                if (
                    not is_known
                    and (size == length or (size < length and turns[each, 3] == 1))
                    and _is_equal(words, begin, literals, turns[each, 0], 1, size)
                ):
                    is_known = True
                    if turns[each, 2] >= 0:
                        captures[first + c] = CONSTANT - turns[each, 2]
            if not is_known:
                return 0
        elif operation == SET:
            captures[first + slot] = a
        elif operation == REPEATED:
            other = captures[first + slot]
            if other != ABSENT and _is_repeated(buffer, captures[first + a], other):
                captures[first + a] = other
                captures[first + slot] = ABSENT
        elif operation == REPLY:
            capture = captures[first + slot]
            if capture != ABSENT:
                code = _reply_code(buffer, capture)
                if code == CONSTANT or made + (capture & LENGTH_MASK) >= state[MADE_LIMIT]:
                    return -1
                captures[first + a] = code
                after = _plain_text(buffer, capture, made)
                if after - made < capture & LENGTH_MASK:
                    captures[first + slot] = (made << LENGTH_BITS) | (after - made)
                    made = after
        elif operation == PART:
            if captures[first + a] == ABSENT:
                at = c
            elif captures[first + slot] == ABSENT:
                captures[first + slot] = made << LENGTH_BITS
            else:
                buffer[made] = 32
                made += 1
                captures[first + slot] += 1
        elif operation == TEXT or operation == COPY:
            begin, length = a, b
            if operation == COPY:
                begin, length = captures[first + a] >> LENGTH_BITS, captures[first + a] & LENGTH_MASK
            if made + length >= state[MADE_LIMIT]:
                return -1
            if operation == COPY:
                for each in range(length):
                    buffer[made + each] = buffer[begin + each]
            else:
                for each in range(length):
                    buffer[made + each] = np.uint8(
                        (literals[begin + (each >> 3)] >> np.uint64(8 * (each & 7))) & np.uint64(255)
                    )
            made += length
            captures[first + slot] += length
        else:
            return -1


@_jit
def find_entry_of(
    words: Words, position: int, length: int, slots: SmallInts, entries: Ints, state: Ints, seed: np.uint64
) -> int:
    """The number of a host that no line names."""
    return _find_entry(words, position, length, HOST, slots, entries, state, seed)


@_jit
def scan(
    buffer: Bytes,
    words: Words,
    end: int,
    end_line: int,
    is_plain: bool,
    year: int,
    month_keys: Ints,
    offsets: SmallInts,
    tables: Tables,
    tags: Tags,
    rows: Rows,
    state: Ints,
    seed: np.uint64,
) -> None:
    """Reads lines from `state[POSITION]` on, until the bytes, the lines or what Python has told are used up.

    `is_plain`: all bytes are ASCII and none is NUL. `year`: of BSD stamps, 0 if nothing tells it. `offsets`: of the
    zone of stamps without one, by quarter of an hour since FIRST_YEAR.
    """
    position = state[POSITION]
    line = state[LINE]
    count = state[ROWS]
    captured = state[CAPTURES]
    minute_low, minute_high = _ZERO, _ZERO
    minute_s = np.int64(-1)
    quarter = np.int64(-1)
    quarter_offset = np.int64(0)
    last_host = np.int64(-1)
    # Taken out of their tuples once: in the loop that would cost as much as the reading
    ops, starts, slot_counts, literals = tables.ops, tables.starts, tables.slots, tables.literals
    turns, classes, dispatch, candidates = tables.words, tables.classes, tables.dispatch, tables.candidates
    id_alphabets, id_sizes, no_id = tables.id_alphabets, tables.id_sizes, tables.no_id
    id_dashes, after_id = tables.id_dashes, tables.after_id
    is_behind_own = state[IS_BEHIND_OWN]
    stamp = tables.stamp
    is_declared = stamp.shape[0] > 0
    tag_slots, tag_text, tag_size, tag_program = tags.slots, tags.text, tags.size, tags.program
    twins = tables.twins
    dictionaries, absent, absent_sizes = tables.dictionaries, tables.absent, tables.absent_sizes
    entry_slots, entries, captures, declined = rows.entry_slots, rows.entries, rows.captures, rows.declined
    tag_events, tag_foreign = rows.tag_events, rows.tag_foreign
    row_shape, row_start, row_head, row_moment = rows.shape, rows.start, rows.head, rows.moment_us
    row_offset, row_host, row_tag, row_pid = rows.offset_s, rows.host, rows.tag, rows.pid
    row_line, row_capture = rows.line, rows.first_capture
    state[WANTED] = NOTHING
    while position < end and line < end_line:
        start = position
        stop = _first_newline(words, position)
        after = stop + 1
        if stop > start and buffer[stop - 1] == 13:
            stop -= 1
            buffer[stop] = 10  # so that nothing reads over it
        if stop == start:
            state[BLANK] += 1
            is_behind_own = 0
            line += 1
            position = after
            continue
        is_known = False
        is_own = False
        while stop - start >= 24:  # once: `break` declines the line
            at = start
            if buffer[at] == 60 and not is_declared:
                at += 1
                while at < start + 4 and 48 <= buffer[at] <= 57:
                    at += 1
                if buffer[at] != 62 or at == start + 1:
                    break
                at += 1
            # The moment
            fraction_us = np.int64(0)
            has_offset = False
            offset = np.int64(0)
            if is_declared:
                if state[OWN_PROGRAM] < 0:
                    break
                at, minute_s, fraction_us, offset, has_offset = _declared_stamp(buffer, at, stamp, month_keys)
                second = minute_s % 60
                minute_s -= second
            elif buffer[at] >= 65:
                if (
                    minute_s < 0
                    or words[at] != minute_low
                    or ((words[at + 8] ^ minute_high) & np.uint64(0xFFFFFFFF)) != _ZERO
                ):
                    minute_s = _bsd_minute(buffer, at, month_keys, year)
                    minute_low = words[at]
                    minute_high = words[at + 8]
                if minute_s < 0 or buffer[at + 12] != 58:
                    break
                second = _two_digits(buffer, at + 13)
                at += 15
                if buffer[at] == 46 and 48 <= buffer[at + 1] <= 57:
                    at, fraction_us = _fraction(buffer, at + 1)
            else:
                is_own = buffer[at + 10] == 32 and at == start and state[OWN_PROGRAM] >= 0
                if not is_own and buffer[at + 10] != 84:
                    break  # it may be no syslog
                if minute_s < 0 or words[at] != minute_low or words[at + 8] != minute_high:
                    minute_s = _iso_minute(buffer, at, 32 if is_own else 84)
                    minute_low = words[at]
                    minute_high = words[at + 8]
                if minute_s < 0 or buffer[at + 16] != 58:
                    break
                second = _two_digits(buffer, at + 17)
                at += 19
                if is_own:
                    if buffer[at] == 46:
                        begin = at + 1
                        at, fraction_us = _fraction(buffer, begin)
                        if at != begin + 3:
                            break
                    if buffer[at] != 32 or _may_be_tag(buffer, at + 1):
                        break
                    if buffer[at + 1] == 43 or buffer[at + 1] == 45:
                        begin = at + 1
                        at, offset = _iso_offset(buffer, begin)
                        if at != begin + 5:
                            break
                        has_offset = True
                elif (buffer[at] == 46 or buffer[at] == 44) and 48 <= buffer[at + 1] <= 57:
                    at, fraction_us = _fraction(buffer, at + 1)
                if not is_own and (buffer[at] == 90 or buffer[at] == 43 or buffer[at] == 45):
                    at, offset = _iso_offset(buffer, at)
                    has_offset = True
            if second < 0 or second > 59 or at < 0 or (buffer[at] != 32 and not is_declared):
                break
            if not has_offset:
                this_quarter = minute_s // QUARTER_S
                if this_quarter != quarter:
                    told = np.int64(offsets[this_quarter - FIRST_DAY * 96])
                    if told == 0:
                        state[WANTED] = DAY
                        state[WANTED_AT] = minute_s // 86_400
                        break
                    if told == OFFSET_UNSURE:
                        break
                    quarter = this_quarter
                    quarter_offset = told - OFFSET_BIAS
                offset = quarter_offset
            moment_us = (minute_s + second - offset) * _SECOND_US + fraction_us
            if is_declared:
                while buffer[at] == 32:
                    at += 1
            else:
                at += 1
            pid = np.int64(ABSENT)
            if is_own or is_declared:
                host = state[OWN_HOST]
                tag = state[OWN_TAG]
                program = state[OWN_PROGRAM]
                if is_own and buffer[at] == 91:
                    at, pid = _process(buffer, at)
                    if at < 0:
                        break
                    if buffer[at] == 32:
                        at += 1
            else:
                # The host
                begin = at
                while 33 <= buffer[at] <= 126:
                    at += 1
                if at == begin or buffer[at] != 32 or buffer[begin] == 60 or buffer[begin] == 91:
                    break  # a bracket is no name: FreeBSD's `<mail.info>`, Haraka's own file
                host = last_host
                if (
                    last_host < 0
                    or entries[last_host, 1] != at - begin
                    or not _is_equal(words, begin, words, entries[last_host, 0], 8, at - begin)
                ):
                    host = _find_entry(words, begin, at - begin, HOST, entry_slots, entries, state, seed)
                    if host < 0:
                        break
                    last_host = host
                # The tag, its process, and where the message begins
                at += 1
                begin = at
                while 33 <= buffer[at] <= 126 and buffer[at] != 58 and buffer[at] != 91 and buffer[at] != 93:
                    at += 1
                this_size = at - begin
                if this_size == 0 or this_size > 8 * MAX_TAG_WORDS:
                    break
                tag, _ = find_tag(words, begin, this_size, tag_slots, tag_text, tag_size, seed)
                if buffer[at] == 91:
                    at, pid = _process(buffer, at)
                    if at < 0:
                        break
                if buffer[at] != 58:
                    break
                at += 1
                if buffer[at] == 32:
                    at += 1
                if buffer[at] == 91 and buffer[at + 1] == 73:
                    break  # Solaris' `[ID 197553 mail.info]`
                if _is_dated(buffer, at) or (words[at] == _MESSAGE_R and words[at + 8] == _REPEATED):
                    break
                if tag < 0:
                    if tags.count[0] >= len(tag_size):
                        break
                    state[WANTED] = TAG
                    state[WANTED_AT] = begin
                    state[WANTED_SIZE] = this_size
                    break
                program = np.int64(tag_program[tag])
                if program == FOREIGN:
                    tag_foreign[tag] += 1
                    is_known = True
                    break
            if (
                program == FOR_REFERENCE
                or stop - at > MAX_MESSAGE
                or at >= stop
                or buffer[stop - 1] <= 32
                or (not is_plain and not _is_plain(buffer, start, stop))
            ):
                break
            # The queue id
            has_id = 0
            begin = at
            alphabets = np.uint8(255)
            row = program << 8
            while True:
                common = alphabets & id_alphabets[row + np.int64(buffer[at])]
                if common == 0:
                    break
                alphabets = common
                at += 1
            id_size = at - begin
            if id_size > 0 and _is_equal(words, at, literals, after_id[program, 0], 1, after_id[program, 1]):
                for alphabet in range(id_sizes.shape[1]):
                    if (
                        (alphabets >> alphabet) & 1
                        and id_sizes[program, alphabet, 0] <= id_size <= id_sizes[program, alphabet, 1]
                        and (
                            id_dashes[program, alphabet] == 0
                            or _has_dashes(buffer, begin, id_size, id_dashes[program, alphabet])
                        )
                    ):
                        has_id = 1
            captures[captured] = (begin << LENGTH_BITS) | id_size
            if has_id:
                at += after_id[program, 1]
            elif is_own and _may_be_tag(buffer, begin):
                break
            else:
                at = begin
                size = no_id[program, 1]
                if at + size <= stop and _is_equal(words, at, literals, no_id[program, 0], 1, size):
                    at += size
            # The shape
            candidate = np.int64(dispatch[2 * program + has_id, buffer[at]])
            while candidates[candidate] >= 0:
                shape = candidates[candidate]
                candidate += 1
                slots = np.int64(slot_counts[shape])
                for slot in range(has_id, slots):
                    captures[captured + slot] = ABSENT
                found = _fits(
                    buffer,
                    words,
                    ops,
                    literals,
                    turns,
                    classes,
                    starts[shape],
                    at,
                    stop,
                    captures,
                    captured,
                    state,
                )
                if found < 0:
                    break
                if found > 0:
                    if not _note_texts(
                        words,
                        dictionaries,
                        shape,
                        slots,
                        absent,
                        absent_sizes,
                        captures,
                        captured,
                        entry_slots,
                        entries,
                        state,
                        seed,
                    ):
                        break
                    row_shape[count] = shape if found == 1 else twins[shape]
                    row_start[count] = start
                    row_head[count] = np.uint64(stop - start) | (words[start] << _HALF)
                    row_moment[count] = moment_us
                    row_offset[count] = offset
                    row_host[count] = host
                    row_tag[count] = tag
                    row_pid[count] = pid
                    row_line[count] = line
                    row_capture[count] = captured
                    tag_events[tag] += 1
                    state[MADE] = state[MADE_NOW]
                    state[OWN_LINES] += is_own or is_declared
                    captured += slots
                    count += 1
                    is_known = True
                    break
            break
        if state[WANTED] != NOTHING:
            if after - 1 > stop:
                buffer[stop] = 13
            break
        if not is_known:
            declined[state[DECLINED], 0] = line
            declined[state[DECLINED], 1] = start
            declined[state[DECLINED], 2] = stop - start
            declined[state[DECLINED], 3] = is_behind_own
            state[DECLINED] += 1
        is_behind_own = np.int64(is_known and is_own)
        line += 1
        position = after
    state[POSITION] = position
    state[LINE] = line
    state[IS_BEHIND_OWN] = is_behind_own
    state[ROWS] = count
    state[CAPTURES] = captured


@_jit
def by_rank(
    rows: Rows, which: Ints, rank: SmallInts, slots: SmallInts, ranks: Ints, order: Ints, turned: Ints
) -> None:
    """Some rows in the order of their shapes' ranks, and their captures, those of a rank and slot side by side.

    `ranks` are zeros, then a row a rank: (where its rows end, how many they are, captures a row, a place under way).
    """
    shapes, captures, first_capture = rows.shape, rows.captures, rows.first_capture
    for row in which:
        each = rank[shapes[row]]
        ranks[each, 1] += 1
        ranks[each, 2] = slots[shapes[row]]
    end = place = 0
    for each in range(len(ranks)):
        ranks[each, 0], ranks[each, 3] = end, place
        end += ranks[each, 1]
        place += ranks[each, 1] * ranks[each, 2]
    for row in which:
        each = rank[shapes[row]]
        order[ranks[each, 0]] = row
        ranks[each, 0] += 1
        at = ranks[each, 3]
        ranks[each, 3] += 1
        first, step = first_capture[row], ranks[each, 1]
        for capture in range(first, first + ranks[each, 2]):
            turned[at] = captures[capture]
            at += step


@_jit
def take_frames(
    rows: Rows,
    order: Ints,
    moment_us: Ints,
    offset_s: SmallInts,
    host: SmallInts,
    tag: SmallInts,
    pid: Ints,
    line: Ints,
) -> None:
    """What the frame tells of some rows; a pid that is not there is ABSENT."""
    moments, offsets, hosts, tags = rows.moment_us, rows.offset_s, rows.host, rows.tag
    pids, lines = rows.pid, rows.line
    for to in range(len(order)):
        row = order[to]
        moment_us[to] = moments[row]
        offset_s[to] = offsets[row]
        host[to] = hosts[row]
        tag[to] = tags[row]
        pid[to] = pids[row]
        line[to] = lines[row]


@_jit
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


@_jit
def _put_view(words: Words, position: int, length: int, base: int, made: int, views: Words, to: int) -> None:
    """Arrow's string_view: the length, then up to 12 bytes, or 4 of them, the buffer's number and the position."""
    if length > 12:
        views[to, 0] = np.uint64(length) | ((words[position] & _low(4)) << _HALF)
        if position < made:
            views[to, 1] = np.uint64(position - base) << _HALF
        else:
            views[to, 1] = (np.uint64(position - made) << _HALF) | _ONE
        return
    first = words[position] & _low(min(length, 8)) if length > 0 else _ZERO
    views[to, 0] = np.uint64(length) | (first << _HALF)
    views[to, 1] = first >> _HALF
    if length > 8:
        views[to, 1] |= (words[position + 8] & _low(length - 8)) << _HALF


@_jit
def view_lines(rows: Rows, order: Ints, base: int, views: Words) -> None:
    """The lines themselves, all longer than 12 bytes, as string_views; `base` is where the lines begin."""
    starts, heads = rows.start, rows.head
    for to in range(len(order)):
        row = order[to]
        views[to, 0] = heads[row]
        views[to, 1] = np.uint64(starts[row] - base) << _HALF


@_jit
def view_captures(
    words: Words, captures: Ints, absent: np.uint64, absent_size: int, base: int, made: int, views: Words
) -> None:
    """Captures as string_views; what says that there is nothing becomes ABSENT.

    Texts before `made` are in the first buffer, those behind it in the second.
    """
    for to in range(len(captures)):
        capture = captures[to]
        position = capture >> LENGTH_BITS
        length = capture & LENGTH_MASK
        if capture == ABSENT or (length == absent_size and (words[position] & _low(length)) == absent):
            captures[to] = ABSENT
        else:
            _put_view(words, position, length, base, made, views, to)


@_jit
def pack_sizes(entries: Ints, used: SmallInts, count: int) -> int:
    """How many bytes some entries have together."""
    size = 0
    for code in range(count):
        size += entries[used[code], 1]
    return size


@_jit
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
