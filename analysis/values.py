"""Values as they leave analysis: plain Python, and JSON.

pandas is not imported here: it takes longer than ingesting five minutes of mail.
"""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def plain(value: Any) -> Any:  # noqa: ANN401  # whatever a cell holds
    """A cell of a DataFrame as a plain Python value; NULL of any kind is None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, dict)):
        return value
    if value is None or value != value:  # noqa: PLR0124  # NaN and NaT are unlike themselves
        return None
    return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dictionaries of plain values."""
    return [{str(name): plain(value) for name, value in row.items()} for row in rows.to_dict("records")]


def to_json(value: object) -> str:
    """JSON of dataclasses, rows and moments (ISO 8601)."""
    return json.dumps(value, default=_encode, ensure_ascii=False, indent=2)


def _encode(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
