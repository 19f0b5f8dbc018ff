"""The window answers while the engine trains and predicts.

Timings stand in no other test. Here the time that the main thread *computes* between
two beats of a timer is looked at, not the clock: it is the same on a busy machine.
"""

import time
from statistics import median

import numpy as np
import pytest
from gui_stalls import StallMeter
from napari.layers import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QLabel

from napari_sashiko.gui import SashikoDock

pytestmark = pytest.mark.gui
WAIT = 120_000
STALL = 100  # milliseconds that nobody minds
# napari takes 110 to 150 ms to add a layer. So layers are added before the cores are
# busy, one at a time; what a slot may take then is for the clicks that add them.
ADDING = 10 * STALL


@pytest.fixture
def painted(make_napari_viewer, click, stroke, qtbot):
    """A dock with the real engine, an image of 1.3 million voxels, and four strokes."""
    rng = np.random.default_rng(0)
    image = rng.normal(0, 0.1, (20, 256, 256)).astype(np.float32)
    image[..., 128:] += 1
    viewer = make_napari_viewer()
    viewer.add_layer(Image(image, name="halves"))
    dock = SashikoDock(viewer)
    viewer.window.add_dock_widget(dock, name="Sashiko")
    QApplication.processEvents()
    click(dock, "start_labelling")
    for z in (0, 10):
        for label_class, column in ((1, 20), (2, 170)):
            dock.label.layer.selected_label = label_class
            for row in (10, 150):
                stroke(dock.label.layer, (z, row, column), (z, row, column + 40))
    qtbot.waitUntil(lambda: "warm" not in dock.session.board.running(), timeout=WAIT)
    click(dock, "more_training")
    dock.train.form.set_values(members=1, epochs=3, minutes=None, device="cpu")
    yield dock
    dock.session.shutdown()


def test_no_slot_stalls_the_window_while_training_and_predicting(
    painted, click, qtbot, record_property
):
    result = painted.findChild(QLabel, "train_result")
    with StallMeter() as starting:
        click(painted, "train")
        qtbot.waitUntil(lambda: painted.session.is_running("train"), timeout=WAIT)
    with StallMeter() as training:
        qtbot.waitUntil(
            lambda: result.text() != "" or painted.status.level == "error", timeout=WAIT
        )
    assert painted.status.level != "error", painted.status.text()
    qtbot.waitUntil(lambda: painted.segment.cost.estimate is not None, timeout=WAIT)
    with StallMeter() as opening:
        click(painted, "segment_volume")
        with qtbot.waitSignal(painted.segment.results.all_there, timeout=WAIT):
            pass
    with StallMeter() as predicting:
        qtbot.waitUntil(lambda: ended(painted), timeout=WAIT)
    # Read by benchmarks/speed/stalls.py.
    meters = {
        "starting": starting,
        "training": training,
        "opening": opening,
        "predicting": predicting,
    }
    for name, meter in meters.items():
        record_property(f"{name} longest", max(meter.gaps))
        record_property(f"{name} words", meter.words())
    for meter in (training, predicting):
        assert len(meter.gaps) > 10
        assert median(meter.gaps) < STALL
        assert not [round(work) for work in meter.work if work > STALL]
    for meter in (starting, opening):
        assert max(meter.work) < ADDING


def test_the_meter_notices_a_slot_that_works_too_long(qtbot):
    def slow():
        end = time.thread_time() + 1.2 * STALL / 1000
        while time.thread_time() < end:
            pass

    with StallMeter() as meter:
        QTimer.singleShot(50, slow)
        qtbot.wait(2000)
    assert max(meter.work) > STALL


def ended(dock):
    job = dock.session.job("predict")
    return job is not None and job.status.ended and dock.segment.form.working.isHidden()
