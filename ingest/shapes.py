"""The notation of frequent lines, and its first compiler: a shape becomes a regular expression.

A template is literal text with `{column:class}` captures, `{:class}` for text that no column keeps, and `{?...?}`
around an optional group. Two rules, checked when a shape is compiled, leave one reading only, left to right and
without backtracking: a capture's class excludes the first character of whatever may follow it, and an optional
group starts with a literal. `rest` takes everything up to the literal that ends the line, `upto` everything up to
the first place where the literal behind it stands; `data` too, which may be nothing and may hold quotes.
A class that has no name is spelt out: `{queue_id:[0-9A-F]+}`, `{reason:[^|]*}`, `{smtp_code:[245]{3}}`;
`{reply:[A-Z]...}` begins so and takes everything, as `rest` does.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, zip_longest
from typing import Final, NamedTuple

from ingest.schema import Kind


class CaptureClass(NamedTuple):
    """The characters of a capture as the inside of a regular expression's `[...]`, and how many of them.

    Numbers are bounded so that they fit their column: a pid of thirty digits is no pid.
    """

    characters: str
    minimum: int
    maximum: int | None = None


CLASSES: Final = {
    "addr": CaptureClass(r'^<>" ', 0),
    "mid": CaptureClass(r"^<> ", 0),
    "host": CaptureClass(r"^\[\] ,:", 1),
    "ip": CaptureClass(r"0-9A-Za-z.:%", 2),
    "tok": CaptureClass(r"^ ,", 1),
    "name": CaptureClass(r"^ ", 1),
    "phrase": CaptureClass(r"^,", 1),
    "word": CaptureClass(r"a-z", 1),
    "flow": CaptureClass(r"a-z-", 1),
    "verb": CaptureClass(r"A-Z.-", 1),
    "alpha": CaptureClass(r"A-Za-z", 1),
    "code": CaptureClass(r"0-9.", 1),
    "qid": CaptureClass(r"0-9A-Za-z", 5),
    "text": CaptureClass(r"^;", 1),
    "path": CaptureClass(r"A-Za-z0-9/_.-", 1),
    "helo": CaptureClass(r"^<>", 0),
    "int": CaptureClass(r"0-9", 1, 18),
    "num": CaptureClass(r"0-9.", 1, 15),
    "ident": CaptureClass(r"0-9A-Za-z_-", 1),
    "verdict": CaptureClass(r"A-Z", 1),
    "flags": CaptureClass(r"0-9A-Za-z_,", 0),
    "linked": CaptureClass(r"0-9A-Za-z", 5, 20),
    "smtp": CaptureClass(r"0-9", 3, 3),
    "enhanced": CaptureClass(r"0-9.", 5, 9),
    "duration": CaptureClass(r"0-9.a-z", 2),
    "quoted": CaptureClass(r'^"', 0),
    "upto": CaptureClass(r'^"\n', 1),
    "data": CaptureClass(r"^\n", 0),
    "remark": CaptureClass(r"^\n", 1),
    "rest": CaptureClass(r"^\n", 1),
}
ENDLESS: Final = ("remark", "rest")
LED: Final = "..."  # behind a class that is spelt out: only the first character must be of it
UP_TO: Final = ("upto", "data")
# What is more than some characters of a class. A remark is not about a message: it begins neither with a queue id nor
# with what a content check looks at.
NO_REMARKS: Final = ("header", "body", "content", "mime", "nested")
_FORMS: Final = {
    "num": r"[0-9]{1,15}(?:\.[0-9]{1,9})?",
    "enhanced": r"[245]\.[0-9]{1,3}\.[0-9]{1,3}",
    "duration": r"(?=[0-9])(?:[0-9]{1,4}w)?(?:[0-9]{1,4}d)?(?:[0-9]{1,4}h)?(?:[0-9]{1,4}m)?(?:[0-9]{1,9}(?:\.[0-9]{1,6})?s)?",
    "quoted": r'(?:[^"\\\n]|\\[^\n])*',
    "remark": rf"(?![0-9A-Za-z]{{5,}}:|(?:{'|'.join(NO_REMARKS)})(?![0-9A-Za-z]))[^\n]+",
}

_SPELT: Final = re.compile(
    r"\[(?P<characters>(?:[^\[\]\\\n]|\\.)+)\](?P<times>[+*]|\.\.\.|\{[0-9]{1,4}(?:,[0-9]{0,4})?\})"
)
_TOKEN: Final = re.compile(
    r"(?P<open>\{\?)|(?P<close>\?\})|\{(?P<column>\w*):(?P<cls>\w+|"
    + re.sub(r"\?P<\w+>", "?:", _SPELT.pattern)
    + r")\}|(?P<literal>.)"
)


class Shape(NamedTuple):
    """One compiled template: the groups of `match(message)`, then `constants`, are the texts of `columns`."""

    kind: Kind
    columns: tuple[str, ...]
    match: Callable[[str], re.Match[str] | None]
    constants: tuple[str, ...] = ()


class Piece(NamedTuple):
    """One part of a template: 'open', 'close', 'literal' (text) or 'capture' (column, class)."""

    role: str
    text: str = ""
    cls: str = ""


class ShapeError(ValueError):
    """A template that breaks the notation or would have two readings."""


@cache
def class_of(name: str) -> CaptureClass:
    """The class of a name, or the one that is spelt out; ShapeError if it is neither."""
    if name in CLASSES:
        return CLASSES[name]
    spelt = _SPELT.fullmatch(name)
    if not spelt:
        raise ShapeError(f"no class {name!r}; there are {', '.join(CLASSES)}, or one is spelt out: [0-9A-F]+")
    least, _, most = {"+": "1,", "*": "0,", LED: "1,"}.get(
        spelt["times"], spelt["times"].strip("{}")
    ).partition(",")
    try:
        re.compile(f"[{spelt['characters']}]")
    except re.error as error:
        raise ShapeError(f"{name!r} is no class: {error}") from error
    if "," not in spelt["times"] and spelt["times"] not in ("+", "*", LED):
        most = least
    if re.search(r"--|&&|~~|\|\|", spelt["characters"]):
        raise ShapeError(f"{name!r}: a class has no operators; put \\ before the second sign")
    return CaptureClass(spelt["characters"], int(least), int(most) if most else None)


def is_endless(cls: str) -> bool:
    """Whether a capture takes everything up to the literal that ends the line."""
    return cls in ENDLESS or cls.endswith(LED)


def has_fixed_size(cls: str) -> bool:
    """Whether a capture ends by its size, so that anything may follow it."""
    _, least, most = class_of(cls)
    return cls not in CLASSES and least == most


@cache
def pieces(template: str) -> tuple[Piece, ...]:
    """Cuts a template into its pieces; neighbouring literal characters are one piece."""
    found: list[Piece] = []
    literal = ""
    for token in _TOKEN.finditer(template):
        if token["literal"]:
            literal += token["literal"]
            continue
        if literal:
            found.append(Piece("literal", literal))
            literal = ""
        if token["open"]:
            found.append(Piece("open"))
        elif token["close"]:
            found.append(Piece("close"))
        else:
            try:
                class_of(token["cls"])
            except ShapeError as error:
                raise ShapeError(f"{template!r}: {error}") from error
            found.append(Piece("capture", token["column"], token["cls"]))
    if literal:
        found.append(Piece("literal", literal))
    return tuple(found)


def captures(template: str) -> list[str]:
    """The columns that a template fills."""
    return [piece.text for piece in pieces(template) if piece.role == "capture" and piece.text]


def followers(parts: Sequence[Piece], position: int) -> Iterator[Piece]:
    """The pieces that may stand right after `position`: an optional group may be there or not."""
    position += 1
    while position < len(parts):
        piece = parts[position]
        if piece.role in ("literal", "capture"):
            yield piece
            return
        if piece.role == "open":
            yield parts[position + 1]
            position = closing(parts, position)
        position += 1


def closing(parts: Sequence[Piece], opening: int) -> int:
    """Where the group ends that starts at `opening`; `_check_groups` has seen to it that it does."""
    depth = 0
    while True:
        depth += {"open": 1, "close": -1}.get(parts[opening].role, 0)
        if depth == 0:
            return opening
        opening += 1


def _check_groups(template: str, parts: Sequence[Piece]) -> None:
    """Every optional group is closed, none is closed twice."""
    depths = list(accumulate({"open": 1, "close": -1}.get(piece.role, 0) for piece in parts))
    if min(depths, default=0) < 0:
        raise ShapeError(f"{template!r}: a ?}} closes no optional group")
    if depths and depths[-1]:
        raise ShapeError(f"{template!r}: an optional group is not closed")


@cache
def check(template: str) -> None:
    """Raises ShapeError where a template breaks the notation or has two readings."""
    parts = pieces(template)
    _check_groups(template, parts)
    for position, piece in enumerate(parts):
        if piece.role == "open" and parts[position + 1].role != "literal":
            raise ShapeError(f"{template!r}: an optional group must start with a literal")
        if piece.cls in UP_TO and [follower.role for follower in parts[position + 1 : position + 2]] != [
            "literal"
        ]:
            raise ShapeError(f"{template!r}: upto which literal? {piece.text!r} must stand before one")
        if (
            piece.role != "capture"
            or piece.cls in UP_TO
            or is_endless(piece.cls)
            or has_fixed_size(piece.cls)
        ):
            continue
        for follower in followers(parts, position):
            if follower.role == "capture":
                raise ShapeError(f"{template!r}: two captures in a row, {piece.text!r} and {follower.text!r}")
            if re.match(f"[{class_of(piece.cls).characters}]", follower.text):
                raise ShapeError(
                    f"{template!r}: {piece.cls!r} of {piece.text!r} may swallow the {follower.text[0]!r} after it; "
                    f"a class that does not could be spelt out: {{{piece.text}:[^{follower.text[0]} ]+}}"
                )


def expressions(parts: Sequence[Piece]) -> Iterator[str]:
    """The regular expression of some pieces, in parts."""
    ends_upto = False
    for piece, follower in zip_longest(parts, parts[1:], fillvalue=Piece("literal")):
        if piece.cls in UP_TO:
            characters, least, _ = CLASSES[piece.cls]
            body, literal = f"[{characters}]{'+?' if least else '*?'}", re.escape(follower.text)
            something = f"(?!{literal})" if least else ""
            yield f"{something}(?>{f'({body})' if piece.text else body}{literal})"
        elif not ends_upto:
            yield _expression(piece)
        ends_upto = piece.cls in UP_TO


def _expression(piece: Piece) -> str:
    if piece.role == "open":
        return "(?:"
    if piece.role == "close":
        return ")?"
    if piece.role == "literal":
        return re.escape(piece.text)
    characters, minimum, maximum = class_of(piece.cls)
    size = r"[^\n]*" if piece.cls.endswith(LED) else f"{{{minimum},{maximum or ''}}}"
    body = _FORMS.get(piece.cls, f"[{characters}]{size}")
    return f"({body})" if piece.text else body


def compile_shape(kind: Kind, template: str, constants: Mapping[str, str]) -> Shape:
    """The first compiler: a template becomes a pattern that takes a whole message.

    `constants` are columns whose text the template itself tells. Raises ShapeError if the template is not in the
    notation or has more than one reading.
    """
    columns, match = _compiled(template)
    return Shape(kind, (*columns, *constants), match, tuple(constants.values()))


@cache
def _compiled(template: str) -> tuple[tuple[str, ...], Callable[[str], re.Match[str] | None]]:
    check(template)
    pattern = re.compile("".join(expressions(pieces(template))))
    return tuple(captures(template)), pattern.fullmatch
