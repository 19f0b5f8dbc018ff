"""What can be done with a segmentation: scores by the real button, files for others."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gui_trained import VOXEL_SIZE, balls
from napari.layers import Image, Labels
from qtpy.QtWidgets import QFileDialog

from napari_sashiko import pipeline
from napari_sashiko.gui.export_row import _with_ending

LONG = 120_000


@pytest.fixture
def engine():
    return pipeline


@pytest.fixture
def dock(open_dock, predicted):
    """A dock that knows the prediction, and a layer with the truth."""
    image, truth = balls()
    scale = {"scale": VOXEL_SIZE, "units": ("um",) * 3}
    found = open_dock(
        Image(image, name="balls", **scale),
        Labels(np.where(truth, 2, 1), name="truth", **scale),
    )
    found.instances.use(predicted)
    return found


def rows(dock):
    return dock.segment.rows


def test_nothing_is_offered_before_there_is_a_result(open_dock):
    dock = open_dock(Image(balls()[0], name="balls"))
    assert not rows(dock).scoring.button.isVisible()
    assert not rows(dock).exporting.button.isVisible()


def test_a_segmentation_is_scored_against_a_layer(dock, click, qtbot, predicted):
    scoring = rows(dock).scoring
    assert scoring.truths.currentText() == "truth"
    click(dock, "evaluate")
    qtbot.waitUntil(lambda: "accuracy" in scoring.state.text(), timeout=LONG)
    scores = pipeline.evaluate(predicted, np.where(balls()[1], 2, 1))
    for each in scores.classes:
        assert each.name in scoring.state.text()
        assert f"{each.f1:.3f}" in scoring.state.text()
    for mean in (scores.macro, scores.micro):
        assert f"{mean.dice:.3f}" in scoring.state.text()
    assert "micro mean" in scoring.state.text()
    assert f"accuracy {scores.accuracy:.3f}" in scoring.state.text()


def test_a_segmentation_is_scored_against_a_file(
    dock, click, qtbot, tmp_path, monkeypatch
):
    truth = np.zeros(balls()[1].shape, np.uint8)
    truth[:3] = 1 + balls()[1][:3]
    np.save(tmp_path / "truth.npy", truth)
    chosen = (str(tmp_path / "truth.npy"), "")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: chosen)
    scoring = rows(dock).scoring
    scoring.truths.setCurrentIndex(scoring.truths.count() - 1)
    click(dock, "evaluate")
    count = f"{int((truth > 0).sum())} voxels"
    qtbot.waitUntil(lambda: count in scoring.state.text(), timeout=LONG)
    assert scoring.truths.currentText() == "truth.npy"


def test_a_truth_that_does_not_fit_is_told(dock, click, qtbot):
    dock.viewer.add_labels(np.ones((3, 4, 5), np.uint8), name="other")
    scoring = rows(dock).scoring
    scoring.truths.setCurrentIndex(scoring.truths.findText("other"))
    click(dock, "evaluate")
    qtbot.waitUntil(lambda: "shape" in dock.status.text(), timeout=LONG)
    assert not scoring.state.text()


def test_all_of_a_segmentation_can_be_exported(dock, qtbot, tmp_path, predicted):
    exporting = rows(dock).exporting
    offers = {each.what: each for each in exporting.offers()}
    assert {"Classes", "Probability of ball", "Deviation of ball"} < set(offers)
    for what, name in (("Classes", "c.tif"), ("Probability of ball", "b.mrc")):
        exporting.write(offers[what], tmp_path / name)
        qtbot.waitUntil(lambda n=name: n in exporting.state.text(), timeout=LONG)
    classes = tifffile.imread(tmp_path / "c.tif")
    found = pipeline.open_prediction(predicted)
    np.testing.assert_array_equal(classes, found.class_ids[...])
    assert (tmp_path / "b.mrc").stat().st_size > found.class_ids.size


def test_who_made_a_model_is_said_in_the_export(
    dock, click, qtbot, tmp_path, monkeypatch
):
    exporting, given = rows(dock).exporting, []
    click(dock, "more_exporting")
    assert exporting.about.isVisibleTo(exporting)
    assert exporting.about.values() == {"authors": (), "license": None}
    exporting.about.set_values(authors=["Ada Lovelace", "Bob"], license="CC-BY-4.0")

    def steps(_source, _out, settings):
        given.append(settings)
        yield from ()

    monkeypatch.setattr(pipeline, "export_steps", steps)
    offer = pipeline.exportables(rows(dock).written()[0])[0]
    exporting.write(offer, tmp_path / "m.zip")
    qtbot.waitUntil(lambda: bool(given), timeout=LONG)
    (settings,) = given
    assert settings.authors == ("Ada Lovelace", "Bob")
    assert settings.license == "CC-BY-4.0"
    click(dock, "more_exporting")
    assert exporting.about.isHidden()


def test_the_menu_leads_to_the_file(dock, click, qtbot, tmp_path, monkeypatch):
    exporting, asked = rows(dock).exporting, []

    def choose(_parent, title, place, kinds):
        asked.append((title, Path(place).suffix, kinds))
        return str(tmp_path / "mine"), kinds.split(";;")[-1]

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    click(dock, "export")
    (action,) = (a for a in exporting.menu.actions() if a.text() == "Classes...")
    exporting.menu.hide()
    action.trigger()
    qtbot.waitUntil(lambda: "mine.mrc" in exporting.state.text(), timeout=LONG)
    ((title, suffix, kinds),) = asked
    assert title == "Export: Classes"
    assert suffix == ".tif"
    assert kinds.startswith("TIFF (*.tif *.tiff);;MRC")
    assert (tmp_path / "mine.mrc").is_file()


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("a.mrc", "TIFF (*.tif)", "a.mrc"),
        ("a", "MRC (*.mrc)", "a.mrc"),
        ("balls 1.5", "TIFF (*.tif)", "balls 1.5.tif"),
        ("a.zip", "", "a.zip.tif"),
    ],
)
def test_a_file_gets_the_ending_of_its_format(name, kind, expected):
    found = _with_ending(Path(name), (".tif", ".tiff", ".mrc"), kind)
    assert found.name == expected
