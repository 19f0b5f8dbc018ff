"""Laws of the shares of forest and networks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.training.blend import FLOOR, PRIOR, SHARES, forest_share

SEEDS = st.integers(0, 10_000)


def guesses(seed, count=40, classes=3, skill=1.0):
    """Truth, and probabilities that know it more or less."""
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(count).integers(0, classes, count)
    logits = rng.normal(size=(count, classes))
    logits[np.arange(count), truth] += skill
    shares = np.exp(logits)
    return truth, shares / shares.sum(axis=1, keepdims=True)


def posterior(share, truth, forest, network, strokes):
    rows = np.arange(len(truth))
    mixed = share * forest[rows, truth] + (1 - share) * network[rows, truth]
    said = [np.log(mixed[strokes == name]).mean() for name in set(strokes.tolist())]
    return sum(said) + PRIOR * np.log(share * (1 - share))


@given(
    seed=SEEDS,
    skills=st.tuples(st.floats(-2, 4), st.floats(-2, 4)),
    count=st.integers(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_no_share_is_likelier_than_the_chosen_one(seed, skills, count):
    truth, forest = guesses(seed, skill=skills[0])
    _, network = guesses(seed + 1, skill=skills[1])
    strokes = np.random.default_rng(seed).integers(0, count, len(truth))
    chosen = forest_share(truth, forest, network, strokes=strokes)
    best = max(posterior(w, truth, forest, network, strokes) for w in SHARES)
    found = posterior(chosen, truth, forest, network, strokes)
    assert found == pytest.approx(best, abs=0.01)


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_more_strokes_move_the_share_further_from_the_even_one(seed):
    shares = []
    for times in (1, 8, 64):
        truth, forest = (np.repeat(each, times, 0) for each in guesses(seed, 8, 3, 3.0))
        network = np.full(forest.shape, 1 / 3)
        strokes = np.arange(len(truth))
        shares.append(forest_share(truth, forest, network, strokes=strokes))
    away = np.abs(np.array(shares) - 0.5)
    assert np.all(np.diff(away) >= 0)


def test_a_stroke_speaks_once_however_long_it_is():
    """Fifteen short strokes for the networks, a filled region for the forest."""
    strokes = np.repeat(np.arange(16), [60] * 15 + [20_000])
    truth = np.zeros(len(strokes), int)
    long = strokes == 15
    forest = np.where(long, 0.99, 0.3)[:, None] * [1, 0] + [0, 1e-6]
    network = np.where(long, 0.80, 0.9)[:, None] * [1, 0] + [0, 1e-6]
    assert forest_share(truth, forest, network, strokes=strokes) < 0.35


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_the_family_that_knows_more_has_more_to_say(seed):
    truth, good = guesses(seed, count=400, skill=6.0)
    _, bad = guesses(seed + 1, count=400, skill=-6.0)
    assert forest_share(truth, good, bad, strokes=np.arange(400)) > 0.9
    assert forest_share(truth, bad, good, strokes=np.arange(400)) < 0.1


@given(seed=SEEDS, skill=st.floats(0, 4))
@settings(max_examples=30, deadline=None)
def test_exchanging_the_families_exchanges_their_shares(seed, skill):
    truth, one = guesses(seed, skill=skill)
    _, two = guesses(seed + 1)
    there = forest_share(truth, one, two, strokes=np.arange(40))
    back = forest_share(truth, two, one, strokes=np.arange(40))
    assert there == pytest.approx(1 - back, abs=0.03)


def test_equal_families_have_equal_shares():
    truth, shares = guesses(0)
    assert forest_share(truth, shares, shares, strokes=np.arange(40)) == 0.5


def test_a_leaf_that_is_wrong_and_certain_does_not_decide_all():
    # One voxel in forty at 0 would cost a likelihood without floor everything.
    truth, forest = guesses(0, skill=6.0)
    forest = np.where(forest > 0.5, 1.0, 0.0)
    forest[0] = np.roll(np.eye(3)[truth[0]], 1)
    _, network = guesses(1, skill=0.0)
    assert FLOOR > 0
    assert forest_share(truth, forest, network, strokes=np.arange(40)) > 0.5


def test_families_that_are_certain_and_right_are_blended_evenly():
    truth, _ = guesses(0)
    sure = np.eye(3)[truth]
    assert forest_share(truth, sure, sure, strokes=np.arange(40)) == 0.5
