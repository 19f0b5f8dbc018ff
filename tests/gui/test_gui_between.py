"""Between slices: a suggestion is shown, accepted as one step, or leaves no trace."""

import shutil
import time
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import Qt

from napari_sashiko.gui import between_row
from napari_sashiko.gui.adopting import foreign_labels
from napari_sashiko.gui.between_row import BetweenRow, plural, sliced_axis
from napari_sashiko.gui.label_layer import add_label_layer
from napari_sashiko.gui.layer_volume import volume_of
from napari_sashiko.labels import LabelClass
from napari_sashiko.runners import Message, Tick
from napari_sashiko.session import Session, suggestions

pytestmark = pytest.mark.gui

SHAPE = (9, 150, 140)
A, B = np.s_[10:14, 20:60], np.s_[100:110, 90:130]


class Desk:
    """A row in a viewer without a window; what the timer of the dock does, by hand."""

    def __init__(self, session, qtbot):
        self.session, self.qtbot = session, qtbot
        self.said = []
        session.message.connect(lambda text, level: self.said.append((text, level)))
        self.viewer = ViewerModel()
        zeros = np.broadcast_to(np.zeros((), np.uint8), SHAPE)
        place = {"scale": (2.0, 1.5, 1.5), "units": ("um",) * 3}
        self.image = Image(zeros, name="ct", contrast_limits=(0, 1), **place)
        self.viewer.add_layer(self.image)
        session.set_volume(volume_of(self.image), name="ct", source=self.image)
        self.store = session.labels.start()
        for z in (0, 8):
            self.store.array[(slice(z, z + 1), *A)] = 1
            self.store.array[(slice(z, z + 1), *B)] = 1
        self.labels = add_label_layer(
            self.viewer,
            self.image,
            session.labels.paint,
            session.folder,
            session.volume.stacking,
        )
        self.row = BetweenRow(session, self.viewer)
        qtbot.addWidget(self.row)
        self.row.follow(self.labels)

    @property
    def shown(self):
        return self.row.shown.layer

    def click(self, button):
        assert button.isEnabled()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def until(self, done):
        def pumped():
            self.session.pump()
            return done()

        self.qtbot.waitUntil(pumped, timeout=30_000)

    def fill(self):
        self.click(self.row.fill_button)
        self.until(lambda: not self.session.is_running("between"))
        self.session.pump()

    def accept(self):
        self.click(self.row.accept_button)
        self.until(lambda: self.row._steps is None)

    def paint(self):
        return np.array(self.store.array)


@pytest.fixture
def desk(engine, qtbot):
    session = Session(engine)
    yield Desk(session, qtbot)
    session.shutdown()


def filled():
    """What is suggested when nothing stands in the way."""
    array = np.zeros(SHAPE, np.uint8)
    array[(slice(1, 8), *A)] = array[(slice(1, 8), *B)] = 1
    return array


def test_a_suggestion_is_shown_where_the_image_lies_and_nothing_is_painted(desk):
    before = desk.paint()
    desk.fill()
    layer = desk.shown
    assert layer.name == "ct - suggestion"
    assert not layer.editable
    assert layer.opacity == desk.labels.opacity / 2
    np.testing.assert_allclose(layer.get_color(1), desk.labels.get_color(1))
    np.testing.assert_array_equal(np.asarray(layer.data), filled())
    corner = (1, 2, 3)
    np.testing.assert_allclose(
        layer.data_to_world(corner), desk.image.data_to_world(corner)
    )
    assert desk.viewer.layers.index(layer) < desk.viewer.layers.index(desk.labels)
    assert desk.viewer.layers.selection.active is desk.labels
    assert foreign_labels(desk.viewer) == []
    assert desk.row.found.text() == f"{plural(7 * 560, 'voxel')} on 7 slices"
    np.testing.assert_array_equal(desk.paint(), before)


def test_slices_along_any_axis_are_shown(desk):
    desk.fill()
    for order, point in [((0, 1, 2), (4, 0, 0)), ((1, 0, 2), (0, 105, 0))]:
        desk.viewer.dims.order = order
        desk.viewer.dims.set_point(range(3), np.multiply(point, (2.0, 1.5, 1.5)))
        axis = order[0]
        expected = np.take(filled(), point[axis], axis)
        np.testing.assert_array_equal(desk.shown._slice.image.raw, expected)


@pytest.mark.parametrize("seconds", [between_row.SECONDS, -1.0])
def test_accepting_is_one_step_back_and_forth(desk, monkeypatch, seconds):
    monkeypatch.setattr(between_row, "SECONDS", seconds)  # below 0: piece by piece
    desk.labels.selected_label = 2
    with desk.labels.block_history():
        desk.labels.paint([4, 75, 75], 2)
    stroke = desk.paint()
    desk.labels.selected_label = 1
    desk.fill()
    desk.accept()
    whole = stroke + filled()
    np.testing.assert_array_equal(desk.paint(), whole)
    assert desk.shown is None
    assert desk.row.choice.isHidden()
    assert desk.row.found.text().startswith(f"{plural(7 * 560, 'voxel')} painted")
    assert desk.session.labels.paint.counts()[1] == 9 * 560
    desk.labels.undo()
    np.testing.assert_array_equal(desk.paint(), stroke)
    desk.labels.undo()
    assert desk.session.labels.paint.counts() == {1: 2 * 560}
    desk.labels.redo()
    desk.labels.redo()
    np.testing.assert_array_equal(desk.paint(), whole)
    assert desk.session.labels.paint.counts()[1] == 9 * 560
    assert desk.session.labels.paint.dirty


def test_a_stroke_that_begins_meanwhile_is_a_step_of_its_own(desk, monkeypatch, stroke):
    monkeypatch.setattr(between_row, "SECONDS", -1.0)  # piece by piece
    before = desk.paint()
    desk.fill()
    desk.labels.selected_label = 2
    desk.click(desk.row.accept_button)
    assert desk.row._steps is not None
    assert (desk.paint() != before).any()
    stroke(desk.labels, (4, 75, 75), (4, 75, 80))
    assert desk.row._steps is None
    assert (desk.paint() == 2).any()
    desk.labels.undo()
    np.testing.assert_array_equal(desk.paint(), before + filled())
    desk.labels.undo()
    np.testing.assert_array_equal(desk.paint(), before)


def test_undo_meanwhile_takes_back_what_is_being_accepted(desk, monkeypatch):
    monkeypatch.setattr(between_row, "SECONDS", -1.0)  # piece by piece
    before = desk.paint()
    desk.fill()
    desk.click(desk.row.accept_button)
    assert desk.paint().sum() > before.sum()
    desk.labels.undo()
    np.testing.assert_array_equal(desk.paint(), before)
    assert desk.shown is not None  # to be accepted again, or discarded
    desk.accept()
    np.testing.assert_array_equal(desk.paint(), before + filled())


def test_paint_of_meanwhile_stays_also_after_undo(desk):
    desk.fill()
    desk.labels.selected_label = 2
    desk.labels.brush_size = 3
    desk.labels.paint([4, 12, 30], 2)
    before = desk.paint()
    assert (before == 2).any()
    desk.accept()
    after = desk.paint()
    np.testing.assert_array_equal(after == 2, before == 2)
    assert (after[4][A] > 0).all()
    desk.labels.undo()
    np.testing.assert_array_equal(desk.paint(), before)


def test_discarding_leaves_no_trace(desk):
    before = desk.paint()
    desk.fill()
    desk.click(desk.row.discard_button)
    assert desk.shown is None
    assert [layer.name for layer in desk.viewer.layers] == ["ct", "ct - labels"]
    assert desk.row.found.text() == ""
    np.testing.assert_array_equal(desk.paint(), before)


def test_taking_the_layer_away_discards(desk):
    desk.fill()
    desk.viewer.layers.remove(desk.shown)
    assert desk.session.between.suggestion is None
    assert desk.row.choice.isHidden()
    desk.fill()
    assert desk.shown in desk.viewer.layers


def test_filling_again_shows_the_newest_in_the_same_layer(desk):
    desk.fill()
    layer = desk.shown
    desk.store.array[(slice(4, 5), *A)] = 1
    desk.fill()
    assert desk.shown is layer
    assert not layer.editable
    assert np.asarray(layer.data)[4][A].max() == 0
    assert desk.row.found.text() == f"{plural(6 * 160 + 7 * 400, 'voxel')} on 7 slices"


def test_two_classes_are_named(desk):
    desk.fill()
    for z in (1, 5):
        desk.store.array[z, 60:64, 20:60] = 2
    desk.labels.selected_label = 2
    desk.fill()
    names = "background, foreground"
    assert (
        desk.row.found.text()
        == f"{names}: {plural(7 * 560 + 480, 'voxel')} on 7 slices"
    )


def test_the_axis_is_that_of_the_slider(desk, monkeypatch):
    asked = []
    monkeypatch.setattr(desk.session.between, "fill", lambda *what: asked.append(what))
    desk.row.most.setValue(7)
    for order in [(0, 1, 2), (1, 0, 2), (2, 1, 0)]:
        desk.viewer.dims.order = order
        desk.row.fill()
    assert [settings.axis for _, settings in asked] == [0, 1, 2]
    assert {(each, settings.most_empty) for each, settings in asked} == {(1, 7)}
    desk.viewer.dims.ndisplay = 3
    assert sliced_axis(desk.viewer) == 2
    five = SimpleNamespace(ndim=5, order=(0, 1, 3, 2, 4))
    assert sliced_axis(SimpleNamespace(dims=five)) == 1


def test_nothing_found_says_what_it_takes(desk):
    desk.labels.selected_label = 2
    desk.fill()
    assert "Nothing to fill" in desk.row.found.text()
    assert desk.row.choice.isHidden()
    assert desk.shown is None


def test_a_class_that_is_not_there_is_refused_in_words(desk):
    desk.labels.selected_label = 7
    desk.click(desk.row.fill_button)
    assert desk.said == [
        ("There is no class 7. Choose one that is in the list.", "error")
    ]
    assert desk.row.found.text() == ""


def test_numbers_are_easy_to_read():
    texts = [plural(count, "voxel") for count in (1, 412, 1234567)]
    assert texts == ["1 voxel", "412 voxels", "1\u202f234\u202f567 voxels"]


def test_looking_can_be_stopped(desk, monkeypatch):
    def endless(*_):
        while True:
            time.sleep(0.01)
            yield Tick()

    monkeypatch.setattr(suggestions, "suggest_between", endless)
    desk.click(desk.row.fill_button)
    assert desk.row.fill_button.text() == "Stop"
    desk.click(desk.row.fill_button)
    desk.until(lambda: desk.row.fill_button.text() == "Fill between slices")
    assert desk.row.found.text() == ""
    assert desk.session.between.suggestion is None


def test_a_warning_of_the_work_is_told(desk, monkeypatch):
    real = suggestions.suggest_between

    def warning(*what):
        yield Message("Slice 3 was left out.", "warning")
        return (yield from real(*what))

    monkeypatch.setattr(suggestions, "suggest_between", warning)
    desk.fill()
    assert desk.said == [("Slice 3 was left out.", "warning")]
    assert desk.shown is not None


def test_a_full_disk_is_told_and_the_suggestion_stays(desk, monkeypatch):
    desk.fill()
    with monkeypatch.context() as patch:
        full = SimpleNamespace(free=0)
        patch.setattr(shutil, "disk_usage", lambda _path: full)
        desk.accept()
    ((text, level),) = desk.said
    assert "nothing was painted" in text
    assert level == "error"
    desk.accept()
    np.testing.assert_array_equal(desk.paint()[1:8], filled()[1:8])


def test_without_a_layer_the_store_is_painted(desk):
    desk.fill()
    desk.row.follow(None)
    assert not desk.row.fill_button.isEnabled()
    desk.accept()
    assert desk.session.labels.paint.counts()[1] == 9 * 560


def test_classes_keep_their_colours(desk):
    desk.fill()
    _, second = desk.session.labels.classes
    changed = LabelClass(id=1, name="matrix", color="#123456")
    desk.session.labels.set_classes((changed, second))
    np.testing.assert_allclose(
        desk.shown.get_color(1)[:3], np.array([0x12, 0x34, 0x56]) / 255, atol=1e-3
    )


def test_closing_takes_the_suggestion_away(desk):
    desk.fill()
    desk.row.shutdown()
    assert [layer.name for layer in desk.viewer.layers] == ["ct", "ct - labels"]


def test_two_strokes_are_filled_by_three_clicks_in_a_real_window(
    dock, click, stroke, qtbot
):
    click(dock, "start_labelling")
    layer = dock.label.layer
    for z in (0, 4):
        stroke(layer, (z, 10, 10), (z, 10, 30))
    painted = np.array(layer.data)
    row = dock.label.between
    assert row.isVisibleTo(dock)
    click(dock, "fill_between")
    qtbot.waitUntil(lambda: "on 3 slices" in row.found.text(), timeout=30_000)
    dock.viewer.dims.set_point(0, 2 * 2.0)
    shown = dock.viewer.layers["blobs - suggestion"]
    np.testing.assert_array_equal(shown._slice.image.raw, painted[0])
    click(dock, "accept_between")
    qtbot.waitUntil(lambda: row._steps is None, timeout=30_000)
    assert "blobs - suggestion" not in dock.viewer.layers
    for z in range(5):
        np.testing.assert_array_equal(layer.data[z], painted[0])
    rows = dock.label.classes.rows
    qtbot.waitUntil(lambda: "5 slices" in rows[1].count.text(), timeout=30_000)
    qtbot.waitUntil(lambda: not dock.session.labels.paint.dirty, timeout=30_000)
    layer.undo()
    np.testing.assert_array_equal(np.asarray(layer.data), painted)
    layer.undo()
    assert not np.asarray(layer.data)[4].any()


def test_an_image_has_nothing_between(open_dock, click, blobs):
    dock = open_dock(Image(blobs[0], name="flat"))
    click(dock, "start_labelling")
    assert not dock.label.between.isVisibleTo(dock)


def test_the_dock_closes_with_a_suggestion_open(dock, click, stroke, qtbot):
    click(dock, "start_labelling")
    for z in (0, 4):
        stroke(dock.label.layer, (z, 10, 10), (z, 10, 30))
    click(dock, "fill_between")
    qtbot.waitUntil(lambda: dock.session.between.suggestion is not None, timeout=30_000)
    viewer = dock.viewer
    dock.shutdown()
    assert [layer.name for layer in viewer.layers] == ["blobs", "blobs - labels"]
