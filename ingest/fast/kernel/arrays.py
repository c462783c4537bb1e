"""What was found, in the order and form that Arrow wants."""

import numpy as np

from ingest.fast.kernel.contract import ABSENT, LENGTH_BITS, LENGTH_MASK, Ints, Rows, SmallInts, Words
from ingest.fast.kernel.machine import jit
from ingest.fast.kernel.words import HALF, ONE, ZERO, low


@jit
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


@jit
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


@jit
def _put_view(words: Words, position: int, length: int, base: int, made: int, views: Words, to: int) -> None:
    """Arrow's string_view: the length, then up to 12 bytes, or 4 of them, the buffer's number and the position."""
    if length > 12:
        views[to, 0] = np.uint64(length) | ((words[position] & low(4)) << HALF)
        if position < made:
            views[to, 1] = np.uint64(position - base) << HALF
        else:
            views[to, 1] = (np.uint64(position - made) << HALF) | ONE
        return
    first = words[position] & low(min(length, 8)) if length > 0 else ZERO
    views[to, 0] = np.uint64(length) | (first << HALF)
    views[to, 1] = first >> HALF
    if length > 8:
        views[to, 1] |= (words[position + 8] & low(length - 8)) << HALF


@jit
def view_lines(rows: Rows, order: Ints, base: int, views: Words) -> None:
    """The lines themselves, all longer than 12 bytes, as string_views; `base` is where the lines begin."""
    starts, heads = rows.start, rows.head
    for to in range(len(order)):
        row = order[to]
        views[to, 0] = heads[row]
        views[to, 1] = np.uint64(starts[row] - base) << HALF


@jit
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
        if capture == ABSENT or (length == absent_size and (words[position] & low(length)) == absent):
            captures[to] = ABSENT
        else:
            _put_view(words, position, length, base, made, views, to)
