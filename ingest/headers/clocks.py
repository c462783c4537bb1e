"""Moments that many clocks wrote: which of them agree, and how wrong the others are at the least.

The heaviest series of moments that never goes back is taken to be right. What stands outside of it is of a clock that
is wrong; a delay beside it has bounds, and is never negative.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from operator import sub
from typing import Final, NamedTuple

# Whole seconds, and clocks kept by NTP: less says nothing.
TOLERANCE_S: Final = 1.0


class Clock(NamedTuple):
    """What a moment tells beside the others, in seconds.

    `delay_s` is the time since the moment before as the two clocks have it, maybe negative; what it really was lies
    between `least_s` and `most_s`. `skew_s`: the clock is wrong by at least so much, positive if it was ahead. None:
    unknown. `is_right`: it agrees with the clocks that count.
    """

    delay_s: float | None
    least_s: float | None
    most_s: float | None
    skew_s: float
    is_right: bool


def compare(times: Sequence[float | None], weights: Sequence[int]) -> list[Clock]:
    """The clocks of moments in their order on the way, as seconds since some epoch; heavier ones are believed first."""
    right = _consistent(times, weights)
    if times and len(right) == len(times):  # nearly always
        delays = [at - before for before, at in pairwise(times) if at is not None and before is not None]
        agreed = (Clock(delay, bound := max(0.0, delay), bound, 0.0, is_right=True) for delay in delays)
        return [Clock(None, None, None, 0.0, is_right=True), *agreed]
    return [_clock(times, right, place) for place in range(len(times))]


def transit_s(times: Sequence[float | None], clocks: Sequence[Clock]) -> float | None:
    """From the first to the last clock that is right; None if there are not two."""
    right = [at for at, clock in zip(times, clocks, strict=True) if at is not None and clock.is_right]
    return max(0.0, right[-1] - right[0]) if len(right) > 1 else None


def tell(times: Sequence[float | None]) -> tuple[Sequence[float | None], Sequence[float], float | None]:
    """Delays, skews, and the time from the first clock that is right to the last, as `compare` and `transit_s` tell.

    Who holds the message had it last: the newest clock counts more than all before it together.
    """
    if times and None not in times:  # nearly always all agree, which is sooner told
        known: Sequence[float] = times  # type: ignore[assignment]  # none is None
        delays = list(map(sub, known[1:], known))
        if not delays:
            return (None,), (0.0,), None
        if min(delays) >= -TOLERANCE_S:
            return (None, *delays), (0.0,) * len(times), max(0.0, known[-1] - known[0])
    clocks = compare(times, [1] * (len(times) - 1) + [len(times)])
    return [each.delay_s for each in clocks], [each.skew_s for each in clocks], transit_s(times, clocks)


def _clock(times: Sequence[float | None], right: Collection[int], place: int) -> Clock:
    at, previous = times[place], times[place - 1] if place else None
    delay_s = at - previous if at is not None and previous is not None else None
    if place in right and (delay_s is None or place - 1 in right):
        bound = None if delay_s is None else max(0.0, delay_s)
        return Clock(delay_s, bound, bound, 0.0, is_right=True)
    before = _nearest(times, right, range(place - 1, -1, -1))
    after = _nearest(times, right, range(place + 1, len(times)))
    skew_s = 0.0 if at is None or place in right else _skew_s(at, before, after)
    end = at if place in right else after
    most_s = None if delay_s is None or end is None or before is None else max(0.0, end - before)
    return Clock(delay_s, None if delay_s is None else 0.0, most_s, skew_s, place in right)


def _skew_s(at: float, before: float | None, after: float | None) -> float:
    if after is not None and at > after:
        return at - after
    return at - before if before is not None and at < before else 0.0


def _nearest(times: Sequence[float | None], right: Collection[int], places: range) -> float | None:
    return next((times[place] for place in places if place in right), None)


def _consistent(times: Sequence[float | None], weights: Sequence[int]) -> set[int]:
    """The places of the heaviest series of times that never goes back by more than the tolerance."""
    known = [place for place, at in enumerate(times) if at is not None]
    if all((times[two] or 0.0) >= (times[one] or 0.0) - TOLERANCE_S for one, two in pairwise(known)):
        return set(known)  # nearly always
    best: dict[int, tuple[int, int | None]] = {}
    for place in known:
        at = (times[place] or 0.0) + TOLERANCE_S
        earlier = [(best[other][0], other) for other in best if (times[other] or 0.0) <= at]
        weight, other = max(earlier, default=(0, None), key=lambda pair: pair[0])
        best[place] = (weight + weights[place], other)
    right: set[int] = set()
    last = max(best, key=lambda place: best[place][0], default=None)
    while last is not None:
        right.add(last)
        last = best[last][1]
    return right
