"""The report as one HTML page that needs nothing else: no script, no font, no request."""

from html import escape
from importlib.resources import files
from typing import Any

from analysis.problems import Problem
from analysis.report import Column, Report, Section
from analysis.report.terminal import TOTALS
from analysis.text import visible, written


def to_html(report: Report) -> str:
    """The whole report as a self-contained page; every text of it is escaped."""
    style = files("analysis.report").joinpath("report.css").read_text("utf-8")
    span = f"{written(report.first_at, 'date')} to {written(report.last_at, 'date')} UTC"
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>Mail report</title><style>{style}</style></head><body><main>",
            f"<h1>{_text(report.headline)}</h1>",
            f"<p class=span>{span} · hosts {_text(', '.join(report.hosts))} · {report.lines:,} log lines</p>",
            "<h2>Problems, worst first</h2>",
            "".join(map(_problem, report.problems)) or "<p>None found.</p>",
            _totals(report),
            *(_section(section) for section in report.sections if section.rows),
            "</main></body></html>",
        )
    )


def _text(value: object) -> str:
    return escape(visible(str(value)))


def _problem(problem: Problem) -> str:
    since = f"since {written(problem.first_at, 'moment')}, last {written(problem.last_at, 'moment')}"
    detail = f"<blockquote>{_text(problem.detail)}</blockquote>" if problem.detail else ""
    return (
        f'<article class="severity-{problem.severity}"><h3>{_text(problem.sentence)}</h3>'
        f"<p class=span>{since if problem.first_at else ''}</p>{detail}<p>{_text(problem.cure)}</p></article>"
    )


def _totals(report: Report) -> str:
    rows = "".join(
        f"<tr{' class=part' if indented else ''}><th scope=row>{label}</th><td>{written(report.totals[key], form)}</td></tr>"
        for label, key, form, indented in TOTALS
    )
    return f"<h2>Totals</h2>{_meaning(report.totals_meaning)}<table class=totals>{rows}</table>"


def _section(section: Section) -> str:
    head = "".join(
        f'<th scope=col class="{column.form}">{_text(column.heading)}</th>' for column in section.columns
    )
    rows = "".join(
        f"<tr>{''.join(_cell(column, row.get(column.name)) for column in section.columns)}</tr>"
        for row in section.rows
    )
    more = f"<p class=span>… and {section.more:,} more</p>" if section.more else ""
    return f"<h2>{_text(section.title)}</h2>{_meaning(section.meaning)}<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}"


def _cell(column: Column, value: Any) -> str:  # noqa: ANN401  # a cell of any column
    return f'<td class="{column.form}">{escape(written(value, column.form))}</td>'


def _meaning(text: str) -> str:
    return f"<details><summary>What these numbers are</summary><p>{_text(text).replace('␊', '<br>')}</p></details>"
