"""What the paths of a command line mean: which files, by which names."""

from __future__ import annotations

import atexit
import glob
import os
import re
import shutil
import stat
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from ingest.archives import codec_of, open_stream
from ingest.blocks import BLOCK_BYTES
from ingest.errors import NoMatchError, SourceError
from ingest.heads import HEAD_BYTES, is_binary, misfit

if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN = "-"
GLOB_SIGNS = re.compile(r"[*?[]")

PATHS = "a file, a directory, a quoted glob pattern, or - for standard input would be right"
REMEDIES: dict[type[OSError], str] = {
    FileNotFoundError: PATHS,
    NotADirectoryError: PATHS,
    PermissionError: "run as a user who may read it (on Debian, a member of the group adm)",
}

NamedFile = tuple[str, Path]  # the name as the user wrote it, and where the bytes are


def find_files(name: str) -> list[NamedFile]:
    """The files that a path means. Raises SourceError, or the OSError that `blaming` makes one of."""
    path = Path(name)
    if name == STDIN:
        return [("<stdin>", _spool(sys.stdin.buffer))]
    if GLOB_SIGNS.search(name) and not os.path.lexists(name):
        return _logs_matching(name)
    if path.is_symlink() and not path.exists():
        raise SourceError(f"{name} is a link to {path.readlink()}, which does not exist; {PATHS}")
    mode = os.stat(name).st_mode  # noqa: PTH116 (Path('') is '.')
    if stat.S_ISDIR(mode):
        return _logs_within(name)
    if stat.S_ISFIFO(mode):  # mailscope ingest <(ssh mx1 cat /var/log/mail.log)
        with path.open("rb") as pipe:
            return [(name, _spool(pipe))]
    if not stat.S_ISREG(mode):
        raise SourceError(f"{name} is a socket or a device; {PATHS}")
    if kind := misfit(read_head(path)):
        raise SourceError(f"{name} is {kind.what}; right would be {kind.remedy}")
    return [(name, path)]


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Whatever the system refuses while `name` is read is the user's to mend."""
    try:
        yield
    except OSError as error:
        remedy = REMEDIES.get(type(error), "a readable file would be right")
        raise SourceError(f"{error.filename or name}: {error.strerror or error}; {remedy}") from error


@contextmanager
def blaming_found(name: str) -> Iterator[None]:
    """The same of a file that was there a moment ago."""
    with blaming(name):
        try:
            yield
        except FileNotFoundError as error:
            raise SourceError(f"{name} has vanished since it was found; if rotated, run again") from error


def _logs_matching(pattern: str) -> list[NamedFile]:
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
    if not matches:
        raise NoMatchError(f"no file matches {pattern}; {PATHS}")
    files = [file for match in matches for file in (_walk(match) if Path(match).is_dir() else [match])]
    return _logs_among(files) or _no_logs(f"{pattern} matches {len(matches)} paths, none of them a log")


def _logs_within(folder: str) -> list[NamedFile]:
    files = list(_walk(folder))
    return _logs_among(files) or _no_logs(
        f"{folder} is a directory with {len(files)} files, none of them a log"
    )


def _no_logs(found: str) -> NoReturn:
    raise SourceError(f"{found} (hidden, binary and special files do not count); name the logs themselves")


def _walk(folder: str) -> Iterator[str]:
    """The files in it and below, except hidden ones. Links are followed, and each directory read once."""
    seen = set()
    for here, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        identity = _identity(here)
        folders[:] = [] if identity in seen else sorted(filter(_is_visible, folders))
        if identity not in seen:
            yield from (os.path.join(here, file) for file in sorted(filter(_is_visible, files)))  # noqa: PTH118
        seen.add(identity)


def _raise(error: OSError) -> NoReturn:
    raise error  # os.walk would skip in silence what it may not list


def _is_visible(name: str) -> bool:
    return not name.startswith(".")


def _identity(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_dev, status.st_ino


def _logs_among(files: list[str]) -> list[NamedFile]:
    return [(file, Path(file)) for file in files if _may_be_log(Path(file))]


def _may_be_log(path: Path) -> bool:
    """In a directory only what is clearly no log is passed over; a log with a damaged start is not."""
    try:
        head = read_head(path) if path.is_file() else None
        return (
            head is not None and not misfit(head) and not (is_binary(head) and is_binary(head + _tail(path)))
        )
    except FileNotFoundError:
        return False  # gone since it was listed


def read_head(path: Path, size: int = HEAD_BYTES) -> bytes:
    """The first decompressed bytes."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # a folder of messages has very many files
        head = file.read(size)
    if codec_of(head) is None:
        return head
    with open_stream(path) as stream:
        return stream.read(size)


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - HEAD_BYTES))
        return file.read(HEAD_BYTES)


def _spool(pipe: BinaryIO) -> Path:
    """A pipe can be read once, a source is read twice. The copy lives as long as the process."""
    with tempfile.NamedTemporaryFile(prefix="mailscope-", delete=False) as copy:
        path = Path(copy.name)
        atexit.register(path.unlink, missing_ok=True)
        shutil.copyfileobj(pipe, copy, BLOCK_BYTES)
    return path
