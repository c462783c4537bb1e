"""Where the machine code is kept."""

from pathlib import Path

import pytest
from numba.core import config

from ingest.fast.kernel import machine


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package of one file, and a user's cache folder beside it."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package/one.py").write_text("one = 1\n")
    monkeypatch.setattr(machine, "_HERE", tmp_path / "package")
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "package"


@pytest.fixture
def read_only(package, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, _: path != package)
    return package.parent / "cache"


def kept_in(monkeypatch, chosen=""):
    monkeypatch.setattr(config, "CACHE_DIR", chosen)
    machine.has_cache.__wrapped__()
    return Path(config.CACHE_DIR)


def test_machine_code_lies_beside_its_source(package, monkeypatch):
    assert kept_in(monkeypatch).parent == package / "__pycache__"


def test_machine_code_of_other_sources_is_thrown_away(package, monkeypatch):
    before = kept_in(monkeypatch)
    (package / "one.py").write_text("one = 2\n")
    after = kept_in(monkeypatch)

    assert (before.exists(), after.exists(), before == after) == (False, True, False)


def test_machine_code_of_the_same_sources_is_found_again(package, monkeypatch):
    assert kept_in(monkeypatch) == kept_in(monkeypatch)


def test_read_only_package_keeps_its_machine_code_in_the_users_cache(read_only, monkeypatch):
    assert kept_in(monkeypatch).parent == read_only / "mailscope"


def test_folder_that_the_user_chose_comes_first(package, monkeypatch, tmp_path):
    assert kept_in(monkeypatch, str(tmp_path / "mine")).parent == tmp_path / "mine"


def test_machine_code_is_not_kept_where_nothing_can_be_made(read_only):
    read_only.write_text("a file where the folder would be")
    found = machine.has_cache.__wrapped__()

    assert not found


def test_machine_code_is_not_kept_in_a_folder_that_others_made(package, monkeypatch):
    kept = kept_in(monkeypatch)
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr("os.access", lambda path, _: path != kept)
    found = machine.has_cache.__wrapped__()

    assert not found
