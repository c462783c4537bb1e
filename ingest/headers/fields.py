"""The header blocks of many messages at once, cut into headers with NumPy and Arrow.

The rules are those of `messages`: whatever is not surely a plain block there is odd here.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from ingest.headers.messages import MAX_FIELDS, name_of
from ingest.schema import TEXT

# Without their types: the stubs take each array for one of truth values, and want one overload a type.
pa: Any = pyarrow
pc: Any = pyarrow.compute
Array: TypeAlias = Any
Texts: TypeAlias = Any  # an array of strings

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Bytes: TypeAlias = npt.NDArray[np.uint8]

_BLANKS: Final = np.isin(np.arange(256), list(b" \t\n"))
_LF: Final = ord("\n")
_MOST_BLANKS: Final = 8  # on either side of a value


class Fields(NamedTuple):
    """All headers of some messages, one after the other."""

    messages: int
    message: Ints  # of each header, by number
    code: Ints  # of its name in `names`
    names: Sequence[str]
    values: Texts

    def without(self, odd: Bools) -> "Fields":
        """The headers of the other messages."""
        is_kept = ~odd[self.message]
        numbers = np.cumsum(~odd) - 1
        return Fields(
            int(numbers[-1]) + 1,
            numbers[self.message[is_kept]],
            self.code[is_kept],
            self.names,
            self.values.filter(pa.array(is_kept)),
        )

    def places(self, names: Collection[str]) -> Ints:
        """Where all headers of some names are."""
        return np.flatnonzero(np.array([name in names for name in self.names])[self.code])

    def counts(self, places: Ints) -> Ints:
        """How many of some headers are in each message."""
        return np.bincount(self.message[places], minlength=self.messages)

    def first(self, name: str) -> Texts:
        """The first header of a name in each message; None where no message has one."""
        places = self.places({name})
        if not len(places):
            return None
        found = np.full(self.messages, -1)
        found[self.message[places[::-1]]] = places[::-1]
        return self.values.take(pa.array(found, mask=found < 0))

    def told(self, name: str) -> list[str | None]:
        """The same as a list."""
        values = self.first(name)
        return [None] * self.messages if values is None else list(values.to_pylist())

    def by_message(self, names: Collection[str]) -> dict[int, list[tuple[str, str]]]:
        """All headers of some names in those messages that have any."""
        places = self.places(names)
        found: dict[int, list[tuple[str, str]]] = {}
        values = self.values.take(pa.array(places)).to_pylist()
        for place, value in zip(places.tolist(), values, strict=True):
            headers = found.setdefault(int(self.message[place]), [])
            headers.append((self.names[self.code[place]], value))
        return found


def cut(blocks: Sequence[bytes]) -> tuple[Fields, Bools]:
    """The headers of blocks (of `plain_block`, in ASCII), each stripped; and which blocks are odd, so not surely right."""
    text = b"\n".join(blocks) + b"\n"
    data = np.frombuffer(text, np.uint8)
    sizes = np.fromiter(map(len, blocks), np.int64, len(blocks)) + 1
    tops = np.cumsum(sizes) - sizes
    odd = np.zeros(len(blocks), bool)
    line_ends = np.flatnonzero(data == _LF)
    controls = data < ord(" ")
    tabs = np.count_nonzero(data == ord("\t"))
    if np.count_nonzero(controls) > tabs + len(line_ends):  # blanks for Python, some of the others
        odd[np.searchsorted(tops, np.flatnonzero(controls & ~_BLANKS[data]), "right") - 1] = True
    lines = np.append(0, line_ends[:-1] + 1)
    goes_on = _BLANKS[data[lines]]
    goes_on[np.searchsorted(lines, tops)] = False
    suspects = np.flatnonzero(goes_on & _BLANKS[data[line_ends - 1]])
    texts = _behind_blanks(data, lines[suspects], line_ends[suspects])
    empty = lines[suspects[_BLANKS[data[texts]]]]  # a line of nothing but blanks ends the headers
    odd[np.searchsorted(tops, empty, "right") - 1] = True
    begins = lines[~goes_on]
    ends = np.append(begins[1:], len(text)) - 1
    message = np.searchsorted(tops, begins, "right") - 1
    colons = np.append(np.flatnonzero(data == ord(":")), len(text))
    colons = np.minimum(colons[np.searchsorted(colons, begins)], ends)
    buffer = pa.py_buffer(text)
    written = texts_between(buffer, begins, colons).dictionary_encode()
    names = [name_of(name) or "" for name in written.dictionary.to_pylist()]
    code = written.indices.to_numpy().astype(np.int64)
    begins = _behind_blanks(data, np.minimum(colons + 1, ends), ends)
    for _ in range(_MOST_BLANKS):
        if not (more := _BLANKS[data[ends - 1]] & (begins < ends)).any():
            break
        ends = ends - more
    is_padded = (begins < ends) & (_BLANKS[data[begins]] | _BLANKS[data[ends - 1]])
    is_nameless = np.array([not name for name in names])[code] | (data[colons] != ord(":"))
    odd[message[is_padded | is_nameless]] = True
    odd |= np.bincount(message, minlength=len(blocks)) > MAX_FIELDS
    return Fields(len(blocks), message, code, names, texts_between(buffer, begins, ends)), odd


def _behind_blanks(data: Bytes, begins: Ints, ends: Ints) -> Ints:
    """Where the blanks end that texts begin with, if they are not too many."""
    for _ in range(_MOST_BLANKS):
        if not (more := _BLANKS[data[begins]] & (begins < ends)).any():
            break
        begins = begins + more
    return begins


def texts_between(buffer: pyarrow.Buffer, begins: Ints, ends: Ints) -> Texts:
    """The texts from places of a buffer to others; all go up."""
    offsets = np.append(np.stack((begins, ends), 1).ravel(), ends[-1:] if len(ends) else 0).astype(np.int32)
    pieces = pa.StringArray.from_buffers(2 * len(begins), pa.py_buffer(offsets), buffer)
    return pieces.take(pa.array(np.arange(len(begins)) * 2))


def bytes_of(texts: Texts) -> tuple[Bytes, Ints]:
    """The bytes of texts without a null, one after the other, and where each begins, with the end of all."""
    _, offsets, data = texts.buffers()
    places = np.frombuffer(offsets, np.int32)[texts.offset :][: len(texts) + 1].astype(np.int64)
    return np.frombuffer(data or b"", np.uint8)[places[0] : places[-1]], places - places[0]


def at(data: Bytes, places: Ints) -> Bytes:
    """The bytes at some places; of those outside, any."""
    return data.take(places, mode="clip") if len(data) else np.zeros(places.shape, np.uint8)


def texts_of(data: Bytes, offsets: Ints) -> Texts:
    """What `bytes_of` took apart."""
    return pa.StringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)
    )


def nulls(count: int) -> Texts:
    """No texts."""
    return pa.nulls(count, TEXT)
