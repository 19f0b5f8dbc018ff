"""What is learned in one frame is what would be learned of it alone."""

import numpy as np
import pytest

from napari_sashiko.errors import SettingsError
from napari_sashiko.forests import FilterBank
from napari_sashiko.labels import LabelledVoxels, labelled_voxels, stroke_components
from napari_sashiko.patches import fold_labelled
from napari_sashiko.training import TrainingSettings
from napari_sashiko.training._apart import voxels_apart
from napari_sashiko.training.choices import make_choices
from napari_sashiko.training.held_out import features_of
from napari_sashiko.training.image_tiles import ImagePair, read_image_tiles
from napari_sashiko.training.teacher import _places
from napari_sashiko.training.tiles import read_tiles
from napari_sashiko.volumes import Normalisation, as_volume

TIMES, DEPTH, SIDE = 3, 5, 20
PLAIN = Normalisation(low=(-1e6,), high=(1e6,), center=(0.0,), scale=(1.0,))
ARRAY = np.random.default_rng(0).normal(size=(TIMES, DEPTH, SIDE, SIDE))
ARRAY = ARRAY.astype(np.float32)


@pytest.fixture
def timed():
    return as_volume(ARRAY, axes="tzyx")


def painted():
    """A stroke on the last slice of a frame, and one on the first of the next."""
    labels = np.zeros((TIMES * DEPTH, SIDE, SIDE), np.uint8)
    for z in (DEPTH - 1, DEPTH, 2 * DEPTH - 1):
        labels[z, 4:16, 6] = 1
        labels[z, 4:16, 12] = 2
    return labelled_voxels(labels)


@pytest.mark.parametrize("z", [0, DEPTH - 1])
def test_features_of_a_frame_are_those_that_it_has_alone(timed, z):
    bank = FilterBank(dims=3, spacing=(1.0, 1.0, 1.0))
    plane = slice(4, 12), slice(0, SIDE)
    there = (slice(DEPTH + z, DEPTH + z + 1), *plane)
    alone = as_volume(ARRAY[1])
    np.testing.assert_array_equal(
        features_of(timed, PLAIN, bank, there),
        features_of(alone, PLAIN, bank, (slice(z, z + 1), *plane)),
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_tiles_of_a_frame_are_those_that_it_has_alone(timed, dims):
    labels = painted()
    margin = (3, 8, 8)
    tiles = list(read_tiles(timed, PLAIN, labels, dims=dims, margin=margin, seed=0))
    for tile in tiles:
        z = labels.coords[tile.rows, 0]
        assert len(set(z // DEPTH)) == 1
        frame = int(z[0]) // DEPTH
        mine = labels.coords[:, 0] // DEPTH == frame
        coords = labels.coords[mine] - (frame * DEPTH, 0, 0)
        alone = LabelledVoxels(coords, labels.values[mine], (DEPTH, SIDE, SIDE))
        volume = as_volume(ARRAY[frame])
        images = [
            each.image
            for each in read_tiles(
                volume, PLAIN, alone, dims=dims, margin=margin, seed=0
            )
        ]
        assert any(np.array_equal(tile.image, image) for image in images)


def test_lessons_and_blocks_of_images_lie_in_one_frame(timed):
    rng = np.random.default_rng(0)
    starts = _places(timed.stacking, (3, 8, 8), 40, rng)
    assert (starts[:, 0] % DEPTH + 3 <= DEPTH).all()
    assert set(starts[:, 0] // DEPTH) == set(range(TIMES))
    steps = read_image_tiles(ImagePair(timed, timed, PLAIN, PLAIN), (4, 8, 8), 2, 0)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            tiles = done.value
            break
    assert all(tile.shape[0] == DEPTH for tile in tiles)
    inside = [tile.image[0, 2 : 2 + DEPTH] for tile in tiles]
    assert all(
        any(
            (block[:, 0, :4] == frame[:, y, x : x + 4]).all()
            for frame in ARRAY
            for y in range(SIDE)
            for x in range(SIDE - 3)
        )
        for block in inside
    )


def test_strokes_of_two_frames_are_two_strokes():
    labels = painted()
    assert len(np.unique(stroke_components(labels))) == 4
    assert len(np.unique(stroke_components(labels, frame=DEPTH))) == 6


def test_no_guard_and_no_reach_goes_from_frame_to_frame():
    both = painted()
    facing = both.coords[:, 0] <= DEPTH  # the last slice of a frame, the first of one
    labels = LabelledVoxels(both.coords[facing], both.values[facing], both.shape)
    folds = fold_labelled(labels, 2, guard=4.0, frame=DEPTH)
    assert folds.note == ""
    for number, learned in enumerate(folds.train):
        np.testing.assert_array_equal(learned, folds.fold != number)
    assert voxels_apart(labels.coords, folds, (9, 9, 9), DEPTH).all()
    assert not voxels_apart(labels.coords, folds, (9, 9, 9)).any()


def test_whole_time_points_are_held_out_where_there_are_enough():
    labels = np.zeros((5 * DEPTH, SIDE, SIDE), np.uint8)
    labels[1::2, 4, 4:16] = 1
    labels[1::2, 9, 4:16] = 2
    found = labelled_voxels(labels)
    folds = fold_labelled(found, 5, guard=4.0, frame=DEPTH)
    for number in range(5):
        frames = set(found.coords[folds.fold == number, 0] // DEPTH)
        learned = set(found.coords[folds.train[number], 0] // DEPTH)
        assert not frames & learned


def test_time_points_that_are_pictures_are_looked_at_in_two_dimensions():
    flat = as_volume(ARRAY[:, 0], axes="tyx")
    labels = labelled_voxels((ARRAY[:, 0] > 1).astype(np.uint8))
    choices = make_choices(flat, labels, TrainingSettings())
    assert (choices.dims, choices.neighbours, choices.filter_dims) == (2, 0, 2)
    assert "axes zyx" in choices.reason
    with pytest.raises(SettingsError, match=r"time points.*axes zyx"):
        make_choices(flat, labels, TrainingSettings(dims="3"))
