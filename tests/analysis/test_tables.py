"""The lake's tables as others read them, without mailscope."""

import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis.stitch import TABLES


@pytest.mark.parametrize("table", TABLES)
def test_pandas_reads_a_table_by_its_folder(sample_lake, sample_connection, table):
    [(rows,)] = sample_connection.sql(f"SELECT count(*) FROM {table}").fetchall()

    assert len(pd.read_parquet(sample_lake / table)) == rows


def test_duckdb_reads_all_events_as_one_table(sample_lake, sample_connection):
    [(rows,)] = sample_connection.sql(
        f"SELECT count(*) FROM read_parquet('{sample_lake}/events/**/*.parquet', hive_partitioning=true, union_by_name=true)"
    ).fetchall()
    [(events,)] = sample_connection.sql("SELECT sum(event_lines)::BIGINT FROM sources").fetchall()

    assert rows == events


@pytest.mark.parametrize("table", TABLES)
def test_a_row_lies_in_the_day_of_its_moment(sample_connection, table):
    moment = TABLES[table]
    wrong = sample_connection.sql(
        f"SELECT count(*) FROM {table} WHERE date <> CAST({moment} AS DATE)"
    ).fetchall()

    assert wrong == [(0,)]


@pytest.mark.parametrize("table", TABLES)
def test_moments_are_utc_in_the_files(sample_lake, table):
    file = next((sample_lake / table).rglob("*.parquet"))

    assert str(pq.read_schema(file).field(TABLES[table]).type) == "timestamp[us, tz=UTC]"
