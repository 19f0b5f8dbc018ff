"""Laws of conformal prediction sets: coverage, order, ties, too few strokes."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.metrics import (
    COVERAGES,
    Coverage,
    SetCalibration,
    calibrate_sets,
    in_set,
    strokes_needed,
)

SHARES = st.sampled_from([0.5, 0.6, 0.75, 0.8, 0.9, 0.95])


def scene(seed, voxels=200, classes=3, levels=None, strokes=12):
    """Probabilities (C, N), truth and strokes; with `levels`, many are tied."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, classes + 1, voxels)
    logits = rng.normal(size=(classes, voxels))
    logits[truth - 1, np.arange(voxels)] += 1
    p = np.exp(logits) / np.exp(logits).sum(axis=0)
    if levels:
        p = np.round(p * levels) / levels
    return p, truth, rng.integers(0, strokes, voxels)


def of_true(p, truth):
    return p[truth - 1, np.arange(len(truth))]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 9999),
    coverage=SHARES,
    strokes=st.integers(2, 40),
    levels=st.sampled_from([None, 1, 2, 5]),
)
def test_strokes_left_out_in_turn_are_covered_as_asked(seed, coverage, strokes, levels):
    # Which of exchangeable strokes is the new one is a fair draw: on average over all
    # choices the coverage holds, whatever the data, not only in the long run.
    p, truth, names = scene(seed, levels=levels, strokes=strokes)
    reached = []
    for name in np.unique(names):
        new = names == name
        known = np.where(new, 0, truth)
        kept = calibrate_sets(p, known, 3, strokes=names, coverages=[coverage])
        held = in_set(of_true(p, truth)[new], kept.least[0])
        reached.append(held.mean())
    assert np.mean(reached) >= coverage - 1e-9


@settings(max_examples=60)
@given(seed=st.integers(0, 9999), count=st.integers(1, 70), levels=st.integers(1, 60))
def test_single_voxels_give_the_quantile_of_the_paper(seed, count, levels):
    p, truth, _ = scene(seed, voxels=count, levels=levels)
    scores = np.sort(1 - of_true(p, truth))
    kept = calibrate_sets(p, truth, 3)
    for coverage, least in zip(kept.coverages, kept.least, strict=True):
        rank = math.ceil(round((count + 1) * coverage, 6))
        expected = 1.0 if rank > count else scores[rank - 1]
        assert 1 - least == pytest.approx(expected, abs=1e-12)


def test_of_sixty_scores_it_is_the_fifty_fifth():
    scores = np.random.default_rng(0).permutation(np.arange(1, 61)) / 100
    p = np.stack([1 - scores, scores])
    kept = calibrate_sets(p, np.ones(60, int), 2, coverages=[0.9])
    assert kept.at(0.9) == pytest.approx(1 - 0.55)
    assert (kept.strokes, kept.voxels) == (60, 60)


@settings(max_examples=40)
@given(seed=st.integers(0, 9999), strokes=st.integers(1, 30))
def test_more_coverage_means_larger_sets(seed, strokes):
    p, truth, names = scene(seed, strokes=strokes)
    kept = calibrate_sets(p, truth, 3, strokes=names)
    assert list(kept.coverages) == sorted(kept.coverages)
    sets = [in_set(p, least) for least in kept.least]
    for smaller, larger in pairwise(sets):
        assert (larger >= smaller).all()


@settings(max_examples=40)
@given(seed=st.integers(0, 9999), coverage=SHARES, times=st.integers(2, 9))
def test_painting_strokes_more_densely_changes_nothing(seed, coverage, times):
    p, truth, names = scene(seed)
    once = calibrate_sets(p, truth, 3, strokes=names, coverages=[coverage])
    often = calibrate_sets(
        np.repeat(p, times, axis=1),
        np.repeat(truth, times),
        3,
        strokes=np.repeat(names, times),
        coverages=[coverage],
    )
    assert often.strokes == once.strokes
    assert often.least == pytest.approx(once.least)


def test_a_long_stroke_does_not_outvote_the_others():
    # Nine strokes that are all right, one of a thousand voxels that is wrong.
    names = np.concatenate([np.arange(9), np.full(1000, 9)])
    right = np.where(names < 9, 0.9, 0.1)
    p, truth = np.stack([right, 1 - right]), np.ones(len(names), int)
    kept = calibrate_sets(p, truth, 2, strokes=names, coverages=[0.8])
    flattering = calibrate_sets(p, truth, 2, coverages=[0.8])
    assert kept.least == (0.9,)
    assert flattering.least == (pytest.approx(0.1),)


@pytest.mark.parametrize("coverage", COVERAGES)
def test_with_too_few_strokes_every_class_stays(coverage):
    fewest = strokes_needed(coverage)
    for strokes in (fewest - 1, fewest):
        if not strokes:
            continue
        names = np.repeat(np.arange(strokes), 500)
        p = np.full((2, len(names)), 0.5)
        kept = calibrate_sets(p, np.ones(len(names), int), 2, strokes=names)
        assert kept.at(coverage) == (0.5 if strokes == fewest else 0.0)
        assert in_set(np.zeros(3), 0.0).all()


def test_strokes_needed_are_those_of_the_correction():
    assert [strokes_needed(c) for c in (0.5, 0.8, 0.9, 0.95, 0.99)] == [1, 4, 9, 19, 99]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 9999),
    dtype=st.sampled_from([np.float16, np.float32]),
    levels=st.sampled_from([None, 3, 10]),
)
def test_rounding_puts_no_class_out_of_a_set(seed, dtype, levels):
    p, truth, names = scene(seed, levels=levels)
    kept = calibrate_sets(p, truth, 3, strokes=names)
    for least in kept.least:
        assert (in_set(p.astype(dtype), least) >= in_set(p, least)).all()


def test_shape_and_voxels_without_truth_do_not_matter():
    p, truth, names = scene(0, voxels=300)
    truth[::3] = 0
    known = truth > 0
    flat = calibrate_sets(p[:, known], truth[known], 3, strokes=names[known])
    shape = (3, 10, 10)
    shaped = calibrate_sets(
        p.reshape(3, *shape), truth.reshape(shape), 3, strokes=names.reshape(shape)
    )
    assert flat == shaped


def test_what_does_not_fit_is_said():
    p, truth, names = scene(0)
    with pytest.raises(LabelError, match="No voxel has a truth"):
        calibrate_sets(p, np.zeros_like(truth), 3)
    with pytest.raises(LabelError, match=r"\(199,\)"):
        calibrate_sets(p, truth, 3, strokes=names[1:])
    with pytest.raises(SettingsError, match=r"coverage 0\.87.*0\.85, 0\.9"):
        calibrate_sets(p, truth, 3).at(0.87)
    with pytest.raises(ValueError, match="1 least probabilities for 2 coverages"):
        SetCalibration(strokes=9, voxels=9, coverages=(0.8, 0.9), least=(0.1,))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_reached_coverage_and_sizes_by_hand(dtype):
    p = np.array([[0.5, 0.2, 0.4, 0.6], [0.5, 0.4, 0.6, 0.4], [0.0, 0.4, 0.0, 0.0]])
    metric = Coverage([1, 2, 4], least=0.5)
    metric.update(p.astype(dtype), [1, 4, 1, 0])
    scores = metric.compute()
    # {1, 2}, {}, {2}; the fourth is not scored.
    assert scores.sizes == (1, 1, 1, 0)
    assert scores.coverage == pytest.approx(1 / 3)
    assert scores.mean_size == pytest.approx(1.0)
    assert scores.class_coverage[0] == pytest.approx(0.5)
    assert np.isnan(scores.class_coverage[1])
    assert scores.class_coverage[2] == 0


def test_nothing_scored_has_no_coverage():
    scores = Coverage(2).compute()
    assert np.isnan([scores.coverage, scores.mean_size]).all()


def test_coverage_that_was_reached_leaves_each_stroke_out():
    p, truth, names = scene(4)
    kept = calibrate_sets(p, truth, 3, strokes=names)
    for coverage in (0.5, 0.8, 0.9):
        covered = []
        for stroke in np.unique(names):
            others = names != stroke
            least = calibrate_sets(
                p[:, others], truth[others], 3, strokes=names[others]
            ).at(coverage)
            mine = p[truth[~others] - 1, np.flatnonzero(~others)]
            covered.append(np.mean(mine >= least))
        assert kept.reached_at(coverage) == pytest.approx(np.mean(covered))


def test_a_single_stroke_says_nothing_about_what_was_reached():
    kept = calibrate_sets(np.full((2, 9), 0.5), np.ones(9, int), 2, strokes=np.zeros(9))
    assert kept.reached == ()
    assert kept.reached_at(0.9) is None
