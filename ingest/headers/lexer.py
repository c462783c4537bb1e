"""A structured header to words, comments and semicolons (RFC 5322 section 3.2), in linear time.

Comments nest and hold quoted pairs; a parenthesis without a partner is a character like others. So is a quotation
mark that none closes.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

# Far more than any server writes (a line has at most 998 characters, RFC 5322 section 2.1.1, a header some lines).
MAX_LENGTH: Final = 8_192


class TokenKind(StrEnum):
    """What a piece of a structured header is."""

    WORD = "word"
    COMMENT = "comment"
    SEMICOLON = "semicolon"


# A piece of a header; a comment's text is without its outer parentheses.
Token: TypeAlias = tuple[TokenKind, str]


# Lengths are bounded so that what never closes costs no more than what does.
_WORD: Final = re.compile(
    r"""(?:"(?:[^"\\]|\\.){0,128}"|<[^<>\s]{0,512}>|\[[^\[\]]{0,128}\]|[^\s;()"<\[])+""", re.S
)
_BLANKS: Final = re.compile(r"\s+")
_MARKS: Final = re.compile(r'[()]|\\.|"(?:[^"\\]|\\.){0,128}"', re.S)
# The tokens of a text without quotation marks and quoted pairs, whose comments nest no deeper than twice: of nearly
# every. What fits none of the first three groups is the last one's, and the text is then read the slow way.
_PLAIN: Final = re.compile(
    r"((?:<[^<>\s]{0,512}>|\[[^\[\]]{0,128}\]|[^\s;()<\[])++)(?![(<\[])"
    r"|(\((?:[^()]|\((?:[^()]|\([^()]*+\))*+\))*+\))|(;)|(\S)",
    re.S,
)
_BALANCED: Final = re.compile(r"[^()]*+(?:\((?:[^()]|\((?:[^()]|\([^()]*+\))*+\))*+\)[^()]*+)*+")
_FEW: Final = 64  # parentheses; a text with more is read the slow way, which is linear


def scan(text: str) -> list[Token]:
    """The tokens of an unfolded header value, in order; of at most MAX_LENGTH characters."""
    text = text[:MAX_LENGTH]
    if not _is_plain(text):
        return _scan(text)
    tokens: list[Token] = []
    for found in _PLAIN.finditer(text):
        word, comment, _, odd = found.groups()
        if odd:  # each further place could look as far as this one did
            return _scan(text)
        tokens.append(
            (_WORD_KIND, word) if word else (_COMMENT_KIND, comment[1:-1]) if comment else _SEMICOLON
        )
    return tokens


_WORD_KIND: Final = TokenKind.WORD
_COMMENT_KIND: Final = TokenKind.COMMENT
_SEMICOLON: Final = (TokenKind.SEMICOLON, ";")


def _is_plain(text: str) -> bool:
    return '"' not in text and "\\" not in text and text.count("(") == text.count(")") <= _FEW


def _scan(text: str) -> list[Token]:
    partners = _partners(text)
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place = _end(_BLANKS, text, place)
        elif text[place] == ";":
            tokens.append(_SEMICOLON)
            place += 1
        elif place in partners:
            tokens.append((TokenKind.COMMENT, text[place + 1 : partners[place]]))
            place = partners[place] + 1
        else:
            end = _word_end(text, place, partners)
            tokens.append((TokenKind.WORD, text[place:end]))
            place = end
    return tokens


def without_comments(text: str) -> str:
    """Blanks in place of comments, so that places stay the same."""
    if "(" not in text:
        return text
    pieces: list[str] = []
    place = 0
    for begin, end in sorted(_partners(text).items()):
        if begin >= place:
            pieces += text[place:begin], " " * (end + 1 - begin)
            place = end + 1
    return "".join((*pieces, text[place:]))


def is_balanced(text: str) -> bool:
    """Whether every parenthesis has a partner."""
    if _is_plain(text) and _BALANCED.fullmatch(text):
        return True
    return 2 * len(_partners(text)) == sum(mark[0] in "()" for mark in _MARKS.finditer(text))


def _word_end(text: str, start: int, partners: Mapping[int, int]) -> int:
    """Words go on over parentheses without a partner and other marks that open nothing."""
    end = _end(_WORD, text, start)
    while end < len(text) and not text[end].isspace() and text[end] != ";" and end not in partners:
        end = _end(_WORD, text, end + 1)
    return end


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


@lru_cache(maxsize=2)  # a text is asked about several times in a row
def _partners(text: str) -> Mapping[int, int]:
    """Where the parentheses that open at some place close; those of quoted pairs and strings are none."""
    partners: dict[int, int] = {}
    open_at: list[int] = []
    for mark in _MARKS.finditer(text):
        if mark[0] == "(":
            open_at.append(mark.start())
        elif mark[0] == ")" and open_at:
            partners[open_at.pop()] = mark.start()
    return partners
