"""The plain headers of many messages at once, to columns: the rows of `values_of`, in less than half the time.

A Received header is cut into what differs from message to message and the frame around it; of frames that are alike
one is read. What reads them is in `received`, and so it is with all else: what is not plain is left to the functions that
read one message (`values_of`), hop (`read_received`) or value. Of both ways the rows are the same.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow

from ingest.headers import rows
from ingest.headers.clocks import TOLERANCE_S, tell
from ingest.headers.fields import (
    Array,
    Bools,
    Fields,
    Ints,
    Texts,
    bytes_of,
    cut,
    nulls,
    pa,
    pc,
    texts_between,
)
from ingest.headers.messages import Block
from ingest.headers.received import Hop, frame_of, read_received
from ingest.headers.splitting import SECOND_US, dates, since_1970_us, split
from ingest.headers.verdicts import SAYING, SIGNING, read_signatures, read_verdicts
from ingest.schema import EMAILS, HOPS, MOMENT, SMALL, TEXT, YES

Column: TypeAlias = Any  # an array, or a list of values


class Columns(NamedTuple):
    """Those messages that were plain, by their numbers among all that were given, and their rows; each has so many hops."""

    taken: Sequence[int]
    email_ids: Sequence[str]
    hop_counts: Sequence[int]
    emails: pyarrow.Table
    hops: pyarrow.Table


def read_columns(blocks: Sequence[bytes], sizes: Sequence[int | None], *, with_subject: bool) -> Columns:
    """The rows of messages with such header blocks (of `plain_block`) and so many bytes each."""
    taken = np.array([place for place, block in enumerate(blocks) if block.isascii()], np.int64)
    if not len(taken):
        return _NOTHING
    fields, odd = cut([blocks[place] for place in taken.tolist()])
    odd |= fields.counts(fields.places({"received"})) > rows.MAX_HOPS
    odd |= fields.counts(fields.places({"message-id"})) > 1
    if odd.all():
        return _NOTHING
    if odd.any():
        taken, fields = taken[~odd], fields.without(odd)
    ids = _ids(fields)
    email_ids = pa.array(ids, TEXT)
    hop_counts, transits, hops = _hops(fields, email_ids)
    told = {
        "email_id": email_ids,
        "size_bytes": [sizes[place] for place in taken.tolist()],
        "hop_count": hop_counts,
        "transit_s": transits,
    }
    emails = _table(told | _emails(fields, with_subject=with_subject), EMAILS)
    return Columns(taken.tolist(), ids, hop_counts, emails, hops)


_NOTHING: Final = Columns([], [], [], EMAILS.empty_table(), HOPS.empty_table())


def _table(columns: Mapping[str, Column], schema: pyarrow.Schema) -> pyarrow.Table:
    arrays = [
        column if isinstance(column := columns[field.name], pa.Array) else pa.array(column, field.type)
        for field in schema
    ]
    return pyarrow.table(arrays, schema=schema)


def _ids(fields: Fields) -> list[str]:
    """As `rows` makes them."""
    names = pa.array(fields.names, TEXT).take(pa.array(fields.code))
    pairs = pc.binary_join_element_wise(names, fields.values, ":")
    firsts = np.searchsorted(fields.message, np.arange(fields.messages + 1)).astype(np.int32)
    data, offsets = bytes_of(pc.binary_join(pa.ListArray.from_arrays(pa.array(firsts), pairs), "\n"))
    text = data.tobytes()
    return [blake2b(text[begin:end], digest_size=8).hexdigest() for begin, end in pairwise(offsets.tolist())]


# Values that are what they tell, but for the angle brackets of a path; `=` may begin an encoded word.
_PLAIN_ID: Final = r"^<[^<>\s]+>$"
_PLAIN_PATH: Final = r"^<[^<>\s]*>$"
_PLAIN_TEXT: Final = r"^[!-<>-~]+(?: [!-<>-~]+)*$"
_LONGEST_PLAIN: Final = 998


def _emails(fields: Fields, *, with_subject: bool) -> dict[str, Column]:
    nothing = nulls(fields.messages)
    sent_at, sent_offset_s = _sent(fields)
    return {
        "message_id": _plain(fields, "message-id", _PLAIN_ID, _message_id),
        "sent_at": sent_at,
        "sent_offset_s": sent_offset_s,
        "from_domains": _domains(fields, "from"),
        "to_domains": _domains(fields, "to", "cc"),
        "return_path": _plain(fields, "return-path", _PLAIN_PATH, rows.return_path, "<>"),
        "subject": _plain(fields, "subject", _PLAIN_TEXT, rows.text_of) if with_subject else nothing,
        "verdicts": _verdicts(fields),
        "signatures": _signatures(fields),
        "list_id": _plain(fields, "list-id", _PLAIN_TEXT, rows.text_of),
        "list_unsubscribe": _plain(fields, "list-unsubscribe", _PLAIN_TEXT, rows.text_of),
        "auto_submitted": _plain(fields, "auto-submitted", _PLAIN_TEXT, rows.text_of),
        "spam_flag": _together(fields, rows.SPAM_FLAG, rows.spam_flag),
        "spam_score": _together(fields, rows.SPAM_SCORE, rows.spam_score),
        "exchange_scl": _together(fields, rows.SCL, rows.scl),
        "refusal": nothing,
        "defects": [()] * fields.messages,
    }


def _message_id(value: str) -> str | None:
    return rows.message_id([value])


def _plain(
    fields: Fields, name: str, pattern: str, read: Callable[[str], str | None], around: str = ""
) -> Texts:
    """What the first header of a name says in each message: itself where a pattern is all of it, else what is read."""
    values = fields.first(name)
    if values is None:
        return nulls(fields.messages)
    is_short = pc.less_equal(pc.binary_length(values), _LONGEST_PLAIN)
    others = pc.invert(pc.and_(pc.match_substring_regex(values, pattern), is_short))
    texts = pc.ascii_trim(values, around) if around else values
    if not others.true_count:
        return texts
    return pc.replace_with_mask(texts, others, pa.array(map(read, values.filter(others).to_pylist()), TEXT))


# As in `rows.domains`, of ASCII.
_IN_DOMAIN: Final = np.array([re.match(r"[\w.-]", chr(byte), re.ASCII) is not None for byte in range(256)])
_ODD_ADDRESS: Final = r'["()\\]'
_LONGEST_DOMAIN: Final = 253


def _domains(fields: Fields, *names: str) -> Array:
    """`rows.domains` of the headers of some names, by message."""
    places = fields.places(names)
    values = fields.values.take(pa.array(places))
    data, offsets = bytes_of(values)
    begins = np.flatnonzero(data == ord("@")) + 1
    value = np.searchsorted(offsets, begins - 1, "right") - 1
    outside = np.append(np.flatnonzero(~_IN_DOMAIN[data]), len(data))
    ends = np.minimum(outside[np.searchsorted(outside, begins)], offsets[value + 1])
    odd = pc.match_substring_regex(values, _ODD_ADDRESS).to_numpy(zero_copy_only=False)
    odd[value[ends - begins > _LONGEST_DOMAIN]] = True
    is_plain = ~odd[value] & (begins < ends)
    domains = pc.ascii_lower(texts_between(pa.py_buffer(data), begins[is_plain], ends[is_plain]))
    message = fields.message[places]
    others = [
        (number, domain)
        for number, text in zip(message[odd].tolist(), values.filter(pa.array(odd)).to_pylist(), strict=True)
        for domain in rows.domains([text])
    ]
    owner = np.append(message[value[is_plain]], np.array([number for number, _ in others], np.int64))
    coded = pa.concat_arrays([domains, pa.array([domain for _, domain in others], TEXT)]).dictionary_encode()
    known = coded.dictionary.to_pylist()
    order = np.argsort(np.array(known, "S"))
    ranks = np.empty(len(known), np.int64)
    ranks[order] = np.arange(len(known))
    found = np.unique(owner * len(known) + ranks[coded.indices.to_numpy()])
    bounds = np.searchsorted(found, np.arange(fields.messages + 1) * len(known))
    each = coded.dictionary.take(pa.array(order[found % max(1, len(known))]))
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), each)


def _verdicts(fields: Fields) -> Sequence[Column]:
    found: list[Column] = [()] * fields.messages
    if len(fields.places(SAYING)):
        for message, said in fields.by_message({"received", *SAYING}).items():
            found[message] = [verdict._asdict() for verdict in read_verdicts(Block(said))]
    return found


def _signatures(fields: Fields) -> Sequence[Column]:
    found: list[Column] = [()] * fields.messages
    for message, signed in fields.by_message({SIGNING}).items():
        found[message] = [signature._asdict() for signature in read_signatures(Block(signed))]
    return found


def _together(fields: Fields, names: Sequence[str], read: Callable[..., Any]) -> Column:
    """What the first headers of some names say together in each message."""
    if not len(fields.places(names)):
        return [None] * fields.messages
    return list(map(read, *map(fields.told, names)))


def _sent(fields: Fields) -> tuple[Column, Column]:
    values = fields.first("date")
    if values is None:
        return nulls(fields.messages), nulls(fields.messages)
    has_date = pc.is_valid(values).to_numpy(zero_copy_only=False)
    data, offsets = bytes_of(pc.fill_null(values, ""))
    at_us, offset_s, is_known = dates(data, offsets[:-1], offsets[1:])
    others = np.flatnonzero(has_date & ~is_known)
    read = list(map(rows.date_of, values.take(pa.array(others)).to_pylist()))
    has_zone = is_known.copy()
    is_known[others] = [at is not None for at, _ in read]
    has_zone[others] = [offset is not None for _, offset in read]
    at_us[others] = [since_1970_us(at) for at, _ in read]
    offset_s[others] = [offset or 0 for _, offset in read]
    return pa.array(at_us, mask=~is_known).cast(MOMENT), pa.array(offset_s, SMALL, mask=~has_zone)


def _hops(fields: Fields, ids: Texts) -> tuple[list[int], Array, pyarrow.Table]:
    """How many hops each message has, how long it was on its way, and the hops, the oldest first."""
    places = fields.places({"received"})
    counts = fields.counts(places)
    firsts = np.cumsum(counts) - counts
    places = places[np.repeat(2 * firsts + counts - 1, counts) - np.arange(len(places))]
    number = np.arange(len(places)) - np.repeat(firsts, counts) + 1
    raw = fields.values.take(pa.array(places))
    columns, at_us, is_dated = _read(raw)
    delay_s, skew_s, transit_s = _clocks(at_us / SECOND_US, is_dated, number, counts)
    columns |= {
        "email_id": ids.take(pa.array(fields.message[places])),
        "hop": pa.array(number, SMALL),
        "delay_s": delay_s,
        "skew_s": skew_s,
        "raw": raw,
    }
    return counts.tolist(), transit_s, _table(columns, HOPS)


def _clocks(
    at_s: "np.ndarray[Any, np.dtype[np.float64]]", is_dated: Bools, number: Ints, counts: Ints
) -> tuple[Column, Column, Array]:
    """What `tell` tells: delays, skews, and by message the time from the first clock to the last."""
    ends = np.cumsum(counts)
    is_first = number == 1
    delays = np.diff(at_s, prepend=0.0)
    no_delay, skews = is_first.copy(), np.zeros(len(at_s))
    no_transit, transits = counts < 2, np.zeros(len(counts))
    several = ~no_transit
    transits[several] = np.maximum(0.0, at_s[ends[several] - 1] - at_s[(ends - counts)[several]])
    odd = ~is_dated | (~is_first & (delays < -TOLERANCE_S))
    times = [at if dated else None for at, dated in zip(at_s.tolist(), is_dated.tolist(), strict=True)]
    for message in np.unique(np.repeat(np.arange(len(counts)), counts)[odd]).tolist():
        first, end = int(ends[message] - counts[message]), int(ends[message])
        delay_s, skews[first:end], transit_s = tell(times[first:end])
        no_delay[first:end] = [each is None for each in delay_s]
        delays[first:end] = [each or 0.0 for each in delay_s]
        no_transit[message], transits[message] = transit_s is None, transit_s or 0.0
    return pa.array(delays, mask=no_delay), pa.array(skews), pa.array(transits, mask=no_transit)


_OF_FRAME: Final = [*Hop._fields[:9], *Hop._fields[13:16]]  # what a header has in common with others


def _read(raw: Texts) -> tuple[dict[str, Column], Ints, Bools]:
    """The columns of hops that are made of one header alone; and when each was, in microseconds, where that is known."""
    frames, hop_ids, for_addresses, at_us, offset_s, is_plain = split(raw)
    coded = frames.filter(pa.array(is_plain)).dictionary_encode()
    framed = list(map(_frame, coded.dictionary.to_pylist()))
    code = np.full(len(raw), -1)
    code[is_plain] = coded.indices.to_numpy()
    is_plain[is_plain] = np.array([hop is not None for hop in framed], bool)[code[is_plain]]
    others = np.flatnonzero(~is_plain)
    read = list(map(read_received, raw.take(pa.array(others)).to_pylist()))
    code[others] = len(framed) + np.arange(len(read))
    hops = [*(hop or _NO_HOP for hop in framed), *read]
    at_us[others] = [since_1970_us(hop.received_at) for hop in read]
    offset_s[others] = [hop.utc_offset_s or 0 for hop in read]
    is_dated, has_zone = is_plain.copy(), is_plain.copy()
    is_dated[others] = [hop.received_at is not None for hop in read]
    has_zone[others] = [hop.utc_offset_s is not None for hop in read]
    columns: dict[str, Column] = {
        name: pa.array([getattr(hop, name) for hop in hops], HOPS.field(name).type).take(pa.array(code))
        for name in _OF_FRAME
    } | {
        "is_internal": pa.array(list(map(rows.is_internal, hops)), YES).take(pa.array(code)),
        "received_at": pa.array(at_us, mask=~is_dated).cast(MOMENT),
        "utc_offset_s": pa.array(offset_s, SMALL, mask=~has_zone),
    }
    for name, texts in (("hop_id", hop_ids), ("for_address", for_addresses)):
        said = pc.if_else(pc.equal(texts, ""), None, texts)
        own = pa.array([getattr(hop, name) for hop in read], TEXT)
        columns[name] = pc.replace_with_mask(said, pa.array(~is_plain), own)
    return columns, at_us, is_dated


_NO_HOP: Final = Hop()


def _frame(text: str) -> Hop | None:
    """What headers have in common that are alike but for ids, addressees and dates."""
    return frame_of(text) if " id " in text or _BRACKETS.isdisjoint(text) else None


_BRACKETS: Final = frozenset("<>")  # where there is no id, none stand before those of the addressee
