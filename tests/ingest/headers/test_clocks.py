"""Moments of many clocks."""

import pytest

from ingest.headers.clocks import Clock, compare, transit_s


def clocks(*times, weights=None):
    return compare(times, weights or [1] * len(times))


def test_clocks_that_agree_give_delays():
    assert clocks(0.0, 2.0, 2.0) == [
        Clock(None, None, None, 0.0, True),
        Clock(2.0, 2.0, 2.0, 0.0, True),
        Clock(0.0, 0.0, 0.0, 0.0, True),
    ]


def test_a_second_back_is_no_wrong_clock_and_no_negative_delay():
    assert clocks(1.0, 0.0)[1] == Clock(-1.0, 0.0, 0.0, 0.0, True)


def test_the_heavier_clock_is_right():
    assert [each.skew_s for each in clocks(5.0, 0.0, weights=[1, 2])] == [5.0, 0.0]


def test_a_clock_behind_both_neighbours_is_behind_the_one_before():
    assert [each.skew_s for each in clocks(10.0, -50.0, 12.0)] == [0.0, -60.0, 0.0]


def test_what_a_wrong_clock_measured_lies_between_the_right_ones_beside_it():
    assert clocks(10.0, -50.0, 12.0)[2] == Clock(62.0, 0.0, 2.0, 0.0, True)


def test_a_hop_without_a_date_has_no_delay():
    assert [each.delay_s for each in clocks(0.0, None, 5.0)] == [None, None, None]


@pytest.mark.parametrize(
    ("times", "expected"),
    [((0.0, 5.0), 5.0), ((0.0, 9.0, 5.0, 6.0), 6.0), ((3.0,), None), ((None, 3.0), None)],
)
def test_transit_is_from_the_first_to_the_last_right_clock(times, expected):
    assert transit_s(times, clocks(*times)) == expected
