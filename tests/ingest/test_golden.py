import difflib
import runpy
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
LOGS = sorted(GOLDEN.glob("*/*.log"))
rendered = runpy.run_path(str(GOLDEN / "rewrite.py"))["rendered"]


@pytest.mark.parametrize("log", LOGS, ids=[f"{log.parent.name}/{log.stem}" for log in LOGS])
def test_golden_log_gives_its_rows(log):
    expected = log.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    difference = "\n".join(
        difflib.unified_diff(expected, rendered(log), "expected", "found", lineterm="", n=0)
    )

    assert not difference, difference


def test_every_expectation_has_its_log():
    orphans = {file.stem for file in GOLDEN.glob("*/*.jsonl")} - {log.stem for log in LOGS}

    assert not orphans
