"""When a line was logged, in the time of the world."""

from typing import Final

import numpy as np

from ingest.fast.kernel.contract import (
    DAY,
    FIRST_DAY,
    MINUTE_S,
    OFFSET_BIAS,
    OFFSET_UNSURE,
    OWN_PROGRAM,
    QUARTER,
    QUARTER_OFFSET,
    QUARTER_S,
    WANTED,
    WANTED_AT,
    Bytes,
    Ints,
    SmallInts,
    Words,
)
from ingest.fast.kernel.frames import may_be_tag
from ingest.fast.kernel.machine import inlined
from ingest.fast.kernel.stamps import bsd_minute, declared_stamp, fraction, iso_minute, iso_offset, two_digits
from ingest.fast.kernel.words import ZERO

_SECOND_US: Final = 1_000_000


@inlined
def moment_of(
    buffer: Bytes,
    words: Words,
    start: int,
    stamp: SmallInts,
    month_keys: Ints,
    year: int,
    offsets: SmallInts,
    state: Ints,
    minute: Words,
) -> tuple[int, int, int, bool]:
    """Where a line goes on behind its stamp, its microsecond of UTC, its offset, and whether it is of a server's own file.

    Where it goes on is -1 if the reference must tell, or Python first, of which `state[WANTED]` then speaks. Many lines
    are of the minute of the one before: that is looked up by the bytes of its stamp, in `minute`.
    """
    none = np.int64(-1), np.int64(0), np.int64(0), False
    is_declared = stamp.shape[0] > 0
    at = start
    if buffer[at] == 60 and not is_declared:
        at += 1
        while at < start + 4 and 48 <= buffer[at] <= 57:
            at += 1
        if buffer[at] != 62 or at == start + 1:
            return none
        at += 1
    fraction_us = np.int64(0)
    has_offset = False
    offset = np.int64(0)
    minute_s = state[MINUTE_S]
    is_own = False
    if is_declared:
        if state[OWN_PROGRAM] < 0:
            return none
        at, minute_s, fraction_us, offset, has_offset = declared_stamp(buffer, at, stamp, month_keys)
        second = minute_s % 60
        minute_s -= second
    elif buffer[at] >= 65:
        if (
            minute_s < 0
            or words[at] != minute[0]
            or ((words[at + 8] ^ minute[1]) & np.uint64(0xFFFFFFFF)) != ZERO
        ):
            minute_s = bsd_minute(buffer, at, month_keys, year)
            state[MINUTE_S] = minute_s
            minute[0] = words[at]
            minute[1] = words[at + 8]
        if minute_s < 0 or buffer[at + 12] != 58:
            return none
        second = two_digits(buffer, at + 13)
        at += 15
        if buffer[at] == 46 and 48 <= buffer[at + 1] <= 57:
            at, fraction_us = fraction(buffer, at + 1)
    else:
        is_own = buffer[at + 10] == 32 and at == start and state[OWN_PROGRAM] >= 0
        if not is_own and buffer[at + 10] != 84:
            return none  # it may be no syslog
        if minute_s < 0 or words[at] != minute[0] or words[at + 8] != minute[1]:
            minute_s = iso_minute(buffer, at, 32 if is_own else 84)
            state[MINUTE_S] = minute_s
            minute[0] = words[at]
            minute[1] = words[at + 8]
        if minute_s < 0 or buffer[at + 16] != 58:
            return none
        second = two_digits(buffer, at + 17)
        at += 19
        if is_own:
            if buffer[at] == 46:
                begin = at + 1
                at, fraction_us = fraction(buffer, begin)
                if at != begin + 3:
                    return none
            if buffer[at] != 32 or may_be_tag(buffer, at + 1):
                return none
            if buffer[at + 1] == 43 or buffer[at + 1] == 45:
                begin = at + 1
                at, offset = iso_offset(buffer, begin)
                if at != begin + 5:
                    return none
                has_offset = True
        elif (buffer[at] == 46 or buffer[at] == 44) and 48 <= buffer[at + 1] <= 57:
            at, fraction_us = fraction(buffer, at + 1)
        if not is_own and (buffer[at] == 90 or buffer[at] == 43 or buffer[at] == 45):
            at, offset = iso_offset(buffer, at)
            has_offset = True
    if second < 0 or second > 59 or at < 0 or (buffer[at] != 32 and not is_declared):
        return none
    if not has_offset:
        quarter = minute_s // QUARTER_S
        if quarter != state[QUARTER]:
            told = np.int64(offsets[quarter - FIRST_DAY * 96])
            if told == 0:
                state[WANTED] = DAY
                state[WANTED_AT] = minute_s // 86_400
                return none
            if told == OFFSET_UNSURE:
                return none
            state[QUARTER] = quarter
            state[QUARTER_OFFSET] = told - OFFSET_BIAS
        offset = state[QUARTER_OFFSET]
    if is_declared:
        while buffer[at] == 32:
            at += 1
    else:
        at += 1
    return at, (minute_s + second - offset) * _SECOND_US + fraction_us, offset, is_own
