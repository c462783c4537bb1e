"""Where the machine code is kept, when the package's own folder cannot be written."""

import pytest
from numba.core import config

from ingest.fast.cache import has_cache


@pytest.fixture
def read_only(monkeypatch, tmp_path):
    """A package folder that cannot be written, and a user's cache folder below `tmp_path`."""
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_read_only_package_keeps_its_machine_code_in_the_users_cache(read_only):
    has_cache.__wrapped__()

    assert str(read_only / "mailscope") == config.CACHE_DIR


def test_folder_that_the_user_chose_is_left_alone(read_only, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", "/elsewhere")
    has_cache.__wrapped__()

    assert config.CACHE_DIR == "/elsewhere"


def test_machine_code_is_not_kept_where_nothing_can_be_written(read_only):
    read_only.write_text("a file where the folder would be")
    found = has_cache.__wrapped__()

    assert not found
