"""Laws of the choices that data make: 2D or 3D, with a reason in words."""

import re

import numpy as np
import pytest

from napari_sashiko.labels import labelled_voxels
from napari_sashiko.training import (
    RestoreSettings,
    TrainingSettings,
    make_choices,
)
from napari_sashiko.training.choices import FEW_SLICES, choices_for_images
from napari_sashiko.volumes import as_volume


def smooth(shape=(20, 64, 64)):
    """Waves, alike in neighbouring slices and rows."""
    z, y, x = np.indices(shape)
    return np.sin(z / 3 + y / 4) + np.cos(x / 4)


def unrelated(shape=(20, 64, 64)):
    """Slices that are smooth and have nothing to do with each other."""
    _, y, x = np.indices(shape)
    phase = np.random.default_rng(0).uniform(0, 40, (shape[0], 1, 1))
    return np.sin(y / 4 + 7 * phase) * np.cos(x / 4 + phase)


def paint(shape, thick):
    labels = np.zeros(shape, np.uint8)
    labels[: FEW_SLICES if thick else 1, 2:5, 2:5] = 1
    return labelled_voxels(labels)


def choose(image, *, thick=True, device="cpu", voxel_size=None, **changes):
    volume = as_volume(image, voxel_size=voxel_size)
    settings = TrainingSettings(**changes)
    return make_choices(volume, paint(image.shape, thick), settings, device)


def test_a_single_slice_is_looked_at_in_2d():
    choices = choose(smooth((1, 64, 64)))
    assert (choices.dims, choices.neighbours, choices.filter_dims) == (2, 0, 2)
    assert "single slice" in choices.reason


@pytest.mark.parametrize("value", [1e300, -1e300, np.inf, np.nan])
def test_broken_voxels_decide_nothing(value):
    image = smooth()
    image[5, 30, 30] = value
    assert choose(image).reason == choose(smooth()).reason


def test_slices_that_disagree_are_looked_at_one_by_one():
    choices = choose(unrelated(), device="cuda")
    assert (choices.dims, choices.neighbours, choices.filter_dims) == (2, 0, 2)
    assert "each slice by itself" in choices.reason
    assert "nothing in common" in choices.reason


@pytest.mark.parametrize("seed", range(4))
def test_slices_that_have_nothing_in_common_are_no_negative_share(seed):
    """White noise, and slices that are each other's negatives."""
    noise = np.random.default_rng(seed).normal(size=(20, 64, 64))
    turning = smooth()[:1] * np.where(np.arange(20) % 2, 1.0, -1.0)[:, None, None]
    for image in (noise, turning):
        volume = as_volume(image)
        for reason in (
            choose(image).reason,
            choices_for_images(volume, RestoreSettings(), gaps=False).reason,
        ):
            assert "-" not in reason
            assert not re.search(r"\b0\.00\b", reason)
    assert "nothing in common" in choose(turning).reason


def test_blocks_of_slices_that_disagree_can_be_demanded():
    assert choose(unrelated(), dims="3").dims == 3


def test_on_a_cpu_slices_see_their_neighbours():
    choices = choose(smooth())
    assert (choices.dims, choices.filter_dims) == (2, 3)
    assert choices.neighbours > 0
    assert f"2D with {choices.neighbours} slices on either side" in choices.reason
    assert "CPU" in choices.reason


def test_thick_paint_on_a_gpu_makes_blocks():
    choices = choose(smooth(), device="cuda")
    assert (choices.dims, choices.neighbours, choices.filter_dims) == (3, 0, 3)
    assert "100% of the paint continues in the next slice" in choices.reason


def test_flat_paint_on_a_gpu_stays_with_slices():
    image = smooth((2 * FEW_SLICES, 64, 64))
    labels = np.zeros(image.shape, np.uint8)
    labels[::2, 2:5, 2:5] = 1
    paint = labelled_voxels(labels)
    choices = make_choices(as_volume(image), paint, TrainingSettings(), "cuda")
    assert choices.dims == 2
    assert "paint lies on single slices" in choices.reason


@pytest.mark.parametrize("dims", ["2", "3"])
def test_what_was_set_is_done_and_said(dims):
    choices = choose(smooth(), dims=dims)
    assert choices.dims == int(dims)
    assert "as set" in choices.reason


@pytest.mark.parametrize("neighbours", [0, 2])
@pytest.mark.parametrize("thick", [True, False])
def test_neighbours_can_be_set(neighbours, thick):
    choices = choose(smooth(), thick=thick, neighbours=neighbours)
    assert choices.neighbours == neighbours


def test_paint_on_few_slices_is_not_enough_to_learn_from_neighbours():
    image = smooth()
    labels = np.zeros(image.shape, np.uint8)
    labels[: FEW_SLICES - 1, 2:5, 2:5] = 1
    almost = make_choices(as_volume(image), labelled_voxels(labels), TrainingSettings())
    assert almost.neighbours == 0
    choices = choose(image, thick=False)
    assert (choices.dims, choices.neighbours, choices.filter_dims) == (2, 0, 3)
    assert "paint on 1 slice says too little" in choices.reason


def test_thick_slices_have_fewer_neighbours():
    cubic = choose(smooth()).neighbours
    thick = choose(smooth(), voxel_size=(4.0, 1.0, 1.0)).neighbours
    assert 1 <= thick < cubic


def test_there_are_never_more_neighbours_than_slices(monkeypatch):
    monkeypatch.setattr("napari_sashiko.training.choices.FEW_SLICES", 2)
    assert choose(smooth((3, 64, 64))).neighbours == 2


def test_spacing_is_relative_to_the_finest_axis():
    assert choose(smooth(), voxel_size=(6.0, 2.0, 3.0)).spacing == (3.0, 1.0, 1.5)


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_an_image_without_content_gets_an_answer(value):
    choices = choose(np.full((4, 16, 16), value))
    assert choices.dims == 2
    assert choices.reason


@pytest.mark.parametrize("shape", [(2, 1, 1), (3, 2, 2), (2, 3, 300)])
def test_tiny_images_get_an_answer(shape):
    image = np.random.default_rng(0).normal(size=shape)
    labels = np.zeros(shape, np.uint8)
    labels[0, 0, 0] = 1
    volume = as_volume(image)
    choices = make_choices(volume, labelled_voxels(labels), TrainingSettings())
    assert choices.neighbours < shape[0]
