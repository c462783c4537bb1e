"""Stamps: of BSD syslog, RFC 3339, and those that declarations spell."""

import numpy as np

from ingest.fast.kernel.contract import (
    CHARACTER,
    DAY_ENDS,
    DAY_OF_MONTH,
    END_YEAR,
    FIRST_YEAR,
    FRACTION,
    HOUR,
    MAY_BE_FRACTION,
    MAY_BE_OFFSET,
    MINUTE,
    MONTH,
    MONTH_NAME,
    OFFSET,
    YEAR,
    Bytes,
    Ints,
    SmallInts,
)
from ingest.fast.kernel.machine import jit


@jit
def two_digits(buffer: Bytes, position: int) -> int:
    """0 to 99, or -1."""
    tens = np.int64(buffer[position]) - 48
    units = np.int64(buffer[position + 1]) - 48
    return tens * 10 + units if 0 <= tens <= 9 and 0 <= units <= 9 else -1


@jit
def _time_of_day(buffer: Bytes, position: int) -> int:
    """Seconds of `hh:mm`, or -1."""
    hour = two_digits(buffer, position)
    minute = two_digits(buffer, position + 3)
    if buffer[position + 2] != 58 or hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return -1
    return hour * 3600 + minute * 60


@jit
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


@jit
def bsd_minute(buffer: Bytes, position: int, month_keys: Ints, year: int) -> int:
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


@jit
def iso_minute(buffer: Bytes, position: int, between: int) -> int:
    """Local seconds since 1970 of `2026-11-23T19:00`, or -1; `between` is what stands for the T."""
    century = two_digits(buffer, position)
    year = two_digits(buffer, position + 2)
    month = two_digits(buffer, position + 5)
    day = two_digits(buffer, position + 8)
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


@jit
def fraction(buffer: Bytes, position: int) -> tuple[int, int]:
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


@jit
def iso_offset(buffer: Bytes, position: int) -> tuple[int, int]:
    """Where `Z`, `+02`, `+0200` or `+02:00` ends, and its seconds; -1 if it is none."""
    sign = buffer[position]
    if sign == 90:
        return position + 1, 0
    hours = two_digits(buffer, position + 1)
    minutes = 0
    position += 3
    if buffer[position] != 32:
        if buffer[position] == 58:
            position += 1
        minutes = two_digits(buffer, position)
        position += 2
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
        return -1, 0
    seconds = hours * 3600 + minutes * 60
    return position, -seconds if sign == 45 else seconds


@jit
def declared_stamp(
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
            position, fraction_us = fraction(buffer, begin)
            if not 1 <= position - begin <= 9:
                return none
        elif step == OFFSET or step == MAY_BE_OFFSET:
            if byte != 90 and byte != 43 and byte != 45:
                if step == MAY_BE_OFFSET:
                    continue
                return none
            position, offset = iso_offset(buffer, position)
            if position < 0:
                return none
            has_offset = True
        else:
            value = two_digits(buffer, position)
            position += 2
            if step == YEAR:
                units = two_digits(buffer, position)
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
