"""The front door: each command parses its arguments, calls one function and prints what it returns.

Results go to stdout, progress and diagnostics to stderr. Exit codes: 0 done, 1 the user's input was wrong or nothing
was recognised, 2 usage.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.text import Text

from analysis import metrics
from analysis.coverage import coverage, print_coverage, print_sources
from analysis.report import build
from analysis.report.html import to_html
from analysis.report.terminal import print_report, print_search
from analysis.sql import query
from analysis.stitch import barriers, is_current, stitch
from analysis.text import visible
from analysis.trace import search, tell
from analysis.values import records, to_json
from analysis.warehouse import open_lake
from dashboard.launch import serve
from ingest.clock import Clock
from ingest.compaction import compact
from ingest.doctor import Finding, examine
from ingest.doctor import repair as repair_lake
from ingest.errors import MailscopeError, SourceError
from ingest.explain import explain_line
from ingest.formats import AUTO, find_formats
from ingest.lake import Lake, find_source
from ingest.parsing import Settings
from ingest.progress import shown_progress
from ingest.reader import Report, ingest_sources
from ingest.records import KnownSource
from ingest.reparse import forget as forget_source
from ingest.reparse import reparse as reparse_source
from ingest.sources import decode, find_sources
from ingest.times import find_zone, parse_iso

SAMPLE_LOGS = Path(__file__).parent / "sample_logs"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Analytics of mail server logs.",
)

LakeOption = Annotated[Path, typer.Option("--lake", envvar="MAILSCOPE_LAKE", help="The folder of Parquet.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SinceOption = Annotated[
    str | None, typer.Option(help="From this moment on: ISO 8601, UTC unless it says otherwise.")
]
UntilOption = Annotated[str | None, typer.Option(help="Until before this moment.")]
HostOption = Annotated[str | None, typer.Option(help="Only this host.")]
FormatOption = Annotated[str, typer.Option("--format", help="Log format; auto recognises it line by line.")]
ZoneOption = Annotated[
    str | None, typer.Option("--timezone", help="Zone of stamps without one; default: this machine's.")
]
YearOption = Annotated[
    int | None,
    typer.Option(help="Year of the last line, where stamps have none; default: by the file's time."),
]
DEFAULT_LAKE = Path("lake")
PIPE_WIDTH = 140


@app.command()
def ingest(
    paths: Annotated[list[str], typer.Argument(help="Files, folders, quoted glob patterns, or - for stdin.")],
    lake: LakeOption = DEFAULT_LAKE,
    format_name: FormatOption = AUTO,
    timezone: ZoneOption = None,
    year: YearOption = None,
    workers: Annotated[int | None, typer.Option(help="Workers; default: one a processor.", min=1)] = None,
    reference: Annotated[
        bool,
        typer.Option("--reference", help="Read every line with the reference parser: slower, the same rows."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read logs into the lake; what is in it already is left alone."""
    reports = _ingest(paths, lake, Settings(find_zone(timezone), format_name, year, workers, reference))
    if as_json:
        print(to_json([report._asdict() for report in reports]))
    else:
        for report in reports:
            print(_sentence(report))
    silent = [report for report in reports if _is_silent(report)]
    for report in silent:
        what = "no line was recognised" if report.unparsed_lines else "only lines of other programs"
        print(visible(f"{report.name}: {what}; `mailscope coverage` shows them"), file=sys.stderr)
    if any(report.unparsed_lines for report in silent) or len(silent) == len(reports):
        raise typer.Exit(1)


def _is_silent(report: Report) -> bool:
    """A source that says nothing about mail. What is new in a known one may well do so for a while."""
    told = report.event_lines or report.duplicate_lines or report.is_continued
    return report.is_new and bool(report.line_count) and not told


def _ingest(paths: Sequence[str], lake: Path, settings: Settings) -> list[Report]:
    sources = find_sources(paths)
    with Lake(lake).locked(_waiting):
        with shown_progress(sources) as progress:
            reports = ingest_sources(Lake(lake), sources, settings, progress)
        _finish(Lake(lake))
    return reports


def _finish(lake: Lake) -> None:
    """What every change of the lines is followed by."""
    missing = lake.missing_parts()
    if missing:
        what = f"{len(missing)} files of the lake are gone, {missing[0]} first; `mailscope doctor` says what to do"
        print(visible(f"mailscope: {what}"), file=sys.stderr)
    if not is_current(lake.path):
        stitch(lake.path)
    lake.clear_dirty()
    compact(lake, lake.last_commit(), barriers(lake.path))


def _waiting(holder: str) -> None:
    print(f"mailscope: waiting for another ingest into this lake ({visible(holder)})", file=sys.stderr)


def _sentence(report: Report) -> str:
    if not report.is_new:
        return visible(f"{report.name}: already in the lake")
    parts = (
        f"{report.line_count:,} {'more ' if report.is_continued else ''}lines", f"{report.event_lines:,} understood", f"{report.unparsed_lines:,} not understood",
        f"{report.foreign_lines:,} of other programs", f"{report.blank_lines:,} blank",
        *([f"{report.duplicate_lines:,} known from another source"] if report.duplicate_lines else []),
    )  # fmt: skip
    damage = f"; damaged: {report.damage}" if report.damage else ""
    return visible(f"{report.name}: {', '.join(parts)}{damage}")


@app.command("coverage")
def show_coverage(lake: LakeOption = DEFAULT_LAKE, as_json: JsonOption = False) -> None:
    """How much was understood, with samples of what was not; exit code 1 under 99 %."""
    with open_lake(lake) as connection:
        found = coverage(connection)
    if as_json:
        print(to_json(found))
    else:
        print_coverage(found, _console())
    if not found.is_enough:
        raise typer.Exit(1)


@app.command()
def sources(lake: LakeOption = DEFAULT_LAKE, as_json: JsonOption = False) -> None:
    """What is in the lake: which content, from when to when, and what became of its lines."""
    with open_lake(lake) as connection:
        held = records(metrics.run(connection, "sources"))
    if as_json:
        print(to_json(held))
    else:
        print_sources(held, _console())


SourceArgument = typer.Argument(
    metavar="SOURCE...", help="Identities, beginnings of them, or names, as `mailscope sources` shows them."
)


@app.command()
def forget(words: Annotated[list[str], SourceArgument], lake: LakeOption = DEFAULT_LAKE) -> None:
    """Take sources out of the lake, as if they had never been ingested."""
    with Lake(lake).locked(_waiting):
        _refuse_no_lake(lake)
        Lake(lake).prepare()
        with Lake(lake).ledger() as ledger:
            for source in [find_source(ledger, each) for each in words]:
                for loser in forget_source(Lake(lake), ledger, source):
                    print(
                        visible(f"{loser.name} may miss lines that both had: {_anew(loser)}"), file=sys.stderr
                    )
        _finish(Lake(lake))


def _anew(source: KnownSource) -> str:
    return f"`mailscope forget {source.source_id}`, then ingest it again"


def _refuse_no_lake(lake: Path) -> None:
    with Lake(lake).ledger_to_read():
        pass


@app.command()
def reparse(
    words: Annotated[list[str] | None, SourceArgument] = None,
    lake: LakeOption = DEFAULT_LAKE,
    as_json: JsonOption = False,
) -> None:
    """Read sources, or all, anew with today's parser from the lines in the lake; their files are not needed."""
    told = []
    with Lake(lake).locked(_waiting):
        _refuse_no_lake(lake)
        Lake(lake).prepare()
        with Lake(lake).ledger() as ledger:
            sources = [find_source(ledger, each) for each in words] if words else ledger.sources()
            told = [reparse_source(Lake(lake), ledger, source) for source in sources]
        _finish(Lake(lake))
    if as_json:
        print(to_json([each._asdict() for each in told]))
    for each in [] if as_json else told:
        before, after = (f"{lines:,}" for lines in (each.event_lines_before, each.event_lines))
        print(visible(f"{each.name}: {after} lines understood, {before} before; {each.unparsed_lines:,} not"))


@app.command()
def doctor(
    lake: LakeOption = DEFAULT_LAKE,
    repair: Annotated[
        bool, typer.Option("--repair", help="Finish what was interrupted, and forget what is damaged.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Whether the lake is sound, and what to do where it is not; exit code 1 if it is not."""
    if repair:
        with Lake(lake).locked(_waiting):
            _refuse_no_lake(lake)
            for source in repair_lake(Lake(lake)):
                name = f"{source.name} ({source.source_id}, {source.size_bytes:,} bytes)"
                print(visible(f"{name} is forgotten, its rows were lost; ingest it again"), file=sys.stderr)
            _finish(Lake(lake))
    found = examine(Lake(lake))
    found += _stitching(lake) if len(found) > 1 else []
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
    lake: LakeOption = DEFAULT_LAKE,
    since: SinceOption = None,
    until: UntilOption = None,
    host: HostOption = None,
    top: Annotated[int, typer.Option(help="Rows a table.", min=1)] = 10,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page to this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What happened, problems first."""
    with open_lake(lake) as connection:
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
    lake: LakeOption = DEFAULT_LAKE,
    as_json: JsonOption = False,
) -> None:
    """What became of a message: its story across queue ids, the lines behind it, what they do not show."""
    with open_lake(lake) as connection:
        found = search(connection, what)
        story = tell(connection, found.messages[0]["message_key"]) if found.messages else None
    if as_json:
        print(to_json({"search": found, "story": story}))
    else:
        print_search(found, story, _console())
    if not found.messages and not found.refusals:
        raise typer.Exit(1)


@app.command()
def explain(
    format_name: FormatOption = AUTO, timezone: ZoneOption = None, as_json: JsonOption = False
) -> None:
    """One raw line on stdin: its fields and its meaning."""
    line = decode(sys.stdin.buffer.readline()).rstrip("\r\n")
    found = explain_line(line, find_formats(format_name), Clock(datetime.now(UTC).year, find_zone(timezone)))
    if as_json:
        print(to_json(found))
        return
    print(f"{found.meaning} ({found.format} {found.kind}; see {found.see})")
    for name, value in found.fields.items():
        print(f"  {name:<16} {visible(value)}")


@app.command()
def sql(
    statement: Annotated[
        str,
        typer.Argument(
            help="One SELECT over events, messages, deliveries, outcomes, sessions, rejections, sources."
        ),
    ],
    lake: LakeOption = DEFAULT_LAKE,
    as_json: JsonOption = False,
) -> None:
    """Ask the lake in SQL (DuckDB's)."""
    rows = query(lake, statement)
    if as_json:
        print(to_json(records(rows)))
        return
    for row in ([str(name) for name in rows.columns], *rows.astype(object).itertuples(index=False)):
        print("\t".join(visible(str(cell)) for cell in row))


@app.command()
def dashboard(
    lake: LakeOption = DEFAULT_LAKE,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    address: Annotated[
        str, typer.Option(help="Listen here; beyond loopback the pages have no password yet.")
    ] = "127.0.0.1",
) -> None:
    """Serve the dashboard until interrupted."""
    serve(lake, port, address)


@app.command()
def demo(
    lake: LakeOption = Path("lake/demo"),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    open_dashboard: Annotated[
        bool, typer.Option("--dashboard/--no-dashboard", help="Serve the dashboard at the end.")
    ] = True,
) -> None:
    """The sample logs: ingest, report, dashboard."""
    if not SAMPLE_LOGS.is_dir():
        raise SourceError(f"{SAMPLE_LOGS} is missing; the demo runs from a checkout of the project")
    hosts = [str(folder) for folder in sorted(SAMPLE_LOGS.iterdir()) if any(folder.glob("*.log*"))]
    for each in _ingest(hosts, lake, Settings(UTC)):
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
    """Runs the command; expected trouble becomes one line on stderr and exit code 1."""
    try:
        app()
    except MailscopeError as error:
        Console(stderr=True).print(Text(f"mailscope: {visible(str(error))}"), soft_wrap=True)
        sys.exit(1)
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        Console(stderr=True).print(Text(f"mailscope: {visible(_trouble(str(error)))}"), soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:  # `mailscope report | head`
        sys.stderr.close()
        sys.exit(0)


def _trouble(problem: str) -> str:
    """A full disk, a damaged Parquet file, or one that is being replaced."""
    if "No space left on device" in problem:
        return "no space left on device; make room, then `mailscope ingest` finishes the tables"
    what = problem.partition("\n")[0]
    return f"the lake cannot be read: {what}; `mailscope doctor` says what to do"


if __name__ == "__main__":
    main()
