"""Table, histogram and layer show the same object."""

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.utils._test_utils import read_only_mouse_event
from napari.utils.interactions import mouse_press_callbacks, mouse_release_callbacks
from qtpy.QtCore import QObject, Qt

from napari_sashiko.gui.histogram import Histogram, log_histogram, ticks
from napari_sashiko.gui.instance_link import InstanceLink
from napari_sashiko.gui.instance_table import InstanceTable, TableModel
from napari_sashiko.gui.lazy_array import as_levels


def objects():
    """Two boxes and a bent one whose box's middle is empty."""
    labels = np.zeros((10, 40, 50), np.uint32)
    labels[1:3, 5:9, 5:9] = 1
    labels[6:9, 30:34, 40:46] = 2
    labels[4, 10:30, 20] = 3
    labels[4, 29, 20:40] = 3
    rows = []
    for label in (1, 2, 3):
        where = np.argwhere(labels == label)
        row = {"label": label, "class": "fibre", "voxels": len(where)}
        row |= {"volume": len(where) * 4.0, "length": [8.0, 12.5, 40.0][label - 1]}
        for axis, name in enumerate("zyx"):
            row[f"bbox_{name}_start"] = where[:, axis].min()
            row[f"bbox_{name}_stop"] = where[:, axis].max() + 1
        row |= {"mean_probability": 0.9, "touches_border": label == 2, "unit": "um"}
        rows.append(row)
    return labels, pd.DataFrame(rows)


@pytest.fixture
def desk(qtbot):
    labels, rows = objects()
    viewer = ViewerModel()
    layer = viewer.add_labels(labels, scale=(4, 1, 1), translate=(8, 0, 0))
    table = InstanceTable()
    qtbot.addWidget(table)
    table.show_table(rows, flat=False)
    link = InstanceLink(table, viewer, table)
    link.watch(layer)
    yield viewer, layer, table, link
    link.shutdown()


def test_columns_for_reading_come_first_and_those_for_programs_not_at_all(desk):
    _, _, table, _ = desk
    model = table.model()
    heads = [
        model.headerData(i, Qt.Orientation.Horizontal)
        for i in range(model.columnCount())
    ]
    assert heads[:4] == ["label", "volume\nµm³", "length\nµm", "voxels"]
    assert heads[4:] == ["probability", "at border"]
    tip = model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert tip == "volume, µm³"


@pytest.mark.parametrize(
    ("unit", "head"), [("um", "area\nµm²"), ("pixel", "area\npixels")]
)
def test_objects_of_an_image_have_areas(unit, head):
    model = TableModel(objects()[1].assign(unit=unit), flat=True)
    assert model.headerData(1, Qt.Orientation.Horizontal) == head


def test_a_click_on_a_head_sorts_by_number_not_by_text(desk, qtbot):
    _, _, table, _ = desk
    table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    texts = [table.model().index(row, 2).data() for row in range(3)]
    assert texts == ["40", "12.5", "8"]
    assert [table.model().label_at(row) for row in range(3)] == [3, 2, 1]


@pytest.mark.parametrize("label", [1, 2, 3])
def test_selecting_a_row_jumps_to_its_object_and_shows_it_alone(desk, label):
    viewer, layer, table, _ = desk
    table.selectRow(table.model().row_of(label))
    assert layer.selected_label == label
    assert layer.show_selected_label
    point = np.round(layer.world_to_data(viewer.dims.point)).astype(int)
    assert (layer.data[point[0]] == label).any()
    center = layer.world_to_data(
        (viewer.dims.point[0], *viewer.scene.camera.center[1:])
    )
    cut = np.argwhere(layer.data[point[0]] == label)
    np.testing.assert_allclose(center[1:], cut.mean(0), atol=1e-6)


def test_in_3d_the_camera_goes_to_the_object(desk):
    viewer, layer, table, _ = desk
    viewer.dims.ndisplay = 3
    table.selectRow(table.model().row_of(2))
    np.testing.assert_allclose(
        layer.world_to_data(viewer.scene.camera.center), (7, 31.5, 42.5)
    )


def test_the_pick_tool_selects_the_row_and_does_not_move_the_view(desk):
    viewer, layer, table, _ = desk
    table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    before = viewer.dims.point
    layer.selected_label = 2
    assert table.selected == 2
    assert viewer.dims.point == before
    layer.selected_label = 77
    assert table.selected == 2


@pytest.mark.parametrize("order", list(Qt.SortOrder))
def test_sorting_keeps_the_selected_object_selected(desk, order):
    _, _, table, _ = desk
    table.selectRow(table.model().row_of(1))
    picked = []
    table.picked.connect(picked.append)
    for column in (2, 0):
        table.sortByColumn(column, order)
        assert table.selected == 1
        assert table.currentIndex().row() == table.model().row_of(1)
    assert picked == []


def clicked(viewer, position):
    """Press and release the mouse in the canvas."""
    view = {"view_direction": np.array([1.0, 0, 0]), "dims_displayed": [1, 2]}
    for kind, act in (
        ("mouse_press", mouse_press_callbacks),
        ("mouse_release", mouse_release_callbacks),
    ):
        act(viewer, read_only_mouse_event(type=kind, position=position, **view))


@pytest.mark.parametrize("level", [0, 1])
def test_a_click_finds_the_row_in_labels_with_coarser_levels(desk, level):
    viewer, _, table, link = desk
    labels = np.zeros((4, 300, 300), np.uint32)
    labels[:, :100, :100] = 2
    layer = viewer.add_labels(as_levels([labels, labels[:, ::2, ::2].copy()]))
    viewer.dims.set_point(0, 0)
    layer._data_level = level
    layer.refresh()
    link.watch(layer)
    viewer.layers.selection.active = None
    clicked(viewer, (0, 250, 250))
    clicked(viewer, (0, 900, 900))
    assert table.selected == 0
    clicked(viewer, (0, 20, 20))
    assert table.selected == layer.selected_label == 2


def test_all_objects_are_shown_again_on_request(desk):
    _, layer, table, link = desk
    table.selectRow(0)
    link.show_alone(on=False)
    assert not layer.show_selected_label
    link.show_alone(on=True)
    assert layer.show_selected_label
    link.clear()
    assert not layer.show_selected_label
    assert table.selected == 0


def test_a_removed_layer_does_not_harm_the_table(desk):
    viewer, layer, table, _ = desk
    viewer.layers.remove(layer)
    table.selectRow(1)
    assert table.selected == table.model().label_at(1)


def test_no_callback_stays_behind(desk):
    viewer, layer, _, link = desk
    link.shutdown()
    assert link._on_click not in viewer.mouse_drag_callbacks
    layer.selected_label = 3


def test_a_histogram_counts_every_positive_value():
    values = np.array([1, 1, 2, 10, 100, 1000, 1000, np.nan, -1, 0])
    edges, counts = log_histogram(values)
    assert counts.sum() == 7
    assert edges[0] == 1
    assert edges[-1] == 1000
    same, alone = log_histogram(np.full(5, 3.0))
    assert alone.sum() == 5
    assert same[0] < 3 < same[-1]
    assert len(log_histogram(np.zeros(0))[0]) == 0


@pytest.mark.parametrize("ends", [(1, 1e6), (3, 50), (0.2, 0.9), (17, 18)])
def test_an_axis_has_round_marks_within_its_ends(ends):
    marks = ticks(*ends)
    assert len(marks) >= 2
    assert all(ends[0] <= mark <= ends[1] for mark in marks)


def test_dust_is_painted_fainter_than_what_stays(qtbot):
    viewer = ViewerModel()
    widget = Histogram(viewer)
    qtbot.addWidget(widget)
    widget.resize(300, 110)
    widget.show_values(np.repeat([1.0, 100.0], 5), "size, voxels")
    plain = widget.grab().toImage()
    widget.show_line(50.0)
    lined = widget.grab().toImage()
    x = [8, 290]
    assert plain.pixel(x[0], 60) != lined.pixel(x[0], 60)
    assert plain.pixel(x[1], 60) == lined.pixel(x[1], 60)
    widget.shutdown()
    assert isinstance(widget, QObject)
