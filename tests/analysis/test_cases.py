"""Cases as data: a TOML file holds log lines or a mailbox, or names a file of them, and the rows that they must lead to.

`expect` blocks name a `metric` (with `parameters` and the `columns` to compare) or an `sql`; in `rows` an empty text
stands for NULL, because TOML has none.
"""

import tomllib
from pathlib import Path

import pytest

from analysis import metrics
from analysis.values import records

CASES = {path.stem: path for path in sorted((Path(__file__).parent / "cases").glob("*.toml"))}


def answer(connection, expect):
    if "metric" in expect:
        table = records(metrics.run(connection, expect["metric"], **expect.get("parameters", {})))
        return [[cell(row[name]) for name in expect["columns"]] for row in table]
    table = connection.sql(expect["sql"]).to_arrow_table().to_pylist()
    return [[cell(value) for value in row.values()] for row in table]


def cell(value):
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("name", CASES)
def test_case(ask, name):
    case = tomllib.loads(CASES[name].read_text("utf-8"))
    log = (
        (CASES[name].parent / case["log_file"]).read_text("utf-8")
        if "log_file" in case
        else (case.get("log") or case["mail"]).lstrip("\n")
    )
    connection = ask(log)
    answers = [answer(connection, expect) for expect in case["expect"]]

    assert answers == [expect["rows"] for expect in case["expect"]]


@pytest.mark.parametrize("name", metrics.names())
def test_every_metric_has_a_case(name):
    texts = [path.read_text("utf-8") for path in CASES.values()]

    assert any(f'metric = "{name}"' in text for text in texts)


@pytest.mark.parametrize("name", metrics.names())
def test_every_metric_tells_its_unit(name):
    assert "Unit:" in metrics.metric(name).meaning
