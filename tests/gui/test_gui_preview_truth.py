"""The preview says what it is made of, and shows no slice of an older model for new."""

import threading
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel

from napari_sashiko.gui import preview_layer
from napari_sashiko.gui.preview_words import describe_preview, describe_voices
from napari_sashiko.gui.train_step import AT_REST

pytestmark = pytest.mark.gui
WAIT = 20_000


@pytest.fixture
def rested(dock, click, stroke, qtbot):
    """A dock whose training is on and has learned two strokes."""
    click(dock, "start_labelling")
    layer = dock.label.layer
    layer.selected_label = 1
    stroke(layer, (2, 10, 10), (2, 10, 30))
    layer.selected_label = 2
    stroke(layer, (2, 30, 10), (2, 30, 30))
    click(dock, "train")
    qtbot.waitUntil(lambda: at_rest(dock), timeout=WAIT)
    return dock


class Gate:
    """Holds previews back; all that they show is the class `knows`."""

    def __init__(self, engine):
        self.knows, self.held = 1, 0
        self.open, self.one = threading.Event(), threading.Semaphore(0)
        self.open.set()
        self._preview, engine.preview = engine.preview, self.preview

    def preview(self, model, volume, region):
        found = self._preview(model, volume, region)
        found.classes = np.full_like(found.classes, self.knows)
        if not self.open.is_set():
            self.held += 1
            assert self.one.acquire(timeout=60)
            self.held -= 1
        return found


def text(dock, name):
    return dock.findChild(QLabel, name).text()


def at_rest(dock):
    return text(dock, "train_state") == AT_REST


def test_an_answer_of_an_older_model_does_not_count_as_seen(
    rested, stroke, engine, qtbot
):
    gate, viewer = Gate(engine), rested.viewer
    preview = viewer.layers["blobs - preview"]
    qtbot.waitUntil(lambda: not rested.session.is_running("preview"), timeout=WAIT)
    gate.open.clear()
    viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(lambda: gate.held == 1, timeout=WAIT)
    gate.knows = 2
    learned = len(engine.trained_on[1])
    stroke(rested.label.layer, (3, 10, 10), (3, 10, 30))
    qtbot.waitUntil(lambda: len(engine.trained_on[1]) > learned, timeout=WAIT)
    qtbot.waitUntil(lambda: at_rest(rested), timeout=WAIT)
    with qtbot.waitSignal(rested.train.preview.changed, timeout=WAIT):
        gate.one.release()  # the answer of the older model
    assert (preview.data[4] == 1).all()
    viewer.dims.set_current_step(0, 1)  # before that of the newer one
    qtbot.waitUntil(lambda: rested.session.previews._pending is not None, timeout=WAIT)
    gate.open.set()
    gate.one.release(9)
    qtbot.waitUntil(lambda: bool((preview.data[1] == 2).all()), timeout=WAIT)
    viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(lambda: bool((preview.data[4] == 2).all()), timeout=WAIT)


def test_the_text_tells_of_the_model_that_is_shown(rested, engine, qtbot):
    gate = Gate(engine)
    qtbot.waitUntil(lambda: not rested.session.is_running("preview"), timeout=WAIT)
    gate.open.clear()
    rested.train.preview.use(rested.train.model, "older")
    qtbot.waitUntil(lambda: gate.held == 1, timeout=WAIT)
    (rested.train.model / "model.json").write_text("5")
    rested.train.preview.use(rested.train.model, "newer")
    with qtbot.waitSignal(rested.train.preview.changed, timeout=WAIT):
        gate.one.release()
    assert text(rested, "preview_source").endswith("forest and 1 network (older)")
    gate.open.set()
    gate.one.release(9)
    qtbot.waitUntil(
        lambda: text(rested, "preview_source").endswith("and 4 networks (newer)"),
        timeout=WAIT,
    )


def test_at_rest_it_is_said_what_the_preview_is_made_of(rested, qtbot):
    qtbot.waitUntil(
        lambda: "forest and 1 network" in text(rested, "preview_source"), timeout=WAIT
    )
    assert at_rest(rested)


def test_a_forest_is_told_from_networks():
    said = {
        ("forest",): "forest alone",
        ("network",): "1 network",
        ("forest", "network"): "forest and 1 network",
        ("forest", *["network"] * 4): "forest and 4 networks",
    }
    assert {voices: describe_voices(voices) for voices in said} == said


def test_a_view_that_is_larger_than_what_is_segmented_is_told(
    rested, qtbot, monkeypatch
):
    assert "middle" not in text(rested, "preview_source")
    monkeypatch.setattr(preview_layer, "LONGEST_SIDE", 16)
    rested.viewer.dims.set_current_step(0, 5)
    preview = rested.viewer.layers["blobs - preview"]
    qtbot.waitUntil(lambda: bool(np.any(preview.data[5])), timeout=WAIT)
    assert np.count_nonzero(preview.data[5]) == 16 * 16
    qtbot.waitUntil(
        lambda: "Only the middle 16 × 16 voxels" in text(rested, "preview_source"),
        timeout=WAIT,
    )
    monkeypatch.setattr(preview_layer, "LONGEST_SIDE", 64)
    rested.viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(
        lambda: "middle" not in text(rested, "preview_source"), timeout=WAIT
    )


def test_networks_that_are_not_heard_are_not_told_of():
    model = Path("m.sashiko-model")
    alone = describe_preview(model, ("forest",), "networks so far")
    assert alone.endswith("forest alone")
    both = describe_preview(model, ("forest", "network"), "networks so far")
    assert both.endswith("forest and 1 network (networks so far)")
