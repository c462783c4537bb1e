"""Lines that two sources share count once, whichever came first."""

from collections import Counter
from datetime import UTC, datetime
from itertools import permutations

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

MX1 = "2026-11-23T08:{:02}:{:02}+00:00 mx1 postfix/qmgr[7]: {:010X}: removed\n"


def line(number, host="mx1", words="removed"):
    text = MX1.format(number // 60 % 60, number % 60, number)
    return text.replace(" mx1 ", f" {host} ").replace("removed", words)


def ingest(lake, *paths):
    sources = find_sources([str(path) for path in paths])
    return ingest_sources(Lake(lake), sources, Settings(zone=UTC, workers=1))


def kept(lake):
    """How often each line is in the lake."""
    texts = Counter()
    for table in ("events", "unparsed"):
        for file in (lake / table).rglob("*.parquet"):
            rows = pq.ParquetFile(file).read().to_pylist()
            texts.update(
                text for _, _, text in {(row["source_id"], row["line_no"], row["line"]) for row in rows}
            )
    return texts


def owners(lake):
    """Which line of which source each kept line is."""
    files = [*(lake / "events").rglob("*.parquet"), *(lake / "unparsed").rglob("*.parquet")]
    rows = [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]
    return sorted((row["source_id"], row["line_no"], row["line"]) for row in rows)


def sources(lake):
    return pq.read_table(lake / "sources").to_pylist()


@pytest.fixture
def write(tmp_path):
    def written(name, *lines):
        path = tmp_path / name
        path.write_text("".join(lines))
        return path

    return written


WHOLE = [line(number) for number in range(100)]


def test_subset_of_a_log_adds_nothing(tmp_path, write):
    ingest(tmp_path / "lake", write("mail.log", *WHOLE), write("mail.warn", *WHOLE[10:90:7]))

    assert kept(tmp_path / "lake") == Counter(text.rstrip() for text in WHOLE)


def test_lines_stay_with_the_source_that_has_more(tmp_path, write):
    log = write("mail.log", *WHOLE)
    ingest(tmp_path / "lake", write("mail.warn", *WHOLE[10:90:7]))
    [report] = ingest(tmp_path / "lake", log)

    assert report.event_lines == 100


def test_copy_that_was_cut_elsewhere_adds_what_is_new_in_it(tmp_path, write):
    ingest(tmp_path / "lake", write("one", *WHOLE[:60]), write("two", *WHOLE[40:]))

    assert kept(tmp_path / "lake") == Counter(text.rstrip() for text in WHOLE)


def test_file_within_the_time_of_another_leaves_it_whole(tmp_path, write):
    ingest(tmp_path / "lake", write("part", *WHOLE[20:40]))
    [report] = ingest(tmp_path / "lake", write("mail.log", *WHOLE))

    assert report.event_lines == 100


def test_line_written_twice_in_one_file_is_kept_twice(tmp_path, write):
    ingest(
        tmp_path / "lake", write("one", *WHOLE, WHOLE[-1]), write("two", *WHOLE[50:], WHOLE[-1], WHOLE[-1])
    )

    assert kept(tmp_path / "lake")[WHOLE[-1].rstrip()] == 3


def test_lines_that_are_not_understood_count_once_too(tmp_path, write):
    lines = [*WHOLE[:50], line(50, words="what?"), *WHOLE[51:]]
    ingest(tmp_path / "lake", write("one", *lines), write("two", *lines[30:]))

    assert kept(tmp_path / "lake") == Counter(text.rstrip() for text in lines)


def test_repeated_message_counts_as_one_line(tmp_path, write):
    repeated = line(50, words="message repeated 3 times: [ 3F1A2B3C4E: removed]").replace("0000000032: ", "")
    lines = [*WHOLE[:50], repeated, *WHOLE[51:]]
    reports = ingest(tmp_path / "lake", write("one", *lines), write("two", *lines[30:]))

    assert [(report.event_lines, report.duplicate_lines) for report in reports] == [(100, 0), (0, 70)]


def test_same_words_of_two_hosts_are_no_duplicates(tmp_path, write):
    other = [line(number, host="mx2") for number in range(100)]
    ingest(tmp_path / "lake", write("one", *WHOLE), write("two", *other))

    assert sum(kept(tmp_path / "lake").values()) == 200


def test_touching_moments_are_no_overlap(tmp_path, write):
    ingest(tmp_path / "lake", write("one", *WHOLE[:51]), write("two", WHOLE[50], *WHOLE[51:]))

    assert kept(tmp_path / "lake")[WHOLE[50].rstrip()] == 2


def test_every_line_stays_accounted_for(tmp_path, write):
    extra = ["\n", line(60).replace("postfix/qmgr", "cron"), line(61, words="what?")]
    ingest(tmp_path / "lake", write("one", *WHOLE, *extra), write("two", *WHOLE[30:70], *extra))
    wrong = [
        row
        for row in sources(tmp_path / "lake")
        if row["line_count"]
        != sum(row[f"{name}_lines"] for name in ("event", "unparsed", "foreign", "blank", "duplicate"))
    ]

    assert not wrong


def test_duplicates_are_counted_by_program(tmp_path, write):
    ingest(tmp_path / "lake", write("one", *WHOLE), write("two", *WHOLE[30:70]))
    rows = pq.read_table(tmp_path / "lake/coverage").to_pylist()

    assert sorted((row["program"], row["result"], row["lines"]) for row in rows) == [
        ("postfix/qmgr", "duplicate", 40),
        ("postfix/qmgr", "event", 100),
    ]


def test_lines_that_a_known_source_loses_make_their_moment_dirty(tmp_path, write):
    ingest(tmp_path / "lake", write("part", *WHOLE[20:40]))
    before = Lake(tmp_path / "lake").dirty_at()
    ingest(tmp_path / "lake", write("mail.log", *WHOLE))

    assert (before, Lake(tmp_path / "lake").dirty_at()) == (
        None,
        datetime(2026, 11, 23, 8, 0, 20, tzinfo=UTC),
    )


def test_logs_without_common_time_are_never_compared(tmp_path, write, monkeypatch):
    monkeypatch.setattr("ingest.overlaps.scratch", None)
    reports = ingest(tmp_path / "lake", write("one", *WHOLE[:50]), write("two", *WHOLE[50:]))

    assert [report.event_lines for report in reports] == [50, 50]


def test_three_copies_in_any_order_leave_the_same_lines_with_the_same_sources(tmp_path, write):
    paths = [write("one", *WHOLE[:60]), write("two", *WHOLE[30:]), write("three", *WHOLE[10:90:3])]
    found = []
    for number, order in enumerate(permutations(paths)):
        for path in order:
            ingest(tmp_path / str(number), path)
        found.append(owners(tmp_path / str(number)))

    assert all(each == found[0] for each in found)


def test_live_log_and_its_live_subset_count_once(tmp_path, write):
    for end in (20, 21, 60, 100):
        ingest(tmp_path / "lake", write("mail.log", *WHOLE[:end]), write("mail.warn", *WHOLE[:end:3]))

    assert kept(tmp_path / "lake") == Counter(text.rstrip() for text in WHOLE)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    copies=st.lists(
        st.lists(st.integers(0, 30), min_size=1, max_size=40).map(sorted), min_size=2, max_size=3
    ),
    data=st.data(),
)
def test_a_line_counts_as_often_as_the_file_that_has_it_most(tmp_path_factory, copies, data):
    folder = tmp_path_factory.mktemp("copies")
    # All cover the whole time: where times only touch, nothing is compared
    texts = [[line(-1 % 60), *(line(100 + number) for number in numbers), line(200)] for numbers in copies]
    paths = []
    for name, text in enumerate(texts):
        paths.append(folder / str(name))
        paths[-1].write_text("".join(text))
    for path in data.draw(st.permutations(paths)):
        ingest(folder / "lake", path)
    most = Counter()
    for text in texts:
        most |= Counter(each.rstrip() for each in text)

    assert kept(folder / "lake") == most
