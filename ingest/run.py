"""One run of `mailscope ingest`: all that it was given, logs and messages alike, looked for and then read into the lake."""

from collections.abc import Sequence
from typing import NamedTuple

from ingest.errors import SourceError
from ingest.headers.intake import MessagesReport, holds_refused, ingest_messages
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.progress import shown_progress
from ingest.reader import Report, ingest_sources
from ingest.sources import Source, find_sources, find_standing_sources


class Asked(NamedTuple):
    """Paths as the user wrote them, and how to read what is there."""

    paths: Sequence[str]
    settings: Settings


class Given(NamedTuple):
    """Files, and how to read them."""

    sources: list[Source]
    settings: Settings


class Told(NamedTuple):
    """What became of each log, and of each file of messages; a rejectlog of Exim's is both."""

    logs: list[Report]
    mail: list[MessagesReport]


def look_for(asked: Sequence[Asked]) -> list[Given]:
    """What is there. Raises SourceError where something is not."""
    return [Given(find_sources(paths), settings) for paths, settings in asked]


def look_for_standing(asked: Sequence[Asked]) -> tuple[list[Given], list[str]]:
    """The same of paths that are said once for many runs, and what is wrong with some of them. SourceError if nothing is there."""
    given: list[Given] = []
    problems: list[SourceError] = []
    for paths, settings in asked:
        sources, troubles = find_standing_sources(paths)
        given.append(Given(sources, settings))
        problems += troubles
    if problems and not any(each.sources for each in given):
        raise problems[0]
    return given, list(map(str, problems))


def read_into(lake: Lake, given: Sequence[Given], *, with_subjects: bool = True) -> Told:
    """Reads it all, with progress on a terminal; what cannot be read is told. Raises LakeError."""
    every = [source for sources, _ in given for source in sources]
    mail = {source.name: source for source in every if source.is_mail}
    refused = [source for source in every if source.name not in mail and holds_refused(source)]
    logs: list[Report] = []
    with shown_progress(every) as progress:
        for sources, settings in given:
            of_logs = [source for source in sources if source.name not in mail]
            logs += ingest_sources(lake, of_logs, settings, progress) if of_logs else []
        if not (mail or refused):
            return Told(logs, [])
        people, workers = given[0].settings.pseudonyms, given[0].settings.workers
        messages = ingest_messages(
            lake, [*mail.values(), *refused], people, with_subjects=with_subjects, workers=workers
        )
    return Told(logs, messages)
