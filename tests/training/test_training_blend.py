"""Laws of the shares of forest and networks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.training.blend import FLOOR, SHARES, TIE, blend

SEEDS = st.integers(0, 10_000)


def guesses(seed, count=40, classes=3, skill=1.0):
    """Truth, and probabilities that know it more or less."""
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(count).integers(0, classes, count)
    logits = rng.normal(size=(count, classes))
    logits[np.arange(count), truth] += skill
    shares = np.exp(logits)
    return truth, shares / shares.sum(axis=1, keepdims=True)


def loss(share, truth, forest, network):
    rows = np.arange(len(truth))
    mixed = share * forest[rows, truth] + (1 - share) * network[rows, truth]
    return -np.log(mixed).mean()


@given(seed=SEEDS, skills=st.tuples(st.floats(-2, 4), st.floats(-2, 4)))
@settings(max_examples=60, deadline=None)
def test_no_share_is_much_better_than_the_chosen_one(seed, skills):
    truth, forest = guesses(seed, skill=skills[0])
    _, network = guesses(seed + 1, skill=skills[1])
    chosen = blend(truth, forest, network).forest
    losses = [loss(share, truth, forest, network) for share in SHARES]
    best = min(losses)
    assert loss(chosen, truth, forest, network) <= best * (1 + TIE) + 1e-6
    # And none of those that are as good is nearer to the even share.
    nearer = [
        value
        for share, value in zip(SHARES, losses, strict=True)
        if abs(share - 0.5) < abs(chosen - 0.5) - 1e-9
    ]
    assert all(value > best * (1 + TIE) - 1e-6 for value in nearer)


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_the_family_that_knows_more_has_more_to_say(seed):
    truth, good = guesses(seed, skill=6.0)
    _, bad = guesses(seed + 1, skill=-6.0)
    assert blend(truth, good, bad).forest > 0.9
    assert blend(truth, bad, good).forest < 0.1


@given(seed=SEEDS, skill=st.floats(0, 4))
@settings(max_examples=30, deadline=None)
def test_exchanging_the_families_exchanges_their_shares(seed, skill):
    truth, one = guesses(seed, skill=skill)
    _, two = guesses(seed + 1)
    there, back = blend(truth, one, two).forest, blend(truth, two, one).forest
    assert there == pytest.approx(1 - back, abs=0.03)


def test_equal_families_have_equal_shares():
    truth, shares = guesses(0)
    assert blend(truth, shares, shares).forest == 0.5


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_a_blend_holds_probabilities(seed):
    truth, forest = guesses(seed)
    _, network = guesses(seed + 1)
    mixed = blend(truth, forest, network)
    assert 0 <= mixed.forest <= 1
    np.testing.assert_allclose(mixed.probabilities.sum(axis=1), 1, atol=1e-9)
    expected = mixed.forest * forest + (1 - mixed.forest) * network
    np.testing.assert_allclose(mixed.probabilities, expected)


def test_one_family_alone_has_the_whole_say():
    truth, shares = guesses(0)
    forest, network = blend(truth, shares, None), blend(truth, None, shares)
    assert (forest.forest, network.forest) == (1.0, 0.0)
    assert np.array_equal(forest.probabilities, shares)
    assert np.array_equal(network.probabilities, shares)


def test_a_leaf_that_is_wrong_and_certain_does_not_decide_all():
    # One voxel in forty at 0 would cost a likelihood without floor everything.
    truth, forest = guesses(0, skill=6.0)
    forest = np.where(forest > 0.5, 1.0, 0.0)
    forest[0] = np.roll(np.eye(3)[truth[0]], 1)
    _, network = guesses(1, skill=0.0)
    assert FLOOR > 0
    assert blend(truth, forest, network).forest > 0.5


def test_families_that_are_certain_and_right_are_blended_evenly():
    truth, _ = guesses(0)
    sure = np.eye(3)[truth]
    mixed = blend(truth, sure, sure)
    assert mixed.forest == 0.5
    assert np.array_equal(mixed.probabilities, sure)
