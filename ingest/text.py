"""How bytes become text without losing any.

Parquet and Arrow strings hold no lone surrogates (so `surrogateescape` is out), DuckDB dislikes NUL, and a
log may hold anything: remote servers and clients write part of every line. So a byte that is not part of
valid UTF-8, and NUL, becomes one character of its own at the end of plane 16, which is for private use:

    b"\\xe9" -> U+10FFE9     b"\\0" -> U+10FF00

Valid UTF-8 that would itself decode to U+10FF00..U+10FFFF is treated as four such bytes: no two inputs give
the same text, and `encode(decode(data)) == data` for all bytes.
"""

import codecs
import re

ESCAPES = 0x10FF00
ESCAPE_UTF8 = re.compile(rb"\xf4\x8f[\xbc-\xbf][\x80-\xbf]")  # U+10FF00..U+10FFFF in UTF-8
ESCAPE_HANDLER = "mailscope.escape"


def decode(data: bytes) -> str:
    """Text that stands for exactly these bytes."""
    if data.isascii() and b"\0" not in data:
        return data.decode("ascii")
    parts, start = list[str](), 0
    for taken in ESCAPE_UTF8.finditer(data):
        parts += _decode_clean(data[start : taken.start()]), _escape(taken[0])
        start = taken.end()
    return "".join(parts) + _decode_clean(data[start:])


def encode(text: str) -> bytes:
    """The bytes that `decode` made the text of."""
    data = text.encode()
    return data if text.isascii() else ESCAPE_UTF8.sub(_unescape, data)


def _decode_clean(data: bytes) -> str:
    return data.decode("utf-8", ESCAPE_HANDLER).replace("\0", chr(ESCAPES))


def _escape(data: bytes) -> str:
    return "".join(chr(ESCAPES + byte) for byte in data)


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes([ord(match[0].decode()) - ESCAPES])


def _escape_undecodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):  # text that no bytes decode to, lone surrogates
        raise error
    return _escape(error.object[error.start : error.end]), error.end


codecs.register_error(ESCAPE_HANDLER, _escape_undecodable)
