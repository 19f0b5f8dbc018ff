"""Images of any size are opened from the dock, and read when they are shown."""

import numpy as np
import pytest
import tifffile
from napari.layers import Image
from qtpy.QtWidgets import QFileDialog

from napari_sashiko.gui import menu
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.pipeline import project_image

pytestmark = pytest.mark.gui
VOXELS = np.random.default_rng(0).integers(0, 255, (6, 40, 48), np.uint8)
LONG = 20_000  # milliseconds


@pytest.fixture
def answer(monkeypatch):
    """Answer the window that asks for a file or a folder."""

    def give(path):
        text = "" if path is None else str(path)
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (text, ""))
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: text)

    return give


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.tif"
    tifffile.imwrite(
        path,
        VOXELS,
        imagej=True,
        resolution=(4, 4),
        metadata={"axes": "ZYX", "spacing": 2.0, "unit": "um"},
    )
    return path


def pick(dock, words):
    """Choose an entry of the button's menu."""
    for action in dock.open.menu().actions():
        if words in action.text():
            action.trigger()
            return
    raise AssertionError(words)


def test_a_tiff_is_shown_without_being_read(open_dock, answer, scan, qtbot):
    answer(scan)
    dock = open_dock(Image(np.zeros((5, 6, 7)), name="other"))
    pick(dock, "file")
    qtbot.waitUntil(lambda: dock.volumes.currentText() == "scan", timeout=LONG)
    layer = dock.viewer.layers["scan"]
    assert dock.status.text() == ""
    assert isinstance(layer.data, LazyArray)
    assert tuple(layer.scale) == pytest.approx((2.0, 0.25, 0.25))
    assert dock.viewer.layers.selection.active is layer
    np.testing.assert_array_equal(
        dock.session.volume.read((slice(6),) * 3)[0][2:4], VOXELS[2:4, :6, :6]
    )
    # As if it had been opened by napari: the project lies beside the file.
    assert dock.session.folder == scan.with_name("scan.tif.sashiko")
    dock.label.start()
    assert dock.label.layer is not None


def test_folders_are_opened_too(open_dock, answer, tmp_path, qtbot):
    slices = tmp_path / "slices"
    slices.mkdir()
    for number, plane in enumerate(VOXELS):
        tifffile.imwrite(slices / f"s{number}.tif", plane)
    answer(slices)
    dock = open_dock()
    pick(dock, "folder")
    qtbot.waitUntil(lambda: dock.session.volume is not None, timeout=LONG)
    assert dock.session.volume.shape == VOXELS.shape
    assert dock.session.folder == tmp_path / "slices.sashiko"


def test_a_project_is_opened_with_all_that_it_holds(
    make_napari_viewer, answer, scan, stroke, qtbot
):
    answer(scan)
    dock = menu.open_dock(make_napari_viewer())
    pick(dock, "file")
    qtbot.waitUntil(lambda: dock.session.volume is not None, timeout=LONG)
    dock.label.start()
    folder, name = dock.session.folder, dock.label.layer.name
    dock.label.layer.mode = "paint"
    stroke(dock.label.layer, (3, 10, 10), (3, 20, 10))
    qtbot.waitUntil(lambda: project_image(folder).volume is not None, timeout=LONG)
    dock.viewer.layers.clear()
    assert dock.session.volume is None
    answer(folder)
    pick(dock, "folder")
    qtbot.waitUntil(lambda: name in dock.viewer.layers, timeout=LONG)
    assert dock.session.folder == folder
    dock.shutdown()


def test_what_is_no_image_is_told(open_dock, answer, tmp_path, qtbot):
    said = []
    (tmp_path / "notes.tif").write_text("no image")
    answer(tmp_path / "notes.tif")
    dock = open_dock()
    dock.session.message.connect(lambda text, level: said.append((text, level)))
    pick(dock, "file")
    assert said == [("Opening notes.tif ...", "info")]
    assert not dock.open.isEnabled()  # until that is answered
    qtbot.waitUntil(lambda: len(said) > 1 and dock.open.isEnabled(), timeout=LONG)
    assert said[1][1] == "error"
    assert dock.status.text() == said[1][0]
    assert "notes.tif" in dock.status.text()
    answer(None)
    pick(dock, "file")
    assert not dock.viewer.layers


def test_the_menu_asks_for_a_file(make_napari_viewer, answer, scan, qtbot):
    viewer = make_napari_viewer()
    answer(scan)
    menu.open_image(viewer)
    dock = menu.find_dock(viewer)
    qtbot.waitUntil(lambda: dock.session.volume is not None, timeout=LONG)
    assert dock.volumes.currentText() == "scan"
    dock.shutdown()
