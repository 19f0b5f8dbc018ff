"""Laws of levels that are not written yet: seen by the finest, then by themselves."""

import numpy as np
import pytest
import zarr

from napari_sashiko.runners import open_runner
from napari_sashiko.volumes import (
    create_ome_image,
    drop_levels,
    live_levels,
    pyramid,
    write_levels,
)

SHAPE = (2, 9, 20, 31)


@pytest.fixture
def image(tmp_path, monkeypatch):
    monkeypatch.setattr(pyramid, "MOST", 8)
    monkeypatch.setattr(pyramid, "LEAST", 4)
    group = zarr.create_group(str(tmp_path / "r.zarr"))
    create_ome_image(
        group, "mean", shape=SHAPE, chunks=(1, 4, 8, 8), dtype="float32",
        axes="czyx", voxel_size=(1, 1, 1),
    )  # fmt: skip
    return tmp_path / "r.zarr" / "mean"


def fill(image):
    values = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    zarr.open_group(str(image), mode="r+")["0"][...] = values
    return values


def write(image):
    with open_runner() as run:
        list(write_levels(image, "mean", run))


def test_levels_are_known_before_they_are_written(image):
    shapes = [level.shape for level in live_levels(image)]
    write(image)
    assert shapes == [level.shape for level in live_levels(image)]
    assert len(shapes) > 2


def test_until_then_every_so_many_voxels_of_the_finest_are_seen(image):
    levels = live_levels(image)
    values = fill(image)
    whole = (slice(None),) * 4
    np.testing.assert_array_equal(levels[1][whole], values[:, ::2, ::2, ::2])
    seen = levels[1][(1, slice(2, 4), 3, slice(0, 16))]
    np.testing.assert_array_equal(seen, values[1, 4:8:2, 6, ::2])


def test_the_true_level_is_seen_as_soon_as_it_is_there(image):
    level = live_levels(image)[1]
    values = fill(image)
    key = (0, 0, slice(0, 4), slice(0, 4))
    assert (level[key] == values[0, 0, :8:2, :8:2]).all()
    write(image)
    true = values[0, :2, :8, :8].reshape(2, 4, 2, 4, 2).mean((0, 2, 4))
    np.testing.assert_allclose(level[key], true, rtol=1e-6)


def test_levels_that_were_dropped_are_those_of_the_finest_again(image):
    write(image)
    drop_levels(image)
    values = fill(image)
    seen = live_levels(image)[1][(0, 0, 0, slice(None))]
    np.testing.assert_array_equal(seen, values[0, 0, 0, ::2])
