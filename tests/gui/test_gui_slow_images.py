"""Images whose voxels take long to compute: the window answers, and looks by a job."""

import threading
import time

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtWidgets import QApplication

from napari_sashiko.gui.explore_dock import ExploreDock
from napari_sashiko.gui.layer_volume import volume_of
from napari_sashiko.gui.main_dock import LOOKING
from napari_sashiko.session import Session, volume_folder

da = pytest.importorskip("dask.array")
pytestmark = pytest.mark.gui
SHAPE = (32, 40, 48)
SECONDS = 0.5  # that a block takes; five are read to know an image
LONG = 30_000  # milliseconds


class Slow:
    """Blocks that take their time once they are told to, or cannot be read."""

    def __init__(self, values):
        self.seconds = 0.0
        self.broken = False
        self.reads = self.waited = 0
        blocks = da.from_array(values, chunks=SHAPE)
        self.array = blocks.map_blocks(self._block, dtype=values.dtype)
        # dask has called it to learn what it makes.
        self.reads = self.waited = 0

    def _block(self, block):
        self.reads += 1
        self.waited += threading.current_thread() is threading.main_thread()
        time.sleep(self.seconds)
        if self.broken:
            raise KeyError("the tape is gone")
        return block


def slow_layer(seed, name):
    """A layer without a file, and what makes it slow."""
    values = np.random.default_rng(seed).integers(0, 99, SHAPE).astype(np.uint8)
    slow = Slow(values)
    return Image(slow.array, name=name, contrast_limits=(0, 99)), slow


@pytest.fixture
def desk(open_dock):
    """A dock on an image in memory, and two that are slow from now on."""
    quick = Image(np.zeros((4, 30, 30), np.uint8), name="quick")
    made = [slow_layer(1, "first"), slow_layer(2, "second")]
    dock = open_dock(quick, *(layer for layer, _ in made))
    assert dock.session.source is quick
    for _, slow in made:
        slow.seconds = SECONDS
        slow.reads = slow.waited = 0
    return dock, quick, *made


def choose(dock, layer):
    """Choose an image, as one does in the list."""
    dock.volumes.setCurrentIndex(dock.volumes.findText(layer.name))


def wait_for(dock, qtbot, layer):
    def there():
        assert dock.session.source is layer
        assert dock.session.volume is not None

    qtbot.waitUntil(there, timeout=LONG)


def folder_of(layer, slow):
    """The project, found without a job."""
    slow.seconds = 0
    return volume_folder(layer.name, None, volume_of(layer))


def test_choosing_a_slow_image_does_not_freeze_the_window(desk, qtbot, click):
    dock, _, (first, slow), _ = desk
    before = dock.session.folder
    choose(dock, first)
    assert dock.session.volume is None
    assert dock.facts.text() == LOOKING
    assert not dock.label.isEnabled()
    wait_for(dock, qtbot, first)
    assert slow.reads >= 5
    assert not slow.waited
    assert dock.facts.text().startswith("32 × 40 × 48")
    assert dock.session.name == "first"
    assert dock.session.folder == folder_of(first, slow) != before
    assert dock.status.text() == ""
    click(dock, "start_labelling")
    assert dock.label.layer.data.shape == SHAPE


def test_the_image_that_is_chosen_meanwhile_wins(desk, qtbot):
    dock, quick, (first, one), (second, two) = desk
    seen = []
    dock.session.volume_changed.connect(
        lambda: seen.append(None if dock.session.volume is None else dock.session.name)
    )
    choose(dock, first)
    qtbot.waitUntil(lambda: one.reads > 0, timeout=LONG)
    choose(dock, second)
    wait_for(dock, qtbot, second)
    assert dock.session.folder == folder_of(second, two)
    qtbot.wait(300)
    assert dock.session.source is second
    choose(dock, first)
    choose(dock, quick)
    qtbot.waitUntil(lambda: not dock.session.is_running("find"), timeout=LONG)
    qtbot.wait(300)
    assert dock.session.source is quick
    assert dock.session.volume.shape == (4, 30, 30)
    assert set(seen) == {None, "second", "quick"}
    assert not one.waited
    assert not two.waited


def test_an_image_that_is_known_is_there_at_once(desk, qtbot):
    dock, quick, (first, slow), _ = desk
    choose(dock, first)
    wait_for(dock, qtbot, first)
    folder, reads = dock.session.folder, slow.reads
    choose(dock, quick)
    choose(dock, first)
    assert dock.session.volume is not None
    assert (dock.session.folder, slow.reads) == (folder, reads)
    first.scale = (2, 1, 1)
    assert dock.session.volume.voxel_size == (2, 1, 1)
    assert (dock.session.folder, slow.reads) == (folder, reads)


def test_with_other_axes_it_is_another_image(desk, qtbot, click):
    dock, _, (first, slow), _ = desk
    choose(dock, first)
    wait_for(dock, qtbot, first)
    folder = dock.session.folder
    click(dock, "start_labelling")
    paint = dock.label.layer
    first.axis_labels = ("t", "y", "x")
    assert dock.session.volume is None
    assert not paint.visible
    wait_for(dock, qtbot, first)
    assert dock.session.volume.axes == "tyx"
    assert dock.session.folder != folder
    first.axis_labels = ("z", "y", "x")
    wait_for(dock, qtbot, first)
    assert dock.session.folder == folder
    assert dock.label.layer is paint
    assert paint.visible
    assert not slow.waited


def test_an_image_that_cannot_be_read_is_a_sentence(desk, qtbot):
    dock, quick, (first, slow), _ = desk
    slow.broken = True
    choose(dock, first)
    qtbot.waitUntil(lambda: "tape is gone" in dock.status.text(), timeout=LONG)
    assert dock.status.text().startswith("first cannot be read")
    assert dock.session.volume is None
    assert dock.facts.isHidden()
    qtbot.wait(300)
    assert not dock.session.is_running("find")
    slow.broken = False
    choose(dock, quick)
    assert dock.status.text() == ""
    choose(dock, first)
    wait_for(dock, qtbot, first)


def test_a_dock_that_closes_while_it_looks_waits_for_nobody(desk, qtbot):
    dock, _, (first, slow), _ = desk
    slow.seconds = 2.0
    choose(dock, first)
    qtbot.waitUntil(lambda: slow.reads > 0, timeout=LONG)
    dock.shutdown()
    assert slow.reads < 5
    slow.seconds = 0


def test_models_of_slow_images_are_listed_when_their_projects_are_known(
    make_napari_viewer, engine, qtbot
):
    viewer = make_napari_viewer()
    made = [slow_layer(1, "first"), slow_layer(2, "second")]
    for layer, slow in made:
        viewer.add_layer(layer)
        folder = folder_of(layer, slow) / ExploreDock.room / f"of {layer.name}"
        folder.mkdir(parents=True)
        (folder / "model.json").write_text("{}")
        slow.seconds, slow.waited = SECONDS, 0
    dock = ExploreDock(viewer, Session(engine))
    assert not any(slow.waited for _, slow in made)
    viewer.window.add_dock_widget(dock, name="Sashiko explore")
    QApplication.processEvents()
    try:
        assert dock.form.models.findText("of first") < 0
        qtbot.waitUntil(lambda: dock.form.models.findText("of first") > 0, timeout=LONG)
        assert dock.form.models.findText("of second") > 0
        reads = [slow.reads for _, slow in made]
        made[0][0].name = "other"
        assert dock.form.models.findText("of first") > 0
        assert [slow.reads for _, slow in made] == reads
    finally:
        dock.shutdown()
