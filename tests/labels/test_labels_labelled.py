"""Labelled voxels found in dense arrays."""

import numpy as np
import pytest

from napari_sashiko.labels import LabelStore, default_classes, labelled_voxels


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint32", "int64"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (4, 8, 16), (2, 3, 9)])
def test_every_labelled_voxel_is_found_where_it_lies(dtype, shape):
    rng = np.random.default_rng(sum(shape))
    labels = (rng.integers(0, 3, shape) * (rng.random(shape) < 0.4)).astype(dtype)
    labels[-1, -1, -1] = 1  # in the rest that makes no whole word
    found = labelled_voxels(labels)
    assert np.array_equal(found.coords, np.argwhere(labels))
    assert np.array_equal(found.values, labels[labels > 0])


def test_parts_of_a_view_are_found_too():
    labels = np.zeros((6, 10, 11), np.uint8)
    labels[4, 2, 6] = 2
    assert labelled_voxels(labels[::2, :, ::3]).coords.tolist() == [[2, 2, 2]]


MANY = 400_000
CLASSES = default_classes(3)


def dense_labels():
    labels = np.ones((80, 160, 160), np.uint8)
    labels[:, :, 120:] = 2
    labels[7, 5:15, 5:15] = 3  # a hundred voxels
    return labels


def test_of_dense_labels_cells_are_drawn_in_the_proportion_of_the_classes():
    labels = dense_labels()
    found = labelled_voxels(labels, keep=MANY)
    assert found.total == labels.size
    assert 0.6 * MANY < len(found) < 1.4 * MANY
    assert np.array_equal(labels[tuple(found.coords.T)], found.values)
    counts = np.bincount(found.values)
    assert counts[3] == 100
    assert 0.15 < counts[2] / len(found) < 0.35
    assert "2,048,000" in found.remark
    places = np.ravel_multi_index(tuple(found.coords.T), labels.shape)
    assert (np.diff(places) > 0).all()


def test_a_drawn_cell_is_whole():
    found = labelled_voxels(np.ones((40, 96, 96), np.uint8), keep=100_000)
    cells, sizes = np.unique(found.coords // (8, 32, 32), axis=0, return_counts=True)
    assert 2 <= len(cells) < 45
    assert set(sizes) == {8 * 32 * 32}


def test_a_store_draws_the_voxels_that_an_array_does(tmp_path):
    labels = dense_labels()
    store = LabelStore.create(tmp_path / "labels", labels.shape, CLASSES)
    store.array[:] = labels
    ours, theirs = store.labelled(most=MANY), labelled_voxels(labels, keep=MANY)
    assert np.array_equal(ours.coords, theirs.coords)
    assert np.array_equal(ours.values, theirs.values)
    assert ours.total == theirs.total
    whole = store.labelled()
    assert (len(whole), whole.total, whole.remark) == (labels.size, 0, "")
    store.close()


def test_what_is_drawn_does_not_depend_on_the_parts_that_are_read():
    labels = dense_labels()
    once = labelled_voxels(labels, keep=MANY)
    parts = labelled_voxels(labels, keep=MANY, most=77_777)
    assert np.array_equal(once.coords, parts.coords)
