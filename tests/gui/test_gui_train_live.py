"""Training that stays on: waits for paint, follows it, rests, and is stopped."""

import numpy as np
import pytest
from napari.layers import Image
from napari.utils import progress
from qtpy.QtWidgets import QApplication, QComboBox, QLabel, QPushButton

from napari_sashiko.gui import SashikoDock
from napari_sashiko.gui.train_step import AT_REST

pytestmark = pytest.mark.gui
WAIT = 20_000
LONG = 120_000


def text(dock, name):
    return dock.findChild(QLabel, name).text()


def two_strokes(layer, stroke):
    layer.selected_label = 1
    stroke(layer, (2, 10, 10), (2, 10, 30))
    layer.selected_label = 2
    stroke(layer, (2, 30, 10), (2, 30, 30))


def test_it_can_be_on_before_anything_is_painted(dock, click, stroke, qtbot):
    click(dock, "start_labelling")
    click(dock, "train")
    qtbot.waitUntil(
        lambda: "Waiting for paint" in text(dock, "train_state"), timeout=WAIT
    )
    assert dock.session.is_running("train")
    assert not dock.session.steps.is_learning
    assert dock.status.level != "error"
    two_strokes(dock.label.layer, stroke)
    qtbot.waitUntil(lambda: text(dock, "train_state") == AT_REST, timeout=WAIT)
    assert "on held-out strokes" in text(dock, "train_result")


def test_at_rest_there_is_nothing_to_show_but_stop(dock, click, stroke, qtbot):
    before = len(progress._all_instances)
    click(dock, "start_labelling")
    two_strokes(dock.label.layer, stroke)
    click(dock, "train")
    qtbot.waitUntil(lambda: text(dock, "train_state") == AT_REST, timeout=WAIT)
    assert dock.train.progress.isHidden()
    assert dock.findChild(QPushButton, "stop_training").isEnabled()
    qtbot.waitUntil(lambda: len(progress._all_instances) == before, timeout=WAIT)
    click(dock, "stop_training")
    qtbot.waitUntil(lambda: not dock.session.is_running("train"), timeout=WAIT)
    qtbot.waitUntil(dock.train.train_button.isEnabled, timeout=WAIT)


def test_more_paint_is_learned_and_shown(dock, click, stroke, engine, qtbot):
    click(dock, "start_labelling")
    two_strokes(dock.label.layer, stroke)
    click(dock, "train")
    qtbot.waitUntil(lambda: text(dock, "train_state") == AT_REST, timeout=WAIT)
    before, shown = len(engine.trained_on[1]), len(engine.previewed)
    stroke(dock.label.layer, (3, 10, 10), (3, 10, 30))
    qtbot.waitUntil(lambda: len(engine.trained_on[1]) > before, timeout=WAIT)
    qtbot.waitUntil(lambda: text(dock, "train_state") == AT_REST, timeout=WAIT)
    qtbot.waitUntil(lambda: len(engine.previewed) > shown, timeout=WAIT)
    assert not dock.train.train_button.isEnabled()
    # What is taken back is paint that changed, too.
    painted = len(engine.trained_on[1])
    dock.label.layer.undo()
    qtbot.waitUntil(lambda: len(engine.trained_on[1]) < painted, timeout=WAIT)


def test_no_slice_shows_what_was_learned_from_older_paint(
    dock, click, stroke, engine, qtbot
):
    click(dock, "start_labelling")
    two_strokes(dock.label.layer, stroke)
    click(dock, "train")
    qtbot.waitUntil(lambda: text(dock, "train_state") == AT_REST, timeout=WAIT)
    preview = dock.viewer.layers["blobs - preview"]
    dock.viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(lambda: bool(preview.data[4].all()), timeout=WAIT)
    dock.viewer.dims.set_current_step(0, 3)
    qtbot.waitUntil(lambda: bool(preview.data[3].all()), timeout=WAIT)
    stroke(dock.label.layer, (3, 10, 10), (3, 10, 30))
    # The other slice is asked for again when it is looked at.
    qtbot.waitUntil(lambda: not preview.data[4].any(), timeout=WAIT)
    qtbot.waitUntil(lambda: bool(preview.data[3].all()), timeout=WAIT)
    dock.viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(lambda: bool(preview.data[4].all()), timeout=WAIT)


def test_a_class_that_is_added_reaches_training(dock, click, stroke, engine, qtbot):
    click(dock, "start_labelling")
    two_strokes(dock.label.layer, stroke)
    click(dock, "train")
    qtbot.waitUntil(lambda: text(dock, "train_state") == AT_REST, timeout=WAIT)
    click(dock, "add_class")
    dock.label.layer.selected_label = 3
    stroke(dock.label.layer, (4, 10, 10), (4, 10, 30))
    qtbot.waitUntil(lambda: 3 in engine.trained_on[1].values, timeout=WAIT)
    assert [c.id for c in engine.trained_on[2]] == [1, 2, 3]
    # Networks begin anew, and their curves go on to the right.
    qtbot.waitUntil(
        lambda: len(dock.train.plots.score.lines[0]) >= 2 * engine.epochs, timeout=WAIT
    )
    for line in dock.train.plots.score.lines.values():
        epochs = [x for x, _ in line]
        assert epochs == list(range(1, len(line) + 1))


def test_training_can_begin_with_an_earlier_model(dock, click, stroke, engine, qtbot):
    click(dock, "start_labelling")
    two_strokes(dock.label.layer, stroke)
    click(dock, "train")
    qtbot.waitUntil(lambda: text(dock, "train_state") == AT_REST, timeout=WAIT)
    assert engine.started_from is None
    click(dock, "stop_training")
    qtbot.waitUntil(dock.train.train_button.isEnabled, timeout=WAIT)
    click(dock, "more_training")
    models = dock.findChild(QComboBox, "start_from")
    assert models.count() == 2
    models.setCurrentIndex(1)
    first = dock.session.last_model
    click(dock, "train")
    qtbot.waitUntil(lambda: engine.started_from == first, timeout=WAIT)
    # The new model comes into the list; the choice stays.
    qtbot.waitUntil(lambda: models.count() == 3, timeout=WAIT)
    assert models.currentData() == first


def test_the_real_engine_follows_the_brush(make_napari_viewer, click, stroke, qtbot):
    rng = np.random.default_rng(0)
    image = rng.normal(0, 0.1, (3, 64, 96)).astype(np.float32)
    image[..., 48:] += 1
    image[1, :, 30:40] -= 2  # what nobody has painted at first
    viewer = make_napari_viewer()
    viewer.add_layer(Image(image, name="halves"))
    dock = SashikoDock(viewer)
    viewer.window.add_dock_widget(dock, name="Sashiko")
    QApplication.processEvents()
    click(dock, "start_labelling")
    qtbot.waitUntil(lambda: "warm" not in dock.session.board.running(), timeout=LONG)
    click(dock, "more_training")
    dock.train.form.set_values(
        members=1, epochs=1, trees=8, batch=2, patch=16, device="cpu"
    )
    click(dock, "train")
    qtbot.waitUntil(lambda: "Waiting" in text(dock, "train_state"), timeout=LONG)
    for z in (0, 2):
        for label_class, column in ((1, 10), (2, 70)):
            dock.label.layer.selected_label = label_class
            for row in (10, 50):
                stroke(dock.label.layer, (z, row, column), (z, row, column + 12))
    qtbot.waitUntil(lambda: text(dock, "train_state") == AT_REST, timeout=LONG)
    viewer.dims.set_current_step(0, 1)
    click(dock, "add_class")
    dock.label.layer.selected_label = 3
    for row in (10, 50):
        stroke(dock.label.layer, (1, row, 31), (1, row, 38))
    qtbot.waitUntil(
        lambda: (
            "halves - preview" in viewer.layers
            and (viewer.layers["halves - preview"].data[1][:, 32:38] == 3).mean() > 0.8
        ),
        timeout=LONG,
    )
    assert dock.status.level != "error", dock.status.text()
    click(dock, "stop_training")
    qtbot.waitUntil(lambda: not dock.session.is_running("train"), timeout=LONG)
