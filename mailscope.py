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
from analysis.stitch import is_current, stitch
from analysis.text import visible
from analysis.trace import search, tell
from analysis.values import records, to_json
from analysis.warehouse import open_lake
from dashboard.launch import serve
from ingest.clock import Clock
from ingest.errors import MailscopeError, SourceError
from ingest.explain import explain_line
from ingest.formats import AUTO, find_formats
from ingest.lake import Lake
from ingest.progress import shown_progress
from ingest.reader import Report, Settings, ingest_sources
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
    silent = [report for report in reports if report.is_new and report.line_count and not report.event_lines]
    for report in silent:
        what = "no line was recognised" if report.unparsed_lines else "only lines of other programs"
        print(visible(f"{report.name}: {what}; `mailscope coverage` shows them"), file=sys.stderr)
    if any(report.unparsed_lines for report in silent) or len(silent) == len(reports):
        raise typer.Exit(1)


def _ingest(paths: Sequence[str], lake: Path, settings: Settings) -> list[Report]:
    sources = find_sources(paths)
    with Lake(lake).locked(_waiting):
        with shown_progress(sources) as progress:
            reports = ingest_sources(Lake(lake), sources, settings, progress)
        if not is_current(lake):
            stitch(lake)
    return reports


def _waiting(holder: str) -> None:
    print(f"mailscope: waiting for another ingest into this lake ({visible(holder)})", file=sys.stderr)


def _sentence(report: Report) -> str:
    if not report.is_new:
        return visible(f"{report.name}: already in the lake")
    parts = (
        f"{report.line_count:,} lines", f"{report.event_lines:,} understood", f"{report.unparsed_lines:,} not understood",
        f"{report.foreign_lines:,} of other programs", f"{report.blank_lines:,} blank",
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


@app.command()
def forget(
    identities: Annotated[
        list[str], typer.Argument(metavar="IDENTITY...", help="As `mailscope sources` shows them.")
    ],
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Take sources out of the lake, as if they had never been ingested."""
    with Lake(lake).locked(_waiting):
        unknown = sorted(set(identities) - Lake(lake).known_sources())
        if unknown:
            raise SourceError(f"{', '.join(unknown)}: not in {lake}; `mailscope sources` shows what is")
        for identity in identities:
            Lake(lake).forget(identity)
        stitch(lake)


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
    except (
        duckdb.IOException,
        duckdb.InvalidInputException,
    ) as error:  # a Parquet file is damaged, or is being replaced
        problem = visible(str(error).partition("\n")[0])
        Console(stderr=True).print(Text(f"mailscope: the lake cannot be read: {problem}"), soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:  # `mailscope report | head`
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
