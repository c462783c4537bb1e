"""The one loop over lines."""

from typing import Final

import numpy as np

from ingest.fast.kernel.contract import (
    ABSENT,
    BLANK,
    CAPTURES,
    DAY,
    DECLINED,
    FIRST_DAY,
    FOR_REFERENCE,
    FOREIGN,
    HOST,
    IS_BEHIND_OWN,
    LENGTH_BITS,
    LINE,
    MADE,
    MADE_NOW,
    MAX_MESSAGE,
    MAX_TAG_WORDS,
    NOTHING,
    OFFSET_BIAS,
    OFFSET_UNSURE,
    OWN_HOST,
    OWN_LINES,
    OWN_PROGRAM,
    OWN_TAG,
    POSITION,
    QUARTER_S,
    ROWS,
    TAG,
    WANTED,
    WANTED_AT,
    WANTED_SIZE,
    Bytes,
    Ints,
    Rows,
    SmallInts,
    Tables,
    Tags,
    Words,
)
from ingest.fast.kernel.dictionaries import find_entry, find_tag, note_texts
from ingest.fast.kernel.fitting import fits
from ingest.fast.kernel.frames import has_dashes, is_dated, is_plain_text, may_be_tag, process
from ingest.fast.kernel.machine import jit
from ingest.fast.kernel.stamps import bsd_minute, declared_stamp, fraction, iso_minute, iso_offset, two_digits
from ingest.fast.kernel.words import HALF, ZERO, first_newline, is_equal

_SECOND_US: Final = 1_000_000
_MESSAGE_R: Final = np.uint64(int.from_bytes(b"message ", "little"))
_REPEATED: Final = np.uint64(int.from_bytes(b"repeated", "little"))


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
    minute_low, minute_high = ZERO, ZERO
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
                at, minute_s, fraction_us, offset, has_offset = declared_stamp(buffer, at, stamp, month_keys)
                second = minute_s % 60
                minute_s -= second
            elif buffer[at] >= 65:
                if (
                    minute_s < 0
                    or words[at] != minute_low
                    or ((words[at + 8] ^ minute_high) & np.uint64(0xFFFFFFFF)) != ZERO
                ):
                    minute_s = bsd_minute(buffer, at, month_keys, year)
                    minute_low = words[at]
                    minute_high = words[at + 8]
                if minute_s < 0 or buffer[at + 12] != 58:
                    break
                second = two_digits(buffer, at + 13)
                at += 15
                if buffer[at] == 46 and 48 <= buffer[at + 1] <= 57:
                    at, fraction_us = fraction(buffer, at + 1)
            else:
                is_own = buffer[at + 10] == 32 and at == start and state[OWN_PROGRAM] >= 0
                if not is_own and buffer[at + 10] != 84:
                    break  # it may be no syslog
                if minute_s < 0 or words[at] != minute_low or words[at + 8] != minute_high:
                    minute_s = iso_minute(buffer, at, 32 if is_own else 84)
                    minute_low = words[at]
                    minute_high = words[at + 8]
                if minute_s < 0 or buffer[at + 16] != 58:
                    break
                second = two_digits(buffer, at + 17)
                at += 19
                if is_own:
                    if buffer[at] == 46:
                        begin = at + 1
                        at, fraction_us = fraction(buffer, begin)
                        if at != begin + 3:
                            break
                    if buffer[at] != 32 or may_be_tag(buffer, at + 1):
                        break
                    if buffer[at + 1] == 43 or buffer[at + 1] == 45:
                        begin = at + 1
                        at, offset = iso_offset(buffer, begin)
                        if at != begin + 5:
                            break
                        has_offset = True
                elif (buffer[at] == 46 or buffer[at] == 44) and 48 <= buffer[at + 1] <= 57:
                    at, fraction_us = fraction(buffer, at + 1)
                if not is_own and (buffer[at] == 90 or buffer[at] == 43 or buffer[at] == 45):
                    at, offset = iso_offset(buffer, at)
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
                    at, pid = process(buffer, at)
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
                    or not is_equal(words, begin, words, entries[last_host, 0], 8, at - begin)
                ):
                    host = find_entry(words, begin, at - begin, HOST, entry_slots, entries, state, seed)
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
                    at, pid = process(buffer, at)
                    if at < 0:
                        break
                if buffer[at] != 58:
                    break
                at += 1
                if buffer[at] == 32:
                    at += 1
                if buffer[at] == 91 and buffer[at + 1] == 73:
                    break  # Solaris' `[ID 197553 mail.info]`
                if is_dated(buffer, at) or (words[at] == _MESSAGE_R and words[at + 8] == _REPEATED):
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
                or (not is_plain and not is_plain_text(buffer, start, stop))
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
            if id_size > 0 and is_equal(words, at, literals, after_id[program, 0], 1, after_id[program, 1]):
                for alphabet in range(id_sizes.shape[1]):
                    if (
                        (alphabets >> alphabet) & 1
                        and id_sizes[program, alphabet, 0] <= id_size <= id_sizes[program, alphabet, 1]
                        and (
                            id_dashes[program, alphabet] == 0
                            or has_dashes(buffer, begin, id_size, id_dashes[program, alphabet])
                        )
                    ):
                        has_id = 1
            captures[captured] = (begin << LENGTH_BITS) | id_size
            if has_id:
                at += after_id[program, 1]
            elif is_own and may_be_tag(buffer, begin):
                break
            else:
                at = begin
                size = no_id[program, 1]
                if at + size <= stop and is_equal(words, at, literals, no_id[program, 0], 1, size):
                    at += size
            # The shape
            candidate = np.int64(dispatch[2 * program + has_id, buffer[at]])
            while candidates[candidate] >= 0:
                shape = candidates[candidate]
                candidate += 1
                slots = np.int64(slot_counts[shape])
                for slot in range(has_id, slots):
                    captures[captured + slot] = ABSENT
                found = fits(
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
                    if not note_texts(
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
