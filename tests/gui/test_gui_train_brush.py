"""Whatever napari's brush does to the paint reaches the training that is on."""

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel

from napari_sashiko.gui.train_step import AT_REST

pytestmark = pytest.mark.gui
WAIT = 20_000


@pytest.fixture
def rested(dock, click, stroke, qtbot):
    """A dock whose training is on and has learned three strokes."""
    click(dock, "start_labelling")
    layer = dock.label.layer
    layer.selected_label = 1
    stroke(layer, (2, 10, 10), (2, 10, 30))
    stroke(layer, (4, 10, 10), (4, 10, 30))
    layer.selected_label = 2
    stroke(layer, (2, 30, 10), (2, 30, 30))
    click(dock, "train")
    qtbot.waitUntil(lambda: text(dock, "train_state") == AT_REST, timeout=WAIT)
    qtbot.waitUntil(lambda: "blobs - preview" in dock.viewer.layers, timeout=WAIT)
    return dock


def text(dock, name):
    return dock.findChild(QLabel, name).text()


def learned(engine, shape=(6, 40, 50)):
    """The paint that the training knows, as an array."""
    labelled = engine.trained_on[1]
    array = np.zeros(shape, np.uint8)
    array[tuple(labelled.coords.T)] = labelled.values
    return array


def follows(dock, engine, qtbot):
    """Wait until the training knows the paint as it is."""
    paint = np.array(dock.label.layer.data)
    qtbot.waitUntil(lambda: np.array_equal(learned(engine), paint), timeout=WAIT)
    return paint


def test_undo_and_redo_are_learned(rested, engine, stroke, qtbot):
    before = follows(rested, engine, qtbot)
    stroke(rested.label.layer, (3, 20, 10), (3, 20, 30))
    after = follows(rested, engine, qtbot)
    assert (after != before).any()
    rested.label.layer.undo()
    np.testing.assert_array_equal(follows(rested, engine, qtbot), before)
    rested.label.layer.redo()
    np.testing.assert_array_equal(follows(rested, engine, qtbot), after)


def test_what_is_rubbed_out_is_learned(rested, engine, stroke, qtbot):
    before = follows(rested, engine, qtbot)
    rested.label.layer.mode = "erase"
    stroke(rested.label.layer, (4, 10, 20), (4, 10, 30))
    after = follows(rested, engine, qtbot)
    assert np.count_nonzero(after) < np.count_nonzero(before)


def test_what_the_bucket_fills_is_learned(rested, engine, qtbot):
    before = follows(rested, engine, qtbot)
    rested.label.layer.fill((4, 10, 20), 2)
    after = follows(rested, engine, qtbot)
    assert (before[4, 10, 10:30] == 1).all()
    assert (after[4, 10, 10:30] == 2).all()
    rested.label.layer.undo()
    np.testing.assert_array_equal(follows(rested, engine, qtbot), before)


def test_a_polygon_is_learned(rested, engine, qtbot):
    before = follows(rested, engine, qtbot)
    corners = [(3, 10, 10), (3, 10, 20), (3, 20, 20), (3, 20, 10)]
    rested.label.layer.paint_polygon(corners, 1)
    after = follows(rested, engine, qtbot)
    assert np.count_nonzero(after) - np.count_nonzero(before) >= 81


def test_the_preview_turns_with_the_view(rested, engine, qtbot):
    viewer = rested.viewer
    preview = viewer.layers["blobs - preview"]
    for order in ((1, 0, 2), (2, 1, 0)):
        viewer.dims.order = order
        axis = order[0]
        viewer.dims.set_current_step(axis, 7)
        qtbot.waitUntil(
            lambda axis=axis: bool(np.take(preview.data[()], 7, axis).all()),
            timeout=WAIT,
        )
    # Strokes are learned in this view, too, and what they change is seen.
    qtbot.waitUntil(lambda: not rested.session.is_running("preview"), timeout=WAIT)
    before = len(engine.previewed)
    rested.label.layer.paint((1, 20, 7), 2)
    follows(rested, engine, qtbot)
    qtbot.waitUntil(lambda: len(engine.previewed) > before, timeout=WAIT)
    z, _, x = engine.previewed[-1][1]
    assert (x.start, x.stop) == (7, 8)
    assert z.stop - z.start > 1
