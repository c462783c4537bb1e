"""The range that a viewer sees who has chosen none."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.data import Span
from dashboard.filters import default_range


@pytest.mark.parametrize(("age_hours", "expected"), [(0, "24h"), (23, "24h"), (25, "7d"), (24 * 365, "7d")])
def test_a_log_that_ended_is_shown_by_its_last_week(age_hours: int, expected: str) -> None:
    last_at = datetime.now(UTC) - timedelta(hours=age_hours)

    assert default_range(Span(last_at - timedelta(days=30), last_at, ("mx1",), {})) == expected
