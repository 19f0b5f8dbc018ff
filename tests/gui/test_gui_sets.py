"""Prediction sets by the real button: a layer of sizes, and what was reached."""

import json
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest
import zarr
from gui_trained import VOXEL_SIZE, SlowEngine, balls
from napari.layers import Image
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton

from napari_sashiko import pipeline
from napari_sashiko.gui.sets_row import describe_sets, size_colours
from napari_sashiko.pipeline import SetsDone

LONG = 120_000


class SetsSlowly(SlowEngine):
    """Rests after each event of making sets, so that there is time to press Cancel."""

    def set_steps(self, *arguments):
        """Make sets, with rests."""
        steps = pipeline.set_steps(*arguments)
        try:
            for event in steps:
                yield event
                time.sleep(self.rest)
        finally:
            steps.close()


@pytest.fixture
def engine():
    return SetsSlowly()


@pytest.fixture(scope="module")
def calibrated(trained_model, tmp_path_factory):
    """A prediction whose model has held out twelve strokes."""
    from gui_trained import predict_balls  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("calibrated")
    model = folder / trained_model.name
    shutil.copytree(trained_model, model)
    card = model / "model.json"
    record = json.loads(card.read_text())
    record["sets"] = {
        "strokes": 12,
        "voxels": 500,
        "coverages": [0.5, 0.8, 0.9, 0.95],
        "least": [0.7, 0.5, 0.2, 0.0],
        "reached": [0.55, 0.83, 0.91, 1.0],
    }
    card.write_text(json.dumps(record))
    return predict_balls(model, folder)


@pytest.fixture
def dock(open_dock, calibrated):
    """A dock that knows the prediction."""
    scale = {"scale": VOXEL_SIZE, "units": ("um",) * 3}
    found = open_dock(Image(balls()[0], name="balls", **scale))
    found.instances.use(calibrated)
    return found


def button(dock):
    return dock.findChild(QPushButton, "prediction_sets")


def said(dock):
    return dock.findChild(QLabel, "prediction_sets_state").text()


def test_sets_are_shown_as_a_layer_and_in_words(dock, click, calibrated, qtbot):
    coverage = dock.findChild(QComboBox, "coverage")
    offered = [coverage.itemText(i) for i in range(coverage.count())]
    assert offered == ["50 %", "80 %", "90 %"]  # 95 % takes 19 strokes
    assert coverage.currentText() == "90 %"
    click(dock, "prediction_sets")
    qtbot.waitUntil(lambda: bool(said(dock)), timeout=LONG)
    assert "91 % of such sets hold the true class (90 % were asked for)" in said(dock)
    layer = dock.viewer.layers["balls - set sizes"]
    mean = np.asarray(zarr.open_array(str(calibrated / "mean" / "0"), mode="r"))
    np.testing.assert_array_equal(
        np.asarray(layer.data), (mean >= np.float16(0.2)).sum(axis=0)
    )
    assert np.allclose(layer.scale, VOXEL_SIZE)
    assert not layer.editable
    box = dock.segment.form.switch.boxes["sets"]
    assert box.isChecked()
    box.setChecked(False)
    assert not layer.visible


def test_another_coverage_replaces_the_layer(dock, click, qtbot):
    for text in ("90 %", "50 %"):
        dock.findChild(QComboBox, "coverage").setCurrentText(text)
        # The words come before the job has ended.
        qtbot.waitUntil(button(dock).isEnabled, timeout=LONG)
        click(dock, "prediction_sets")
        qtbot.waitUntil(lambda: bool(said(dock)), timeout=LONG)
    layers = [each for each in dock.viewer.layers if "set sizes" in each.name]
    assert len(layers) == 1
    assert "50 % were asked for" in said(dock)


def test_words_go_when_the_volume_is_segmented_anew(dock, click, calibrated, qtbot):
    click(dock, "prediction_sets")
    qtbot.waitUntil(lambda: bool(said(dock)), timeout=LONG)
    begun = replace(pipeline.open_prediction(calibrated), done=0)
    dock.segment.sets.use(begun)
    assert said(dock) == ""


def test_cancel_leaves_nothing_behind(dock, click, engine, qtbot):
    engine.rest = 0.3
    click(dock, "prediction_sets")
    click(dock, "cancel_prediction_sets")
    qtbot.waitUntil(lambda: "Stopped" in said(dock), timeout=LONG)
    assert not list((dock.session.folder / "sets").iterdir())
    assert "balls - set sizes" not in dock.viewer.layers


def test_without_strokes_enough_it_cannot_be_pressed(open_dock, predicted, qtbot):
    dock = open_dock(Image(balls()[0], name="balls"))
    found = pipeline.open_prediction(predicted)
    dock.segment.sets.use(None)
    button = dock.findChild(QPushButton, "prediction_sets")
    assert button.isHidden()
    dock.segment.sets.use(found)
    assert not button.isHidden()
    able = bool(found.coverages)
    assert button.isEnabled() == able
    assert ("too few held-out strokes" in button.toolTip()) != able


@pytest.mark.parametrize(
    ("voxels", "reached", "text"),
    [
        (
            (0, 90, 10),
            None,
            "90.0 % of voxels may have one class only, 10.0 % several.",
        ),
        ((10, 70, 15, 5), 0.874, "10.0 % look like none"),
    ],
)
def test_sets_in_words(voxels, reached, text):
    event = SetsDone("s.zarr", 0.9, 0.2, voxels, 1.0, reached)
    words = describe_sets(event)
    assert text in words
    assert ("87 % of such sets" in words) == (reached is not None)


def test_only_voxels_of_one_class_are_transparent():
    colours = size_colours(3)
    shown = colours.map(np.arange(4))[:, 3] > 0
    assert shown.tolist() == [True, False, True, True]
