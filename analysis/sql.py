"""The user's own SQL, on a lake that it can read and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from analysis.warehouse import open_lake
from ingest.errors import MailscopeError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_READING: Final = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})


class QueryError(MailscopeError):
    """The user's SQL is wrong, or is no question."""


def query(lake: Path, sql: str) -> pd.DataFrame:
    """The rows of one SELECT over the views of a lake.

    Files outside the lake are out of reach and settings are locked. Raises QueryError, LakeError.
    """
    with open_lake(lake) as connection:
        connection.execute(
            "SET allowed_directories = $folders", {"folders": [str(lake), str(lake.resolve())]}
        )
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        try:
            statements = duckdb.extract_statements(sql)
            if len(statements) != 1 or statements[0].type not in _READING:
                raise QueryError("one SELECT is expected; the lake is read here, never written")
            rows: pd.DataFrame = connection.sql(sql).to_arrow_table().to_pandas()
        except duckdb.Error as error:
            raise QueryError(str(error)) from error
        return rows
