"""Formats that are data: one TOML file each. Those beside this module ship; a user names a file of theirs.

`<name>.toml` here needs no other line anywhere: it is known by its file name. The README has the recipe.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from ingest.formats.base import Format
from ingest.formats.declared.declaration import SUFFIX, Declaration, load
from ingest.formats.declared.reading import format_of, header_of

FOLDER: Final = Path(__file__).parent
SHIPPED: Final = tuple(sorted(file.stem for file in FOLDER.glob(f"*{SUFFIX}")))

__all__ = [
    "SHIPPED",
    "SUFFIX",
    "Declaration",
    "declaration_of",
    "declared_format",
    "header_of",
    "syslog_formats",
]


def declaration_of(name: str) -> Declaration:
    """The declaration of a shipped format, or of a file. ConfigError says what is wrong with it."""
    file = FOLDER / f"{name}{SUFFIX}" if name in SHIPPED else Path(name)
    return _loaded(file, file.stat().st_mtime_ns if file.is_file() else 0)


@lru_cache
def _loaded(file: Path, written_ns: int) -> Declaration:
    del written_ns  # a file that was edited is another one
    return load(file)


def declared_format(name: str, columns: Sequence[str] = ()) -> Format:
    """The format of a shipped declaration, or of a file; of a table, with the columns that its header names."""
    return _built(declaration_of(name).origin, columns=tuple(columns), written_ns=_written_ns(name))


def _written_ns(name: str) -> int:
    return declaration_of(name).origin.stat().st_mtime_ns


@lru_cache
def _built(file: Path, columns: tuple[str, ...], written_ns: int) -> Format:
    return format_of(_loaded(file, written_ns), columns)


def syslog_formats() -> tuple[Format, ...]:
    """The shipped formats whose lines syslog carries: their programs' names tell whose a line is."""
    return tuple(declared_format(name) for name in SHIPPED if declaration_of(name).framing.kind == "syslog")


def file_formats() -> tuple[str, ...]:
    """The names of the shipped formats of files that servers write themselves."""
    return tuple(name for name in SHIPPED if declaration_of(name).framing.kind != "syslog")
