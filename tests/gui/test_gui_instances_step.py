"""Find instances, by the real buttons, in a real prediction."""

import numpy as np
import pandas as pd
import pytest
from gui_trained import BALLS, VOXEL_SIZE, SlowEngine, balls
from napari.layers import Image
from napari.utils._test_utils import read_only_mouse_event
from napari.utils.interactions import mouse_press_callbacks, mouse_release_callbacks
from qtpy.QtWidgets import QFileDialog, QLabel

LONG = 60_000


@pytest.fixture
def engine():
    return SlowEngine()


@pytest.fixture
def ready(open_dock, predicted, qtbot):
    """A dock whose prediction is known and whose objects are counted."""
    place = {"scale": VOXEL_SIZE, "translate": (5, 6, 7), "units": ("um",) * 3}
    dock = open_dock(Image(balls()[0], name="balls", **place))
    dock.instances.use(predicted)
    qtbot.waitUntil(lambda: dock.instances.sizes is not None, timeout=LONG)
    return dock


@pytest.fixture
def found(ready, click, qtbot):
    """A dock with instances and their table."""
    # Specks at the balls' rims are not what these tests are about.
    ready.instances.form.dust.setValue(20)
    click(ready, "find_instances")
    table = ready.instances.form.table
    qtbot.waitUntil(lambda: table.rows is not None, timeout=LONG)
    qtbot.waitUntil(ready.instances.form.working.isHidden, timeout=LONG)
    return ready


def going(dock):
    return dock.findChild(QLabel, "dust_count").text()


def layer_of(dock):
    return dock.viewer.layers["balls - instances"]


def test_without_a_prediction_it_says_what_is_missing(open_dock):
    dock = open_dock(Image(balls()[0], name="balls"))
    said = dock.findChild(QLabel, "instances_hint").text()
    assert said == "Segment a volume first."
    assert not dock.instances.form.find_button.isEnabled()


def test_the_dust_count_lives_while_the_size_changes(ready):
    form, sizes = ready.instances.form, ready.instances.sizes
    for voxels in (0, 20, 200, 400, 1000):
        form.dust.setValue(voxels)
        gone = int((sizes < voxels).sum())
        expected = (
            f"{gone} go, {len(sizes) - gone} stay" if gone else f"{len(sizes)} objects"
        )
        assert going(ready) == expected


def test_dust_in_physical_units_counts_by_the_voxel_size(ready):
    form, sizes = ready.instances.form, ready.instances.sizes
    assert form.dust_unit.itemText(1) == "µm³"
    form.dust_unit.setCurrentIndex(1)
    form.dust.setValue(600.0)  # of 2 µm³ a voxel
    assert form.dust_text() == "600 um^3"
    gone = int((sizes < 300).sum())
    assert gone > 0
    assert going(ready) == f"{gone} go, {len(sizes) - gone} stay"


def test_a_higher_threshold_searches_again(ready, qtbot):
    before = ready.instances.sizes
    ready.instances.form.threshold.setValue(0.9)
    qtbot.waitUntil(
        lambda: (
            ready.instances.sizes is not None and ready.instances.sizes is not before
        ),
        timeout=LONG,
    )
    assert ready.instances.sizes.sum() < before.sum()


def test_every_ball_becomes_an_object_where_the_image_lies(found):
    layer, source = layer_of(found), found.viewer.layers["balls"]
    np.testing.assert_allclose(
        layer.data_to_world((1, 2, 3)), source.data_to_world((1, 2, 3))
    )
    labels = np.asarray(layer.data)
    centers = [labels[center] for center, _ in BALLS]
    assert len(set(centers)) == len(BALLS)
    assert 0 not in centers
    assert found.instances.form.table.rows.rowCount() == labels.max() == len(BALLS)
    said = found.findChild(QLabel, "instances_state").text()
    assert f"{len(BALLS)} objects" in said
    assert "median length" in said
    assert "µm" in said


def test_a_second_search_updates_layer_and_table(found, click, qtbot):
    layer, rows = layer_of(found), found.instances.form.table.rows
    found.instances.form.dust.setValue(300)
    click(found, "find_instances")
    qtbot.waitUntil(lambda: found.instances.form.table.rows is not rows, timeout=LONG)
    assert layer_of(found) is layer
    assert np.asarray(layer.data).max() == found.instances.form.table.rows.rowCount()
    assert found.instances.form.table.rows.rowCount() < len(BALLS)


@pytest.mark.parametrize("row", [0, 3])
def test_a_row_leads_to_its_object(found, row):
    table, layer = found.instances.form.table, layer_of(found)
    table.selectRow(row)
    label = table.rows.label_at(row)
    assert layer.selected_label == label
    assert layer.show_selected_label
    plane = np.asarray(layer._slice.image.raw)
    assert (plane == label).any()


def test_a_click_on_an_object_selects_its_row(found):
    viewer, layer = found.viewer, layer_of(found)
    center = BALLS[2][0]
    label = int(np.asarray(layer.data)[center])
    position = layer.data_to_world(center)
    viewer.dims.set_point(0, position[0])
    viewer.layers.selection.active = viewer.layers["balls"]
    event = {"position": position, "view_direction": None, "dims_displayed": [1, 2]}
    mouse_press_callbacks(viewer, read_only_mouse_event(type="mouse_press", **event))
    mouse_release_callbacks(
        viewer, read_only_mouse_event(type="mouse_release", **event)
    )
    assert found.instances.form.table.selected == label


def test_the_exported_table_has_a_row_for_each_object(
    found, click, tmp_path, monkeypatch
):
    target = tmp_path / "balls.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    click(found, "export_csv")
    table = pd.read_csv(target)
    assert len(table) == len(BALLS)
    labels = np.asarray(layer_of(found).data)
    for row in table.itertuples():
        assert row.voxels == (labels == row.label).sum()
        assert row.volume == pytest.approx(row.voxels * 2)
    assert "saved" in found.status.text()


def test_a_table_that_cannot_be_saved_is_said(found, click, tmp_path, monkeypatch):
    target = tmp_path / "no folder" / "balls.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    click(found, "export_csv")
    assert "balls.csv" in found.status.text()


def test_the_histogram_shows_all_sizes_and_the_dust(ready):
    histogram = ready.instances.form.histogram
    assert not histogram.isHidden()
    assert histogram.counts.sum() == len(ready.instances.sizes)
    assert histogram.title == "size, µm³"
    ready.instances.form.dust.setValue(100)
    assert histogram.line == 200


def test_another_volume_takes_table_and_count_away(found):
    found.viewer.add_image(balls()[0][:10], name="other", units=("um",) * 3)
    found.volumes.setCurrentIndex(found.volumes.findText("other"))
    assert found.instances.form.results.isHidden()
    assert going(found) == ""
    assert not found.instances.form.find_button.isEnabled()


def test_objects_of_the_volume_before_are_not_shown_as_those_of_another(
    ready, click, qtbot
):
    viewer, step = ready.viewer, ready.instances
    step.form.dust.setValue(20)
    viewer.add_image(balls()[0][:10], name="other", units=("um",) * 3)
    click(ready, "find_instances")
    ready.volumes.setCurrentIndex(ready.volumes.findText("other"))
    qtbot.waitUntil(lambda: not step.running, timeout=LONG)
    qtbot.waitUntil(lambda: "balls - instances" in viewer.layers, timeout=LONG)
    qtbot.waitUntil(lambda: not step.reading.open, timeout=LONG)
    assert step.table_path is None
    assert step.link.layer is None
    assert step.form.table.rows is None
    assert step.form.results.isHidden()


def test_a_table_that_is_being_read_is_not_shown_for_another_volume(found, qtbot):
    step = found.instances
    found.viewer.add_image(balls()[0][:10], name="other", units=("um",) * 3)
    ended = []
    found.session.job_changed.connect(
        lambda kind: ended.append(kind) if not found.session.is_running(kind) else None
    )
    step._read_table(step.table_path, None)
    found.volumes.setCurrentIndex(found.volumes.findText("other"))
    qtbot.waitUntil(lambda: "table" in ended, timeout=LONG)
    assert step.form.table.rows is None
    assert step.form.results.isHidden()


def test_a_prediction_of_an_earlier_session_is_found_again(
    open_dock, trained_model, click, qtbot
):
    first = open_dock(Image(balls()[0], name="balls"))
    first.session.open_model(trained_model)
    qtbot.waitUntil(lambda: first.segment.cost.estimate is not None, timeout=LONG)
    click(first, "segment_volume")
    qtbot.waitUntil(first.segment.form.working.isHidden, timeout=LONG)
    first.shutdown()
    again = open_dock(Image(balls()[0], name="balls"))
    qtbot.waitUntil(lambda: again.instances.prediction is not None, timeout=LONG)
    assert again.instances.form.find_button.isEnabled()
