"""Training on one image while another lies on the desk, and coming back to it."""

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtWidgets import QLabel, QWidget

from napari_sashiko.gui.parts import choose_data
from napari_sashiko.gui.train_step import AT_REST

pytestmark = pytest.mark.gui
WAIT = 20_000


@pytest.fixture
def pair(open_dock, blobs, click, stroke):
    """A dock on the first of two images, with paint of two classes on it."""
    dock = open_dock(Image(blobs, name="one"), Image(blobs[::-1].copy(), name="two"))
    choose(dock, "one")
    click(dock, "start_labelling")
    two_strokes(dock.label.layer, stroke)
    return dock


def choose(dock, name):
    choose_data(dock.volumes, dock.viewer.layers[name])


def two_strokes(layer, stroke):
    layer.selected_label = 1
    stroke(layer, (2, 10, 10), (2, 10, 30))
    layer.selected_label = 2
    stroke(layer, (2, 30, 10), (2, 30, 30))


def text(dock, name):
    return dock.findChild(QLabel, name).text()


def previews(dock):
    return [each for each in dock.viewer.layers if each.name.startswith("one - prev")]


def at_rest(dock):
    return text(dock, "train_state") == AT_REST


def test_the_preview_goes_on_when_the_image_is_chosen_again(
    pair, click, stroke, engine, qtbot
):
    click(pair, "train")
    qtbot.waitUntil(lambda: at_rest(pair), timeout=WAIT)
    choose(pair, "two")
    assert pair.train.preview.model is None
    choose(pair, "one")
    pair.viewer.dims.set_current_step(0, 4)
    (preview,) = previews(pair)
    qtbot.waitUntil(lambda: bool(np.asarray(preview.data[4]).all()), timeout=WAIT)
    assert pair.train.preview.model == pair.train.model
    assert previews(pair) == [preview]
    assert at_rest(pair)
    assert "on held-out strokes" in text(pair, "train_result")
    # More paint is learned, and what it changes is seen.
    qtbot.waitUntil(lambda: not pair.session.is_running("preview"), timeout=WAIT)
    before, learned = len(engine.previewed), len(engine.trained_on[1])
    stroke(pair.label.layer, (3, 10, 10), (3, 10, 30))
    qtbot.waitUntil(lambda: len(engine.trained_on[1]) > learned, timeout=WAIT)
    qtbot.waitUntil(lambda: len(engine.previewed) > before, timeout=WAIT)


def test_a_model_of_another_image_is_not_shown_on_this_one(pair, click, engine, qtbot):
    engine.seconds = 0.05
    click(pair, "train")
    qtbot.waitUntil(lambda: engine.trained_on is not None, timeout=WAIT)
    choose(pair, "two")
    engine.previewed.clear()
    qtbot.waitUntil(
        lambda: text(pair, "train_state") == f"one: {AT_REST}", timeout=WAIT
    )
    assert not engine.previewed
    assert "two - preview" not in pair.viewer.layers
    choose(pair, "one")
    assert at_rest(pair)
    qtbot.waitUntil(lambda: bool(engine.previewed), timeout=WAIT)


def test_scores_name_the_classes_that_were_learned(pair, click, stroke, engine, qtbot):
    first, second = pair.session.labels.classes
    learned = first.model_copy(update={"name": "resin"})
    pair.session.labels.set_classes((learned, second))
    engine.seconds = 0.05
    click(pair, "train")
    qtbot.waitUntil(lambda: engine.trained_on is not None, timeout=WAIT)
    choose(pair, "two")
    click(pair, "start_labelling")
    qtbot.waitUntil(lambda: bool(text(pair, "train_result")), timeout=WAIT)
    grid = pair.findChild(QWidget, "score_table").layout()
    named = [grid.itemAtPosition(row, 0).widget().text() for row in (1, 2)]
    assert named == ["resin", "foreground"]


def test_what_was_trained_on_another_image_is_not_said_of_this_one(pair, click, qtbot):
    click(pair, "train")
    qtbot.waitUntil(lambda: at_rest(pair), timeout=WAIT)
    click(pair, "stop_training")
    qtbot.waitUntil(lambda: not pair.session.is_running("train"), timeout=WAIT)
    qtbot.waitUntil(pair.train.train_button.isEnabled, timeout=WAIT)
    choose(pair, "two")
    for part in (pair.train.state, pair.train.plots, pair.train.result):
        assert part.isHidden()
    choose(pair, "one")
    for part in (pair.train.state, pair.train.plots, pair.train.result):
        assert not part.isHidden()
