"""One mail server each. A line belongs to the first format that claims its program; foreign programs to none.

Some formats are Python (`FORMATS`), the rest are declarations (`declared/*.toml`, or a user's file). `auto` means
those of which every line says whose it is: they may share a file. Which format a file without such lines is of, is
found out once a source: `ingest.detection`.
"""

import difflib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from ingest.errors import UnknownFormatError
from ingest.formats.amavis import AMAVIS
from ingest.formats.base import Format
from ingest.formats.declared import SHIPPED, SUFFIX, declared_format, syslog_formats
from ingest.formats.exim import EXIM
from ingest.formats.postfix import POSTFIX

FORMATS: Final[Mapping[str, Format]] = {each.name: each for each in (POSTFIX, AMAVIS, EXIM)}
AUTO: Final = "auto"
# Raised when lines are read otherwise than before: `mailscope sources` then shows which sources `reparse` would renew.
PARSER_VERSION: Final = 5

# Behind the name of a table's format, the columns that its header names: `powermta|type,timeLogged,rcpt`.
_COLUMNS: Final = "|"


def find_formats(name: str) -> tuple[Format, ...]:
    """The formats that `--format NAME` means; for `auto`, those whose lines say whose they are.

    Raises UnknownFormatError if there is none, ConfigError if it is a file and no declaration.
    """
    name, _, columns = name.partition(_COLUMNS)
    if name == AUTO:
        return _of_every_line()
    if name in FORMATS:
        return (FORMATS[name],)
    if name in SHIPPED or name.endswith(SUFFIX):
        return (declared_format(name, columns.split(",") if columns else ()),)
    known = [AUTO, *FORMATS, *SHIPPED]
    near = "".join(f"; the nearest is {each!r}" for each in difflib.get_close_matches(name, known, n=1))
    raise UnknownFormatError(
        f"format {name!r}; there are {', '.join(known)}, and files like panel.toml{near}"
    )


@lru_cache
def _of_every_line() -> tuple[Format, ...]:
    return (*FORMATS.values(), *syslog_formats())


def full_name(name: str) -> str:
    """A format's name as the lake notes it: a file is found again from any folder."""
    return str(Path(name).resolve()) if name.endswith(SUFFIX) else name


def with_columns(name: str, columns: tuple[str, ...]) -> str:
    """The name of a table's format whose header names these columns."""
    return f"{name}{_COLUMNS}{','.join(columns)}" if columns else name


__all__ = ["AUTO", "FORMATS", "PARSER_VERSION", "Format", "find_formats", "full_name", "with_columns"]
