"""Next place with the real engine: by a model, then by its finished prediction."""

import shutil

import numpy as np
import pytest
from gui_trained import SHAPE, VOXEL_SIZE, balls
from napari.layers import Image
from qtpy.QtWidgets import QLabel, QPushButton

from napari_sashiko import pipeline

pytestmark = pytest.mark.gui
WAIT = 120_000


class Watched:
    """The real engine; keeps what was asked for places."""

    def __init__(self):
        self.sources = []

    def __getattr__(self, name):
        return getattr(pipeline, name)

    def place_steps(self, source, *rest):
        self.sources.append(source)
        return pipeline.place_steps(source, *rest)


@pytest.fixture
def engine():
    return Watched()


def test_next_place_asks_the_model_or_reads_its_prediction(
    open_dock, trained_model, predicted, engine, click, qtbot
):
    image = Image(balls()[0], name="balls", scale=VOXEL_SIZE, units=("um",) * 3)
    dock = open_dock(image)
    session, places = dock.session, dock.label.places
    session.open_model(trained_model)
    click(dock, "start_labelling")
    target = session.place("predictions") / f"{trained_model.stem}.zarr"
    button = dock.findChild(QPushButton, "next_place")
    for source in (trained_model, target):
        click(dock, "next_place")
        qtbot.waitUntil(button.isEnabled, timeout=WAIT)
        assert dock.status.level != "error", dock.status.text()
        assert engine.sources[-1] == source
        assert places.found.complete
        assert dock.findChild(QLabel, "place").text().startswith("1 of ")
        shown = places.found.unsure[0].coords
        assert all(0 <= c < n for c, n in zip(shown, SHAPE, strict=True))
        assert dock.viewer.dims.current_step[0] == shown[0]
        shutil.copytree(predicted, target, dirs_exist_ok=True)
        session.volume_changed.emit()  # forgets what was found
    assert not np.asarray(session.labels.paint.store.array).any()
