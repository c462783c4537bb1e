"""The front door: each command parses its arguments, calls one function and prints what it returns.

Results go to stdout, progress and diagnostics to stderr. Exit codes: 0 done, 1 the user's input was wrong or nothing
was recognised, 2 usage.
"""

import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib.abc import MetaPathFinder
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import duckdb
import pyarrow as pa
import typer
from rich.console import Console
from rich.text import Text

from analysis import metrics
from analysis.coverage import coverage, print_coverage, print_mail_sources, print_sources
from analysis.path import collapsed, read_way
from analysis.report import build
from analysis.report.html import to_html
from analysis.report.terminal import print_report, print_search
from analysis.report.way import print_way
from analysis.sql import query
from analysis.stitch import Own, barriers, is_current, stitch
from analysis.stitch.prune import prune_tables
from analysis.text import byte_size, counted, visible
from analysis.trace import logged_hops, nothing_found, search, tell
from analysis.values import records, to_json
from analysis.warehouse import open_lake
from dashboard.launch import serve
from ingest.clock import Clock
from ingest.compaction import compact
from ingest.doctor import Finding, examine, repair_mail
from ingest.doctor import repair as repair_lake
from ingest.errors import ConfigError, LakeError, MailscopeError, SourceError
from ingest.explain import explain_line
from ingest.formats import FORMATS, PARSER_VERSION, find_formats
from ingest.formats.declared import SHIPPED, declaration_of, header_of
from ingest.formats.declared.checking import Failure, Trial, failures, try_on
from ingest.headers.intake import MessagesReport
from ingest.headers.keeping import mail_sources
from ingest.headers.messages import messages_in
from ingest.headers.rereading import Reread
from ingest.headers.rows import rows_of
from ingest.lake import Lake
from ingest.ledger import Ledger
from ingest.parsing import Settings
from ingest.progress import shown_steps
from ingest.prune import Pruned, prune_emails, prune_events, prune_text
from ingest.pseudonyms import Pseudonyms
from ingest.reader import Report
from ingest.run import Asked, Given, Told, look_for, look_for_standing, read_into
from ingest.schema import SCHEMA_VERSION
from ingest.site import LogSet, Site, find_site
from ingest.sources import decode, first_lines
from ingest.times import find_zone, parse_iso
from ingest.upkeep import forget_named, reparse_named

MANY_FILES = 20  # of messages: more are told in one line
SAMPLE_LOGS = Path(__file__).parent / "sample_logs"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Analytics of mail server logs.",
)


class _Door:
    """What the words before the command say."""

    config: Path | None = None


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        print(f"mailscope {version('mailscope')}, parser {PARSER_VERSION}, lake {SCHEMA_VERSION}")
        raise typer.Exit


@app.callback()
def _before(
    config: Annotated[
        Path | None,
        typer.Option(help="What the site says once; default: mailscope.toml here, then in /etc/mailscope."),
    ] = None,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_tell_version,
            help="Print the versions of program, parser and lake.",
        ),
    ] = False,
) -> None:
    del show_version
    _Door.config = config


def _site(**options: object) -> Site:
    """What is in force, with the values of options by the names of `ingest.site.KEYS`, their dots as `__`."""
    return find_site(_Door.config, {name.replace("__", "."): value for name, value in options.items()})


def _lake(given: Path | None) -> Path:
    return Path(_site(lake=given)["lake"])


LakeOption = Annotated[
    Path | None,
    typer.Option("--lake", help="The folder of Parquet; default: the site's, $MAILSCOPE_LAKE or ./lake."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SinceOption = Annotated[
    str | None, typer.Option(help="From this moment on: ISO 8601, UTC unless it says otherwise.")
]
UntilOption = Annotated[str | None, typer.Option(help="Until before this moment.")]
HostOption = Annotated[str | None, typer.Option(help="Only this host.")]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", help="auto, a name that `mailscope formats` lists, or a declaration like panel.toml."
    ),
]
ZoneOption = Annotated[
    str | None, typer.Option("--timezone", help="Zone of stamps without one; default: this machine's.")
]
YearOption = Annotated[
    int | None,
    typer.Option(help="Year of the last line, where stamps have none; default: by the file's time."),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--pseudonymise", metavar="KEYFILE", help="Pseudonyms for people, made with the key in this file."
    ),
]
PIPE_WIDTH = 140


@app.command()
def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders, quoted glob patterns, or - for stdin; default: the site's sources."
        ),
    ] = None,
    lake: LakeOption = None,
    format_name: FormatOption = None,
    timezone: ZoneOption = None,
    host: Annotated[
        str | None, typer.Option(help="The host of lines that name none; default: this machine's name.")
    ] = None,
    year: YearOption = None,
    pseudonymise: KeyOption = None,
    pseudonymise_domains: Annotated[
        bool | None, typer.Option("--pseudonymise-domains", help="Domains too.", show_default=False)
    ] = None,
    keep_networks: Annotated[
        bool | None, typer.Option("--keep-networks", help="A client keeps its network.", show_default=False)
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Workers; default: one a processor.", min=1)] = None,
    reference: Annotated[
        bool,
        typer.Option("--reference", help="Read every line with the reference parser: slower, the same rows."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read logs into the lake; what is in it already is left alone."""
    site = _site(
        lake=lake,
        timezone=timezone,
        format=format_name,
        pseudonymise__key_file=pseudonymise,
        pseudonymise__domains=pseudonymise_domains,
        pseudonymise__keep_networks=keep_networks,
    )
    said = [LogSet(tuple(paths), host=host)] if paths else site.sources
    if not said:
        raise SourceError(
            "nothing to read; give paths, or write [[sources]] with paths = ['...'] into mailscope.toml"
        )
    settings = Settings(
        find_zone(site["timezone"]),
        site["format"],
        year,
        workers,
        pseudonyms=_pseudonyms(site),
        reference=reference,
    )
    asked = [Asked(each.paths, _with(settings, each)) for each in said]
    given, problems = (look_for(asked), []) if paths else look_for_standing(asked)
    reports, mail = _read_into(
        Lake(Path(site["lake"])), given, _own(site), with_subjects=site["headers.subjects"]
    )
    if as_json:
        print(to_json([*(report._asdict() for report in reports), *(report._asdict() for report in mail)]))
    else:
        for report in reports:
            if report.problem is None:
                print(_sentence(report))
        for sentence in _mail_sentences(mail):
            print(sentence)
    for report in reports:
        if report.format_found:
            print(
                visible(
                    f"{report.name}: read as {report.format}: {report.format_found}; --format says otherwise"
                ),
                file=sys.stderr,
            )
        if report.assumed_host:
            print(visible(f"{report.name}: lines that name no host are taken for those of {report.assumed_host}, this machine; --host says otherwise"), file=sys.stderr)  # fmt: skip
    silent = [report for report in reports if _is_silent(report)]
    for report in silent:
        what = "no line was recognised" if report.unparsed_lines else "only lines of other programs"
        print(visible(f"{report.name}: {what}; `mailscope coverage` shows them"), file=sys.stderr)
    problems += [report.problem for report in reports if report.problem]
    problems += [report.problem for report in mail if report.problem]
    for problem in problems:
        print(visible(f"mailscope: {problem}"), file=sys.stderr)
    is_all_silent = len(silent) == len(reports) and not mail
    if problems or is_all_silent or any(report.unparsed_lines for report in silent):
        raise typer.Exit(1)


def _with(settings: Settings, logs: LogSet) -> Settings:
    """The settings for some logs that say more of themselves."""
    return replace(
        settings,
        zone=find_zone(logs.timezone) if logs.timezone else settings.zone,
        format_name=logs.format or settings.format_name,
        host=logs.host,
    )


def _own(site: Site) -> Own:
    return Own(site["own.domains"], site["own.networks"])


def _pseudonyms(site: Site) -> Pseudonyms | None:
    key = site["pseudonymise.key_file"]
    if key is None:
        return None
    domains, networks = site["pseudonymise.domains"], site["pseudonymise.keep_networks"]
    return Pseudonyms.of_file(Path(key), domains=domains, keep_networks=networks)


def _is_silent(report: Report) -> bool:
    """A source that says nothing about mail. What is new in a known one may well do so for a while."""
    told = report.event_lines or report.duplicate_lines or report.is_continued
    return report.is_new and bool(report.line_count) and not told


def _read_into(
    lake: Lake, given: Sequence[Given], own: Own | None = None, *, with_subjects: bool = True
) -> Told:
    with lake.locked(_waiting):
        told = read_into(lake, given, with_subjects=with_subjects)
        _finish(lake, own)
    return told


def _mail_sentences(mail: Sequence[MessagesReport]) -> Iterator[str]:
    """A line a file, or one for all where they are many."""
    read = [report for report in mail if report.problem is None]
    if len(read) > MANY_FILES:
        messages, new, hops = (sum(each) for each in list(zip(*read, strict=True))[1:4])
        read = [MessagesReport(f"{len(read):,} files", messages, new, hops)]
    for report in read:
        yield visible(
            f"{report.name}: {counted(report.messages, 'message')}, {report.new_messages:,} new, with {counted(report.hops, 'Received header')}"
        )


def _finish(lake: Lake, own: Own | None = None) -> None:
    """What every change of the lines is followed by."""
    missing = lake.missing_parts()
    if missing:
        what = f"{len(missing)} files of the lake are gone, {missing[0]} first; `mailscope doctor` says what to do"
        print(visible(f"mailscope: {what}"), file=sys.stderr)
    if not is_current(lake.path, own):
        with shown_steps("stitching") as progress:
            stitch(lake.path, own, progress=progress)
    lake.clear_dirty()
    compact(lake, lake.last_commit(), barriers(lake.path))


def _waiting(holder: str) -> None:
    print(f"mailscope: waiting for another ingest into this lake ({visible(holder)})", file=sys.stderr)


def _sentence(report: Report) -> str:
    if not report.is_new:
        return visible(f"{report.name}: already in the lake")
    parts = (
        counted(report.line_count, "more line" if report.is_continued else "line"), f"{report.event_lines:,} understood", f"{report.unparsed_lines:,} not understood",
        f"{report.foreign_lines:,} of other programs", f"{report.blank_lines:,} blank",
        *([f"{report.duplicate_lines:,} known from another source"] if report.duplicate_lines else []),
    )  # fmt: skip
    damage = f"; damaged: {report.damage}" if report.damage else ""
    return visible(f"{report.name}: {', '.join(parts)}{damage}")


@app.command("coverage")
def show_coverage(lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """How much was understood, with samples of what was not; exit code 1 under 99 %."""
    with open_lake(_lake(lake)) as connection:
        found = coverage(connection)
    if as_json:
        print(to_json(found))
    else:
        print_coverage(found, _console())
    if not found.is_enough:
        raise typer.Exit(1)


@app.command()
def sources(lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """What is in the lake: which content, from when to when, and what became of its lines; files of messages."""
    with open_lake(_lake(lake)) as connection:
        held = records(metrics.run(connection, "sources"))
    with Lake(_lake(lake)).ledger_to_read() as ledger:
        mail = [each._asdict() for each in mail_sources(ledger)]
    if as_json:
        print(to_json([*held, *mail]))
    else:
        print_sources(held, _console())
        print_mail_sources(mail, _console())


SourceArgument = typer.Argument(
    metavar="SOURCE...", help="Identities, beginnings of them, or names, as `mailscope sources` shows them."
)


@app.command()
def forget(words: Annotated[list[str], SourceArgument], lake: LakeOption = None) -> None:
    """Take sources out of the lake, as if they had never been ingested: logs, files of messages, folders of these."""
    with _changing(Lake(_lake(lake))) as (held, ledger):
        told = forget_named(held, ledger, words)
    for each in told:
        what = f"{counted(each.size, 'message')} that no other file has" if each.is_mail else counted(each.size, "line")  # fmt: skip
        print(visible(f"{each.name}: forgotten, with {what}"))
        for loser in each.losers:
            again = f"`mailscope forget {loser.source_id}`, then ingest it again"
            print(visible(f"{loser.name} may miss lines that both had: {again}"), file=sys.stderr)


@contextmanager
def _changing(lake: Lake) -> Iterator[tuple[Lake, Ledger]]:
    """A lake that exists, with its ledger, while nobody else changes it; then the tables are made of what is left."""
    with lake.locked(_waiting):
        _refuse_no_lake(lake)
        lake.prepare()
        with lake.ledger() as ledger:
            yield lake, ledger
        _finish(lake)


def _refuse_no_lake(lake: Lake) -> None:
    with lake.ledger_to_read():
        pass


@app.command()
def reparse(
    words: Annotated[list[str] | None, SourceArgument] = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read sources, or all, anew with today's parser from the lines and Received headers in the lake; files are not needed."""
    with _changing(Lake(_lake(lake))) as (held, ledger):
        told, mail, pruned = reparse_named(held, ledger, words or ())
    for source in pruned:
        print(visible(f"{source.name}: left as it is, lines of it are pruned"), file=sys.stderr)
    if as_json:
        print(
            to_json(
                [
                    *(each._asdict() for each in told),
                    *({"name": name, **each._asdict()} for name, each in mail),
                ]
            )
        )
        return
    for sentence in _reread_sentences(mail):
        print(sentence)
    for each in told:
        after = counted(each.event_lines, "line")
        print(visible(f"{each.name}: {after} understood, {each.event_lines_before:,} before; {each.unparsed_lines:,} not"))  # fmt: skip


def _reread_sentences(mail: Sequence[tuple[str, Reread]]) -> Iterator[str]:
    for name, each in mail:
        lost = each.wordless_messages
        left = f"; {lost:,} left as they are, their text is pruned" if lost else ""
        yield visible(f"{name}: {counted(each.messages, 'message')} by Received headers, {each.changed_messages:,} read otherwise than before{left}")  # fmt: skip
    if mail:
        yield "other headers of messages are not in the lake: `mailscope forget` and `mailscope ingest` read them anew"


class Kept(StrEnum):
    """What has a retention of its own, in the order in which it may go."""

    TEXT = "text"
    EVENTS = "events"
    TABLES = "tables"


@app.command()
def prune(
    older_than: Annotated[
        str | None, typer.Option(metavar="SPAN", help="90d, 12w, 2y; default: what the site keeps.")
    ] = None,
    table: Annotated[
        Kept | None, typer.Option(help="Only the lines' text, the events, or the tables made of them.")
    ] = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Throw old days away: the lines' text, then events, then messages and what else was made of them."""
    spans = {f"retention.{each}": older_than for each in Kept if older_than and table in (None, each)}
    site = _site(lake=lake, **{name.replace(".", "__"): span for name, span in spans.items()})
    limits = {
        each: datetime.now(UTC).date() - span
        for each in Kept
        if table in (None, each) and (span := site.span(f"retention.{each}"))
    }
    if not limits:
        raise ConfigError(
            "nothing says how long; give --older-than 90d, or write [retention] into mailscope.toml"
        )
    held = Lake(Path(site["lake"]))
    with held.locked(_waiting):
        _refuse_no_lake(held)
        held.prepare()
        told = list(_prune(held, limits))
    if as_json:
        print(to_json([each._asdict() for each in told]))
    for each in [] if as_json else told:
        print(f"{each.what} before {each.before}: {byte_size(each.size_bytes)} freed")


def _prune(lake: Lake, limits: Mapping[Kept, date]) -> Iterator[Pruned]:
    for what, before in limits.items():
        stitched = prune_tables(lake.path, before) if what is Kept.TABLES else 0
        with lake.ledger() as ledger:
            pruned = _PRUNED_BY[what](lake, ledger, before)
        yield pruned._replace(what=what, size_bytes=pruned.size_bytes + stitched)


_PRUNED_BY: Final = {Kept.TEXT: prune_text, Kept.EVENTS: prune_events, Kept.TABLES: prune_emails}


@app.command()
def doctor(
    lake: LakeOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Finish what was interrupted, and forget what is damaged.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Whether the lake is sound, and what to do where it is not; exit code 1 if it is not."""
    held = Lake(_lake(lake))
    if repair:
        with held.locked(_waiting):
            _refuse_no_lake(held)
            for source in repair_lake(held):
                name = f"{source.name} ({source.source_id}, {source.size_bytes:,} bytes)"
                print(visible(f"{name} is forgotten, its rows were lost; ingest it again"), file=sys.stderr)
            if lost := repair_mail(held):
                print(
                    f"{counted(lost, 'message')} forgotten: the rows were lost; ingest the files again",
                    file=sys.stderr,
                )
            _finish(held)
    found = examine(held)
    found += _stitching(held.path) if len(found) > 1 else []
    if as_json:
        print(to_json([each._asdict() for each in found]))
    for each in [] if as_json else found:
        remedy = f"; {each.remedy}" if each.remedy else ""
        print(visible(f"{'ok   ' if each.is_sound else 'FAULT'} {each.check}: {each.found}{remedy}"))
    if not all(each.is_sound for each in found):
        raise typer.Exit(1)


def _stitching(lake: Path) -> list[Finding]:
    try:
        sound = is_current(lake)
        open_lake(lake).close()
    except (MailscopeError, duckdb.Error) as error:
        return [Finding("tables", False, str(error).partition("\n")[0], "`mailscope ingest` makes them anew")]
    remedy = None if sound else "the next `mailscope ingest` makes them anew"
    return [
        Finding(
            "tables",
            sound,
            f"stitched {'up to the last commit' if sound else 'before the last commit'}",
            remedy,
        )
    ]


@app.command()
def report(
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    host: HostOption = None,
    top: Annotated[int, typer.Option(help="Rows a table.", min=1)] = 10,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page to this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What happened, problems first."""
    with open_lake(_lake(lake)) as connection:
        found = build(connection, _moment(since), _moment(until), host, top)
    if html:
        html.write_text(to_html(found), "utf-8")
        print(f"written to {html}", file=sys.stderr)
    elif as_json:
        print(to_json(found))
    else:
        print_report(found, _console())


@app.command()
def trace(
    what: Annotated[
        str, typer.Argument(metavar="QUERY", help="Queue id, Message-ID, address, client, domain or text.")
    ],
    lake: LakeOption = None,
    pseudonymise: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What became of a message: its story across queue ids, the lines behind it, what they do not show."""
    site = _site(lake=lake, pseudonymise__key_file=pseudonymise)
    with open_lake(Path(site["lake"])) as connection:
        searches = (search(connection, each) for each in _as_in_lake(site, what))
        hits = (each for each in searches if each.messages or each.refusals)
        found = next(hits, None) or nothing_found(what)
        story = tell(connection, found.messages[0]["message_key"]) if found.messages else None
    if as_json:
        print(to_json({"search": found, "story": story}))
    else:
        print_search(found, story, _console())
    if not found.messages and not found.refusals:
        raise typer.Exit(1)


def _as_in_lake(site: Site, text: str) -> list[str]:
    """A query as the lake may have it: who holds the key finds people by their names, and by its own what has kept it."""
    made = _pseudonyms(site)
    with Lake(Path(site["lake"])).ledger_to_read() as ledger:
        is_filled_so = made is not None and ledger.pseudonyms() == made.identity
    return list(dict.fromkeys((*made.look_up(text), text))) if made and is_filled_so else [text]


@app.command()
def headers(
    path: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-",
            help="A message, a mailbox, a folder of them, Exim's rejectlog, or pasted headers; - is stdin.",
        ),
    ],
    own: Annotated[
        list[str] | None, typer.Option(help="A host, domain or network of yours; may be given again.")
    ] = None,
    collapse: Annotated[
        bool, typer.Option("--collapse", help="Leave out hops within one host or organisation.")
    ] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """The way of a message from its Received headers: who had it, for how long, what your logs have of it, and what is odd."""
    site = _site(lake=lake)
    said = [*(own or ()), *site["own.hosts"], *site["own.domains"], *site["own.networks"]]
    with _lake_if_any(site) as connection:
        if connection:
            said += [row["host"] for row in records(metrics.run(connection, "hosts"))]
        for message in messages_in(path):
            email, hops = rows_of(message)
            ids = [email["message_id"]] if email["message_id"] else []
            logged = logged_hops(connection, hops, ids) if connection else {}
            way = read_way(hops, said, logged, email["sent_at"])
            way = collapsed(way) if collapse else way
            if as_json:
                print(to_json({"email": email, "way": way}))
            else:
                print_way(email, way, _console())


@contextmanager
def _lake_if_any(site: Site) -> Iterator[duckdb.DuckDBPyConnection | None]:
    try:
        connection = open_lake(Path(site["lake"]))
    except LakeError:
        yield None
        return
    with connection:
        yield connection


@app.command()
def pseudonym(
    text: Annotated[str, typer.Argument(help="An address, a user name, a client address, or a log line.")],
    pseudonymise: KeyOption = None,
) -> None:
    """What a text becomes in a lake of pseudonyms, for who has the key."""
    made = _pseudonyms(_site(pseudonymise__key_file=pseudonymise))
    if made is None:
        raise ConfigError(
            "no key; give --pseudonymise KEYFILE, or write pseudonymise.key_file into mailscope.toml"
        )
    print(visible(made.look_up(text)[-1 if text.isidentifier() else 0]))


@app.command()
def config(lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """What is in force, and where each value comes from."""
    site = _site(lake=lake)
    if as_json:
        print(
            to_json(
                {
                    "settings": {name: each._asdict() for name, each in site.settings.items()},
                    "sources": site.sources,
                }
            )
        )
        return
    for name, (value, origin) in site.settings.items():
        shown = ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
        print(visible(f"{name:<28} {shown:<32} {origin}"))
    for logs in site.sources:
        more = ", ".join(
            f"{name} {value}" for name, value in asdict(logs).items() if value and name != "paths"
        )
        print(visible(f"{'sources':<28} {' '.join(logs.paths)}{f' ({more})' if more else ''}"))


@app.command()
def explain(
    format_name: FormatOption = None, timezone: ZoneOption = None, as_json: JsonOption = False
) -> None:
    """One raw line on stdin: its fields and its meaning."""
    site = _site(format=format_name, timezone=timezone)
    line = decode(sys.stdin.buffer.readline()).rstrip("\r\n")
    clock = Clock(datetime.now(UTC).year, find_zone(site["timezone"]))
    found = explain_line(line, find_formats(site["format"]), clock)
    if as_json:
        print(to_json(found))
        return
    print(f"{found.meaning} ({found.format} {found.kind}; see {found.see})")
    for name, value in found.fields.items():
        print(f"  {name:<16} {visible(value)}")


formats_app = typer.Typer(
    invoke_without_command=True, help="Which log formats there are; whether a declared one is right."
)
app.add_typer(formats_app, name="formats")
DeclarationArgument = typer.Argument(
    metavar="FORMAT", help="A declaration like panel.toml, or a shipped one's name."
)


@formats_app.callback()
def formats(context: typer.Context, as_json: JsonOption = False) -> None:
    """Which log formats there are."""
    if context.invoked_subcommand:
        return
    known = [
        {"name": each.name, "framing": "its own", "about": each.about, "limits": ()}
        for each in FORMATS.values()
    ]
    known += [
        {"name": name, "framing": each.framing.kind, "about": each.about, "limits": each.limits}
        for name, each in ((name, declaration_of(name)) for name in SHIPPED)
    ]
    if as_json:
        print(to_json(known))
        return
    for row in known:
        print(f"{row['name']:<14} {row['framing']:<8} {row['about']}")


@formats_app.command()
def show(name: Annotated[str, DeclarationArgument], as_json: JsonOption = False) -> None:
    """What a declared format reads, and its limits."""
    found = declaration_of(name)
    if as_json:
        print(to_json({"name": found.name, "about": found.about, "see": found.see, "limits": found.limits}))
        return
    print(f"{found.name}: {found.about}" + (f" ({found.see})" if found.see else ""))
    for limit in found.limits:
        print(f"  - {limit}")
    print(f"{len(found.patterns)} patterns, {len(found.samples)} samples, in {found.origin}")


@formats_app.command()
def check(names: Annotated[list[str], DeclarationArgument], as_json: JsonOption = False) -> None:
    """Run the samples of declared formats; exit code 1 if one is not read as it says."""
    told: dict[str, list[Failure]] = {}
    for name in names:
        found = declaration_of(name)
        told[name] = list(failures(found))
        for each in [] if as_json else told[name]:
            print(visible(each.sentence(name)))
        if not told[name] and not as_json:
            print(visible(f"{name}: {len(found.samples)} samples, all read as expected"))
    if as_json:
        print(to_json({name: [each._asdict() for each in some] for name, some in told.items()}))
    if any(told.values()):
        raise typer.Exit(1)


@formats_app.command("try")
def try_format(
    name: Annotated[str, DeclarationArgument],
    log: Annotated[Path, typer.Argument(metavar="LOG", help="The log; only its beginning is read.")],
    lines: Annotated[int, typer.Option(help="How many lines to read.", min=1)] = 1_000,
    shown: Annotated[int, typer.Option(help="How many to show.", min=0)] = 10,
    timezone: ZoneOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a declared format makes of the first lines of a log; exit code 1 if it reads none."""
    declaration = declaration_of(name)
    head = first_lines(log, lines)
    columns = header_of(declaration, "\n".join(head))
    trial = try_on(declaration, head, find_zone(_site(timezone=timezone)["timezone"]), columns)
    if as_json:
        print(to_json(trial._asdict() | {"share": trial.share}))
    else:
        _print_trial(trial, shown)
    if not trial.event_lines:
        raise typer.Exit(1)


def _print_trial(trial: Trial, shown: int) -> None:
    for row in trial.rows[:shown]:
        parts = (
            f"{name}={value}" for name, value in row.items() if name not in ("line_no", "logged_at", "kind")
        )
        moment = row["logged_at"].isoformat(sep=" ")
        print(visible(f"{row['line_no']:>4}  {moment}  {row['kind']}  {'  '.join(parts)}"))
    for row in trial.unparsed[:shown]:
        print(visible(f"{row['line_no']:>4}  not understood: {row['reason']}"))
        print(visible(f"      {row['line']}"))
    share = "" if trial.share is None else f", {100 * trial.share:.1f} % of its lines"
    print(
        f"{trial.lines:,} lines: {trial.event_lines:,} understood{share}; {len(trial.unparsed):,} not understood, "
        f"{trial.foreign_lines:,} of other programs, {trial.blank_lines:,} blank, headers or comments"
    )


@app.command()
def sql(
    statement: Annotated[
        str,
        typer.Argument(
            help="One SELECT over events, messages, deliveries, outcomes, sessions, rejections, sources."
        ),
    ],
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the lake in SQL (DuckDB's)."""
    rows = query(_lake(lake), statement)
    if as_json:
        print(to_json(records(rows)))
        return
    cells = rows.astype(object).where(rows.notna(), "NULL")
    for row in ([str(name) for name in rows.columns], *cells.itertuples(index=False)):
        print("\t".join(visible(str(cell)) for cell in row))


@app.command()
def dashboard(
    lake: LakeOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    address: Annotated[
        str, typer.Option(help="Listen here; beyond loopback the pages have no password yet.")
    ] = "127.0.0.1",
) -> None:
    """Serve the dashboard until interrupted."""
    serve(_lake(lake), port, address, config=_Door.config)


@app.command()
def demo(
    lake: Annotated[Path, typer.Option(help="The folder of Parquet.")] = Path("lake/demo"),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    open_dashboard: Annotated[
        bool, typer.Option("--dashboard/--no-dashboard", help="Serve the dashboard at the end.")
    ] = True,
) -> None:
    """The sample logs: ingest, report, dashboard."""
    if not SAMPLE_LOGS.is_dir():
        raise SourceError(f"{SAMPLE_LOGS} is missing; the demo runs from a checkout of the project")
    folders = [folder for folder in sorted(SAMPLE_LOGS.iterdir()) if any(folder.glob("ma*log*"))]
    given = look_for([Asked([str(folder)], Settings(UTC, host=folder.name)) for folder in folders])
    for each in _read_into(Lake(lake), given).logs:
        print(_sentence(each))
    with open_lake(lake) as connection:
        print_report(build(connection), _console())
    if open_dashboard:
        serve(lake, port, open_browser=True)


def _console() -> Console:
    """A terminal has its own width; a file or pipe gets enough for every table."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPE_WIDTH)


def _moment(text: str | None) -> datetime | None:
    return (
        datetime.fromtimestamp(
            parse_iso(text if "T" in text or " " in text else f"{text} 00:00:00", UTC).utc_us / 1e6, UTC
        )
        if text
        else None
    )


def main() -> None:
    """Runs the command and ends the process as it is: to take numba apart costs a third of a second."""
    _hide_pandas()
    gc.set_threshold(100_000)  # a run makes few cycles and many objects: a twentieth of a small one's time
    try:
        status = _run()
        sys.stdout.flush()
    except BrokenPipeError:  # `mailscope report | head`
        status = 0
    os._exit(status)


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def _hide_pandas() -> None:
    """Lets pyarrow find no pandas at its first array, for it would import it: a fifth of a second.

    It looks again when somebody asks it for a DataFrame.
    """
    sys.meta_path.insert(0, _NoPandas())
    pa.array([], pa.null())
    del sys.meta_path[0]


def _run() -> int:
    """The exit code; expected trouble becomes one line on stderr and exit code 1."""
    try:
        app()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # a failure to Typer and Rich
            return 0
        return end.code if isinstance(end.code, int) else 0
    except MailscopeError as error:
        problem = str(error)
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        problem = _trouble(str(error))
    Console(stderr=True).print(Text(f"mailscope: {visible(problem)}"), soft_wrap=True)
    return 1


def _trouble(problem: str) -> str:
    """A full disk, a damaged Parquet file, or one that is being replaced."""
    if "No space left on device" in problem:
        return "no space left on device; make room, then `mailscope ingest` finishes the tables"
    what = problem.partition("\n")[0]
    return f"the lake cannot be read: {what}; `mailscope doctor` says what to do"


if __name__ == "__main__":
    main()
