"""The restoring dock: learn, see the better image, use what was learned again."""

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels
from qtpy.QtWidgets import QFileDialog

from napari_sashiko import pipeline
from napari_sashiko.gui.restore_dock import RestoreDock
from napari_sashiko.gui.result_layers import is_source
from napari_sashiko.gui.score_row import EVERYWHERE
from napari_sashiko.gui.settings_form import PartForm

SHAPE = (5, 40, 44)
QUICK = {"epochs": 2, "minutes": None, "members": 1, "patch": 16, "device": "cpu"}
LONG = 60_000  # milliseconds


def noisy(seed=1):
    rng = np.random.default_rng(seed)
    grey = np.zeros(SHAPE, np.float32)
    grey[:, 10:30, 12:34] = 100
    return grey + rng.normal(0, 20, SHAPE).astype(np.float32)


@pytest.fixture
def dock(make_napari_viewer, tmp_path, monkeypatch, qtbot):
    """The dock beside an image, in a window."""
    monkeypatch.setenv("SASHIKO_HOME", str(tmp_path / "home"))
    viewer = make_napari_viewer()
    viewer.add_layer(Image(noisy(), name="grains"))
    dock = RestoreDock(viewer)
    viewer.window.add_dock_widget(dock, name="Sashiko restore")
    dock.show_more(on=True)
    quicken(dock)
    yield dock
    dock.shutdown()


def quicken(dock):
    dock.ensure_settings()
    dock.form.settings.set_values(**QUICK)


def finish(dock, qtbot):
    def done():
        assert "Done" in dock.form.state.text(), dock.form.status.text()

    qtbot.waitUntil(done, timeout=LONG)


def layer(dock, name):
    return dock.viewer.layers[f"grains - {name}"]


def inside(layer):
    return np.asarray(layer.data[2])[12:28, 14:32]


def test_an_image_becomes_a_clearer_layer(dock, click, qtbot):
    click(dock, "restore")
    assert dock.form.stop_button.isEnabled()
    finish(dock, qtbot)
    found = layer(dock, "restored")
    assert inside(found).std() < 0.7 * inside(dock.viewer.layers["grains"]).std()
    assert tuple(found.contrast_limits) == tuple(
        dock.viewer.layers["grains"].contrast_limits
    )
    assert not layer(dock, "doubt").visible
    assert dock.form.loss.lines
    assert not dock.form.stop_button.isVisible()


def test_a_kind_of_network_is_chosen_with_its_settings(dock, click, qtbot):
    settings = dock.form.settings
    network = settings.findChild(PartForm, "network_settings")
    assert not network.isVisibleTo(dock.form.more_area)
    settings.set_values(network="tunet")
    assert "growth_rate" in network.form.read()
    settings.set_values(network="vae")
    assert network.isVisibleTo(dock.form.more_area)
    assert network.values() == {}
    few = {"edge": 16, "latent": 4, "depth": 2, "base_channels": 8}
    network.form.set_values(**few)
    assert network.values() == few
    click(dock, "restore")
    finish(dock, qtbot)
    found = layer(dock, "restored")
    assert inside(found).std() < 0.7 * inside(dock.viewer.layers["grains"]).std()
    card = dock.session.engine.load_card(dock.form.models.itemData(1))
    spec = card.members[0].spec
    assert spec["name"] == "vae"
    assert {name: spec["settings"][name] for name in few} == few
    settings.set_values(network="auto")
    assert network.values() == {}
    assert not network.isVisibleTo(dock.form.more_area)


def test_a_restored_image_is_scored_and_exported(dock, click, qtbot, tmp_path):
    clean = np.zeros(SHAPE, np.float32)
    clean[:, 10:30, 12:34] = 100
    assert not dock.scoring.button.isVisible()
    click(dock, "restore")
    finish(dock, qtbot)
    dock.viewer.add_layer(Image(clean, name="clean"))
    truths = dock.scoring.truths
    truths.setCurrentIndex(truths.findText("clean"))
    click(dock, "evaluate")
    qtbot.waitUntil(lambda: "PSNR" in dock.scoring.state.text(), timeout=LONG)
    found = layer(dock, "restored").metadata["napari_sashiko"]["path"]
    errors = pipeline.evaluate_image(found, clean).errors
    assert f"PSNR {errors.psnr:.2f} dB" in dock.scoring.state.text()
    assert dock.scoring.against.isVisibleTo(dock.scoring)
    score_where_a_mask_says(dock, click, qtbot, found, clean)
    offers = {each.what: each for each in dock.exporting.offers()}
    assert {"Restored image", "Deviation of the restored image"} < set(offers)
    dock.exporting.write(offers["Restored image"], tmp_path / "r.tif")
    qtbot.waitUntil(lambda: "r.tif" in dock.exporting.state.text(), timeout=LONG)
    np.testing.assert_array_equal(
        tifffile.imread(tmp_path / "r.tif"), np.asarray(layer(dock, "restored").data)
    )


def score_where_a_mask_says(dock, click, qtbot, found, clean):
    """Labels choose where, one that does not fit is a sentence, and one is empty."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:3, 12:30, 14:40] = 3
    masks = dock.scoring.masks
    assert masks.currentText() == EVERYWHERE
    for name, data in (
        ("somewhere", mask),
        ("nowhere", np.zeros(SHAPE, np.uint8)),
        ("elsewhere", mask[:, 1:]),
    ):
        dock.viewer.add_layer(Labels(data, name=name))
    assert masks.currentText() == EVERYWHERE

    def evaluate(name):
        masks.setCurrentIndex(masks.findText(name))
        click(dock, "evaluate")
        qtbot.waitUntil(lambda: not dock.session.is_running("score"), timeout=LONG)

    evaluate("somewhere")
    errors = pipeline.evaluate_image(found, clean, only=mask).errors
    said = dock.scoring.state
    qtbot.waitUntil(lambda: f"{errors.voxels} voxels" in said.text(), timeout=LONG)
    assert errors.voxels == np.count_nonzero(mask)
    assert f"PSNR {errors.psnr:.2f} dB" in said.text()
    evaluate("nowhere")
    qtbot.waitUntil(lambda: "Nothing was scored" in said.text(), timeout=LONG)
    evaluate("elsewhere")
    status = dock.form.status
    qtbot.waitUntil(lambda: "'elsewhere' has shape" in status.text(), timeout=LONG)
    assert not said.text()
    dock.viewer.layers.remove("elsewhere")
    assert masks.currentText() == EVERYWHERE


def test_a_mask_may_be_a_file(dock, qtbot, tmp_path, monkeypatch):
    file = str(tmp_path / "mask.npy")
    answers = [(file, ""), ("", "")]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_given: answers.pop(0))
    masks = dock.scoring.masks
    for expected in ("mask.npy", EVERYWHERE):
        last = masks.count() - 1
        masks.setCurrentIndex(last)
        masks.activated.emit(last)
        assert masks.currentText() == expected
    assert masks.findText("mask.npy") > 0


def test_what_was_learned_is_used_again(dock, click, qtbot):
    click(dock, "restore")
    finish(dock, qtbot)
    assert dock.form.models.count() == 2
    dock.form.models.setCurrentIndex(1)
    assert not dock.form.tasks.isVisible()
    dock.viewer.layers["grains"].data = noisy(seed=2)
    said = []
    dock.session.event.connect(lambda _kind, event: said.append(type(event).__name__))
    dock.form.say("")
    click(dock, "restore")
    finish(dock, qtbot)
    assert "PredictionDone" in said
    assert "EpochDone" not in said


def test_the_task_shows_what_it_needs(dock):
    rows, form = dock.form.rows, dock.form
    seen = {}
    for index in range(form.tasks.count()):
        form.tasks.setCurrentIndex(index)
        seen[form.task] = tuple(
            rows.isRowVisible(each) for each in (form.clean_row, form.missing)
        )
    assert seen == {
        "blind": (False, False),
        "paired": (True, False),
        "gaps": (False, True),
    }


def test_gaps_are_filled(dock, click, qtbot):
    image = noisy()
    image[:, 18:20] = -1000
    dock.viewer.layers["grains"].data = image
    dock.form.tasks.setCurrentIndex(dock.form.tasks.findData("gaps"))
    dock.form.missing.setText("-1000")
    click(dock, "restore")
    finish(dock, qtbot)
    found = np.asarray(layer(dock, "restored").data[2])
    assert (found[18:20] > -100).all()
    known = image[2] != -1000
    assert np.array_equal(found[known], image[2][known])


@pytest.mark.parametrize(
    ("task", "missing", "why"),
    [
        ("paired", "", "is the image itself"),
        ("gaps", "black", "'black' is no grey value"),
    ],
)
def test_what_cannot_be_done_is_said(dock, click, task, missing, why):
    dock.form.tasks.setCurrentIndex(dock.form.tasks.findData(task))
    dock.form.missing.setText(missing)
    click(dock, "restore")
    assert why in dock.form.status.text()
    assert dock.form.start_button.isEnabled()


def test_a_failure_is_a_sentence(dock, click, qtbot):
    """An image without gaps."""
    dock.form.tasks.setCurrentIndex(dock.form.tasks.findData("gaps"))
    click(dock, "restore")
    qtbot.waitUntil(lambda: "No gaps" in dock.form.status.text(), timeout=LONG)
    assert dock.form.start_button.isEnabled()


def test_stop_keeps_what_was_learned(dock, click, qtbot):
    dock.form.settings.set_values(epochs=10_000)
    click(dock, "restore")
    qtbot.waitUntil(lambda: bool(dock.form.loss.lines), timeout=LONG)
    click(dock, "stop_restoring")
    qtbot.waitUntil(lambda: "Stopped" in dock.form.state.text(), timeout=LONG)
    assert dock.form.models.count() == 2


def test_resume_makes_the_image_with_what_was_learned(dock, click, qtbot):
    dock.form.settings.set_values(epochs=10_000)
    click(dock, "restore")
    qtbot.waitUntil(lambda: bool(dock.form.loss.lines), timeout=LONG)
    click(dock, "stop_restoring")
    qtbot.waitUntil(lambda: not dock.form.resume_button.isHidden(), timeout=LONG)
    click(dock, "resume_restoring")
    finish(dock, qtbot)
    assert "grains - restored" in dock.viewer.layers
    assert dock.form.resume_button.isHidden()
    assert dock.form.models.count() == 2


def test_a_folder_that_is_no_model_is_said(dock, tmp_path):
    dock.add_model(tmp_path)
    assert "model" in dock.form.status.text()
    assert dock.form.models.count() == 1


def test_closing_in_the_middle_ends_the_work(dock, click, qtbot):
    dock.form.settings.set_values(epochs=10_000)
    click(dock, "restore")
    qtbot.waitUntil(lambda: bool(dock.form.loss.lines), timeout=LONG)
    job = dock.session.job("restore")
    dock.shutdown()
    assert job.status.ended


def test_a_restored_image_can_be_worked_on(dock, click, qtbot):
    click(dock, "restore")
    finish(dock, qtbot)
    assert is_source(layer(dock, "restored"))
    assert not is_source(layer(dock, "doubt"))
    names = [dock.form.images.itemText(i) for i in range(dock.form.images.count())]
    assert names == ["grains", "grains - restored"]


def test_a_result_is_opened_from_its_folder(dock, click, qtbot):
    click(dock, "restore")
    finish(dock, qtbot)
    path = layer(dock, "restored").metadata["napari_sashiko"]["path"]
    before = set(dock.viewer.layers)
    dock.viewer.open(path, plugin="napari-sashiko")
    new = [each for each in dock.viewer.layers if each not in before]
    assert [each.name.split(" - ")[-1] for each in new] == ["restored", "doubt"]
    assert np.array_equal(
        np.asarray(new[0].data[2]), np.asarray(layer(dock, "restored").data[2])
    )
