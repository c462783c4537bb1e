"""`mailscope.toml`: what a site says once, so that cron runs `mailscope ingest` bare.

A value comes from an option, else from the environment, else from the file, else from KEYS; `mailscope config` shows
which. The file is that of `--config`, else `mailscope.toml` in the working directory, else in /etc/mailscope.
"""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ingest.errors import ConfigError, MailscopeError
from ingest.formats import AUTO, find_formats
from ingest.times import find_zone

FILE_NAME: Final = "mailscope.toml"
FOLDERS: Final = (Path(), Path("/etc/mailscope"))
DEFAULT: Final = "default"

_DURATION: Final = re.compile(r"(\d{1,5}) ?(d|w|y)")
_DAYS: Final = {"d": 1, "w": 7, "y": 365}


def duration(text: object) -> timedelta:
    """'90d', '12w', '2y'. ConfigError for anything else."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not found or not int(found[1]):
        raise ConfigError(f"{text!r} is no span of time; it would look like '90d', '12w' or '2y'")
    return timedelta(days=int(found[1]) * _DAYS[found[2]])


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{value!r}; it would be a text in quotes")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{value!r}; it would be a list of texts: ['...', '...']")
    return tuple(map(_text, value))


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{value!r}; it would be true or false")
    return value


def _zone(value: object) -> str:
    find_zone(_text(value))
    return _text(value)


def _format(value: object) -> str:
    find_formats(_text(value))
    return _text(value)


def _networks(value: object) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(text)) for text in _texts(value))
    except ValueError as error:
        raise ConfigError(f"{error}; a network would look like '192.0.2.0/24'") from error


def _span(value: object) -> str:
    duration(value)
    return str(value)


class Key(NamedTuple):
    """One key of the file: how its value is read, what holds without it, what it is for."""

    read: Callable[[object], Any]
    default: Any
    meaning: str


KEYS: Final[Mapping[str, Key]] = MappingProxyType(
    {
        "lake": Key(_text, "lake", "the folder of Parquet"),
        "timezone": Key(_zone, None, "of stamps without one; default: this machine's"),
        "format": Key(_format, AUTO, "of logs; auto recognises it line by line"),
        "own.domains": Key(_texts, (), "recipients there are ours"),
        "own.hosts": Key(_texts, (), "mail servers of ours, by the names in their logs"),
        "own.networks": Key(_networks, (), "clients there are ours"),
        "retention.text": Key(_span, None, "original lines are kept so long"),
        "retention.events": Key(_span, None, "normalised lines are kept so long"),
        "retention.tables": Key(_span, None, "messages, deliveries, outcomes, sessions, rejections"),
        "headers.subjects": Key(_flag, True, "subjects of messages are kept; with pseudonyms they never are"),
        "pseudonymise.key_file": Key(_text, None, "pseudonyms are made with the key in this file"),
        "pseudonymise.domains": Key(_flag, False, "domains too, not only local parts"),
        "pseudonymise.keep_networks": Key(_flag, False, "a client keeps its network (/24, /48)"),
    }
)
SOURCE_KEYS: Final[Mapping[str, Key]] = MappingProxyType(
    {
        "paths": Key(_texts, (), "files, folders, patterns"),
        "format": Key(_format, None, "of these logs"),
        "host": Key(_text, None, "for lines that name none"),
        "timezone": Key(_zone, None, "of their stamps"),
    }
)
ENVIRONMENT: Final = {"lake": "MAILSCOPE_LAKE"}


class Setting(NamedTuple):
    """A value in force, and where it comes from: `--option`, `$VARIABLE`, a file, or `default`."""

    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class LogSet:
    """Logs that a site names together, with what it says about them."""

    paths: tuple[str, ...]
    format: str | None = None
    host: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """What is in force."""

    settings: Mapping[str, Setting]
    sources: tuple[LogSet, ...] = ()
    file: Path | None = None

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # KEYS says of which type
        """The value of one of KEYS."""
        return self.settings[name].value

    def span(self, name: str) -> timedelta | None:
        """The value of one of KEYS that is a span of time."""
        value = self[name]
        return duration(value) if value else None


def find_site(config: Path | None = None, options: Mapping[str, object] | None = None) -> Site:
    """What is in force: `options` are the values that the command line gave, by KEYS' names; None is no value.

    Raises ConfigError if a file cannot be read, or says what is not understood; it names the file and the key.
    """
    file = config or next((folder / FILE_NAME for folder in FOLDERS if (folder / FILE_NAME).is_file()), None)
    text = _load(file) if file else {}
    sources = text.pop("sources", [])
    flat = dict(_flatten(text))
    _check(flat, KEYS, file)
    said = {name: Setting(_read(KEYS[name], name, value, file), str(file)) for name, value in flat.items()}
    from_environment = {
        name: Setting(os.environ[variable], f"${variable}")
        for name, variable in ENVIRONMENT.items()
        if os.environ.get(variable)
    }
    given = {
        name: Setting(value, f"--{name.replace('.', '-')}")
        for name, value in (options or {}).items()
        if value is not None
    }
    defaults = {name: Setting(key.default, DEFAULT) for name, key in KEYS.items()}
    site = Site(defaults | said | from_environment | given, tuple(_sources(sources, file)), file)
    _check_retention(site)
    return site


def _load(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is no TOML: {error}") from error


def _flatten(text: Mapping[str, Any]) -> Iterable[tuple[str, object]]:
    for name, value in text.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", below) for inner, below in value.items())
        else:
            yield name, value


def _check(found: Iterable[str], known: Mapping[str, Key], file: Path | None) -> None:
    for name in found:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise ConfigError(f"{file}: unknown key {name!r}; the nearest known one is {near[0]!r}")


def _read(key: Key, name: str, value: object, file: Path | None) -> Any:  # noqa: ANN401  # as above
    try:
        return key.read(value)
    except MailscopeError as error:
        raise ConfigError(f"{file}: {name}: {error}") from error


def _sources(entries: object, file: Path | None) -> Iterable[LogSet]:
    if not isinstance(entries, list):
        raise ConfigError(f"{file}: sources is {entries!r}; a source begins with [[sources]]")
    for entry in entries:
        _check(entry, SOURCE_KEYS, file)
        if "paths" not in entry:
            raise ConfigError(f"{file}: a source without paths; it would have paths = ['/var/log/mail.log*']")
        yield LogSet(**{name: _read(SOURCE_KEYS[name], name, value, file) for name, value in entry.items()})


def _check_retention(site: Site) -> None:
    """Text goes before what was made of it: nobody expects to find an address in a line long after its table forgot it."""
    order = ("retention.text", "retention.events", "retention.tables")
    limited = [(name, span) for name in order if (span := site.span(name))]
    for (shorter, first), (longer, second) in pairwise(limited):
        if first > second:
            raise ConfigError(
                f"{site.file}: {shorter} is longer than {longer}; lines go before what was made of them"
            )
