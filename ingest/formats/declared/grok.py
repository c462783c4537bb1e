"""Grok patterns as templates: what Logstash and Elastic users write, as far as it reads a line in one way.

A grok pattern is a regular expression with `%{PATTERN:column:type}` in it. Here it becomes one or more templates of
`ingest.shapes`, so it is read from the left to the right without backtracking, and as fast as they are. What cannot
become one is refused with the place where it stands: look-around, back references, repeated groups, `.*` in the
middle. What takes anything but some characters (`%{NOTSPACE}`, `[^,]+`) stops where the text behind it begins.
A pattern takes the whole message: write `%{GREEDYDATA}` where more may follow.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ingest.shapes import UP_TO, CaptureClass, Piece, ShapeError, class_of, followers, pieces

# The base patterns of Logstash (patterns/ecs-v1/grok-patterns) that make sense in a mail log, as classes of
# characters: an address or a number is not checked digit by digit, it is read up to where it must end.
BASE: Final[Mapping[str, str]] = {
    "BASE10NUM": "num",
    "BASE16NUM": "[0-9A-Fa-fx]+",
    "CISCOMAC": "[0-9A-Fa-f.]+",
    "DATA": "data",
    "DATE_EU": "[0-9./-]+",
    "DATE_US": "[0-9/-]+",
    "EMAILADDRESS": "addr",
    "EMAILLOCALPART": "[^@<>, ]+",
    "GREEDYDATA": "rest",
    "HOSTNAME": "[0-9A-Za-z._-]+",
    "HOSTPORT": "[0-9A-Za-z.:_-]+",
    "HOUR": "[0-9]{1,2}",
    "HTTPDATE": "[0-9A-Za-z/:+ -]+",
    "INT": "int",
    "IP": "ip",
    "IPORHOST": "[0-9A-Za-z.:_-]+",
    "IPV4": "[0-9.]+",
    "IPV6": "[0-9A-Fa-f.:]+",
    "LOGLEVEL": "alpha",
    "MAC": "[0-9A-Fa-f:.-]+",
    "MINUTE": "[0-9]{2}",
    "MONTH": "alpha",
    "MONTHDAY": "[0-9]{1,2}",
    "MONTHNUM": "[0-9]{1,2}",
    "NONNEGINT": "int",
    "NOTSPACE": "name",
    "NUMBER": "num",
    "PATH": "name",
    "POSINT": "int",
    "PROG": "[0-9A-Za-z._/%-]+",
    "SECOND": "[0-9.,]+",
    "SPACE": r"[ \t]*",
    "TIME": "[0-9:.,]+",
    "TIMESTAMP_ISO8601": "[0-9TZ:.,+-]+",
    "TZ": "alpha",
    "UNIXPATH": "name",
    "URI": "name",
    "URIHOST": "[0-9A-Za-z.:_-]+",
    "USER": "[0-9A-Za-z._-]+",
    "USERNAME": "[0-9A-Za-z._-]+",
    "UUID": "[0-9A-Fa-f-]+",
    "WORD": "[0-9A-Za-z_]+",
    "YEAR": "[0-9]{4}",
}
QUOTED: Final = ("QS", "QUOTEDSTRING")
TYPES: Final = {"int": "int", "long": "int", "float": "num", "string": None}
MAX_TEMPLATES: Final = 64

_CLASS_OF_ESCAPE: Final = {
    "d": "0-9", "w": "0-9A-Za-z_", "s": r" \t", "S": r"^ \t", "D": "^0-9", "W": "^0-9A-Za-z_",
}  # fmt: skip
_BASE_USE: Final = re.compile(r"%\{(\w+)(?::(\w+))?(?::(\w+))?\}")
_GROUP: Final = re.compile(r"\(\?P?<(\w+)>|\(\?:|\(")
_QUANTIFIER: Final = re.compile(r"([?*+]|\{[0-9]+(?:,[0-9]*)?\})([?+]?)")
_BRACKETS: Final = re.compile(r"\[(\^?\]?(?:[^\]\\]|\\.)*)\]")
_PUNCTUATION: Final = re.compile(r"[^0-9A-Za-z]")


class Reading(NamedTuple):
    """One way to read a pattern: its pieces, and the columns whose text it tells itself."""

    pieces: tuple[Piece, ...] = ()
    constants: tuple[tuple[str, str], ...] = ()

    def then(self, other: "Reading") -> "Reading":
        """This, and the other behind it."""
        return Reading(self.pieces + other.pieces, self.constants + other.constants)


def templates(pattern: str) -> list[tuple[str, dict[str, str]]]:
    """The templates that a grok pattern means, tried in this order, each with its constants. Raises ShapeError."""
    found, end = _alternatives(pattern, 0)
    if end < len(pattern):
        raise _error(pattern, end, "a ) closes no group")
    try:
        return [(written(each.pieces), dict(each.constants)) for each in found]
    except ShapeError as error:
        raise _error(pattern, 0, str(error)) from error


def _error(pattern: str, position: int, problem: str) -> ShapeError:
    return ShapeError(f"grok, character {position + 1}, {pattern[position : position + 24]!r}: {problem}")


def _alternatives(pattern: str, position: int) -> tuple[list[Reading], int]:
    """`a|b|c` up to the ) that ends it, or the end."""
    found: list[Reading] = []
    while True:
        branch, position = _sequence(pattern, position)
        found += branch
        if len(found) > MAX_TEMPLATES:
            raise _error(pattern, 0, f"more than {MAX_TEMPLATES} alternatives; write several patterns")
        if position >= len(pattern) or pattern[position] == ")":
            return found, position
        position += 1


def _sequence(pattern: str, position: int) -> tuple[list[Reading], int]:
    """What stands between two `|`, in all its readings."""
    readings = [Reading()]
    while position < len(pattern) and pattern[position] not in "|)":
        parts, position = _part(pattern, position)
        readings = [reading.then(part) for reading in readings for part in parts]
        if len(readings) > MAX_TEMPLATES:
            raise _error(pattern, 0, f"more than {MAX_TEMPLATES} alternatives; write several patterns")
    return readings, position


def _part(pattern: str, position: int) -> tuple[list[Reading], int]:
    """One atom with its quantifier."""
    character = pattern[position]
    if character in "^$":
        if position not in (0, len(pattern) - 1):
            raise _error(pattern, position, "^ and $ stand at the ends; a pattern takes the whole message")
        return [Reading()], position + 1
    if use := _BASE_USE.match(pattern, position):
        return [Reading(tuple(_base(pattern, position, *use.groups())))], use.end()
    if character == "(":
        return _group(pattern, position)
    characters, end = _atom(pattern, position)
    quantifier = _QUANTIFIER.match(pattern, end)
    if quantifier:
        return [Reading(tuple(_repeated(characters, quantifier, "")))], quantifier.end()
    if len(characters) == 1:
        return [Reading((Piece("literal", characters),))], end
    return [Reading((Piece("capture", "", f"[{characters}]{{1}}"),))], end


def _base(pattern: str, position: int, name: str, column: str | None, kind: str | None) -> Iterator[Piece]:
    if name not in BASE and name not in QUOTED:
        raise _error(pattern, position, f"no base pattern {name!r}; there are {', '.join((*BASE, *QUOTED))}")
    if kind is not None and kind not in TYPES:
        raise _error(pattern, position, f"no type {kind!r}; there are {', '.join(TYPES)}")
    if name in QUOTED:
        yield from (Piece("literal", '"'), Piece("capture", column or "", '[^"]*'), Piece("literal", '"'))
        return
    cls = TYPES[kind] if kind else None
    yield Piece("capture", column or "", cls or BASE[name])


def _atom(pattern: str, position: int) -> tuple[str, int]:
    """The inside of a class that one character of the text is in, or the character itself; and where it ends."""
    character = pattern[position]
    if character == "\\":
        escaped = pattern[position + 1 : position + 2]
        if escaped in _CLASS_OF_ESCAPE:
            return _CLASS_OF_ESCAPE[escaped], position + 2
        if not _PUNCTUATION.match(escaped):
            raise _error(pattern, position, r"of the escapes there are \d \w \s \D \W \S, and signs")
        return escaped, position + 2
    if character == "[":
        brackets = _BRACKETS.match(pattern, position)
        if not brackets:
            raise _error(pattern, position, "a [ is not closed")
        inside = re.sub(r"\\([dws])", lambda escape: _CLASS_OF_ESCAPE[escape[1]], brackets[1])
        inside = re.sub(r"(?<!\\)\[", r"\\[", inside)
        return (inside if len(inside) > 1 else f"{inside}{inside}"), brackets.end()
    if character == ".":
        return "^\\n", position + 1
    if character in "?*+{":
        raise _error(
            pattern, position, f"{character} repeats nothing; a sign of the text would be \\{character}"
        )
    return character, position + 1


def _repeated(characters: str, quantifier: re.Match[str], column: str) -> Iterator[Piece]:
    times, greed = quantifier.groups()
    if characters == "^\\n" and times in "*+":
        yield Piece("capture", column, "data" if greed == "?" else "rest")
    elif times == "?" and len(characters) == 1 and not column:
        yield from (Piece("open"), Piece("literal", characters), Piece("close"))
    else:
        inside = re.escape(characters) if len(characters) == 1 else characters
        count = {"?": "{0,1}"}.get(times, times)
        yield Piece("capture", column, f"[{inside}]{count}")


def _group(pattern: str, position: int) -> tuple[list[Reading], int]:
    opening = _GROUP.match(pattern, position)
    if not opening or opening[0] == "(":
        problem = "a group is (?<column>...) or (?:...); look-around and the like could backtrack"
        raise _error(pattern, position, problem)
    inner, end = _alternatives(pattern, opening.end())
    if end >= len(pattern):
        raise _error(pattern, position, "a group is not closed")
    if column := opening[1]:
        inner = _named(pattern, position, column, inner, pattern[opening.end() : end])
    quantifier = _QUANTIFIER.match(pattern, end + 1)
    if not quantifier:
        return inner, end + 1
    if quantifier[1] != "?" or column:
        raise _error(pattern, position, "a repeated group could backtrack; only (?:...)? is there or not")
    optional = [
        Reading((Piece("open"), *each.pieces, Piece("close")), each.constants)
        for each in inner
        if not each.constants
    ]
    if len(optional) == len(inner) == 1:
        return optional, quantifier.end()
    return [*inner, Reading()], quantifier.end()


def _named(pattern: str, position: int, column: str, inner: Sequence[Reading], body: str) -> list[Reading]:
    """`(?<column>...)`: one class of characters, or words of which the text is one."""
    if len(inner) == 1 and [piece.role for piece in inner[0].pieces] == ["capture"]:
        [piece] = inner[0].pieces
        if not piece.text:
            return [Reading((piece._replace(text=column),))]
    words = [
        "".join(piece.text for piece in each.pieces)
        for each in inner
        if all(piece.role == "literal" for piece in each.pieces)
    ]
    if len(words) < len(inner) or not all(words):
        problem = f"(?<{column}>{body}) would be one class, as [0-9A-F]+ or %{{WORD}}, or words: sent|bounced"
        raise _error(pattern, position, problem)
    return [Reading((Piece("literal", word),), ((column, word),)) for word in words]


def written(parts: Sequence[Piece]) -> str:
    """The template of some pieces. ShapeError if a literal in it looks like the notation."""
    marks = {"open": "{?", "close": "?}"}
    merged = list(_merged(parts))
    merged = [_narrowed(merged, position) for position in range(len(merged))]
    template = "".join(
        marks.get(piece.role) or (piece.text if piece.role == "literal" else f"{{{piece.text}:{piece.cls}}}")
        for piece in merged
    )
    if list(pieces(template)) != merged:
        raise ShapeError(f"{template!r} reads otherwise as a template; write it as one")
    return template


def _narrowed(parts: Sequence[Piece], position: int) -> Piece:
    """A capture of anything but some characters, without those that may stand right behind it."""
    piece = parts[position]
    if piece.role != "capture" or piece.cls in (*UP_TO, "rest"):
        return piece
    cls = class_of(piece.cls)
    inside = f"[{cls.characters}]"
    behind = {each.text[0] for each in followers(parts, position) if each.role == "literal"}
    swallowed = sorted(character for character in behind if re.match(inside, character))
    if not swallowed or not cls.characters.startswith("^"):
        return piece
    narrow = f"{cls.characters}{''.join(map(re.escape, swallowed))}"
    return piece._replace(cls=f"[{narrow}]{_times(cls)}")


def _times(cls: CaptureClass) -> str:
    _, least, most = cls
    return f"{{{least},{most or ''}}}"


def _merged(parts: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbouring literals as one."""
    literal = ""
    for piece in parts:
        if piece.role == "literal":
            literal += piece.text
            continue
        if literal:
            yield Piece("literal", literal)
            literal = ""
        yield piece
    if literal:
        yield Piece("literal", literal)
