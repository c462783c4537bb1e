"""What a text must be before a column takes it: the words of a vocabulary, numbers, and forms that are converted."""

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from ingest.errors import ParseError
from ingest.schema import ATTRIBUTES, COUNT, SECONDS, TEXT, Status

VOCABULARIES: Final[Mapping[str, Collection[str]]] = MappingProxyType({"status": tuple(Status)})
TYPES: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {name: kind for columns in ATTRIBUTES.values() for name, kind in columns.items()}
)

_NUMBERS: Final = {
    COUNT: re.compile(r"[0-9]{1,18}"),
    SECONDS: re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,2})?"),
}
# sendmail writes `1+02:03:04`, Exchange `1.02:03:04.567`.
_SPAN: Final = re.compile(
    r"(?:(\d{1,5})w)?(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,9})(\.\d{1,9})?s)?"
)
_CLOCK: Final = re.compile(r"(?:(\d{1,5})[+.])?(\d{1,4}):(\d\d):(\d\d)(\.\d{1,9})?")


def check(column: str, text: str) -> None:
    """ParseError if a column takes no such text."""
    if column in VOCABULARIES and text not in VOCABULARIES[column]:
        raise ParseError(f"{column} is {text[:40]!r}; it would be one of {', '.join(VOCABULARIES[column])}")
    form = _NUMBERS.get(TYPES.get(column, TEXT))
    if form and not form.fullmatch(text):
        raise ParseError(f"{column} is {text[:40]!r}; a number would be right")


def is_checked(column: str, cls: str | None) -> bool:
    """Whether a capture of a class, or a field (None), may hold what the column does not take."""
    sure = {COUNT: ("int",), SECONDS: ("num", "duration")}.get(TYPES.get(column, TEXT))
    return column in VOCABULARIES or (sure is not None and cls not in sure)


def is_duration(column: str, cls: str | None) -> bool:
    """Whether a capture of a class says `1m2s` where the column has seconds."""
    return cls == "duration" and TYPES.get(column) == SECONDS


def _part(text: str, fraction: str) -> str:
    if not re.fullmatch(r"[0-9]{1,15}(?:\.[0-9]{1,9})?", text):
        raise ParseError(f"{text[:40]!r} is no number")
    return f"{Decimal(text) * Decimal(fraction):f}"


def _milliseconds(text: str) -> str:
    return _part(text, "0.001")


def _microseconds(text: str) -> str:
    return _part(text, "0.000001")


def _clock(text: str) -> str:
    found = _CLOCK.fullmatch(text)
    if not found:
        raise ParseError(f"{text[:40]!r} is no span of time; it would look like 00:00:07 or 1+02:03:04")
    days, hours, minutes, seconds, fraction = found.groups()
    whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return f"{whole}{fraction or ''}"


def _span(text: str) -> str:
    """`2s`, `1h2m3.5s`, `2d`."""
    found = _SPAN.fullmatch(text)
    if not text or not found:
        raise ParseError(f"{text[:40]!r} is no span of time; it would look like 2s or 1h2m3s")
    *parts, fraction = found.groups()
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in parts)
    return f"{(((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds}{fraction or ''}"


def _undotted(text: str) -> str:
    return text.removesuffix(".")


def _underscored(text: str) -> str:
    """qmail writes `_` for every blank in what another server says."""
    return text.replace("_", " ")


def _unbracketed(text: str) -> str:
    return text.strip().removeprefix("<").removesuffix(">")


def _address(text: str) -> str:
    """`Eva Example <eva@example.org>` without the name."""
    _, sign, behind = text.rpartition("<")
    return behind.removesuffix(">") if sign and text.endswith(">") else text


CONVERSIONS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "ms": _milliseconds,
        "us": _microseconds,
        "clock": _clock,
        "span": _span,
        "undotted": _undotted,
        "underscored": _underscored,
        "unbracketed": _unbracketed,
        "address": _address,
    }
)
