"""One mail server each. A line belongs to the first format that claims its program; foreign programs to none."""

from collections.abc import Mapping
from typing import Final

from ingest.errors import UnknownFormatError
from ingest.formats.amavis import AMAVIS
from ingest.formats.base import Format
from ingest.formats.exim import EXIM
from ingest.formats.postfix import POSTFIX

FORMATS: Final[Mapping[str, Format]] = {each.name: each for each in (POSTFIX, AMAVIS, EXIM)}
AUTO: Final = "auto"
# Raised when lines are read otherwise than before: `mailscope sources` then shows which sources `reparse` would renew.
PARSER_VERSION: Final = 1


def find_formats(name: str) -> tuple[Format, ...]:
    """The formats that `--format NAME` means; all of them for `auto`. UnknownFormatError if there is none."""
    if name == AUTO:
        return tuple(FORMATS.values())
    if name not in FORMATS:
        raise UnknownFormatError(f"format {name!r}; there are {AUTO}, {', '.join(FORMATS)}")
    return (FORMATS[name],)


__all__ = ["AUTO", "FORMATS", "PARSER_VERSION", "Format", "find_formats"]
