"""Train: said before what is missing, shown while it runs, stopped within a second."""

import numpy as np
import pytest
from napari.layers import Image
from napari.utils import progress
from qtpy.QtWidgets import QLabel, QWidget

from napari_sashiko.errors import SashikoError

pytestmark = pytest.mark.gui
WAIT = 20000


@pytest.fixture
def painted_dock(dock, click, stroke):
    """Trains once and does not stay on."""
    click(dock, "start_labelling")
    dock.train.stay_box.setChecked(False)
    layer = dock.label.layer
    stroke(layer, (2, 10, 10), (2, 10, 30))
    layer.selected_label = 2
    stroke(layer, (2, 30, 10), (2, 30, 30))
    return dock


def text(dock, name):
    return dock.findChild(QLabel, name).text()


def test_without_paint_training_says_what_is_missing(dock, click):
    assert not dock.train.isEnabled()
    assert "Paint" in text(dock, "train_hint")
    click(dock, "start_labelling")
    assert "No paint yet" in text(dock, "train_hint")
    dock.train.stay_box.setChecked(False)
    click(dock, "train")
    assert dock.status.level == "error"
    assert not dock.session.is_running("train")


def test_one_class_only_is_said_before_training(dock, click, stroke, qtbot):
    click(dock, "start_labelling")
    stroke(dock.label.layer, (2, 10, 10), (2, 10, 30))
    qtbot.waitUntil(
        lambda: "Only background has paint" in text(dock, "train_hint"), timeout=WAIT
    )
    dock.train.stay_box.setChecked(False)
    click(dock, "train")
    assert dock.status.level == "error"
    assert not dock.session.is_running("train")


def test_a_class_without_paint_is_said_before_training(painted_dock, click, qtbot):
    click(painted_dock, "add_class")
    painted_dock.session.labels.save()
    painted_dock.session.paint_saved.emit()
    qtbot.waitUntil(lambda: "class 3" in text(painted_dock, "train_hint"), timeout=WAIT)


def test_training_shows_curves_progress_result_and_slice(painted_dock, click, qtbot):
    dock = painted_dock
    click(dock, "train")
    qtbot.waitUntil(
        lambda: "on held-out strokes" in text(dock, "train_result"), timeout=WAIT
    )
    assert len(dock.train.plots.loss.lines) == 2
    assert [x for x, _ in dock.train.plots.score.lines[0]] == [1, 2, 3, 4]
    result = "F1 0.90 ± 0.03, IoU 0.82 on held-out strokes"
    assert text(dock, "train_result") == result
    assert text(dock, "score_fairness") == "Judged on strokes far away."
    assert text(dock, "train_summary") == "a fake, 2D, cpu\nIt turns."
    qtbot.waitUntil(lambda: not dock.session.is_running("train"), timeout=WAIT)
    qtbot.waitUntil(lambda: "blobs - preview" in dock.viewer.layers, timeout=WAIT)
    assert dock.session.last_model is not None
    qtbot.waitUntil(
        lambda: text(dock, "preview_source").endswith(
            ": forest and 1 network (fake 2)"
        ),
        timeout=WAIT,
    )


def test_scores_of_each_class_are_shown_when_asked_for(painted_dock, click, qtbot):
    dock = painted_dock
    click(dock, "train")
    qtbot.waitUntil(lambda: text(dock, "train_result") != "", timeout=WAIT)
    table = dock.findChild(QWidget, "score_table")
    assert table.isHidden()
    click(dock, "score_details")
    assert not table.isHidden()
    grid = table.layout()
    said = [
        [grid.itemAtPosition(row, column).widget().text() for column in range(4)]
        for row in (1, 2)
    ]
    assert said == [
        ["background", "0.80", "0.05", "0.70"],
        ["foreground", "0.80", "0.05", "0.70"],
    ]
    click(dock, "train")
    qtbot.waitUntil(lambda: not dock.session.is_running("train"), timeout=WAIT)
    assert grid.rowCount() == 3
    assert not table.isHidden()


def test_the_activity_dock_has_a_bar_while_training_and_none_after(
    painted_dock, click, engine, qtbot
):
    engine.seconds, engine.epochs = 0.05, 1000
    before = len(progress._all_instances)
    click(painted_dock, "train")
    qtbot.waitUntil(lambda: len(progress._all_instances) == before + 1, timeout=WAIT)
    click(painted_dock, "stop_training")
    qtbot.waitUntil(lambda: len(progress._all_instances) == before, timeout=WAIT)


def test_stop_answers_at_once_and_keeps_the_model(painted_dock, click, engine, qtbot):
    dock = painted_dock
    engine.seconds = 0.03
    engine.members = 1000
    click(dock, "train")
    qtbot.waitUntil(lambda: dock.train.model is not None, timeout=WAIT)
    click(dock, "stop_training")
    qtbot.waitUntil(lambda: not dock.session.is_running("train"), timeout=WAIT)
    assert dock.session.last_model == dock.train.model
    qtbot.waitUntil(lambda: "kept" in text(dock, "train_state"), timeout=WAIT)
    qtbot.waitUntil(dock.train.train_button.isEnabled, timeout=WAIT)


def test_time_left_and_epoch_are_told(painted_dock, click, engine, qtbot):
    engine.seconds, engine.epochs = 0.05, 100
    click(painted_dock, "train")
    qtbot.waitUntil(
        lambda: "Network 1, epoch" in text(painted_dock, "train_state"),
        timeout=WAIT,
    )
    assert text(painted_dock, "time_left") == "0:09 left"
    assert painted_dock.train.progress.maximum() > 0
    click(painted_dock, "stop_training")


def test_a_failure_is_one_sentence_and_training_can_start_again(
    painted_dock, click, engine, qtbot
):
    engine.fail = SashikoError("The device has gone.", "Choose cpu.")
    click(painted_dock, "train")
    qtbot.waitUntil(lambda: painted_dock.status.level == "error", timeout=WAIT)
    assert painted_dock.status.text() == "The device has gone. Choose cpu."
    engine.fail = None
    click(painted_dock, "train")
    qtbot.waitUntil(lambda: text(painted_dock, "train_result") != "", timeout=WAIT)


def test_settings_reach_training(painted_dock, click, engine, qtbot):
    click(painted_dock, "more_training")
    painted_dock.train.form.set_values(members=7)
    click(painted_dock, "train")
    qtbot.waitUntil(lambda: engine.trained_on is not None, timeout=WAIT)
    volume, labelled, classes, settings = engine.trained_on
    assert settings.members == 7
    assert volume is painted_dock.session.volume
    assert set(np.unique(labelled.values)) == {1, 2}
    assert [c.id for c in classes] == [1, 2]


def test_painting_during_training_is_kept(painted_dock, click, stroke, engine, qtbot):
    engine.seconds, engine.epochs = 0.03, 1000
    click(painted_dock, "train")
    qtbot.waitUntil(lambda: engine.trained_on is not None, timeout=WAIT)
    before = painted_dock.session.labels.paint.counts()[2]
    stroke(painted_dock.label.layer, (5, 10, 10), (5, 10, 30))
    assert painted_dock.session.labels.paint.counts()[2] > before
    click(painted_dock, "stop_training")


def trained(dock, click, qtbot):
    click(dock, "train")
    qtbot.waitUntil(lambda: "blobs - preview" in dock.viewer.layers, timeout=WAIT)
    qtbot.waitUntil(lambda: not dock.session.is_running("train"), timeout=WAIT)
    return dock.viewer.layers["blobs - preview"]


def test_the_preview_lies_on_the_image_below_the_paint(painted_dock, click, qtbot):
    dock = painted_dock
    preview = trained(dock, click, qtbot)
    names = [layer.name for layer in dock.viewer.layers]
    assert names == ["blobs", "blobs - preview", "blobs - labels"]
    np.testing.assert_array_equal(preview.scale, dock.viewer.layers["blobs"].scale)
    assert dock.viewer.layers.selection.active is dock.label.layer
    assert dock.label.layer.mode == "paint"
    assert not preview.editable
    np.testing.assert_allclose(preview.get_color(1), dock.label.layer.get_color(1))


def test_the_preview_follows_the_slice(painted_dock, click, qtbot, engine, blobs):
    dock = painted_dock
    preview = trained(dock, click, qtbot)
    for z in (0, 5, 3):
        dock.viewer.dims.set_current_step(0, z)
        qtbot.waitUntil(lambda z=z: preview.data[z].all(), timeout=WAIT)
        expected = np.where(blobs[z] > blobs[z].mean(dtype=float), 2, 1)
        np.testing.assert_array_equal(preview.data[z], expected)


def test_seen_slices_are_not_segmented_twice(painted_dock, click, qtbot, engine):
    dock = painted_dock
    preview = trained(dock, click, qtbot)
    for z in (0, 5):
        dock.viewer.dims.set_current_step(0, z)
        qtbot.waitUntil(lambda z=z: preview.data[z].all(), timeout=WAIT)
    qtbot.wait(700)
    qtbot.waitUntil(lambda: not dock.session.is_running("preview"), timeout=WAIT)
    asked = len(engine.previewed)
    dock.viewer.dims.set_current_step(0, 0)
    qtbot.wait(700)
    assert len(engine.previewed) == asked


def test_a_removed_preview_comes_back_with_the_next_slice(painted_dock, click, qtbot):
    dock = painted_dock
    dock.viewer.layers.remove(trained(dock, click, qtbot))
    dock.viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: "blobs - preview" in dock.viewer.layers, timeout=WAIT)


def test_the_preview_can_be_switched_off(painted_dock, click, qtbot, engine):
    dock = painted_dock
    dock.train.preview_box.setChecked(False)
    click(dock, "train")
    qtbot.waitUntil(lambda: text(dock, "train_result") != "", timeout=WAIT)
    qtbot.wait(500)
    assert engine.previewed == []
    dock.train.preview_box.setChecked(True)
    qtbot.waitUntil(lambda: "blobs - preview" in dock.viewer.layers, timeout=WAIT)


def test_a_2d_image_has_a_2d_preview(open_dock, click, stroke, blobs, qtbot):
    dock = open_dock(Image(blobs[0], name="flat"))
    click(dock, "start_labelling")
    stroke(dock.label.layer, (10, 10), (10, 30))
    dock.label.layer.selected_label = 2
    stroke(dock.label.layer, (30, 10), (30, 30))
    click(dock, "train")
    qtbot.waitUntil(lambda: "flat - preview" in dock.viewer.layers, timeout=WAIT)
    preview = dock.viewer.layers["flat - preview"]
    assert preview.ndim == 2
    qtbot.waitUntil(lambda: np.asarray(preview.data).all(), timeout=WAIT)
