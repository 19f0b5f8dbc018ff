"""Scores are taken beyond the receptive field where paint allows, and it is said."""

import numpy as np
import pytest

from napari_sashiko.checkpoints import load_card
from napari_sashiko.labels import LabelClass, labelled_voxels
from napari_sashiko.patches import Folds, fold_labelled
from napari_sashiko.training import TrainingDone, TrainingSettings, _verdict, train
from napari_sashiko.training._apart import (
    FEWEST,
    describe_distance,
    fair_rows,
    voxels_apart,
)
from napari_sashiko.volumes import as_volume

CLASSES = tuple(
    LabelClass(id=n, name=name, color="#336699")
    for n, name in ((1, "air"), (2, "resin"), (3, "fibre"))
)


def test_held_out_voxels_apart_have_nothing_learned_around_them():
    # Two strokes side by side on one slice, a third one far away on another.
    labels = np.zeros((9, 40, 40), np.uint8)
    labels[0, 4, 2:30] = 1
    labels[0, 9, 2:30] = 1
    labels[6, 30, 2:30] = 1
    paint = labelled_voxels(labels)
    stroke = paint.coords[:, 1]
    fold = np.select([stroke == 4, stroke == 9], [0, 1], 2).astype(np.int8)
    train_on = np.stack([fold != number for number in range(3)])
    folds = Folds(fold, train_on, "")
    assert voxels_apart(paint.coords, folds, (0, 3, 3)).all()
    near = voxels_apart(paint.coords, folds, (2, 8, 8))
    np.testing.assert_array_equal(near, stroke == 30)
    assert not voxels_apart(paint.coords, folds, (6, 26, 26)).any()


def test_a_voxel_that_was_kept_from_learning_does_not_count():
    labels = np.zeros((1, 20, 20), np.uint8)
    labels[0, 5], labels[0, 12] = 1, 1
    paint = labelled_voxels(labels)
    fold = (paint.coords[:, 1] == 12).astype(np.int8)
    nobody = np.zeros((2, len(paint)), bool)
    assert voxels_apart(paint.coords, Folds(fold, nobody, ""), (1, 19, 19)).all()


def test_classes_without_enough_apart_are_scored_on_all_they_have():
    values = np.repeat([1, 2, 3], 100).astype(np.uint8)
    judged = np.ones(300, bool)
    judged[:10] = False
    apart = np.zeros(300, bool)
    apart[:50] = True  # of class 1, ten of them not judged
    apart[100 : 100 + FEWEST - 1] = True  # of class 2: too few
    rows, close = fair_rows(values, judged, apart)
    assert close == {2, 3}
    np.testing.assert_array_equal(np.flatnonzero(rows[:100]), np.arange(10, 50))
    assert rows[100:].all()


def test_few_voxels_that_all_lie_apart_are_not_close():
    values = np.repeat([1, 2], [100, 5]).astype(np.uint8)
    apart = np.ones(105, bool)
    rows, close = fair_rows(values, apart, apart)
    assert rows.all()
    assert close == set()
    apart[100] = False
    assert fair_rows(values, np.ones(105, bool), apart)[1] == {2}


@pytest.mark.parametrize(
    ("close", "said"),
    [
        (set(), "Judged on strokes beyond the receptive field (27 voxels) of"),
        ({3}, "those of fibre lie closer"),
        ({1, 3}, "those of air and fibre lie closer"),
        ({1, 2, 3}, "Strokes further apart make a fairer test"),
    ],
)
def test_it_is_said_where_strokes_lie_too_close(close, said):
    text = describe_distance(CLASSES, close, (0, 27, 23))
    assert said in text
    assert ("too good" in text) == bool(close)


def run(tmp_path, labels):
    rng = np.random.default_rng(0)
    image = rng.normal(size=labels.shape).astype(np.float32) * 0.2
    image[:, labels.shape[1] // 2 :] += 1
    volume = as_volume(image, axes="zyx", name="halves")
    settings = TrainingSettings.checked(
        members=8, forest=False, epochs=1, dims="2", neighbours=0, teacher=False
    )
    steps = train(
        volume, labelled_voxels(labels), CLASSES[:2], settings, tmp_path / "m"
    )
    done = [event for event in steps if isinstance(event, TrainingDone)]
    return done[0], load_card(tmp_path / "m")


def strokes(shape, step):
    """A stroke of each class on every `step`-th slice."""
    labels = np.zeros(shape, np.uint8)
    labels[::step, shape[1] // 4, 4:-4] = 1
    labels[::step, 3 * shape[1] // 4, 4:-4] = 2
    return labels


def counts(card):
    """Scored voxels by class."""
    confusion = card.training["held_out_curves"]["confusion"]
    return np.sum(confusion["counts"], axis=1).tolist()


def test_a_run_scores_what_lies_apart_and_says_so(tmp_path):
    # Eight strokes a class on slices of their own, and the classes 64 voxels apart.
    labels = strokes((16, 128, 48), 2)
    done, card = run(tmp_path, labels)
    assert "beyond the receptive field" in done.fairness
    assert "closer" not in done.fairness
    assert done.fairness == card.training["held_out_fairness"]
    assert counts(card) == [320, 320]
    metrics = dict(done.metrics)
    assert {"mean_iou", "iou air", "iou resin", "macro_f1_std"} <= set(metrics)
    assert metrics["mean_iou"] == pytest.approx(
        (metrics["iou air"] + metrics["iou resin"]) / 2
    )
    for name in ("air", "resin"):
        iou = metrics[f"iou {name}"]
        assert metrics[f"f1 {name}"] == pytest.approx(2 * iou / (1 + iou))


def test_strokes_beside_others_are_left_out_of_the_scores(tmp_path):
    labels = strokes((16, 128, 48), 2)
    labels[0, 88, 4:-4], labels[0, 104, 4:-4] = 2, 2
    done, card = run(tmp_path, labels)
    assert "closer" not in done.fairness
    air, resin = counts(card)
    assert air == 320
    # Those of seven slices; of the three on slice 0 only pieces of one fold are apart.
    assert 280 <= resin < 400
    # Sets are calibrated on the same voxels: sixteen strokes are enough.
    assert card.sets.voxels == air + resin
    assert "Prediction sets" not in done.fairness


def test_sets_that_need_all_strokes_have_them_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(_verdict, "are_enough", lambda *_: False)
    labels = strokes((16, 128, 48), 2)
    labels[0, 88, 4:-4], labels[0, 104, 4:-4] = 2, 2
    done, card = run(tmp_path, labels)
    assert card.sets.voxels > sum(counts(card))
    assert done.fairness.endswith("the sets may be too small.")


def test_paint_that_is_close_together_is_said_to_flatter(tmp_path):
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[0, 8, 4:36], labels[0, 32, 4:36] = 1, 2
    done, _ = run(tmp_path, labels)
    assert "too good" in done.fairness
    paint = labelled_voxels(labels)
    folds = fold_labelled(paint, 8, guard=4)
    assert not voxels_apart(paint.coords, folds, (0, 23, 23)).any()
