"""A level of a multiscale image is worked on; what comes of it lies in its place."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtWidgets import QComboBox

from napari_sashiko.gui.lazy_array import as_levels
from napari_sashiko.gui.level_layer import level_layer
from napari_sashiko.gui.live_layers import hits_view
from napari_sashiko.gui.result_layers import put_layer

FINE = (6, 40, 51)


def levels(shape=FINE):
    fine = np.random.default_rng(0).random(shape).astype(np.float32)
    return [fine, fine[:, ::2, ::2], fine[::2, ::4, ::4]]


@pytest.fixture
def dock(open_dock):
    place = {"scale": (2.0, 1.0, 1.0), "translate": (5, 0, 7), "units": ("um",) * 3}
    return open_dock(Image(levels(), name="scan", multiscale=True, **place))


def choose(dock, level):
    box = dock.findChild(QComboBox, "level")
    box.setCurrentIndex(level)
    box.activated.emit(level)
    return box


def test_the_finest_level_is_worked_on_unless_another_is_chosen(dock):
    box = dock.findChild(QComboBox, "level")
    assert not dock.level.isHidden()
    assert [box.itemText(i) for i in range(3)] == [
        "0: 6 × 40 × 51",
        "1: 6 × 20 × 26",
        "2: 3 × 10 × 13",
    ]
    assert dock.session.volume.shape == FINE


def test_a_chosen_level_is_a_volume_of_its_own(dock, click):
    first = dock.session.folder
    box = choose(dock, 1)
    volume, viewer = dock.session.volume, dock.viewer
    assert volume.shape == (6, 20, 26)
    assert volume.voxel_size == (2, 2, 2)
    assert volume.unit == "um"
    assert dock.session.folder != first
    assert [layer.name for layer in viewer.layers] == ["scan", "scan - level 1"]
    click(dock, "start_labelling")
    paint = viewer.layers["scan - level 1 - labels"]
    assert paint.data.shape == (6, 20, 26)
    # The voxel in the middle of four covers them.
    world = viewer.layers["scan"].data_to_world((1, 10.5, 20.5))
    np.testing.assert_allclose(paint.world_to_data(world), (1, 5, 10))
    choose(dock, 0)
    assert dock.session.volume.shape == FINE
    choose(dock, 1)
    assert len([1 for layer in viewer.layers if "level 1" in layer.name]) == 2
    assert box.currentIndex() == 1


def test_an_image_of_one_level_has_no_choice(open_dock, blobs):
    assert open_dock(Image(blobs, name="blobs")).level.isHidden()


def test_a_level_of_a_file_has_its_project_beside_it(open_dock, tmp_path):
    dock = open_dock()
    path = tmp_path / "scan.zarr"
    path.mkdir()
    image = Image(levels(), name="scan", multiscale=True)
    image._source = image.source.model_copy(update={"path": str(path)})
    dock.viewer.add_layer(image)
    assert dock.session.folder == tmp_path / "scan.zarr.sashiko"
    choose(dock, 2)
    assert dock.session.folder == tmp_path / "scan.zarr_level_2.sashiko"
    assert dock.session.image == path


def test_a_turned_image_and_its_level_lie_on_each_other():
    viewer = ViewerModel()
    place = {"scale": (2, 1, 1), "rotate": (0, 0, 30), "translate": (5, 0, 7)}
    turned = np.diag([1.0, 2, 1, 1])
    turned[1, 3] = 9
    image = viewer.add_image(levels(), multiscale=True, affine=turned, **place)
    coarse = level_layer(viewer, image, 2)
    for voxel in ((0, 0, 0), (2, 5, 7)):
        fine = np.array(voxel) * (2, 4, 4) + (0.5, 1.5, 1.5)
        np.testing.assert_allclose(
            coarse.data_to_world(voxel), image.data_to_world(fine), atol=1e-6
        )


def test_a_result_of_several_levels_takes_the_place_of_the_one_before():
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros(FINE), name="ct", scale=(2, 1, 1))

    def put(arrays):
        return put_layer(
            viewer, source, Image, as_levels(arrays), name="ct - std",
            note={"result": "std"}, first={}, always={"contrast_limits": (0.0, 1.0)},
        )  # fmt: skip

    layer = put(levels())
    assert layer.multiscale
    assert put([each * 2 for each in levels()]) is layer
    np.testing.assert_array_equal(np.asarray(layer.data[2]), levels()[2] * 2)
    assert hits_view(viewer, layer, ((0, 6), (0, 40), (0, 51)))
    single = put(levels()[:1])
    assert not single.multiscale
    assert len(viewer.layers) == 2
