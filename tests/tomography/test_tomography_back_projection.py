"""Filtered back-projection is scikit-image's, and sinograms are read as they lie."""

import numpy as np
import pytest
from skimage.transform import iradon
from small_phantoms import ANGLES, SIDE, make_sinograms, make_slices

from napari_sashiko.errors import VolumeError
from napari_sashiko.tomography import (
    FILTERS,
    Sinograms,
    check_angles,
    even_angles,
    filtered_back_projection,
)
from napari_sashiko.volumes import as_volume


@pytest.mark.parametrize("name", FILTERS)
def test_it_is_what_scikit_image_makes(name):
    (sinogram,) = make_sinograms(make_slices(1))
    found = filtered_back_projection(sinogram, even_angles(ANGLES), filter_name=name)
    expected = iradon(sinogram.T, filter_name=None if name == "none" else name)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_it_finds_the_slice_again():
    slices = make_slices(1, 64)
    (sinogram,) = make_sinograms(slices, 90)
    found = filtered_back_projection(sinogram, even_angles(90))
    assert np.sqrt(np.mean((found - slices[0]) ** 2)) < 0.5 * slices.std()


def test_angles_of_ones_own_are_used():
    ways = 20 + np.linspace(180, 0, 40, endpoint=False)  # the other way round
    slices = make_slices(1)
    (sinogram,) = make_sinograms(slices, ways)
    own, even = (
        np.abs(filtered_back_projection(sinogram, angles) - slices[0]).mean()
        for angles in (ways, even_angles(40))
    )
    assert own < 0.8 * even


def test_angles_are_spread_over_half_a_turn():
    assert check_angles(None, 4) == (0.0, 45.0, 90.0, 135.0)


@pytest.mark.parametrize(
    ("angles", "why"),
    [((0, 90), "2 angles for sinograms of 3"), ((0, 1, np.nan), "fin")],
)
def test_impossible_angles_are_refused(angles, why):
    with pytest.raises(VolumeError, match=why):
        check_angles(angles, 3)


def test_both_orders_are_read_alike():
    stack = make_sinograms(make_slices(5))
    slices = Sinograms(as_volume(stack))
    turned = Sinograms(as_volume(stack.swapaxes(0, 1)), "projections")
    for each in (slices, turned):
        assert (each.slices, each.angles, each.detectors) == (5, ANGLES, SIDE)
        np.testing.assert_array_equal(each.read(2, 4), stack[2:4])


def test_voxels_are_pixels_of_the_detector():
    stack = as_volume(np.zeros((4, 6, 8), np.float32), voxel_size=(3, 0.5, 2))
    assert Sinograms(stack).voxel_size == (3, 2, 2)
    assert Sinograms(stack, "projections").voxel_size == (0.5, 2, 2)


def test_what_was_not_measured_is_named():
    stack = make_sinograms(make_slices(3))
    stack[1, 0, 0] = np.nan
    found = Sinograms(as_volume(stack))
    assert found.read_measured(0, 1).shape == (1, ANGLES, SIDE)
    with pytest.raises(VolumeError, match="slice 1"):
        found.read_measured(0, 3)


def test_channels_and_flat_projections_are_refused():
    with pytest.raises(VolumeError, match="2 channels"):
        Sinograms(as_volume(np.zeros((2, 3, 4, 5), np.float32), axes="czyx"))
    with pytest.raises(VolumeError, match="single image"):
        Sinograms(as_volume(np.zeros((4, 5), np.float32)), "projections")
