"""Stitching as a whole: its order, and its memory."""

import shutil

import pytest

import analysis.stitch.chunks
from analysis.stitch import TABLES, stitch
from analysis.stitch.steps import graph, reads, steps
from analysis.warehouse import open_lake
from ingest.errors import LakeError


@pytest.fixture
def lake(sample_lake, tmp_path):
    return shutil.copytree(sample_lake, tmp_path / "lake")


def counts(lake):
    with open_lake(lake) as connection:
        return [connection.sql(f"SELECT count(*) FROM {table}").fetchall() for table in TABLES]


def test_stitching_that_runs_out_of_memory_begins_again_with_more(lake, monkeypatch):
    before, begun = counts(lake), []
    build = analysis.stitch.build
    monkeypatch.setattr(analysis.stitch, "build", lambda *given: begun.append(given[-1]) or build(*given))
    shutil.rmtree(lake / ".stitch")
    stitch(lake, memory_mb=6)

    assert (counts(lake), begun[:2]) == (before, [6, 12])


def test_a_lake_beyond_all_memory_keeps_its_tables_and_says_so(lake, monkeypatch):
    before = counts(lake)
    monkeypatch.setattr(analysis.stitch, "DOUBLINGS", 0)
    shutil.rmtree(lake / ".stitch")
    with pytest.raises(LakeError, match="needs more than 6 MB"):
        stitch(lake, memory_mb=6)

    assert counts(lake) == before


def test_progress_tells_how_many_of_the_chunks_are_done(lake, monkeypatch):
    seen = []
    monkeypatch.setattr(analysis.stitch.chunks, "LINES", 8_000)
    shutil.rmtree(lake / ".stitch")
    stitch(lake, progress=lambda *told: seen.append(told))

    assert seen == [(done, len(seen)) for done in range(len(seen))]
    assert len(seen) > 1


def test_every_step_has_a_reader():
    assert steps() == frozenset().union(*graph().values())


def test_a_step_waits_for_all_that_its_text_reads():
    assert reads("queue_marks") == {"queue", "rejects"}


def test_who_reads_a_view_waits_for_what_the_view_reads():
    assert reads("tables/outcomes") > {"attempts", "delivery", "later_lines"}


def test_what_only_comments_name_is_not_waited_for():
    assert reads("delivery") == set()
