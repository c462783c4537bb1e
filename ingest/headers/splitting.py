"""Many Received headers at once, split into what differs from message to message and what does not.

The rules are those of `received` and `dates` for what is usual, told anew for columns of ASCII: what they would not
take, or could take otherwise, is not plain here. A test holds both together.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from ingest.headers.dates import MONTHS
from ingest.headers.fields import Bools, Bytes, Ints, Texts, at, bytes_of, pa, pc, texts_between, texts_of
from ingest.headers.lexer import MAX_LENGTH
from ingest.headers.received import (
    ANY_ID,
    ATOM,
    COMMENT,
    GMAIL_ID,
    KEYWORDS,
    LONGEST,
    SENDER,
    VIA,
    without_sender,
)
from ingest.schema import TEXT

SECOND_US: Final = 1_000_000
_BLANK: Final = ord(" ")


class Split(NamedTuple):
    """Of each header: its frame, its id and addressee (empty: none), when it was and the zone. False: it is not plain."""

    frames: Texts
    hop_ids: Texts
    for_addresses: Texts
    at_us: Ints
    offset_s: Ints
    is_plain: Bools


def split(raw: Texts) -> Split:
    """What `received` makes of headers before it reads their frames."""
    text = _unfolded(raw)
    is_plain = (np.diff(bytes_of(raw)[1]) <= MAX_LENGTH) & (np.diff(bytes_of(text)[1]) <= LONGEST)
    text = _without_senders(text)
    data, offsets = bytes_of(text)
    begins, ends = offsets[:-1], offsets[1:]
    id_at = pc.find_substring(text, " id ").to_numpy()
    has_id = id_at >= 0
    semicolons = np.append(-1, np.flatnonzero(data == ord(";")))
    semicolon = semicolons[np.searchsorted(semicolons, ends) - 1]
    is_plain &= semicolon > begins
    semicolon = np.maximum(semicolon, begins)
    at_us, offset_s, is_dated = dates(data, semicolon + 1 + _is(data, " ", semicolon + 1), ends)
    stop = np.maximum(begins, semicolon - _is(data, " ", semicolon - 1))
    addressed = np.full(len(id_at), -1)
    addressed[~has_id] = pc.find_substring(text.filter(pa.array(~has_id)), " for <").to_numpy()
    middle = np.where(has_id, begins + id_at, np.where(addressed >= 0, begins + addressed, stop))
    odd = np.append(np.flatnonzero(np.frombuffer(data.tobytes().translate(_NO_ATOMS), bool)), len(data))
    id_begins = middle + len(" id ") * has_id
    id_ends = np.where(has_id, _next(odd, id_begins), middle)
    is_for = (at(data, id_ends[:, None] + np.arange(5)) == _FOR).all(1)
    is_angled = is_for & _is(data, "<", id_ends + 5)
    for_begins = id_ends + 5 + is_angled
    for_ends = _next(odd, for_begins)
    is_wrong = is_for & ((for_ends == for_begins) | (is_angled & ~_is(data, ">", for_ends)))
    rest = np.where(is_for, for_ends + is_angled, id_ends)
    is_plain &= is_dated & ~is_wrong & (rest <= stop) & (~has_id | (id_ends > id_begins))
    rests = texts_between(pa.py_buffer(data), np.where(is_plain, rest, stop), stop)
    is_plain &= _fits(rests, lambda each: _REST.fullmatch(each) is not None)
    is_plain &= np.where(
        has_id, ~is_for | _fits(rests, lambda each: not each.startswith(_VIA)), _fits(rests, "".__eq__)
    )
    texts = pa.py_buffer(data)
    id_begins, id_ends = (np.where(is_plain & has_id, each, begins) for each in (id_begins, id_ends))
    for_begins, for_ends = (np.where(is_plain & is_for, each, begins) for each in (for_begins, for_ends))
    hop_ids = texts_between(texts, id_begins, id_ends)
    for_addresses = texts_between(texts, for_begins, for_ends)
    words = pa.array(sorted(KEYWORDS))
    is_word = pc.or_(pc.is_in(hop_ids, words), pc.is_in(for_addresses, words))
    is_plain &= ~is_word.to_numpy(zero_copy_only=False)
    marks = pc.if_else(pc.match_substring(hop_ids, "csp"), f" id {GMAIL_ID}", f" id {ANY_ID}")
    marks = pc.if_else(pa.array(has_id), marks, "")
    frames = pc.binary_join_element_wise(texts_between(texts, begins, middle), marks, rests, "")
    return Split(frames, hop_ids, for_addresses, at_us, offset_s, is_plain)


_NO_ATOMS: Final = bytes(re.fullmatch(ATOM, chr(byte)) is None for byte in range(256))
_FOR: Final = np.frombuffer(b" for ", np.uint8)
_REST: Final = re.compile(f"{VIA}?{COMMENT}?", re.ASCII)
_VIA: Final = " via "


def _is(data: Bytes, character: str, places: Ints) -> Bools:
    """Whether a character stands in each of some places, which may be outside."""
    found: Bools = at(data, places) == ord(character)
    return found


def _next(among: Ints, places: Ints) -> Ints:
    """The first of some places, which go up, from others on."""
    return among.take(np.searchsorted(among, places), mode="clip")


def _fits(texts: Texts, test: Callable[[str], bool]) -> Bools:
    """Which texts, many of them alike, are such as a test says."""
    coded = texts.dictionary_encode()
    found: Bools = np.array([test(text) for text in coded.dictionary.to_pylist()], np.bool_)[coded.indices]
    return found


def _unfolded(values: Texts) -> Texts:
    """The values with single blanks; they begin and end with none."""
    data, offsets = bytes_of(values)
    is_blank = data <= _BLANK
    again = np.flatnonzero(is_blank[1:] & is_blank[:-1]) + 1
    single = np.delete(np.where(is_blank, np.uint8(_BLANK), data), again)
    return texts_of(single, offsets - np.searchsorted(again, offsets))


def _without_senders(texts: Texts) -> Texts:
    """The texts without Exim's comment on the envelope's sender; empty where that is more than a comment."""
    data, offsets = bytes_of(texts)
    brackets = np.flatnonzero(data == ord(SENDER[-1]))
    suspects = offsets.searchsorted(brackets[_is(data, SENDER[-3], brackets - 2)], "right") - 1  # sooner told
    if not len(suspects):
        return texts
    is_suspect = np.zeros(len(texts), bool)
    is_suspect[suspects] = True
    mask = pa.array(is_suspect)
    others = [without_sender(text) if SENDER in text else text for text in texts.filter(mask).to_pylist()]
    return pc.replace_with_mask(texts, mask, pa.array(others, TEXT))


# What is in each place of a usual date: digits, letters, signs, or that character.
_KINDS: Final = np.array(
    [
        next((ord(kind) for kind, those in {"0": "0-9", "A": "A-Z", "a": "a-z", "+": "+-"}.items() if re.match(f"[{those}]", chr(byte))), byte)
        for byte in range(256)
    ],
    np.uint8,
)  # fmt: skip
_WEEKDAY: Final = np.frombuffer(b"Aaa, ", np.uint8)
_GMT: Final = np.frombuffer(b"GMT", np.uint8)
_MOMENT: Final = np.frombuffer(b"00 Aaa 0000 00:00:00 +0000", np.uint8)
_ZONE_NAME: Final = re.compile(r"(?: \([A-Za-z]{1,5}\))?")
_MONTHS: Final = np.array([int.from_bytes(name.encode(), "big") for name in MONTHS])
_YEARS: Final = (2, 9998)  # all of whose moments Python knows in all zones


def dates(data: Bytes, begins: Ints, ends: Ints) -> tuple[Ints, Ints, Bools]:
    """Moments in microseconds since 1970 and offsets in seconds of texts that are a USUAL_DATE with a zone in digits, or GMT; and which are."""
    is_known = (_KINDS[at(data, begins[:, None] + np.arange(5))] == _WEEKDAY).all(1)
    begins = begins + 5 * is_known
    is_short = _is(data, " ", begins + 1)
    begins = begins - is_short
    text = at(data, begins[:, None] + np.arange(len(_MOMENT)))
    text[is_short, 0] = ord("0")
    is_named = (text[:, 21:24] == _GMT).all(1)
    text[is_named, 21:] = _MOMENT[21:]
    stops = begins + len(_MOMENT) - 2 * is_named
    is_known = (_KINDS[text] == _MOMENT).all(1) & (stops <= ends)
    zones = texts_between(pa.py_buffer(data), np.where(is_known, stops, ends), ends)
    is_known &= _fits(zones, lambda each: _ZONE_NAME.fullmatch(each) is not None)
    digits = text.T.astype(np.int64) - ord("0")
    day, century, year, hour, minute, second, zone_h, zone_min = (
        10 * digits[place] + digits[place + 1] for place in (0, 7, 9, 12, 15, 18, 22, 24)
    )
    name = (text[:, 3:6].astype(np.int64) * (1 << 16, 1 << 8, 1)).sum(1)
    month = (name[:, None] == _MONTHS).argmax(1)
    months = 12 * (100 * century + year - 1970) + month
    first, behind = (
        each.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for each in (months, months + 1)
    )
    is_known &= (_MONTHS[month] == name) & (day > 0) & (day <= behind - first)
    is_known &= (hour < 24) & (minute < 60) & (second < 60) & (zone_h < 24) & (zone_min < 60)
    is_known &= (100 * century + year >= _YEARS[0]) & (100 * century + year <= _YEARS[1])
    offset_s = (3_600 * zone_h + 60 * zone_min) * np.where(text[:, 21] == ord("-"), -1, 1)
    at_s = 86_400 * (first + day - 1) + 3_600 * hour + 60 * minute + second - offset_s
    return np.where(is_known, at_s * SECOND_US, 0), np.where(is_known, offset_s, 0), is_known


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def since_1970_us(at: datetime | None) -> int:
    """A moment as Arrow has it; 0 for none."""
    return (at - _EPOCH) // timedelta(microseconds=1) if at else 0
