"""Label: one click to a layer that is ready to paint on, counted and saved."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Image, Labels, _layer_actions
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QLineEdit, QToolButton

from napari_sashiko.gui.adopting import foreign_labels, spatial_labels
from napari_sashiko.gui.paint_view import PaintView
from napari_sashiko.volumes import Stacking, Time

pytestmark = pytest.mark.gui


def painted(dock, layer_stroke, click):
    click(dock, "start_labelling")
    layer = dock.label.layer
    layer.selected_label = 1
    layer_stroke(layer, (2, 10, 10), (2, 10, 30))
    layer.selected_label = 2
    layer_stroke(layer, (2, 30, 10), (2, 30, 30))
    return layer


def test_start_labelling_makes_a_layer_ready_to_paint_where_the_image_lies(dock, click):
    click(dock, "start_labelling")
    image, layer = dock.viewer.layers
    assert layer.name == "blobs - labels"
    assert dock.viewer.layers.selection.active is layer
    assert layer.mode == "paint"
    assert layer.selected_label == 1
    np.testing.assert_array_equal(layer.scale, image.scale)
    assert layer.units == image.units
    assert layer.axis_labels == image.axis_labels


def in_plane(degrees, ndim):
    turn = np.eye(ndim)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn[-2:, -2:] = [[cos, -sin], [sin, cos]]
    return turn


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_moved_turned_image_has_its_labels_on_it(open_dock, click, blobs, ndim):
    data = blobs[0] if ndim == 2 else blobs
    affine = np.eye(ndim + 1)
    affine[0, -1] = 7
    image = Image(
        data,
        scale=[2.0, 3.0, 3.0][-ndim:],
        translate=[5.0, 6.0, 7.0][-ndim:],
        rotate=in_plane(20, ndim),
        affine=affine,
        axis_labels=("z", "row", "column")[-ndim:],
    )
    dock = open_dock(image)
    click(dock, "start_labelling")
    corner = np.array([1.0, 2.0, 3.0][-ndim:])
    np.testing.assert_allclose(
        dock.label.layer.data_to_world(corner), image.data_to_world(corner)
    )
    assert dock.label.layer.axis_labels == image.axis_labels


def test_a_voxel_size_set_later_counts_and_paint_stays_on_its_image(
    dock, click, stroke
):
    layer = painted(dock, stroke, click)
    image, folder = dock.viewer.layers["blobs"], dock.session.folder
    before = np.array(layer.data)  # it goes on changing
    image.scale = (4.0, 2.0, 2.0)
    image.units = ("nm", "nm", "nm")
    assert dock.session.volume.voxel_size == (4, 2, 2)
    assert dock.session.volume.unit == "nm"
    assert "4 × 2 × 2 nm" in dock.facts.text()
    assert dock.session.folder == folder
    assert dock.label.layer is layer
    np.testing.assert_array_equal(layer.scale, image.scale)
    assert layer.units == image.units
    np.testing.assert_array_equal(layer.data, before)
    stroke(layer, (2, 35, 10), (2, 35, 30))
    assert (np.asarray(layer.data) > 0).sum() > (before > 0).sum()


def test_paint_goes_along_where_its_image_is_moved_and_turned(
    dock, click, stroke, qtbot
):
    layer = painted(dock, stroke, click)
    image = dock.viewer.layers["blobs"]
    corner = np.array([1.0, 2.0, 3.0])
    image.translate = (0.0, 7.0, -3.0)
    image.rotate = in_plane(30, 3)
    image.affine = np.diag((1.0, 2.0, 2.0, 1.0))

    def together():
        there = image.data_to_world(corner)
        return np.allclose(layer.data_to_world(corner), there)

    assert not together()  # soon, not with each of many events
    qtbot.waitUntil(together, timeout=30_000)
    assert dock.label.layer is layer


def test_strokes_are_counted_by_class_and_slice(dock, click, stroke, qtbot):
    layer = painted(dock, stroke, click)
    layer.selected_label = 1
    stroke(layer, (4, 10, 10), (4, 10, 12))
    rows = dock.label.classes.rows
    data = np.asarray(layer.data)
    qtbot.waitUntil(lambda: "2 slices" in rows[1].count.text(), timeout=30_000)
    assert rows[1].count.text().startswith(f"{(data == 1).sum()} voxels")
    assert rows[2].count.text() == f"{(data == 2).sum()} voxels, 1 slice"


def test_undo_is_counted_too(dock, click, stroke, qtbot):
    layer = painted(dock, stroke, click)
    rows = dock.label.classes.rows
    qtbot.waitUntil(lambda: "voxels" in rows[2].count.text(), timeout=30_000)
    layer.undo()
    qtbot.waitUntil(lambda: rows[2].count.text() == "no paint yet", timeout=30_000)


def test_paint_is_soon_on_disk_and_its_age_is_shown(dock, click, stroke, qtbot):
    def age():
        found = re.fullmatch(r"saved (\d+) s ago", dock.label.saved.text())
        return int(found[1]) if found else -1

    painted(dock, stroke, click)
    qtbot.waitUntil(lambda: not dock.session.labels.paint.dirty, timeout=30_000)
    qtbot.waitUntil(lambda: age() >= 0, timeout=30_000)
    first = age()
    qtbot.waitUntil(lambda: age() > first, timeout=30_000)


def test_a_number_of_no_class_that_is_painted_becomes_one(dock, click, stroke, qtbot):
    said = []
    dock.session.message.connect(lambda text, level: said.append((text, level)))
    layer = painted(dock, stroke, click)
    layer.selected_label = 7  # in napari's own controls
    stroke(layer, (2, 20, 10), (2, 20, 30))
    rows = dock.label.classes.rows
    qtbot.waitUntil(
        lambda: 7 in rows and "voxels" in rows[7].count.text(), timeout=30_000
    )
    assert [each.id for each in dock.session.labels.classes] == [1, 2, 7]
    assert layer.colormap.map(7)[-1] > 0  # it was transparent
    assert layer.selected_label == 7
    assert said == [("class 7 was added: there is paint with its number.", "info")]


def test_a_new_class_gets_a_row_a_colour_and_the_brush(dock, click):
    click(dock, "start_labelling")
    before = dock.session.labels.classes
    click(dock, "add_class")
    after = dock.session.labels.classes
    assert after[:2] == before
    assert after[2].id == 3
    assert after[2].color not in {c.color for c in before}
    assert dock.label.layer.selected_label == 3
    assert sorted(dock.label.classes.rows) == [1, 2, 3]
    expected = QColor(after[2].color).getRgbF()
    np.testing.assert_allclose(dock.label.layer.get_color(3), expected, atol=1 / 255)


def test_renaming_a_class_reaches_store_and_layer(dock, click):
    click(dock, "start_labelling")
    field = dock.findChild(QLineEdit, "name_2")
    field.setText("fibre")
    field.editingFinished.emit()
    assert [c.name for c in dock.session.labels.classes][1] == "fibre"
    assert "fibre" in list(dock.label.layer.features["class"])


@pytest.mark.parametrize("name", ["", "   ", "background"])
def test_an_empty_or_double_name_is_put_back(dock, click, name):
    click(dock, "start_labelling")
    before = dock.session.labels.classes
    assert before[0].name == "background"
    field = dock.findChild(QLineEdit, "name_2")
    field.setText(name)
    field.editingFinished.emit()
    assert dock.session.labels.classes == before
    assert field.text() == before[1].name


def test_the_colour_of_a_class_is_changed_by_its_swatch(dock, click, monkeypatch):
    click(dock, "start_labelling")
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#123456"))
    dock.findChild(QToolButton, "colour_1").click()
    assert dock.session.labels.classes[0].color == "#123456"
    expected = QColor("#123456").getRgbF()
    np.testing.assert_allclose(dock.label.layer.get_color(1), expected, atol=1 / 255)


def test_shift_digit_on_the_layer_picks_the_class_in_that_row(dock, click):
    click(dock, "start_labelling")
    layer = dock.label.layer
    layer.mode = "pan_zoom"
    layer.keymap[next(k for k in layer.keymap if str(k) == "Shift+2")](layer)
    assert layer.selected_label == 2
    assert layer.mode == "paint"
    assert dock.label.classes.rows[2].pick.isChecked()
    assert not dock.label.classes.rows[1].pick.isChecked()


def test_no_key_of_napari_is_taken(dock, click):
    click(dock, "start_labelling")
    own = {str(key) for key in dock.label.layer.keymap}
    theirs = {str(key) for key in Labels.class_keymap}
    theirs |= {str(key) for key in type(dock.viewer).class_keymap}
    assert own == {f"Shift+{number}" for number in range(1, 10)}
    assert own.isdisjoint(theirs)


def test_picking_by_the_layer_controls_is_shown_in_the_dock(dock, click):
    click(dock, "start_labelling")
    dock.label.layer.selected_label = 2
    assert dock.label.classes.rows[2].pick.isChecked()


def test_paint_of_an_earlier_session_is_offered_again(
    open_dock, click, stroke, blobs, qtbot
):
    first = open_dock(Image(blobs, name="blobs"))
    layer = painted(first, stroke, click)
    kept = np.array(layer.data)
    first.viewer.close()
    second = open_dock(Image(blobs.copy(), name="blobs"))
    assert second.label.start_button.text() == "Continue labelling"
    assert "painted on before" in second.label.hint.text()
    click(second, "start_labelling")
    # All of it is counted, however much it is, while the window goes on.
    assert second.label.hint.text() == "Reading labels ..."
    assert not second.label.start_button.isEnabled()
    qtbot.waitUntil(lambda: second.label.layer is not None, timeout=30_000)
    assert second.label.start_button.isEnabled()
    np.testing.assert_array_equal(np.asarray(second.label.layer.data), kept)
    assert "voxels" in second.label.classes.rows[1].count.text()


def test_removed_label_layer_is_shown_again_with_its_paint(dock, click, stroke):
    layer = painted(dock, stroke, click)
    kept = np.array(layer.data)
    dock.viewer.layers.remove(layer)
    assert dock.label.start_button.text() == "Show labels"
    click(dock, "start_labelling")
    np.testing.assert_array_equal(np.asarray(dock.label.layer.data), kept)


def test_a_labels_layer_is_adopted_with_its_names(dock, click, qtbot):
    theirs = np.zeros((6, 40, 50), np.int32)
    theirs[1, :5], theirs[2, 10:15] = 3, 5
    features = {"index": [0, 3, 5], "class": ["none", "pore", "matrix"]}
    layer = dock.viewer.add_labels(
        theirs,
        name="theirs",
        features=features,
        scale=(2.0, 1.5, 1.5),
        units=("um",) * 3,
    )
    click(dock, "adopt_labels")
    qtbot.waitUntil(lambda: dock.label.layer is not None, timeout=30_000)
    assert [(c.id, c.name) for c in dock.session.labels.classes] == [
        (3, "pore"),
        (5, "matrix"),
    ]
    np.testing.assert_array_equal(np.asarray(dock.label.layer.data), theirs)
    assert not layer.visible
    dock.label.layer.paint([0, 20, 20], 3)
    assert theirs[0].max() == 0


def test_adopting_takes_the_place_of_labels_that_were_begun(dock, click, stroke, qtbot):
    click(dock, "start_labelling")
    empty = dock.label.layer
    theirs = np.zeros((6, 40, 50), np.uint8)
    theirs[1, :5], theirs[2, 10:15] = 1, 2
    dock.viewer.add_labels(theirs, name="theirs")
    click(dock, "adopt_labels")
    # Nobody paints into the file while it is filled.
    assert empty not in dock.viewer.layers
    qtbot.waitUntil(lambda: dock.label.layer is not None, timeout=30_000)
    assert dock.label.layer is not empty
    before = dock.session.labels.paint.counts()
    assert before == {1: 250, 2: 250}
    version = dock.session.labels.paint.version
    dock.label.pick(2)
    stroke(dock.label.layer, (4, 20, 20), (4, 20, 30))
    assert dock.session.labels.paint.counts()[2] > 250
    assert dock.session.labels.paint.version > version


def test_a_layer_that_was_refused_names_no_classes(
    open_dock, click, stroke, blobs, qtbot
):
    first = open_dock(Image(blobs, name="blobs"))
    painted(first, stroke, click)
    first.viewer.close()
    dock = open_dock(Image(blobs.copy(), name="blobs"))
    theirs = dock.viewer.add_labels(
        np.ones((6, 40, 51), np.uint8),
        name="theirs",
        features={"index": [0, 1], "class": ["none", "wrong"]},
    )
    click(dock, "adopt_labels")
    assert dock.status.level == "error"
    click(dock, "start_labelling")
    qtbot.waitUntil(lambda: dock.label.layer is not None, timeout=30_000)
    assert "wrong" not in [each.name for each in dock.session.labels.classes]
    assert theirs.visible


def test_a_time_series_of_labels_is_not_read_at_once():
    class Lazy:
        shape, dtype, ndim = (3, 4, 20, 30), np.dtype(np.uint8), 4

        def __init__(self):
            self.read = []

        def __getitem__(self, key):
            self.read.append(key)
            whole = np.arange(3 * 4 * 20 * 30, dtype=np.uint8).reshape(self.shape)
            return whole[key]

    lazy = Lazy()
    stack = Stacking(shape=(12, 20, 30), frame=4, time=Time())
    layer = SimpleNamespace(name="theirs", data=lazy, multiscale=False)
    found = spatial_labels(layer, stack)
    assert found.shape == (12, 20, 30)
    assert not lazy.read
    part = np.asarray(found[3:6, 2:4, 5:9])
    expected = lazy[:].reshape(12, 20, 30)[3:6, 2:4, 5:9]
    np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [((6, 40, 51), "(6, 40, 51)"), ((2, 6, 40, 50), "4 axes"), ((40, 50), "(40, 50)")],
)
def test_labels_of_another_shape_are_refused_in_a_sentence(
    dock, click, shape, sentence
):
    dock.viewer.add_labels(np.zeros(shape, np.uint8), name="theirs")
    click(dock, "adopt_labels")
    assert sentence in dock.status.text()
    assert dock.status.level == "error"
    assert dock.session.labels.paint is None


def test_labels_that_are_too_many_are_refused_in_a_sentence(dock, click, qtbot):
    many = np.arange(6 * 40 * 50, dtype=np.int32).reshape(6, 40, 50)
    dock.viewer.add_labels(many, name="objects")
    click(dock, "adopt_labels")
    qtbot.waitUntil(lambda: dock.status.level == "error", timeout=30_000)
    assert "255" in dock.status.text()
    assert dock.session.labels.paint is None


def test_a_2d_image_has_2d_labels_that_reach_the_store(
    open_dock, click, stroke, blobs, qtbot
):
    dock = open_dock(Image(blobs[0], name="flat"))
    click(dock, "start_labelling")
    layer = dock.label.layer
    assert layer.ndim == 2
    stroke(layer, (10, 10), (10, 30))
    count = int((np.asarray(layer.data) == 1).sum())
    assert count > 20
    assert dock.session.labels.paint.counts() == {1: count}
    rows = dock.label.classes.rows
    qtbot.waitUntil(lambda: rows[1].count.text() == f"{count} pixels", timeout=30_000)
    layer.undo()
    assert not any(dock.session.labels.paint.counts().values())


def test_flat_paint_answers_like_the_plane_it_wraps():
    store = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    flat = PaintView(store, Stacking(store.shape, flat=True))
    for key in [0, (1, 2), (slice(1, 3), slice(None)), (slice(None), 2), ...]:
        np.testing.assert_array_equal(flat[key], store[0][key])
    flat[np.array([0, 2]), np.array([1, 1])] = 99
    assert store[0, 0, 1] == store[0, 2, 1] == 99
    np.testing.assert_array_equal(np.asarray(flat), store[0])


def test_a_large_volume_allocates_nothing_near_its_size(open_dock, click, stroke):
    shape = (1000, 2000, 2000)
    zeros = np.broadcast_to(np.zeros((), np.uint8), shape)
    dock = open_dock(Image(zeros, name="huge", contrast_limits=(0, 255)))
    before = _resident()
    click(dock, "start_labelling")
    stroke(dock.label.layer, (500, 1000, 1000), (500, 1000, 1100))
    dock.session.labels.save()
    assert _resident() - before < 300e6
    files = [p for p in dock.session.folder.rglob("*") if p.is_file()]
    assert sum(p.stat().st_blocks * 512 for p in files) < 50e6


def _resident():
    """Bytes of this process that belong to it alone."""
    table = Path("/proc/self/smaps_rollup")
    if not table.exists():
        pytest.skip("memory is not told here")
    lines = table.read_text().splitlines()
    (line,) = [each for each in lines if each.startswith("Anonymous")]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("flat", [False, True])
def test_a_copy_of_the_labels_is_not_taken_for_them(
    open_dock, click, stroke, blobs, flat
):
    dock = open_dock(Image(blobs[0] if flat else blobs, name="blobs"))
    said = []
    dock.session.message.connect(lambda text, level: said.append((text, level)))
    click(dock, "start_labelling")
    layer, layers = dock.label.layer, dock.viewer.layers
    layers.selection = {layer}
    _layer_actions._duplicate_layer(layers)
    (copy,) = (each for each in layers if each.name == "blobs - labels copy")
    text, level = said[-1]
    assert "blobs - labels copy is a copy" in text
    assert level == "warning"
    # It goes before the original in no search, and can be adopted elsewhere.
    assert copy in foreign_labels(dock.viewer)
    layers.move(layers.index(copy), 0)
    dock.label.refresh()
    assert dock.label.layer is layer
    stroke(layer, (10, 10) if flat else (2, 10, 10), (10, 30) if flat else (2, 10, 30))
    assert dock.session.labels.paint.counts()
    assert not np.asarray(copy.data).any()


def test_labels_on_top_are_offered_first_unless_others_were_picked(dock):
    offered = dock.label.adoptable
    shape = dock.viewer.layers["blobs"].data.shape
    for name, visible in (("truth", False), ("strokes", True), ("more", True)):
        labels = np.zeros(shape, np.uint8)
        dock.viewer.add_labels(labels, name=name, visible=visible)
    names = [offered.itemText(place) for place in range(offered.count())]
    assert names == ["more", "strokes", "truth"]
    assert offered.currentText() == "more"
    offered.setCurrentIndex(1)
    offered.activated.emit(1)
    dock.viewer.add_labels(np.zeros(shape, np.uint8), name="last")
    assert offered.currentText() == "strokes"


def test_much_paint_makes_the_dock_no_wider(dock, click):
    click(dock, "start_labelling")
    before = dock.label.minimumSizeHint().width()
    row = dock.label.classes.rows[1]
    row.show_count(123_456_789_012, 12_345, flat=False)
    assert row.count.toolTip().endswith("voxels, 12345 slices")
    assert dock.label.minimumSizeHint().width() == before
