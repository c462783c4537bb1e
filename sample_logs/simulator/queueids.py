"""Queue ids as Postfix makes them: short ones that come back, long ones that never do.

Source: Postfix, src/global/mail_queue.h (MQID_*) and postconf(5), enable_long_queue_ids.
"""

from collections import deque
from collections.abc import Callable

from .plan import HOUR, SECOND

# No vowels, so that no id spells a word; the inode part is base 51, because "z" ends the time before it.
ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
PAIRS = tuple(a + b for a in ALPHABET for b in ALPHABET)

# A short id is microsecond + inode. Here a freed inode rests for more than an hour, so an id that comes back
# belongs to a message of another hour, and REUSE of the free inodes come back with their old microsecond.
REST = HOUR + 60 * SECOND
REUSE = 0.01


def base52_pairs(number: int, pairs: int) -> str:
    """`number` in base 52, padded to a fixed number of digit pairs."""
    digits = ""
    for _ in range(pairs):
        number, pair = divmod(number, len(PAIRS))
        digits = PAIRS[pair] + digits
    return digits


def base51(number: int) -> str:
    """`number` in base 51, unpadded."""
    digits = ""
    while number:
        number, digit = divmod(number, 51)
        digits = ALPHABET[digit] + digits
    return digits


class QueueIds:
    """The queue files of one server: hands out (moment of creation, id, inode) and takes inodes back."""

    def __init__(self, random: Callable[[], float], *, long_ids: bool) -> None:
        self._random = random
        self._long_ids = long_ids
        self._next_inode = 0x41A20 + int(random() * 0x4000)
        self._free: deque[tuple[int, int, int]] = deque()

    def new(self, t: int, *, on_time: bool = False) -> tuple[int, str, int]:
        """A new queue file at `t`, or up to a second later for an old id to come back, unless `on_time`."""
        if self._free and self._free[0][0] + REST <= t:
            _, inode, microsecond = self._free.popleft()
            if not (self._long_ids or on_time) and self._random() < REUSE:
                t += (microsecond - t) % SECOND
        else:
            inode = self._next_inode
            self._next_inode += 1 + int(self._random() * 3)
        return t, self._spell(t, inode), inode

    def free(self, t: int, inode: int, created: int) -> None:
        """The queue file is gone at `t`."""
        self._free.append((t, inode, created % SECOND))

    def _spell(self, t: int, inode: int) -> str:
        second, microsecond = divmod(t, SECOND)
        if self._long_ids:
            return f"{base52_pairs(second, 3)}{base52_pairs(microsecond, 2)}z{base51(inode)}"
        return f"{microsecond:05X}{inode:X}"
