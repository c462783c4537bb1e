"""The years that a few samples of a file tell are those that all its lines tell."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import dating
from ingest.blocks import date_changes
from ingest.dating import LineNumbers, sampled_dates
from ingest.drafts import years_of
from ingest.times import year_of


@pytest.fixture(autouse=True)
def small_samples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dating, "SAMPLE_BYTES", 256)
        patch.setattr(dating, "PEEK_BYTES", 80)
        yield


def line(moment, form):
    if form == "iso":
        return f"{moment:%Y-%m-%dT%H:%M:%S}+00:00 mx1 postfix/qmgr[8]: 3F1A2B3C4D: removed\n"
    if form == "none":
        return f"no date {moment:%j}\n"
    return f"{moment:%b} {moment.day:2} {moment:%H:%M:%S} mx1 postfix/qmgr[8]: 3F1A2B3C4D: removed\n"


# Hours between neighbouring lines: mostly few, sometimes weeks, sometimes a step back over midnight
STEPS = st.lists(st.sampled_from([0, 0, 0, 1, 1, 5, 24, 400, -3]), min_size=1, max_size=60)


@settings(deadline=None, max_examples=300)
@given(
    begin=st.sampled_from([datetime(2023, 12, 28), datetime(2024, 2, 26), datetime(2025, 6, 1)]),
    steps=STEPS,
    forms=st.lists(st.sampled_from(["bsd", "bsd", "bsd", "iso", "none"]), min_size=1, max_size=3),
    times=st.integers(1, 12),
)
def test_samples_tell_the_years_of_all_lines(begin, steps, forms, times):
    moments = [begin]
    for step in steps:
        moments.append(moments[-1] + timedelta(hours=step))
    kinds = [forms[number // 25 % len(forms)] for number in range(len(moments))]
    lines = [line(moment, kind) for moment, kind in zip(moments, kinds, strict=True) for _ in range(times)]
    data, newest = "".join(lines).encode(), (moments[-1] + timedelta(hours=4)).replace(tzinfo=UTC)
    starts = [0]
    for text in lines:
        starts.append(starts[-1] + len(text))
    full = years_of(list(date_changes([data])), newest, None)
    sampled = years_of(list(sampled_dates(lambda size, at: data[at : at + size], 0, len(data))), newest, None)
    bsd = [at for at, text in zip(starts, lines, strict=False) if text[0].isupper()]

    assert [year_of(sampled, at) for at in bsd] == [year_of(full, at) for at in bsd]


@given(
    data=st.lists(st.sampled_from([b"\n", b"x", b"yy\n"]), max_size=40).map(b"".join),
    size=st.integers(1, 9),
    marks=st.lists(st.integers(0, 60), max_size=4, unique=True),
)
def test_offsets_become_line_numbers_whatever_the_blocks(data, size, marks):
    starts = [0, *(at + 1 for at, byte in enumerate(data) if byte == 10)]
    years = tuple((at, 2000 + at) for at in sorted(marks) if at in starts and at < len(data))
    numbers = LineNumbers(years)
    for _ in numbers.of(data[at : at + size] for at in range(0, len(data), size)):
        pass

    assert (numbers.years, numbers.last_line_at) == (
        [(starts.index(at) + 1, year) for at, year in years],
        data.rfind(b"\n") + 1,
    )


def test_large_log_of_one_day_is_hardly_read(monkeypatch):
    monkeypatch.setattr(dating, "SAMPLE_BYTES", 64 << 10)
    monkeypatch.setattr(dating, "PEEK_BYTES", 4 << 10)
    text = line(datetime(2026, 11, 23), "bsd").encode()
    data = text * ((4 << 20) // len(text))
    read = []

    def read_at(size, at):
        read.append(size)
        return data[at : at + size]

    list(sampled_dates(read_at, 0, len(data)))

    assert sum(read) < len(data) / 8
