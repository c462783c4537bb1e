"""Metrics: one SQL file each, found by name; the leading comment is its title, meaning, unit and denominator.

The same file answers terminal, dashboard, notebook and export, so a number is the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NoReturn

import duckdb

from ingest.errors import MailscopeError

if TYPE_CHECKING:
    import pandas as pd

Parameter = str | int | float | bool | datetime | None


class MetricError(MailscopeError):
    """An unknown metric, or a parameter that the metric does not take."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One answer: what it is called, what it means, its SQL and the names of its parameters."""

    name: str
    title: str
    meaning: str
    sql: str
    parameters: frozenset[str]


@cache
def metric(name: str) -> Metric:
    """The metric of that name; MetricError if there is none."""
    if name not in names():
        _unknown(name)
    text = files(__name__).joinpath(f"{name}.sql").read_text("utf-8")
    comment = re.match(r"(?:--.*\n)+", text)
    title, *meaning = [line[2:].strip() for line in comment[0].splitlines()] if comment else [name]
    [statement] = duckdb.extract_statements(text)
    return Metric(name, title, "\n".join(meaning), text, frozenset(statement.named_parameters))


@cache
def names() -> tuple[str, ...]:
    """All metrics, in alphabetical order."""
    return tuple(sorted(file.name[:-4] for file in files(__name__).iterdir() if file.name.endswith(".sql")))


def run(connection: duckdb.DuckDBPyConnection, name: str, **parameters: Parameter) -> pd.DataFrame:
    """The rows of a metric.

    Parameters left out are NULL, which every metric reads as "no restriction"; one that the metric does not take is
    a MetricError. Moments must be aware.
    """
    wanted = metric(name)
    _check(wanted, parameters)
    bound = {key: parameters.get(key) for key in wanted.parameters}
    rows: pd.DataFrame = connection.sql(wanted.sql, params=bound).to_arrow_table().to_pandas()
    return rows


def _check(wanted: Metric, parameters: Mapping[str, Parameter]) -> None:
    extra = sorted(set(parameters) - wanted.parameters)
    if extra:
        raise MetricError(
            f"{wanted.name} takes no {', '.join(extra)}; it takes {', '.join(sorted(wanted.parameters)) or 'none'}"
        )


def _unknown(name: str) -> NoReturn:
    raise MetricError(f"no metric {name!r}; there are {', '.join(names())}")


STEPS_S: Final = (60, 300, 900, 3_600, 21_600, 86_400, 604_800)


def step_for(span_s: float, at_most: int = 120) -> int:
    """The shortest step in seconds that cuts a span into no more than `at_most` buckets."""
    return next((step for step in STEPS_S if span_s / step <= at_most), STEPS_S[-1])
