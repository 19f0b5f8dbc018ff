"""A volume that this program opens is shown as napari would show its array."""

import numpy as np
import pytest

from napari_sashiko.gui.layer_volume import volume_of
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.volume_array import VolumeArray, grey_limits
from napari_sashiko.gui.volume_reader import image_layer
from napari_sashiko.volumes import as_volume

RNG = np.random.default_rng(0)
ARRAYS = {
    "volume": (RNG.integers(0, 255, (5, 7, 9), np.uint8), "zyx"),
    "image": (RNG.normal(size=(7, 9)).astype(np.float32), "yx"),
    "colours": (RNG.integers(0, 255, (7, 9, 3), np.uint8), "yxc"),
    "volume of colours": (RNG.integers(0, 255, (5, 7, 9, 4), np.uint8), "zyxc"),
    "channels": (RNG.integers(0, 255, (3, 5, 7, 9), np.uint8), "czyx"),
    "three channels": (RNG.integers(0, 255, (3, 7, 9), np.uint8), "cyx"),
    "mask": (RNG.random((5, 7, 9)) > 0.5, "zyx"),
}
KEYS = [
    0,
    -1,
    slice(0, 1),
    (1, slice(1, 3)),
    (2, 3),
    (slice(1, 4), slice(None)),
    (..., 2),
    (1, slice(2, 6)),
]


@pytest.mark.parametrize("case", ARRAYS)
def test_slices_are_those_of_the_array(case):
    array, axes = ARRAYS[case]
    lazy = LazyArray(VolumeArray(as_volume(array, axes=axes)))
    expected = array.astype(np.uint8) if array.dtype == bool else array
    assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(np.asarray(lazy), expected)
    for key in KEYS:
        np.testing.assert_array_equal(np.asarray(lazy[key]), expected[key])


@pytest.mark.parametrize("case", [*ARRAYS])
def test_the_dock_finds_the_same_content_in_the_layer(case):
    from napari.layers import Image  # noqa: PLC0415

    array, axes = ARRAYS[case]
    volume = as_volume(array, axes=axes, voxel_size=(1, 2, 2), unit="um")
    data, look, kind = image_layer([volume], {"mine": 1})
    assert kind == "image"
    layer = Image(data, **look)
    found = volume_of(layer)
    assert found.digest() == volume.digest()
    whole = tuple(slice(0, n) for n in volume.shape)
    np.testing.assert_array_equal(found.read(whole), volume.read(whole))
    assert found.voxel_size[1:] == volume.voxel_size[1:]
    assert layer.metadata == {"mine": 1}
    layer.scale = np.asarray(layer.scale) * 2  # what the user says counts
    np.testing.assert_allclose(
        volume_of(layer).voxel_size[1:], 2 * np.array(volume.voxel_size[1:])
    )


@pytest.mark.parametrize(
    ("array", "limits"),
    [
        (np.full((3, 4, 5), 7.0), (7.0, 8.0)),
        (np.arange(60.0).reshape(3, 4, 5), (20.0, 39.0)),
        (np.full((3, 4, 5), np.nan), (0.0, 1.0)),
        # The middle slice tells nothing, the one above does.
        (np.arange(8.0)[:, None, None] % 4 * np.arange(5.0), (0.0, 8.0)),
    ],
)
def test_grey_values_of_the_middle_slice_are_shown(array, limits):
    assert grey_limits(as_volume(array)) == limits


class Damaged:
    """Eight slices, of which some cannot be read."""

    shape, dtype, ndim = (8, 4, 5), np.dtype(np.uint8), 3

    def __init__(self, readable):
        self.readable = readable

    def __getitem__(self, key):
        if key[0].start not in self.readable:
            raise RuntimeError(f"not enough bytes of slice {key[0].start}")
        return np.arange(20, dtype=np.uint8).reshape(1, 4, 5)


def test_slices_beside_a_damaged_one_are_looked_at():
    assert grey_limits(as_volume(Damaged({6}))) == (0.0, 19.0)


def test_the_damage_is_told_where_no_slice_can_be_read():
    with pytest.raises(Exception, match="slice 4"):
        grey_limits(as_volume(Damaged({0})))
