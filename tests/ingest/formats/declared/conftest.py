from datetime import UTC
from pathlib import Path

import pytest

from ingest.formats.declared.checking import failures, read_lines, rows_of
from ingest.formats.declared.declaration import load

PANEL = (Path(__file__).parent / "panel.toml").read_text("utf-8")


@pytest.fixture
def declare(tmp_path):
    """A declaration from text; by default the one of the README's recipe, with replacements."""

    def declared(*changes, text=PANEL):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "panel.toml"
        file.write_text(text, "utf-8")
        return load(file)

    return declared


@pytest.fixture
def rows():
    """The events of lines under a declaration."""

    def read(declaration, *lines, columns=()):
        return rows_of(read_lines(declaration, lines, UTC, columns))

    return read


@pytest.fixture
def reasons():
    """Why lines are not understood."""

    def read(declaration, *lines):
        return read_lines(declaration, lines, UTC).unparsed["reason"].to_pylist()

    return read


@pytest.fixture
def told():
    """What `formats check` says of a declaration."""
    return lambda declaration: [each.sentence("panel.toml") for each in failures(declaration)]
