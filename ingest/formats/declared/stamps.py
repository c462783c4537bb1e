"""The moments of lines and fields, as a declaration writes their form.

`%d-%b-%Y %H:%M:%S %z` as strftime(3) has it, or a whole form in braces: `{iso}`, `{epoch}`, `{epoch_ms}`,
`{tai64n}`. Other characters stand for themselves.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, NamedTuple, TypeAlias

from ingest.clock import Clock, in_calendar
from ingest.errors import ConfigError, ParseError
from ingest.months import month_of
from ingest.times import Moment, parse_epoch

# daemontools' tai64n(8): 2^62 s at the beginning of 1970, and ten seconds more, for TAI was ten ahead of UTC then;
# it takes the system's clock, which knows no leap seconds.
_TAI64_EPOCH_S: Final = (1 << 62) + 10
_FRACTION_DIGITS: Final = 6

_DIRECTIVES: Final = {
    "Y": r"(?P<year>\d{4})",
    "y": r"(?P<short_year>\d\d)",
    "m": r"(?P<month>\d{1,2})",
    "b": r"(?P<month_name>[^\W\d_]{3,5}\.?)",
    "d": r"(?P<day>[ \d]?\d)",
    "H": r"(?P<hour>\d\d)",
    "M": r"(?P<minute>\d\d)",
    "S": r"(?P<second>\d\d)",
    "f": r"(?P<fraction>\d{1,9})",
    "z": r"(?P<offset>Z|[+-]\d\d(?::?\d\d)?)",
    "a": r"(?:[^\W\d_]{2,4}\.?)",
    "%": "%",
}
_FORMS: Final = {
    "iso": r"(?P<day_iso>\d{4}-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?",
    "epoch": r"(?P<epoch>\d{1,12}(?:\.\d{1,9})?)",
    "epoch_ms": r"(?P<epoch_ms>\d{1,15})",
    "tai64n": r"@(?P<tai64n>[0-9a-f]{24})",
}
_TOKEN: Final = re.compile(r"%(.)|\{(\w+)\}|([^%{]+|.)", re.S)
# What is always as many characters wide, and so reads one way; `?` may be missing.
_STEPS: Final = frozenset({"%Y", "%m", "%b", "%d", "%H", "%M", "%S", "%f", "%z"})
_ISO_STEPS: Final = ("%Y", "-", "%m", "-", "%d", "[T ]", "%H", ":", "%M", ":", "%S", "[.,]%f?", "%z?")
_NEEDED: Final = ("day", "hour", "minute", "second")

Reader: TypeAlias = Callable[[re.Match[str], Clock], Moment]


class Stamp(NamedTuple):
    """What a form becomes: the pattern of its text, and what makes a moment of a match."""

    form: str
    pattern: re.Pattern[str]
    read: Reader


@cache
def stamp_of(form: str) -> Stamp:
    """The stamp of a form. ConfigError if it is none, or tells no moment."""
    pattern, names = "", list[str]()
    for directive, whole, literal in _TOKEN.findall(form):
        if literal:
            pattern += re.escape(literal)
            continue
        table, name = (_FORMS, whole) if whole else (_DIRECTIVES, directive)
        if name not in table:
            raise ConfigError(
                f"stamp {form!r}: nothing is called {name!r}; there are {', '.join(f'{{{each}}}' for each in _FORMS)}"
                f" and {' '.join(f'%{each}' for each in _DIRECTIVES)}"
            )
        pattern += table[name]
        names += re.findall(r"\?P<(\w+)>", table[name])
    if len(set(names)) < len(names):
        raise ConfigError(f"stamp {form!r} says something twice")
    compiled = re.compile(pattern)
    for name, reader in _WHOLE.items():
        if name in names:
            return Stamp(form, compiled, reader)
    has_year = bool({"year", "short_year"} & set(names))
    if not {*_NEEDED, "month_name"} <= set(names) and not (has_year and {*_NEEDED, "month"} <= set(names)):
        raise ConfigError(
            f"stamp {form!r} tells no moment; it would look like '%Y-%m-%d %H:%M:%S %z' or '{{iso}}'"
        )
    return Stamp(form, compiled, _read_parts if has_year else _read_yearless)


def steps_of(form: str) -> tuple[str, ...]:
    """A form in steps from the left, each a character, a directive or one of `{iso}`'s; none for other forms."""
    steps = list[str]()
    for directive, whole, literal in _TOKEN.findall(form):
        if literal:
            steps += literal
        elif whole == "iso":
            steps += _ISO_STEPS
        else:
            steps.append(f"%{directive}" if directive else whole)
    directives = [step for step in steps if len(step) > 1]
    is_told_twice = len({*directives}) < len(directives) or {"%m", "%b"} <= {*directives}
    is_fixed = {*directives} <= _STEPS | {*_ISO_STEPS} and "%Y" in directives
    return tuple(steps) if is_fixed and form.isascii() and not is_told_twice else ()


def read_stamp(stamps: Sequence[Stamp], text: str, clock: Clock) -> Moment:
    """The moment of a whole text; ParseError if it is of none of the forms."""
    for stamp in stamps:
        found = stamp.pattern.fullmatch(text)
        if found:
            return stamp.read(found, clock)
    raise ParseError(
        f"{text[:40]!r} is no stamp of the form {' or '.join(repr(stamp.form) for stamp in stamps)}"
    )


def _with_fraction(moment: Moment, fraction: str | None) -> Moment:
    if not fraction:
        return moment
    return moment._replace(
        utc_us=moment.utc_us + int(fraction[:_FRACTION_DIGITS].ljust(_FRACTION_DIGITS, "0"))
    )


def _read_parts(found: re.Match[str], clock: Clock) -> Moment:
    parts = found.groupdict()
    year = parts.get("year") or f"20{parts['short_year']}"
    month = int(parts["month"]) if "month" in parts else month_of(parts["month_name"])
    second = f"{year}-{month:02}-{int(parts['day']):02}T{parts['hour']}:{parts['minute']}:{parts['second']}"
    return _with_fraction(clock.iso(second, parts.get("offset")), parts.get("fraction"))


def _read_yearless(found: re.Match[str], clock: Clock) -> Moment:
    parts = found.groupdict()
    stamp = f"{parts['month_name']} {int(parts['day']):2} {parts['hour']}:{parts['minute']}:{parts['second']}"
    return _with_fraction(clock.bsd(stamp), parts.get("fraction"))


def _read_iso(found: re.Match[str], clock: Clock) -> Moment:
    parts = found.groupdict()
    moment = clock.iso(f"{parts['day_iso']}T{parts['clock']}", parts.get("offset"))
    return _with_fraction(moment, parts["fraction"])


def _read_epoch(found: re.Match[str], clock: Clock) -> Moment:
    del clock
    return in_calendar(parse_epoch(found["epoch"], "s"))


def _read_epoch_ms(found: re.Match[str], clock: Clock) -> Moment:
    del clock
    return in_calendar(parse_epoch(found["epoch_ms"], "ms"))


def _read_tai64n(found: re.Match[str], clock: Clock) -> Moment:
    """Sixteen hexadecimal digits of seconds, eight of nanoseconds."""
    del clock
    digits = found["tai64n"]
    seconds, nanoseconds = int(digits[:16], 16) - _TAI64_EPOCH_S, int(digits[16:], 16)
    if nanoseconds >= 10**9:
        raise ParseError(f"@{digits}: more nanoseconds than a second has")
    return in_calendar(Moment(seconds * 1_000_000 + nanoseconds // 1_000, 0))


_WHOLE: Final[dict[str, Reader]] = {
    "day_iso": _read_iso,
    "epoch": _read_epoch,
    "epoch_ms": _read_epoch_ms,
    "tai64n": _read_tai64n,
}
