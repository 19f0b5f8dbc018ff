"""Laws of forests: plain arrays hold all of them, and damage is refused, not walked."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from napari_sashiko.errors import ModelError
from napari_sashiko.forests import FilterBank, Forest, forest

BANK = FilterBank(sigmas=(0.7, 1.6), textures=(2.0,))


def rows(count=200, features=6, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, features)).astype(np.float32)
    y = np.argmax(x[:, :classes] + rng.normal(size=(count, classes)) / 2, axis=1)
    return x, y


def grown(seed=0, trees=8):
    x, y = rows()
    return Forest.fit(BANK, x, y, trees=trees, seed=seed)


@pytest.fixture
def compiled_loops():
    """Numba keeps its own machine code as pickles: have it read before."""
    grown().classify(rows(10)[0])


@pytest.fixture
def no_pickle(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("pickle was used")

    for name in ("load", "loads", "dump", "dumps", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)


def test_arrays_hold_the_whole_forest(compiled_loops, no_pickle):
    before = grown()
    after = Forest.from_arrays(BANK, before.arrays())
    x, _ = rows(500, seed=1)
    assert np.array_equal(before.classify(x), after.classify(x))


def test_arrays_are_plain_numbers():
    for array in grown().arrays().values():
        assert array.dtype.kind in "if"
        assert array.dtype.names is None


def test_a_second_round_trip_changes_no_array():
    arrays = grown().arrays()
    again = Forest.from_arrays(BANK, arrays).arrays()
    assert arrays.keys() == again.keys()
    for name, array in arrays.items():
        assert np.array_equal(array, again[name]), name


def test_the_vote_is_the_mean_of_scikit_learn(monkeypatch):
    x, y = rows()
    teacher = RandomForestClassifier(7, random_state=0).fit(x, y)
    mine = Forest(BANK, [member.tree_ for member in teacher.estimators_])
    asked, _ = rows(300, seed=1)
    np.testing.assert_allclose(
        mine.classify(asked), teacher.predict_proba(asked), atol=1e-6
    )
    monkeypatch.setattr(forest, "ROWS", 17)  # many calls instead of one
    monkeypatch.setattr(forest, "CACHED", 5)
    np.testing.assert_allclose(
        mine.classify(asked), teacher.predict_proba(asked), atol=1e-6
    )


def test_probabilities_sum_to_one():
    x, _ = rows(300, seed=1)
    assert np.allclose(grown().classify(x).sum(axis=1), 1, atol=1e-5)


def test_a_seed_gives_one_forest_and_another_seed_another():
    a, b, c = (grown(seed).arrays() for seed in (3, 3, 4))
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(a["threshold"], c["threshold"])


def test_threads_do_not_change_the_forest():
    x, y = rows()
    one, two = (Forest.fit(BANK, x, y, trees=4, seed=0, threads=n) for n in (1, 2))
    assert np.array_equal(one.arrays()["threshold"], two.arrays()["threshold"])


@pytest.mark.parametrize("count", [2, 3, 8])
def test_as_many_trees_grow_as_were_asked_for(count):
    assert len(grown(trees=count).trees) == count


def test_other_features_than_it_grew_on_are_refused():
    with pytest.raises(ModelError, match="6 features, not 5"):
        grown().classify(np.zeros((3, 5), np.float32))


CYCLE = {"left_child": 0, "right_child": 0}
OUTSIDE = {"left_child": 10_000, "right_child": 10_000}


@pytest.mark.parametrize("damage", [CYCLE, OUTSIDE, {"feature": 6}, {"feature": -1}])
def test_damaged_trees_are_refused(damage):
    arrays = grown().arrays()
    for name, value in damage.items():
        arrays[name] = arrays[name].copy()
        arrays[name][0] = value
    with pytest.raises(ValueError, match="out of its tree"):
        Forest.from_arrays(BANK, arrays)


@pytest.mark.parametrize("name", ["left_child", "feature", "shares", "nodes"])
def test_trees_with_missing_nodes_are_refused(name):
    arrays = grown().arrays()
    arrays[name] = arrays[name][:-1]
    with pytest.raises(ValueError, match="number of nodes"):
        Forest.from_arrays(BANK, arrays)


@given(
    name=st.sampled_from(["left_child", "right_child", "feature", "nodes"]),
    place=st.integers(0, 10_000),
    value=st.integers(-5, 300),
)
@settings(max_examples=60, deadline=None)
def test_a_wrong_number_is_refused_or_harmless(name, place, value):
    arrays = grown(trees=2).arrays()
    arrays[name] = arrays[name].copy()
    arrays[name][place % len(arrays[name])] = value
    try:
        damaged = Forest.from_arrays(BANK, arrays)
    except ValueError:
        return
    x, _ = rows(50)
    assert np.isfinite(damaged.classify(x)).all()


@pytest.fixture(scope="module")
def image_forest():
    image = torch.from_numpy(
        np.random.default_rng(0).normal(size=(1, 16, 24, 24)).astype(np.float32)
    )
    x = BANK.features(image, ((0, 16), (0, 24), (0, 24))).flatten(1).T.numpy()
    y = (x[:, 1] > 0).astype(np.intp)
    return image, Forest.fit(BANK, x[::7], y[::7], trees=6, seed=0)


def test_the_core_of_a_patch_is_a_crop_of_the_whole(image_forest):
    image, trees = image_forest
    core = ((3, 9), (5, 20), (0, 24))
    every = trees.probabilities(image, ((0, 16), (0, 24), (0, 24)))
    part = trees.probabilities(image, core)
    crop = every[(slice(None), *(slice(*span) for span in core))]
    # A threshold may fall between two roundings of one feature, rarely.
    assert ((part - crop).abs() > 1e-5).float().mean() < 0.01


def test_the_bank_says_what_a_forest_reaches(image_forest):
    _, trees = image_forest
    assert trees.halo == BANK.halo


def test_voting_can_be_stopped(image_forest):
    image, trees = image_forest

    def tick():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trees.classify(np.zeros((10, trees.trees[0].n_features), np.float32), tick)
    with pytest.raises(KeyboardInterrupt):
        trees.probabilities(image, ((0, 1), (0, 4), (0, 4)), tick)
