"""Parts of a line before its message, and what may only look like one."""

import numpy as np

from ingest.fast.kernel.contract import Bytes
from ingest.fast.kernel.machine import jit


@jit
def is_dated(buffer: Bytes, position: int) -> bool:
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


@jit
def process(buffer: Bytes, position: int) -> tuple[int, int]:
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


@jit
def may_be_tag(buffer: Bytes, position: int) -> bool:
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
        position, _ = process(buffer, position)
    return position > 0 and buffer[position] == 58


@jit
def has_dashes(buffer: Bytes, position: int, length: int, places: int) -> bool:
    """Whether an id's dashes are where they must be, and nowhere else."""
    odd = 0
    for place in range(length):
        odd += (buffer[position + place] == 45) != ((places >> place) & 1)
    return odd == 0


@jit
def is_plain_text(buffer: Bytes, start: int, end: int) -> bool:
    """Whether all bytes are ASCII, and none is NUL."""
    odd = 0
    for position in range(start, end):
        byte = buffer[position]
        odd += (byte == 0) | (byte >= 128)
    return odd == 0
