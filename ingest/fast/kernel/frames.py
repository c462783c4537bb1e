"""Parts of a line before its message, and what may only look like one."""

from typing import Final

import numpy as np

from ingest.fast.kernel.contract import (
    ABSENT,
    HOST,
    LAST_HOST,
    MAX_TAG_WORDS,
    TAG,
    WANTED,
    WANTED_AT,
    WANTED_SIZE,
    Bytes,
    Ints,
    SmallInts,
    Words,
)
from ingest.fast.kernel.dictionaries import find_entry, find_tag
from ingest.fast.kernel.machine import inlined, jit
from ingest.fast.kernel.words import is_equal

_MESSAGE_R: Final = np.uint64(int.from_bytes(b"message ", "little"))
_REPEATED: Final = np.uint64(int.from_bytes(b"repeated", "little"))


@jit
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
def _has_dashes(buffer: Bytes, position: int, length: int, places: int) -> bool:
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


@inlined
def origin_of(
    buffer: Bytes,
    words: Words,
    at: int,
    tag_slots: SmallInts,
    tag_text: Words,
    tag_size: Ints,
    tag_program: SmallInts,
    tag_count: Ints,
    entry_slots: SmallInts,
    entries: Ints,
    state: Ints,
    seed: np.uint64,
) -> tuple[int, int, int, int, int]:
    """Where the message begins, the entry of the host, the tag, its program and the process.

    Where it begins is -1 if the reference must tell, or Python first, of which `state[WANTED]` then speaks.
    """
    none = np.int64(-1), np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    pid = np.int64(ABSENT)
    begin = at
    while 33 <= buffer[at] <= 126:
        at += 1
    if at == begin or buffer[at] != 32 or buffer[begin] == 60 or buffer[begin] == 91:
        return none  # a bracket is no name: FreeBSD's `<mail.info>`, Haraka's own file
    host = state[LAST_HOST]
    if (
        host < 0
        or entries[host, 1] != at - begin
        or not is_equal(words, begin, words, entries[host, 0], 8, at - begin)
    ):
        host = find_entry(words, begin, at - begin, HOST, entry_slots, entries, state, seed)
        if host < 0:
            return none
        state[LAST_HOST] = host
    at += 1
    begin = at
    while 33 <= buffer[at] <= 126 and buffer[at] != 58 and buffer[at] != 91 and buffer[at] != 93:
        at += 1
    size = at - begin
    if size == 0 or size > 8 * MAX_TAG_WORDS:
        return none
    tag, _ = find_tag(words, begin, size, tag_slots, tag_text, tag_size, seed)
    if buffer[at] == 91:
        at, pid = process(buffer, at)
        if at < 0:
            return none
    if buffer[at] != 58:
        return none
    at += 1
    if buffer[at] == 32:
        at += 1
    if buffer[at] == 91 and buffer[at + 1] == 73:
        return none  # Solaris' `[ID 197553 mail.info]`
    if _is_dated(buffer, at) or (words[at] == _MESSAGE_R and words[at + 8] == _REPEATED):
        return none
    if tag < 0:
        if tag_count[0] < len(tag_size):
            state[WANTED] = TAG
            state[WANTED_AT] = begin
            state[WANTED_SIZE] = size
        return none
    return at, host, np.int64(tag), np.int64(tag_program[tag]), pid


@inlined
def queue_id_of(
    buffer: Bytes,
    words: Words,
    at: int,
    program: int,
    alphabets: Bytes,
    sizes: Ints,
    dashes: Ints,
    literals: Words,
    after_id: Ints,
) -> tuple[int, int]:
    """Where the characters of a queue id end, and 1 if they are one and what must follow does."""
    begin = at
    fitting = np.uint8(255)
    row = program << 8
    while True:
        common = fitting & alphabets[row + np.int64(buffer[at])]
        if common == 0:
            break
        fitting = common
        at += 1
    size = at - begin
    has_id = 0
    if size > 0 and is_equal(words, at, literals, after_id[program, 0], 1, after_id[program, 1]):
        for alphabet in range(sizes.shape[1]):
            if (
                (fitting >> alphabet) & 1
                and sizes[program, alphabet, 0] <= size <= sizes[program, alphabet, 1]
                and (
                    dashes[program, alphabet] == 0
                    or _has_dashes(buffer, begin, size, dashes[program, alphabet])
                )
            ):
                has_id = 1
    return at, has_id
