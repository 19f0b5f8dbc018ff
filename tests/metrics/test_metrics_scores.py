"""Metrics against scikit-learn and by hand; blocks never matter."""

import json
from dataclasses import is_dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.metrics import METRICS, Calibration, ConfusionMatrix

NAMED = {
    "f1": reference.f1_score,
    "dice": reference.f1_score,
    "precision": reference.precision_score,
    "recall": reference.recall_score,
    "iou": reference.jaccard_score,
}


def scene(seed=0, classes=4, voxels=300):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(classes, 0.5), voxels).T.astype(np.float32)
    return p, rng.integers(0, classes + 1, voxels).astype(np.uint8)


def plain(scores):
    """Return all numbers by name, those within others too."""
    found = {}
    for key, value in vars(scores).items():
        if is_dataclass(value):
            found |= {f"{key} {name}": each for name, each in plain(value).items()}
        else:
            found[key] = np.asarray(value, float).ravel()
    return found


@pytest.mark.parametrize("name", list(METRICS))
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 300), max_size=4), seed=st.integers(0, 99))
def test_the_split_into_blocks_does_not_matter(name, cuts, seed):
    p, truth = scene(seed)
    whole, blocks = METRICS[name](4), METRICS[name](4)
    whole.update(p, truth)
    for part in np.split(np.arange(300), sorted(cuts)):
        blocks.update(p[:, part], truth[part])
    once, often = plain(whole.compute()), plain(blocks.compute())
    assert once.keys() == often.keys()
    for key, value in once.items():
        np.testing.assert_allclose(often[key], value, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", list(METRICS))
def test_spatial_shape_and_unscored_voxels_do_not_matter(name):
    p, truth = scene()
    flat, shaped = METRICS[name](4), METRICS[name](4)
    flat.update(p[:, truth > 0], truth[truth > 0])
    shaped.update(p.reshape(4, 3, 10, 10), truth.reshape(3, 10, 10))
    np.testing.assert_equal(plain(shaped.compute()), plain(flat.compute()))


@pytest.mark.parametrize("name", list(METRICS))
def test_a_reset_forgets(name):
    p, truth = scene()
    metric, fresh = METRICS[name](4), METRICS[name](4)
    metric.update(p, truth)
    metric.reset()
    np.testing.assert_equal(plain(metric.compute()), plain(fresh.compute()))


@pytest.mark.parametrize("name", list(METRICS))
@pytest.mark.parametrize(
    ("p", "truth", "said"),
    [
        (np.zeros((4, 5)), np.ones(6, int), r"\(4, 5\).*\(6,\)"),
        (np.zeros((3, 5)), np.ones(5, int), "4 classes"),
        (np.zeros((4, 5)), np.full(5, 9), "no class 9"),
    ],
)
def test_what_does_not_fit_is_said(name, p, truth, said):
    with pytest.raises(LabelError, match=said):
        METRICS[name](4).update(p, truth)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999))
def test_scores_equal_scikit_learns(seed):
    p, truth = scene(seed)
    matrix = ConfusionMatrix(4)
    matrix.update(p, truth)
    scores = matrix.compute()
    known = truth > 0
    true, found = truth[known], p.argmax(axis=0)[known] + 1
    options = {"labels": [1, 2, 3, 4], "average": None, "zero_division": 0}
    assert np.array_equal(
        matrix.matrix, reference.confusion_matrix(true, found, labels=[1, 2, 3, 4])
    )
    assert scores.accuracy == pytest.approx(reference.accuracy_score(true, found))
    for name, function in NAMED.items():
        assert getattr(scores, name) == pytest.approx(
            tuple(function(true, found, **options))
        )
    assert scores.support == tuple(np.bincount(true, minlength=5)[1:])


@pytest.mark.parametrize("average", ["macro", "micro"])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), absent=st.integers(0, 4))
def test_averages_equal_scikit_learns(average, seed, absent):
    p, truth = scene(seed)
    truth[truth == absent] = 0  # so that a class is found that is not in the truth
    matrix = ConfusionMatrix(4)
    matrix.update(p, truth)
    scores = matrix.compute()
    known = truth > 0
    true, found = truth[known], p.argmax(axis=0)[known] + 1
    # scikit-learn's macro averages count every class that is named.
    labels = np.unique(true) if average == "macro" else [1, 2, 3, 4]
    options = {"labels": labels, "average": average, "zero_division": 0}
    for name, function in NAMED.items():
        expected = function(true, found, **options)
        assert getattr(getattr(scores, average), name) == pytest.approx(expected)
    assert scores.macro_f1 == scores.macro.f1
    assert scores.mean_iou == scores.macro.iou
    assert scores.micro.f1 == pytest.approx(scores.accuracy)


def test_macro_f1_is_over_the_classes_that_occur_in_the_truth():
    matrix = ConfusionMatrix(3)
    matrix.update_classes([1, 1, 3, 2], [1, 1, 1, 2])
    scores = matrix.compute()
    assert scores.f1 == pytest.approx((0.8, 1.0, 0.0))
    assert scores.macro_f1 == pytest.approx(0.9)


def test_class_ids_may_have_gaps_and_any_order():
    matrix = ConfusionMatrix([7, 2])
    matrix.update(np.array([[0.9, 0.2, 0.6, 0.6], [0.1, 0.8, 0.4, 0.4]]), [7, 2, 2, 0])
    assert matrix.matrix.tolist() == [[1, 0], [1, 1]]
    matrix.update_classes([2, 7], [7, 7])
    assert matrix.matrix.tolist() == [[2, 1], [1, 1]]
    assert matrix.compute().classes == (7, 2)
    with pytest.raises(LabelError, match="no class 1"):
        matrix.update_classes([1], [7])


def test_predicted_classes_of_another_shape_are_refused():
    with pytest.raises(LabelError, match=r"\(3,\).*\(2,\)"):
        ConfusionMatrix(2).update_classes([1, 2, 1], [1, 2])


def test_calibration_by_hand():
    # Bins of .25: {.7 right, .7 wrong} and {.9 right, 1.0 right, .8 wrong}.
    p = np.array([[0.7, 0.3, 0.9, 1.0, 0.8], [0.3, 0.7, 0.1, 0.0, 0.2]])
    metric = Calibration(2, bins=4)
    metric.update(p, [1, 1, 1, 1, 2])
    scores = metric.compute()
    assert scores.counts == (0, 0, 2, 3)
    assert scores.confidence[2:] == pytest.approx((0.7, 0.9))
    assert scores.accuracy[2:] == pytest.approx((0.5, 2 / 3))
    assert np.isnan(scores.confidence[:2]).all()
    error = (2 * abs(0.5 - 0.7) + 3 * abs(2 / 3 - 0.9)) / 5
    assert scores.expected_calibration_error == pytest.approx(error)
    brier = 2 * (0.3**2 + 0.7**2 + 0.1**2 + 0.0 + 0.8**2) / 5
    assert scores.brier == pytest.approx(brier)


def test_a_record_is_json_and_empty_bins_are_none():
    metric = Calibration(2, bins=4)
    metric.update(np.array([[0.7, 0.9], [0.3, 0.1]]), [1, 2])
    record = json.loads(json.dumps(metric.compute().record(), allow_nan=False))
    assert record["counts"] == [0, 0, 1, 1]
    assert record["confidence"] == [None, None, 0.7, 0.9]
    assert record["accuracy"] == [None, None, 1.0, 0.0]
    matrix = ConfusionMatrix([7, 2])
    matrix.update_classes([2, 7], [7, 7])
    assert matrix.record() == {"classes": [7, 2], "counts": [[1, 1], [0, 0]]}


def test_brier_of_two_classes_is_twice_scikit_learns():
    p, truth = scene(classes=2)
    metric = Calibration(2)
    metric.update(p, truth)
    known = truth > 0
    expected = reference.brier_score_loss(truth[known] == 1, p[0, known])
    assert metric.compute().brier == pytest.approx(2 * expected, rel=1e-5)


def test_honest_probabilities_are_calibrated_and_boasting_ones_are_not():
    rng = np.random.default_rng(0)
    q = rng.uniform(size=40_000)
    truth = np.where(rng.uniform(size=q.size) < q, 1, 2)
    honest, boasting = Calibration(2), Calibration(2)
    honest.update(np.stack((q, 1 - q)), truth)
    sharp = np.where(q > 0.5, 0.99, 0.01)
    boasting.update(np.stack((sharp, 1 - sharp)), truth)
    assert honest.compute().expected_calibration_error < 0.01
    assert boasting.compute().expected_calibration_error == pytest.approx(
        0.24, abs=0.02
    )


def test_a_reliability_curve_needs_a_bin():
    with pytest.raises(SettingsError, match="bins = 0"):
        Calibration(2, bins=0)
