"""A stroke of the wrong class is noticed by forests that have not seen it."""

import numpy as np
import pytest
from training_runs import make_image, make_labels

from napari_sashiko.labels import LabelledVoxels, labelled_voxels, stroke_components
from napari_sashiko.runners import Tick
from napari_sashiko.training import disputed_by_others, others
from napari_sashiko.volumes import as_volume

WRONG = np.s_[2, 16, 3:18]


def disputed(labels, **values):
    """What is disputed, and how many events there were."""
    volume = as_volume(make_image())
    paint = labels if isinstance(labels, LabelledVoxels) else labelled_voxels(labels)
    steps = disputed_by_others(volume, paint, **{"most": 9, **values})
    events = 0
    while True:
        try:
            assert isinstance(next(steps), Tick)
            events += 1
        except StopIteration as end:
            return end.value, events


def test_a_stroke_of_the_wrong_class_is_the_surest_dispute():
    labels = make_labels()
    assert (labels[WRONG] == 1).all()
    labels[WRONG] = 2  # on the dark side
    found, events = disputed(labels)
    assert found[0].coords[:2] == (2, 16)
    assert (found[0].painted, found[0].called) == (2, 1)
    assert found[0].probability > 0.5
    assert events > 4
    assert disputed(labels)[0] == found
    assert len(disputed(labels, most=1)[0]) == 1


def test_of_paint_that_is_right_nothing_is_disputed():
    assert disputed(make_labels())[0] == []


def test_a_disputed_voxel_is_a_painted_one():
    labels = make_labels()
    labels[labels > 0] = np.random.default_rng(0).integers(1, 4, (labels > 0).sum())
    for each in disputed(labels)[0]:
        assert labels[each.coords] == each.painted != each.called


@pytest.mark.parametrize("classes", [0, 1])
def test_without_two_classes_there_is_nothing_to_compare(classes):
    labels = make_labels()
    labels[labels > classes] = 0
    assert disputed(labels) == ([], 0)


def test_one_stroke_of_each_class_is_judged_by_its_parts():
    labels = np.zeros_like(make_labels())
    labels[2, 10, 3:18], labels[2, 10, 26:41] = 1, 2
    assert disputed(labels)[0] == []


def test_very_much_paint_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(others, "TOO_MUCH", 10)
    assert disputed(make_labels()) == ([], 0)


def test_when_time_is_up_what_was_read_is_judged(monkeypatch):
    monkeypatch.setattr("napari_sashiko.training.held_out.EDGE", 8)
    labels = make_labels()
    labels[WRONG] = 2
    _, whole = disputed(labels)
    _, part = disputed(labels, seconds=0.0)
    assert part < whole


def test_strokes_count_alike_and_all_of_them_are_bounded(monkeypatch):
    monkeypatch.setattr(others, "OF_A_STROKE", 5)
    labels = make_labels()
    labels[0, 4:30] = np.where(labels[0, 4:30] == 1, 1, 0)
    strokes = stroke_components(labelled_voxels(labels))
    rows = others._sample(strokes, seed=1)
    assert (np.diff(rows) > 0).all()
    expected = np.minimum(np.bincount(strokes), 5)
    np.testing.assert_array_equal(np.bincount(strokes[rows]), expected)
    monkeypatch.setattr(others, "OF_ALL", 12)
    assert len(others._sample(strokes, seed=1)) == 12
