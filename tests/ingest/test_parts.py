from datetime import UTC

import pyarrow.parquet as pq
import pytest

from ingest import fast
from ingest.blocks import Chunk
from ingest.parsing import Settings, read_chunk
from ingest.parts import write_part

LINES = b"""\
Nov 23 23:59:58 mx1 postfix/qmgr[918]: 80B94422B9: removed
Nov 24 00:00:01 mx1 postfix/qmgr[918]: 80B94422BA: removed
Nov 23 23:59:59 mx1 postfix/cleanup[1089]: 57B8642358: hold: header Subject: x from a.test[192.0.2.1]; from=<a@b.test>
Nov 24 00:00:02 mx1 postfix/cleanup[1089]: 57B8642359: hold: header Subject: x from a.test[192.0.2.1]; from=<a@b.test>
Nov 23 23:59:59 mx1 postfix/qmgr[918]: 80B94422BB: removed
"""
COUNT = LINES.count(b"\n")


@pytest.fixture(params=[fast.read_chunk, read_chunk], ids=["fast lane", "reference"])
def written(request, tmp_path):
    """Two chunks in one part: the files of the queue's and of the decisions' family, by day."""
    results = [
        request.param(Chunk(first, LINES), "source", ((1, 2026),), Settings(zone=UTC))
        for first in (1, 1 + COUNT)
    ]
    write_part(tmp_path, 1, "source", 0, results)
    return {
        tuple(folder.split("=")[1] for folder in path.parts[-3:-1]): pq.ParquetFile(path)
        for path in sorted(tmp_path.rglob("*.parquet"))
    }


def test_days_are_parted_whatever_the_order_of_lines(written):
    found = {place: sorted(file.read()["line_no"].to_pylist()) for place, file in written.items()}

    assert found == {
        ("queue", "2026-11-23"): [1, 5, 6, 10],
        ("queue", "2026-11-24"): [2, 7],
        ("reject", "2026-11-23"): [3, 8],
        ("reject", "2026-11-24"): [4, 9],
    }


def test_few_rows_of_several_chunks_share_a_row_group(written):
    assert {file.num_row_groups for file in written.values()} == {1}


def test_columns_of_nothing_are_not_packed(written):
    columns = written["queue", "2026-11-23"].metadata.row_group(0)
    packing = {
        columns.column(place).path_in_schema: columns.column(place).compression
        for place in range(columns.num_columns)
    }

    assert (packing["uid"], packing["line"]) == ("UNCOMPRESSED", "ZSTD")
