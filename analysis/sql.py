"""The user's own SQL, on a lake that it can read and nothing else."""

from pathlib import Path
from typing import Final

import duckdb
import pandas as pd

from analysis.warehouse import open_lake
from ingest.errors import MailscopeError

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
