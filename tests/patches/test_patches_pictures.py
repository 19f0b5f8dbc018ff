"""Pictures are held out whole; what is reserved is never learned from."""

import numpy as np
import pytest

from napari_sashiko.labels import LabelledVoxels
from napari_sashiko.patches import NOTHING_DEALT, fold_labelled, within_reach
from napari_sashiko.patches.folds import NEVER


def dense(pictures, *, edge=8, classes=2, reserved=None):
    coords = np.argwhere(np.ones((pictures, edge, edge), bool)).astype(np.int32)
    values = (coords[:, 2] * classes // edge + 1).astype(np.uint8)
    mask = None if reserved is None else np.isin(coords[:, 0], reserved)
    return LabelledVoxels(coords, values, (pictures, edge, edge), mask)


@pytest.mark.parametrize("pictures", [4, 6, 20])
def test_whole_pictures_are_held_out(pictures):
    labelled = dense(pictures)
    folds = fold_labelled(labelled, 8, guard=4.0, frame=1)
    assert len(folds) == 8
    for number in range(pictures):
        assert len(np.unique(folds.fold[labelled.coords[:, 0] == number])) == 1
    used = min(pictures, 8)
    assert sorted(np.unique(folds.fold)) == list(range(used))
    for number in range(8):
        np.testing.assert_array_equal(folds.train[number], folds.fold != number)
    assert folds.note == ""


def test_a_class_on_one_picture_only_is_learned_by_all():
    labelled = dense(6)
    values = labelled.values.copy()
    values[(labelled.coords[:, 0] == 2) & (labelled.coords[:, 1] < 3)] = 3
    rare = LabelledVoxels(labelled.coords, values, labelled.shape)
    folds = fold_labelled(rare, 8, guard=4.0, frame=1)
    assert folds.train[:, values == 3].all()
    assert (folds.fold[values == 3] == NEVER).all()
    assert "Class 3" in folds.note


def test_few_pictures_are_cut_and_neighbours_in_z_are_no_neighbours():
    labelled = dense(2, edge=40)
    folds = fold_labelled(labelled, 8, guard=4.0, frame=1)
    picture = labelled.coords[:, 0]
    for number in range(8):
        held = folds.fold == number
        guarded = ~folds.train[number] & ~held
        assert set(picture[guarded]) <= set(picture[held])
    assert {0, 1} <= set(np.unique(folds.fold).tolist())


@pytest.mark.parametrize(("reserved", "folds"), [([4, 5], 2), ([5], 4), ([3, 4, 5], 2)])
def test_what_is_reserved_is_held_out_and_nobody_learns_from_it(reserved, folds):
    labelled = dense(6, reserved=reserved)
    found = fold_labelled(labelled, folds, guard=4.0, frame=1)
    assert len(found) == folds
    assert not found.train[:, labelled.reserved].any()
    assert found.train[:, ~labelled.reserved].all()
    assert sorted(np.unique(found.fold[labelled.reserved])) == list(range(folds))
    assert (found.fold[~labelled.reserved] == NEVER).all()
    if len(reserved) >= folds:
        for number in reserved:
            assert len(np.unique(found.fold[labelled.coords[:, 0] == number])) == 1


def test_a_class_that_is_not_reserved_is_named():
    labelled = dense(6, reserved=[5])
    values = labelled.values.copy()
    values[:9] = 7
    odd = LabelledVoxels(labelled.coords, values, labelled.shape, labelled.reserved)
    assert "Class 7" in fold_labelled(odd, 4, guard=4.0, frame=1).note


def test_a_picture_keeps_its_fold_when_it_gets_more_labels():
    labelled = dense(6)
    first = labelled.coords[:, 1] < 4
    some = LabelledVoxels(
        labelled.coords[first], labelled.values[first], labelled.shape
    )
    before = fold_labelled(some, 8, guard=4.0, frame=1)
    dealt = NOTHING_DEALT.with_folds(some, before)
    after = fold_labelled(labelled, 8, guard=4.0, frame=1, before=dealt, seed=9)
    np.testing.assert_array_equal(after.fold[first], before.fold)
    assert len(np.unique(after.fold[labelled.coords[:, 0] == 3])) == 1


def test_what_lies_on_other_slices_is_out_of_reach():
    coords = dense(3).coords
    seen, asked = coords[:, 0] == 0, coords[:, 0] == 2
    assert not within_reach(coords, seen, asked, (0, 5, 5)).any()
    assert not within_reach(coords, seen, asked, (1, 5, 5)).any()
    near = within_reach(coords, seen, asked, (2, 5, 5))
    np.testing.assert_array_equal(near, asked)
