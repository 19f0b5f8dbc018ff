"""Laws of shrunk images: means over squares, whichever part is read."""

import numpy as np
import pytest
from small_pictures import BEYOND, fenced

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import as_volume, full_region, shrunk

SIZES = ((40, 48), (16, 48), (40, 19))


def test_each_voxel_is_the_mean_of_a_square():
    image = np.random.default_rng(0).integers(0, 60_000, (2, 3, 23, 31), np.uint16)
    small = shrunk(as_volume(image, axes="czyx", voxel_size=(3, 0.5, 0.5)), 4)
    assert (small.shape, small.channels) == ((3, 5, 7), 2)
    assert small.voxel_size == (3, 2, 2)
    means = image[..., :20, :28].reshape(2, 3, 5, 4, 7, 4).mean((3, 5))
    found = small.read(full_region(small.shape))
    np.testing.assert_allclose(found, means, rtol=1e-6)
    part = small.read((slice(1, 3), slice(2, 5), slice(3, 6)), slice(1, 2))
    assert np.array_equal(part, found[1:, 1:, 2:5, 3:6])


def test_strips_make_no_difference(monkeypatch):
    image = np.random.default_rng(0).normal(size=(2, 60, 40))
    small = shrunk(as_volume(image), 3)
    whole = small.read(full_region(small.shape))
    monkeypatch.setattr("napari_sashiko.volumes.shrinking.AT_ONCE", 1)
    assert np.array_equal(small.read(full_region(small.shape)), whole)


def test_what_nobody_measured_takes_no_part():
    image = np.full((1, 4, 4), np.nan, np.float32)
    image[0, 0, 0], image[0, 1, 1], image[0, 3, 3] = 2, 4, 7
    found = shrunk(as_volume(image), 2).read((slice(0, 1), slice(0, 2), slice(0, 2)))
    expected = np.array([[3, np.nan], [np.nan, 7]])
    assert np.array_equal(found[0, 0], expected, equal_nan=True)


def test_pictures_end_where_they_end():
    volume = fenced(SIZES)
    small = shrunk(volume, 3)
    for z, (height, width) in enumerate(SIZES):
        assert small.extent(z) == (height // 3, width // 3)
        inside = (slice(z, z + 1), slice(0, height // 3), slice(0, width // 3))
        assert small.read(inside).max() < BEYOND
    assert small.separate
    assert small.digest() == volume.digest()


def test_once_is_the_image_itself_and_too_often_is_refused():
    volume = fenced(SIZES)
    assert shrunk(volume, 1) is volume
    with pytest.raises(VolumeError, match="only 16 voxels"):
        shrunk(volume, 17)
