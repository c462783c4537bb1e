"""What a stamp does not say: the year of a BSD stamp, the zone of a zoneless one."""

from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from ingest.errors import ParseError
from ingest.times import Moment, parse_bsd, parse_iso

_MINUTES_KEPT: Final = 8_192
_SECONDS_US: Final = {f"{second:02}": second * 1_000_000 for second in range(60)}
_END_US: Final = 253_402_300_800 * 1_000_000  # the year 10000


@dataclass(frozen=True, slots=True)
class Clock:
    """The year of BSD stamps (None if nothing tells it) and the zone of those without one.

    Reading a date costs more than the rest of a line, so the minutes read last are remembered.
    """

    year: int | None
    zone: tzinfo
    _minutes: dict[tuple[str, str | None], Moment] = field(default_factory=dict, compare=False, repr=False)

    def bsd(self, stamp: str) -> Moment:
        """The moment of `Nov 23 19:00:28`; ParseError if nothing tells its year, or there is no such moment."""
        return self._moment(stamp, None) or in_calendar(self._parse_bsd(stamp))

    def iso(self, stamp: str, offset: str | None) -> Moment:
        """The moment of `2026-11-23T19:00:28` at an offset, or in the clock's zone without one."""
        return self._moment(stamp, offset or "") or in_calendar(parse_iso(stamp + (offset or ""), self.zone))

    def _moment(self, stamp: str, offset: str | None) -> Moment | None:
        """A moment by its minute and its seconds; None for a leap second, which the slow way knows."""
        second = _SECONDS_US.get(stamp[-2:])
        if second is None:
            return None
        key = (stamp[:-2], offset)
        minute = self._minutes.get(key)
        if minute is None:
            whole = stamp[:-2] + "00"
            minute = in_calendar(
                self._parse_bsd(whole) if offset is None else parse_iso(whole + offset, self.zone)
            )
            if len(self._minutes) >= _MINUTES_KEPT:
                self._minutes.clear()
            self._minutes[key] = minute
        return Moment(minute.utc_us + second, minute.offset_s)

    def _parse_bsd(self, stamp: str) -> Moment:
        if self.year is None:
            raise ParseError("a stamp without year, and nothing tells the year")
        return parse_bsd(stamp, self.year, self.zone)


def in_calendar(moment: Moment) -> Moment:
    """No mail log is older than Unix or younger than Python's calendar; what claims to be would break a date."""
    if not 0 <= moment.utc_us < _END_US:
        raise ParseError("a moment outside the years 1970 to 9999")
    return moment
