"""Scores of the saved model: after Stop, too, and marked where paint is newer."""

import pytest
from qtpy.QtWidgets import QLabel

from napari_sashiko.errors import SashikoError
from napari_sashiko.gui.score_panel import OLDER
from napari_sashiko.gui.train_step import AT_REST

pytestmark = pytest.mark.gui
WAIT = 20_000
SCORES = "F1 0.90 ± 0.03, IoU 0.82 on held-out strokes"


@pytest.fixture
def painted(dock, click, stroke):
    click(dock, "start_labelling")
    layer = dock.label.layer
    layer.selected_label = 1
    stroke(layer, (2, 10, 10), (2, 10, 30))
    layer.selected_label = 2
    stroke(layer, (2, 30, 10), (2, 30, 30))
    return dock


def text(dock, name):
    return dock.findChild(QLabel, name).text()


def test_after_stop_the_scores_of_the_saved_model_are_shown(
    painted, click, engine, qtbot
):
    engine.seconds, engine.members = 0.02, 1000
    click(painted, "train")
    qtbot.waitUntil(lambda: painted.train.model is not None, timeout=WAIT)
    assert painted.train.result.isHidden()
    click(painted, "stop_training")
    qtbot.waitUntil(lambda: text(painted, "train_result") == SCORES, timeout=WAIT)
    assert not painted.train.result.isHidden()
    assert text(painted, "score_fairness") == "Judged on strokes far away."
    assert painted.train.result.line.isEnabled()


def test_stop_before_a_model_was_saved_shows_no_scores(painted, click, engine, qtbot):
    engine.seconds, engine.epochs = 0.02, 1000
    click(painted, "train")
    qtbot.waitUntil(lambda: engine.trained_on is not None, timeout=WAIT)
    click(painted, "stop_training")
    qtbot.waitUntil(
        lambda: "before a model was saved" in text(painted, "train_state"), timeout=WAIT
    )
    qtbot.wait(300)
    assert painted.train.result.isHidden()
    assert painted.status.level != "error"


def test_scores_that_cannot_be_read_are_told(painted, click, engine, qtbot):
    def broken(_path):
        raise SashikoError("The model is damaged.", "Train it again.")

    engine.seconds, engine.members, engine.model_scores = 0.02, 1000, broken
    click(painted, "train")
    qtbot.waitUntil(lambda: painted.train.model is not None, timeout=WAIT)
    click(painted, "stop_training")
    qtbot.waitUntil(lambda: "damaged" in painted.status.text(), timeout=WAIT)


def test_while_newer_paint_is_learned_scores_are_marked_as_older(
    painted, click, stroke, engine, qtbot
):
    click(painted, "train")
    qtbot.waitUntil(lambda: text(painted, "train_state") == AT_REST, timeout=WAIT)
    assert text(painted, "train_result") == SCORES
    engine.seconds = 0.1
    stroke(painted.label.layer, (3, 10, 10), (3, 10, 30))
    marked = f"{SCORES} ({OLDER})"
    qtbot.waitUntil(lambda: text(painted, "train_result") == marked, timeout=WAIT)
    assert not painted.train.result.line.isEnabled()
    assert painted.train.result.more.isEnabled()
    engine.seconds = 0.0
    qtbot.waitUntil(lambda: text(painted, "train_result") == SCORES, timeout=WAIT)
    assert painted.train.result.line.isEnabled()
