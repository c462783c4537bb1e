"""The one loop over lines."""

import numpy as np

from ingest.fast.kernel.contract import (
    ABSENT,
    BLANK,
    CAPTURES,
    DECLINED,
    FOR_REFERENCE,
    FOREIGN,
    IS_BEHIND_OWN,
    LAST_HOST,
    LENGTH_BITS,
    LINE,
    MADE,
    MADE_NOW,
    MAX_MESSAGE,
    MINUTE_S,
    NOTHING,
    OWN_HOST,
    OWN_LINES,
    OWN_PROGRAM,
    OWN_TAG,
    POSITION,
    QUARTER,
    ROWS,
    WANTED,
    Bytes,
    Ints,
    Rows,
    SmallInts,
    Tables,
    Tags,
    Words,
)
from ingest.fast.kernel.dictionaries import note_texts
from ingest.fast.kernel.fitting import fits
from ingest.fast.kernel.frames import is_plain_text, may_be_tag, origin_of, process, queue_id_of
from ingest.fast.kernel.machine import jit
from ingest.fast.kernel.moments import moment_of
from ingest.fast.kernel.words import HALF, first_newline, is_equal


@jit
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
    minute: Words,
    seed: np.uint64,
) -> None:
    """Reads lines from `state[POSITION]` on, until the bytes, the lines or what Python has told are used up.

    `is_plain`: all bytes are ASCII and none is NUL. `year`: of BSD stamps, 0 if nothing tells it. `offsets`: of the
    zone of stamps without one, by quarter of an hour since FIRST_YEAR. `minute`: room for a stamp's first 16 bytes.
    """
    position = state[POSITION]
    line = state[LINE]
    count = state[ROWS]
    captured = state[CAPTURES]
    # Taken out of their tuples once: in the loop that would cost as much as the reading
    ops, starts, slot_counts, literals = tables.ops, tables.starts, tables.slots, tables.literals
    turns, classes, dispatch, candidates = tables.words, tables.classes, tables.dispatch, tables.candidates
    id_alphabets, id_sizes, no_id = tables.id_alphabets, tables.id_sizes, tables.no_id
    id_dashes, after_id = tables.id_dashes, tables.after_id
    is_behind_own = state[IS_BEHIND_OWN]
    stamp = tables.stamp
    is_declared = stamp.shape[0] > 0
    tag_slots, tag_text, tag_size, tag_program = tags.slots, tags.text, tags.size, tags.program
    tag_count = tags.count
    twins = tables.twins
    dictionaries, absent, absent_sizes = tables.dictionaries, tables.absent, tables.absent_sizes
    entry_slots, entries, captures, declined = rows.entry_slots, rows.entries, rows.captures, rows.declined
    tag_events, tag_foreign = rows.tag_events, rows.tag_foreign
    row_shape, row_start, row_head, row_moment = rows.shape, rows.start, rows.head, rows.moment_us
    row_offset, row_host, row_tag, row_pid = rows.offset_s, rows.host, rows.tag, rows.pid
    row_line, row_capture = rows.line, rows.first_capture
    state[WANTED] = NOTHING
    state[MINUTE_S] = state[QUARTER] = state[LAST_HOST] = -1
    while position < end and line < end_line:
        start = position
        stop = first_newline(words, position)
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
            at, moment_us, offset, is_own = moment_of(
                buffer, words, start, stamp, month_keys, year, offsets, state, minute
            )
            if at < 0:
                break
            if is_own or is_declared:
                host, tag, program = state[OWN_HOST], state[OWN_TAG], state[OWN_PROGRAM]
                pid = np.int64(ABSENT)
                if is_own and buffer[at] == 91:
                    at, pid = process(buffer, at)
                    if at < 0:
                        break
                    if buffer[at] == 32:
                        at += 1
            else:
                at, host, tag, program, pid = origin_of(
                    buffer, words, at, tag_slots, tag_text, tag_size, tag_program, tag_count, entry_slots, entries, state, seed
                )  # fmt: skip
                if at < 0:
                    break
                if program == FOREIGN:
                    tag_foreign[tag] += 1
                    is_known = True
                    break
            if (
                program == FOR_REFERENCE
                or stop - at > MAX_MESSAGE
                or at >= stop
                or buffer[stop - 1] <= 32
                or (not is_plain and not is_plain_text(buffer, start, stop))
            ):
                break
            begin = at
            at, has_id = queue_id_of(
                buffer, words, begin, program, id_alphabets, id_sizes, id_dashes, literals, after_id
            )
            captures[captured] = (begin << LENGTH_BITS) | (at - begin)
            if has_id:
                at += after_id[program, 1]
            elif is_own and may_be_tag(buffer, begin):
                break
            else:
                at = begin
                size = no_id[program, 1]
                if at + size <= stop and is_equal(words, at, literals, no_id[program, 0], 1, size):
                    at += size
            candidate = np.int64(dispatch[2 * program + has_id, buffer[at]])
            while candidates[candidate] >= 0:
                shape = candidates[candidate]
                candidate += 1
                slots = np.int64(slot_counts[shape])
                for slot in range(has_id, slots):
                    captures[captured + slot] = ABSENT
                found = fits(
                    buffer, words, ops, literals, turns, classes, starts[shape], at, stop, captures, captured, state
                )  # fmt: skip
                if found < 0:
                    break
                if found > 0:
                    if not note_texts(
                        words, dictionaries, shape, slots, absent, absent_sizes, captures, captured, entry_slots, entries, state, seed
                    ):  # fmt: skip
                        break
                    row_shape[count] = shape if found == 1 else twins[shape]
                    row_start[count] = start
                    row_head[count] = np.uint64(stop - start) | (words[start] << HALF)
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
