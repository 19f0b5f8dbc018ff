"""The spread over members is the weighted one, and none where there is none."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sashiko.measurements import Spread, effective_members, spread_of

VALUES = st.floats(-1e6, 1e6)
WEIGHTS = st.floats(0.01, 1.0)
MEMBERS = st.lists(st.tuples(VALUES, WEIGHTS), min_size=2, max_size=8)


@given(MEMBERS)
def test_it_is_the_weighted_mean_and_population_deviation(members):
    values, weights = map(np.array, zip(*members, strict=True))
    mean = np.average(values, weights=weights)
    std = math.sqrt(np.average((values - mean) ** 2, weights=weights))
    found = spread_of(list(values), list(weights))
    assert found.mean == pytest.approx(mean, abs=1e-6)
    assert found.std == pytest.approx(std, abs=1e-6)
    assert found.members == len(members)


@given(VALUES, st.lists(WEIGHTS, min_size=2, max_size=8))
def test_members_that_agree_have_a_spread_of_exactly_nothing(value, weights):
    assert spread_of([value] * len(weights), weights) == Spread(value, 0, len(weights))


@given(MEMBERS, st.integers(0, 7), st.floats(0.1, 0.9))
def test_a_member_counts_as_much_as_two_equal_ones_that_share_its_weight(
    members, place, share
):
    values, weights = map(list, zip(*members, strict=True))
    place %= len(values)
    twice = spread_of(
        [*values, values[place]],
        [
            *(w * (share if n == place else 1) for n, w in enumerate(weights)),
            weights[place] * (1 - share),
        ],
    )
    once = spread_of(values, weights)
    assert twice.mean == pytest.approx(once.mean, rel=1e-9, abs=1e-6)
    assert twice.std == pytest.approx(once.std, rel=1e-6, abs=1e-3)


@given(MEMBERS, st.floats(0.001, 1000))
def test_it_follows_the_unit(members, factor):
    values, weights = map(list, zip(*members, strict=True))
    scaled = spread_of([factor * value for value in values], weights)
    expected = spread_of(values, weights).times(factor)
    assert scaled.mean == pytest.approx(expected.mean, rel=1e-9, abs=1e-6)
    assert scaled.std == pytest.approx(expected.std, rel=1e-6, abs=1e-6)


def test_one_member_has_no_spread_which_is_not_a_spread_of_nothing():
    assert spread_of([3.0], [1.0]) == Spread(3.0, None, 1)


def test_members_without_a_value_are_left_out_and_the_others_share_their_weight():
    assert spread_of([None, 2.0, None], [0.2, 0.3, 0.5]) == Spread(2.0, None, 1)
    assert spread_of([None, 1.0, 3.0], [0.5, 0.25, 0.25]) == Spread(2.0, 1.0, 2)
    assert spread_of([None, None], [0.5, 0.5]) == Spread(None, None, 0)


@given(st.integers(1, 20), WEIGHTS)
def test_equal_weights_are_as_many_members_as_there_are(members, weight):
    assert effective_members([weight] * members) == pytest.approx(members)


def test_a_heavy_member_makes_them_fewer():
    assert effective_members([0.5, *[0.125] * 4]) == pytest.approx(3.2)
