"""Text from logs is hostile: how it is made harmless for a person's eyes, and how numbers are written for them."""

from datetime import datetime
from typing import Any, Final

_BIDI_AND_ZERO_WIDTH: Final = (
    *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x061C, 0xFEFF, 0x2028, 0x2029, 0x0085,
)  # fmt: skip
# Control characters become their pictures, what turns or hides text becomes its number, and a byte that was not
# UTF-8 (ingest keeps it in the last private plane) becomes \xNN.
_VISIBLE: Final[dict[int, int | str]] = {
    **{code: 0x2400 + code for code in range(32)},
    0x7F: 0x2421,
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
    **{code: f"⟨U+{code:04X}⟩" for code in _BIDI_AND_ZERO_WIDTH},
    **{0x10FF00 + byte: f"\\x{byte:02x}" for byte in range(256)},
}


def visible(text: str) -> str:
    """The text with nothing in it that a terminal, a browser or an eye could be fooled by."""
    return text.translate(_VISIBLE)


def counted(number: int, noun: str) -> str:
    """`1 message`, `2,304 messages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """`0.31 s`, `42 s`, `5 min 03 s`, `1 h 02 min`, `3 d 04 h`."""
    if seconds < 10:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, small, name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // small:02} {name}"
    return f"{whole} s"


def byte_size(count: float) -> str:
    """`512 B`, `3.4 kB`, `12.0 MB`: powers of 1000, as the units mean."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


# In a report's tables the year is the header's.
_MOMENTS: Final = {
    "day": "%a %d %b",
    "moment": "%d %b %H:%M",
    "second": "%d %b %H:%M:%S",
    "date": "%Y-%m-%d %H:%M",
}


def written(value: Any, form: str) -> str:  # noqa: ANN401  # a cell of any column
    """A value as the column's form wants it: count, mean, bytes, share, seconds, moment, second, date, day, else text."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:{_MOMENTS.get(form, _MOMENTS['moment'])}}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    match form:
        case "count":
            return f"{value:,.0f}"
        case "mean":
            return f"{value:,.1f}"
        case "bytes":
            return byte_size(value)
        case "share":
            return f"{100 * value:.1f} %"
        case "seconds":
            return duration(value)
    return visible(str(value))
