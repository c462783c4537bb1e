"""Writes the expectations of golden cases: `python tests/ingest/golden/rewrite.py CASE ...` (without CASE, of all).

What it writes is what the code says, not what the lines mean: review every row before it becomes the truth.
"""

import json
import sys
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Any

from ingest.parsing import Settings, read_chunk
from ingest.sources import Chunk

GOLDEN = Path(__file__).parent
LEFT_OUT = ("source_id", "line")


def rendered(log: Path) -> list[str]:
    """A golden log's rows, one JSON object a line in the order of the log, and last how many lines became what."""
    result = read_chunk(Chunk(1, log.read_bytes()), "golden", ((1, 2026),), Settings(zone=UTC))
    rows = [row for table in result.events.values() for row in table.to_pylist()]
    rows += [
        {"line_no": row["line_no"], "unparsed": row["reason"], "program": row["program"]}
        for row in result.unparsed.to_pylist()
    ]
    rows.sort(key=lambda row: (row["line_no"], row.get("repeat_no") or 0))
    counts = Counter[str]()
    for (_, outcome), lines in result.coverage.items():
        counts[outcome] += lines
    coverage = {
        "coverage": {outcome: counts[outcome] for outcome in ("event", "unparsed", "foreign", "blank")}
    }
    return [json.dumps(_shown(row), ensure_ascii=False) for row in [*rows, coverage]]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """The columns that are not NULL, those that tell lines apart first."""
    first = ("line_no", "kind", "queue_id")
    names = [*(name for name in first if name in row), *(name for name in row if name not in first)]
    return {name: _plain(row[name]) for name in names if row[name] is not None and name not in LEFT_OUT}


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


if __name__ == "__main__":
    for case in sorted(GOLDEN.glob("*/*.log")):
        if case.stem in sys.argv[1:] or not sys.argv[1:]:
            case.with_suffix(".jsonl").write_text("\n".join(rendered(case)) + "\n", encoding="utf-8")
