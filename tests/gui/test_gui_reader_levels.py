"""Large results dropped into napari bring their coarser levels, small ones none."""

import numpy as np
import pytest
import zarr

from napari_sashiko.gui.lazy_array import as_levels
from napari_sashiko.volumes import create_ome_image, open_levels, pyramid, write_levels

VALUES = np.random.default_rng(0).random((2, 9, 20, 30)).astype(np.float16)


@pytest.fixture
def image(tmp_path, monkeypatch):
    from napari_sashiko.runners import open_runner  # noqa: PLC0415

    monkeypatch.setattr(pyramid, "MOST", 8)
    monkeypatch.setattr(pyramid, "LEAST", 4)
    group = zarr.create_group(str(tmp_path / "r.zarr"))
    create_ome_image(
        group, "mean", shape=VALUES.shape, chunks=(1, 4, 8, 8), dtype="float16",
        axes="czyx", voxel_size=(1, 1, 1),
    )[...] = VALUES  # fmt: skip
    with open_runner() as run:
        list(write_levels(tmp_path / "r.zarr" / "mean", "mean", run))
    return open_levels(tmp_path / "r.zarr" / "mean")


def test_levels_of_a_result_are_those_of_its_layer(image):
    from napari.components import ViewerModel  # noqa: PLC0415
    from napari.layers import Image  # noqa: PLC0415

    view = as_levels(image, channel=1, dtype=np.float32)
    layer = Image(view, contrast_limits=(0, 1), name="mean")
    assert layer.multiscale
    assert [each.shape for each in layer.data] == [each.shape[1:] for each in image]
    for shown, stored in zip(layer.data, image, strict=True):
        np.testing.assert_array_equal(np.asarray(shown), np.float32(stored[1]))
    viewer = ViewerModel()
    viewer.add_layer(layer)
    viewer.dims.ndisplay = 3  # reads the coarsest level
    seen = np.asarray(layer._slice.image.view)
    np.testing.assert_array_equal(seen, np.float32(image[-1][1]))


def test_a_result_of_one_level_is_an_array(image):
    view = as_levels(image[:1], channel=0)
    assert view.shape == VALUES.shape[1:]
