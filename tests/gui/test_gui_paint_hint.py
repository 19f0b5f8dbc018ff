"""What the paint lacks is found out beside the window, however much paint there is."""

import threading

import numpy as np
import pytest
from gui_stalls import StallMeter
from napari.layers import Image
from qtpy.QtWidgets import QLabel

from napari_sashiko.labels import LabelStore
from napari_sashiko.session import labelling

pytestmark = pytest.mark.gui
WAIT = 20_000
STALL = 100  # milliseconds that nobody minds
MUCH = (slice(0, 4), slice(0, 500), slice(0, 500))  # a million voxels


@pytest.fixture
def readers(monkeypatch):
    """Threads that read all paint."""
    found, read = [], LabelStore.labelled

    def labelled(store):
        found.append(threading.current_thread())
        return read(store)

    monkeypatch.setattr(LabelStore, "labelled", labelled)
    return found


@pytest.fixture
def large(open_dock, click):
    """A dock with a label layer on an image of four million voxels."""
    dock = open_dock(Image(np.zeros((8, 512, 1024), np.uint8), name="large"))
    click(dock, "start_labelling")
    return dock


def hint(dock):
    return dock.findChild(QLabel, "train_hint").text()


def two_strokes(layer, stroke, z=2):
    layer.selected_label = 1
    stroke(layer, (z, 10, 10), (z, 10, 30))
    layer.selected_label = 2
    stroke(layer, (z, 30, 10), (z, 30, 30))


def test_much_paint_does_not_stall_the_window(large, readers, stroke, qtbot):
    large.label.layer.data[MUCH] = 1
    large.label.layer.selected_label = 2
    qtbot.waitUntil(lambda: "Only background has paint" in hint(large), timeout=WAIT)
    qtbot.wait(500)
    readers.clear()
    with StallMeter() as meter:
        stroke(large.label.layer, (5, 10, 600), (5, 10, 640))
        qtbot.waitUntil(lambda: "one slice only" in hint(large), timeout=WAIT)
    assert readers
    assert threading.main_thread() not in readers
    assert max(meter.work) < STALL


def test_pressing_train_reads_the_paint_once_and_not_in_the_window(
    dock, readers, click, stroke, qtbot, monkeypatch
):
    looked, check = [], labelling.check_labels

    def counted(*what):
        looked.append(what)
        return check(*what)

    monkeypatch.setattr(labelling, "check_labels", counted)
    click(dock, "start_labelling")
    two_strokes(dock.label.layer, stroke)
    click(dock, "train")
    qtbot.waitUntil(lambda: "one slice only" in hint(dock), timeout=WAIT)
    qtbot.wait(1500)  # the hand rests, and nothing has changed
    assert len(looked) == 1
    assert threading.main_thread() not in readers


def test_the_newest_answer_wins(dock, click, stroke, qtbot, monkeypatch):
    check, may_answer, asked, said = labelling.check_labels, threading.Event(), [], []

    def slow(labelled, *rest):
        asked.append(len(labelled))
        assert may_answer.wait(60)
        return check(labelled, *rest)

    click(dock, "start_labelling")
    monkeypatch.setattr(labelling, "check_labels", slow)
    two_strokes(dock.label.layer, stroke)
    qtbot.waitUntil(lambda: len(asked) == 1, timeout=WAIT)
    two_strokes(dock.label.layer, stroke, z=4)
    qtbot.waitUntil(lambda: not dock.session.labels.paint.dirty, timeout=WAIT)
    qtbot.wait(1200)
    dock.train.hint.question.answered.connect(said.append)
    may_answer.set()
    qtbot.waitUntil(lambda: len(said) == 1, timeout=WAIT)
    assert len(asked) == 2
    assert said == [[]]
    assert hint(dock) == ""
