"""The dock with the real engine: strokes, a forest, the slice in view."""

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtWidgets import QApplication, QLabel

from napari_sashiko.gui import SashikoDock

pytestmark = pytest.mark.gui
WAIT = 120_000


def test_strokes_become_a_model_and_a_segmented_slice(
    make_napari_viewer, click, stroke, qtbot
):
    rng = np.random.default_rng(0)
    image = rng.normal(0, 0.1, (3, 64, 96)).astype(np.float32)
    image[..., 48:] += 1
    viewer = make_napari_viewer()
    viewer.add_layer(Image(image, name="halves"))
    dock = SashikoDock(viewer)
    viewer.window.add_dock_widget(dock, name="Sashiko")
    QApplication.processEvents()
    click(dock, "start_labelling")
    for z in (0, 2):
        for label_class, column in ((1, 20), (2, 70)):
            dock.label.layer.selected_label = label_class
            for row in (10, 50):
                stroke(dock.label.layer, (z, row, column), (z, row, column + 12))
    qtbot.waitUntil(lambda: "warm" not in dock.session.board.running(), timeout=WAIT)
    click(dock, "more_training")
    dock.train.form.set_values(members=0, device="cpu")
    click(dock, "train")
    result = dock.findChild(QLabel, "train_result")
    qtbot.waitUntil(
        lambda: result.text() != "" or dock.status.level == "error", timeout=WAIT
    )
    assert dock.status.level != "error", dock.status.text()
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: "halves - preview" in viewer.layers, timeout=WAIT)
    preview = viewer.layers["halves - preview"]
    # A new array each time: it must be asked for again.
    qtbot.waitUntil(lambda: bool(preview.data[1].all()), timeout=WAIT)
    expected = np.where(np.arange(96) < 48, 1, 2)
    assert (preview.data[1] == expected).mean() > 0.95
    assert dock.session.last_model.parent.parent.suffix == ".sashiko"
