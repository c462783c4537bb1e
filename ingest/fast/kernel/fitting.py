"""Whether a message is of a shape: the interpreter of the programs that compile.py makes."""

import numpy as np

from ingest.fast.kernel.contract import (
    ABSENT,
    CONSTANT,
    COPY,
    DATA,
    DECIMAL,
    DURATION,
    END,
    ENHANCED,
    INTEGER,
    LENGTH_BITS,
    LENGTH_MASK,
    LITERAL,
    MADE,
    MADE_LIMIT,
    MADE_NOW,
    OPTION,
    PART,
    PEEK,
    QUOTED,
    REPEATED,
    REPLY,
    REST,
    SET,
    SPAN,
    TEXT,
    TURN,
    UPTO,
    WORD,
    Bytes,
    Ints,
    SmallInts,
    Words,
)
from ingest.fast.kernel.machine import inlined
from ingest.fast.kernel.values import (
    enhanced_code,
    is_remark,
    is_repeated,
    milliseconds,
    reply_code,
    unescape,
)
from ingest.fast.kernel.words import ONE, is_equal


@inlined
def _span_end(buffer: Bytes, classes: Bytes, number: int, begin: int, end: int) -> int:
    """Where the bytes of a class end that stand from `begin` on."""
    at = np.uint64(begin)
    last = np.uint64(end)
    row = np.uint64(number << 8)
    while at < last and classes[row + np.uint64(buffer[at])] == 1:
        at += ONE
    return np.int64(at)


@inlined
def fits(
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
            if position + b > end or not is_equal(words, position, literals, a, 1, b):
                return 0
            position += b
        elif operation == OPTION:
            if (
                position + b <= end
                and is_equal(words, position, literals, a, 1, b)
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
            if position <= begin or (b < c and not is_remark(buffer, words, literals, turns, begin, b, c)):
                return 0
            if slot >= 0:
                captures[first + slot] = (begin << LENGTH_BITS) | (position - begin)
        elif operation == UPTO or operation == DATA:
            begin = position
            row = c << 8
            last = end - b
            while position <= last and not is_equal(words, position, literals, a, 1, b):
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
            position = enhanced_code(buffer, position)
            if position < 0:
                return 0
            if slot >= 0:
                captures[first + slot] = (begin << LENGTH_BITS) | (position - begin)
        elif operation == TURN:
            capture = captures[first + slot]
            length = capture & LENGTH_MASK
            for each in range(a, b):
                if turns[each, 1] == length and is_equal(
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
            position, value = milliseconds(buffer, position)
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
                    and is_equal(words, begin, literals, turns[each, 0], 1, size)
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
            if other != ABSENT and is_repeated(buffer, captures[first + a], other):
                captures[first + a] = other
                captures[first + slot] = ABSENT
        elif operation == REPLY:
            capture = captures[first + slot]
            if capture != ABSENT:
                code = reply_code(buffer, capture)
                if code == CONSTANT or made + (capture & LENGTH_MASK) >= state[MADE_LIMIT]:
                    return -1
                captures[first + a] = code
                after = unescape(buffer, capture, made)
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
