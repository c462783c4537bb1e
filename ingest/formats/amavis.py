"""amavisd-new: its one line a message, which links the id before the filter with the id behind it.

Only `Passed` and `Blocked` lines are claimed to be understood ($log_templ, amavisd.conf); amavis' other lines are
another program's.
"""

import re
from typing import Final

from ingest.errors import ParseError
from ingest.formats.base import Event, FixedForms, Format, Program, Row
from ingest.schema import Kind

# `(10410-08) Passed SPAM {RelayedTaggedInbound}, [1.2.3.4] <a@b> -> <c@d>, Queue-ID: 4F5C64474F, Message-ID: <x>,
#  mail_id: y, Hits: 5.397, size: 1315, queued_as: ED01244770, 2426 ms`. The addresses are the sender's text, so the
# ids are read from the first `, Queue-ID: ` behind the arrow that is followed by an id.
_VERDICT: Final = re.compile(
    r"\([\w-]+\) (Passed|Blocked) ([A-Z][A-Z-]*(?: \([^)]*\))?)(?: \{([\w,]*)\})?, (.*)", re.S
)
_QUEUE_ID: Final = re.compile(r", Queue-ID: ([0-9A-Za-z]{5,20})(?:, |$)")
_QUEUED_AS: Final = re.compile(r", queued_as: ([0-9A-Za-z]{5,20})(?:/\w+)?(?:, |$)")
_ACTION: Final = {"Passed": "accept", "Blocked": "reject"}


def claim(tag: str) -> Program | None:
    """`amavis` and `amavisd`, whatever path stands before."""
    return (
        Program("amavis", None, None, "amavis") if tag.rpartition("/")[2] in ("amavis", "amavisd") else None
    )


def parse(program: Program, message: str) -> Event:
    """The verdict on one message; ParseError for a verdict without its parts. Chatter is a server event."""
    del program
    found = _VERDICT.match(message)
    if not found:
        return Event(Kind.SERVER, None, ("reason",), (message,))
    queue_id = _QUEUE_ID.search(found[4])
    if not queue_id:
        raise ParseError("a verdict without Queue-ID")
    queued_as = _QUEUED_AS.search(found[4], queue_id.end() - 2)
    return Event(
        Kind.FILTER_VERDICT,
        queue_id[1],
        ("action", "reason", "related_queue_id"),
        (_ACTION[found[1]], found[2], queued_as[1] if queued_as else None),
    )


# $log_templ as amavis ships it. Whoever changed it, and the rarer verdicts, are left to `parse`.
_DEFAULT: Final = (
    "({:ident}) %s {reason:verdict} {{:flags}}, {:upto}, Queue-ID: {queue_id:linked}, Message-ID: <{:mid}>, "
    "mail_id: {:tok}, Hits: {:tok}, size: {:int}{?, queued_as: {related_queue_id:linked}?}, {:int} ms"
)
_ROWS: Final[tuple[Row, ...]] = tuple(
    (Kind.FILTER_VERDICT, ("amavis",), _DEFAULT % word, {"action": action})
    for word, action in _ACTION.items()
)
_FIXED: Final = FixedForms(queue_ids=(), no_queue_id="", with_id={}, without_id={"amavis": _ROWS}, turns={})
AMAVIS: Final = Format("amavis", claim, parse, _FIXED, about="amavisd-new: its verdict on a message")
