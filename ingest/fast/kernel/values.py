"""Values whose form is more than a class of characters."""

import numpy as np

from ingest.fast.kernel.contract import ABSENT, CONSTANT, LENGTH_BITS, LENGTH_MASK, Bytes, Ints, Words
from ingest.fast.kernel.machine import jit
from ingest.fast.kernel.words import is_equal


@jit
def enhanced_code(buffer: Bytes, position: int) -> int:
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


@jit
def milliseconds(buffer: Bytes, position: int) -> tuple[int, int]:
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


@jit
def is_repeated(buffer: Bytes, one: int, other: int) -> bool:
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


@jit
def reply_code(buffer: Bytes, reply: int) -> int:
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
    end = enhanced_code(buffer, begin + 4)
    if end < 0 or end > stop or (end < stop and buffer[end] != 32):
        return ABSENT
    return ((begin + 4) << LENGTH_BITS) | (end - begin - 4)


@jit
def unescape(buffer: Bytes, text: int, made: int) -> int:
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


@jit
def is_remark(
    buffer: Bytes, words: Words, literals: Words, turns: Ints, begin: int, first: int, end: int
) -> bool:
    """Whether a text begins neither with a queue id nor with one of some words."""
    at = begin
    while 48 <= buffer[at] <= 57 or 65 <= buffer[at] <= 90 or 97 <= buffer[at] <= 122:
        at += 1
    if at - begin >= 5 and buffer[at] == 58:
        return False
    for each in range(first, end):
        if turns[each, 1] == at - begin and is_equal(words, begin, literals, turns[each, 0], 1, at - begin):
            return False
    return True
