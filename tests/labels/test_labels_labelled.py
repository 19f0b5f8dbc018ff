"""Labelled voxels found in dense arrays."""

import numpy as np
import pytest

from napari_sashiko.labels import labelled_voxels


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
