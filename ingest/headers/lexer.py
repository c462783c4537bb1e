"""A structured header to words, comments and semicolons (RFC 5322 section 3.2), in linear time.

Comments nest and hold quoted pairs; a parenthesis without a partner is a character like others. So is a quotation
mark that none closes.
"""

import re
from enum import StrEnum
from typing import Final, NamedTuple

# Far more than any server writes (a line has at most 998 characters, RFC 5322 section 2.1.1, a header some lines).
MAX_LENGTH: Final = 16_384


class TokenKind(StrEnum):
    """What a piece of a structured header is."""

    WORD = "word"
    COMMENT = "comment"
    SEMICOLON = "semicolon"


class Token(NamedTuple):
    """A piece of a header and where it begins; a comment's text is without its outer parentheses."""

    kind: TokenKind
    text: str
    start: int


# Lengths are bounded so that what never closes costs no more than what does.
_WORD: Final = re.compile(
    r"""(?:"(?:[^"\\]|\\.){0,128}"|<[^<>\s]{0,128}>|\[[^\[\]]{0,128}\]|[^\s;()"<\[])+""", re.S
)
_BLANKS: Final = re.compile(r"\s+")
_MARKS: Final = re.compile(r'[()]|\\.|"(?:[^"\\]|\\.){0,128}"', re.S)


# A token of a text without quotation marks and quoted pairs, whose comments nest no deeper than twice: of nearly every.
_PLAIN: Final = re.compile(
    r"\s*+(?:(?P<word>(?:<[^<>\s]{0,512}>|\[[^\[\]]{0,128}\]|[^\s;()<\[])++)(?![()<\[])"
    r"|\((?P<comment>(?:[^()]|\((?:[^()]|\([^()]*+\))*+\))*+)\)|(?P<semicolon>;)|(?P<end>\Z))",
    re.S,
)
_KINDS: Final = {"comment": TokenKind.COMMENT, "semicolon": TokenKind.SEMICOLON, "word": TokenKind.WORD}
_FEW: Final = 64  # parentheses; a text with more is read the slow way, which is linear


def scan(text: str) -> list[Token]:
    """The tokens of an unfolded header value, in order; of at most MAX_LENGTH characters."""
    text = text[:MAX_LENGTH]
    is_plain = '"' not in text and "\\" not in text and text.count("(") == text.count(")") <= _FEW
    tokens = _scan_plain(text) if is_plain else None
    return _scan_any(text) if tokens is None else tokens


def _scan_plain(text: str) -> list[Token] | None:
    """The same by one pattern; None where it does not fit."""
    tokens: list[Token] = []
    place = 0
    while found := _PLAIN.match(text, place):
        kind = found.lastgroup or "end"
        if kind == "end":
            return tokens
        start = found.start(kind)
        tokens.append(Token(_KINDS[kind], found[kind], start - 1 if kind == "comment" else start))
        place = found.end()
    return None


def _scan_any(text: str) -> list[Token]:
    partners = _partners(text)
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        character = text[place]
        if character.isspace():
            place = _end(_BLANKS, text, place)
        elif character == ";":
            tokens.append(Token(TokenKind.SEMICOLON, ";", place))
            place += 1
        elif place in partners:
            tokens.append(Token(TokenKind.COMMENT, text[place + 1 : partners[place]], place))
            place = partners[place] + 1
        else:
            end = _word_end(text, place, partners)
            tokens.append(Token(TokenKind.WORD, text[place:end], place))
            place = end
    return tokens


def is_balanced(text: str) -> bool:
    """Whether every parenthesis has a partner."""
    if "(" not in text and ")" not in text:
        return True
    return 2 * len(_partners(text[:MAX_LENGTH])) == sum(
        mark[0] in "()" for mark in _MARKS.finditer(text[:MAX_LENGTH])
    )


def _word_end(text: str, start: int, partners: dict[int, int]) -> int:
    """Words go on over parentheses without a partner and other marks that open nothing."""
    end = _end(_WORD, text, start)
    while end < len(text) and not text[end].isspace() and text[end] != ";" and end not in partners:
        end = _end(_WORD, text, end + 1)
    return end


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def _partners(text: str) -> dict[int, int]:
    """Where the parentheses that open at some place close; those of quoted pairs and strings are none."""
    partners: dict[int, int] = {}
    open_at: list[int] = []
    for mark in _MARKS.finditer(text):
        if mark[0] == "(":
            open_at.append(mark.start())
        elif mark[0] == ")" and open_at:
            partners[open_at.pop()] = mark.start()
    return partners
