"""A TIFF that napari's own reader has opened says in its file how large voxels are."""

import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.layers import Image

from napari_sashiko.gui import layer_projects
from napari_sashiko.gui.explore_dock import ExploreDock
from napari_sashiko.gui.file_header import read_header
from napari_sashiko.gui.main_dock import LOOKING
from napari_sashiko.gui.menu import start_labelling
from napari_sashiko.volumes import Time

pytestmark = pytest.mark.gui
VOXELS = np.random.default_rng(0).integers(0, 255, (6, 40, 48), np.uint8)
LONG = 20_000  # milliseconds


@pytest.fixture
def opened(tmp_path):
    """Write a TIFF, and open it as napari does: ``opened(data, **tags) -> layer``."""

    def make(data, name="scan.tif", **options):
        path = tmp_path / name
        tifffile.imwrite(path, data, **options)
        layer = Image(tifffile.imread(path), name="scan")
        layer._source = layer.source.model_copy(
            update={"path": str(path), "reader_plugin": "napari"}
        )
        return layer

    return make


def imagej(data, axes="ZYX", **words):
    return {
        "data": data,
        "imagej": True,
        "resolution": (1 / 0.25, 1 / 0.25),
        "metadata": {"axes": axes, "spacing": 2.0, "unit": "um", **words},
    }


def waits_for(dock, qtbot):
    qtbot.waitUntil(lambda: dock.session.volume is not None, timeout=LONG)
    return dock.session.volume


def test_the_voxel_size_is_taken_from_the_file(open_dock, opened, qtbot):
    layer = opened(**imagej(VOXELS))
    said = []
    dock = open_dock()
    dock.session.message.connect(lambda text, level: said.append((text, level)))
    dock.viewer.add_layer(layer)
    volume = waits_for(dock, qtbot)
    assert volume.voxel_size == pytest.approx((2.0, 0.25, 0.25))
    assert volume.unit == "um"
    assert tuple(layer.scale) == pytest.approx((2.0, 0.25, 0.25))
    assert dock.session.folder.name == "scan.tif.sashiko"
    assert "2 × 0.25 × 0.25 µm" in dock.facts.text()
    # It is shown as if it had been opened so.
    assert dock.viewer.scene.camera.center[-2:] == pytest.approx((5, 6), abs=0.5)
    assert dock.viewer.dims.current_step[0] == 3
    qtbot.waitUntil(lambda: bool(said), timeout=LONG)
    text = "scan has voxels of 2 × 0.25 × 0.25 µm, as its file says."
    assert said == [(text, "info")]
    # Whoever takes it back is not asked again.
    layer.scale, layer.units = (1, 1, 1), ("pixel",) * 3
    assert waits_for(dock, qtbot).unit == "pixel"


def test_an_axis_of_time_is_taken_from_the_file(open_dock, opened, qtbot):
    layer = opened(**imagej(VOXELS, axes="TYX", finterval=3.0))
    dock = open_dock(layer)
    volume = waits_for(dock, qtbot)
    assert (volume.axes, volume.time) == ("tyx", Time(3.0, "s"))
    # As when the file is opened without being read: then its axes are known at once.
    assert dock.session.folder.name == "scan.tif.sashiko"
    assert volume.voxel_size[1:] == pytest.approx((0.25, 0.25))


def test_channels_of_ome_are_taken_from_the_file(open_dock, opened, qtbot):
    words = {"axes": "CZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    data = np.stack([VOXELS, VOXELS])
    dock = open_dock(opened(data, "two.ome.tif", metadata=words | {"PhysicalSizeZ": 1}))
    volume = waits_for(dock, qtbot)
    assert (volume.channels, volume.voxel_size) == (2, (1.0, 0.5, 0.5))


def test_what_was_set_in_the_layer_counts(open_dock, opened, qtbot):
    layer = opened(**imagej(VOXELS))
    layer.scale, layer.units = (3, 1, 1), ("nm",) * 3
    volume = waits_for(open_dock(layer), qtbot)
    assert (volume.voxel_size, volume.unit) == ((3.0, 1.0, 1.0), "nm")


def test_a_part_of_a_file_is_not_taken_for_all_of_it(open_dock, opened, qtbot):
    layer = opened(**imagej(VOXELS))
    layer.data = layer.data[:3]
    assert waits_for(open_dock(layer), qtbot).unit == "pixel"


def test_a_file_that_was_cut_off_since_does_not_matter(open_dock, opened, qtbot):
    layer = opened(**imagej(VOXELS))
    with Path(layer.source.path).open("r+b") as file:
        file.truncate(100)
    assert waits_for(open_dock(layer), qtbot).shape == VOXELS.shape


def test_other_docks_take_it_too(make_napari_viewer, opened, qtbot):
    layer = opened(**imagej(VOXELS))
    viewer = make_napari_viewer()
    viewer.add_layer(layer)
    dock = ExploreDock(viewer)
    viewer.window.add_dock_widget(dock)
    qtbot.waitUntil(lambda: layer.scale[0] == 2.0, timeout=LONG)


def test_channels_behind_slices_come_first(open_dock, opened, qtbot):
    data = np.stack([VOXELS, VOXELS // 2], axis=1)  # z, c, y, x as ImageJ has them
    layer = opened(**imagej(data, axes="ZCYX"))
    volume = waits_for(open_dock(layer), qtbot)
    assert (volume.channels, volume.shape) == (2, VOXELS.shape)
    assert layer.axis_labels == ("c", "z", "y", "x")
    np.testing.assert_array_equal(layer.data[1], VOXELS // 2)


def test_five_axes_are_sorted_as_the_file_says(open_dock, opened, qtbot):
    data = np.stack([np.stack([VOXELS, VOXELS // 2], axis=1)] * 3)
    layer = opened(**imagej(data, axes="TZCYX"))
    volume = waits_for(open_dock(layer), qtbot)
    assert (volume.channels, volume.time is not None) == (2, True)
    assert layer.data.shape == (2, 3, *VOXELS.shape)
    assert layer.axis_labels == ("c", "t", "z", "y", "x")


def test_the_menu_waits_for_the_file(open_dock, opened, qtbot, monkeypatch):
    gate, dock = threading.Event(), open_dock()

    def slowly(path):
        assert gate.wait(LONG / 1000)
        return read_header(path)

    monkeypatch.setattr(layer_projects, "read_header", slowly)
    dock.viewer.add_layer(opened(**imagej(VOXELS)))
    assert dock.facts.text() == LOOKING
    start_labelling(dock.viewer)
    assert dock.session.volume is None
    gate.set()
    qtbot.waitUntil(lambda: dock.label.layer is not None, timeout=LONG)
    assert tuple(dock.label.layer.scale) == pytest.approx((2.0, 0.25, 0.25))
