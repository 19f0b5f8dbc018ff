"""The dock for folders of pictures: look, train, segment, score, show."""

import re
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QFileDialog

from napari_sashiko import pipeline
from napari_sashiko.gui.pictures_dock import ALL, PicturesDock
from napari_sashiko.session import PictureFolder

QUICK = {
    "network": "smsnet",
    "members": 1,
    "forest": False,
    "teacher": 0.0,
    "epochs": 1,
    "minutes": None,
    "patch": 16,
    "batch": 2,
    "device": "cpu",
}
RESTORING = {"epochs": 1, "minutes": None, "members": 1, "patch": 16, "device": "cpu"}
SIZES = {
    "train": ((40, 44),) * 3,
    "validate": ((40, 44),),
    "test": ((36, 40), (40, 52)),
}
LONG = 120_000  # milliseconds


def picture(rng, size):
    """A bright square on a dark ground, and its labels 0 and 255."""
    labels = np.zeros(size, np.uint8)
    y, x = rng.integers(4, 16, 2)
    labels[y : y + 14, x : x + 14] = 255
    grey = rng.normal(60, 8, size) + (labels > 0) * 120
    return grey.clip(0, 255).astype(np.uint8), labels


@pytest.fixture
def folder(tmp_path):
    """``train``, ``validate`` and ``test`` of a few pictures, one of them damaged."""
    rng = np.random.default_rng(0)
    root = tmp_path / "squares"
    for part, sizes in SIZES.items():
        for number, size in enumerate(sizes):
            for kind, pixels in zip(
                ("images", "labels"), picture(rng, size), strict=True
            ):
                place = root / part / kind
                place.mkdir(parents=True, exist_ok=True)
                iio.imwrite(place / f"{part}{number}.png", pixels)
    (root / "test" / "images" / "bad.png").write_bytes(b"no picture")
    return root


@pytest.fixture
def dock(make_napari_viewer, tmp_path, monkeypatch):
    """The dock in an empty window."""
    monkeypatch.setenv("SASHIKO_HOME", str(tmp_path / "home"))
    viewer = make_napari_viewer()
    dock = PicturesDock(viewer)
    viewer.window.add_dock_widget(dock, name="Sashiko pictures")
    dock.ensure_settings().set_values(**QUICK)
    yield dock
    dock.shutdown()


def choose(dock, folder, qtbot, unlabelled="none"):
    dock.form.unlabelled.setCurrentText(unlabelled)
    dock.form.folder.show_path(folder)
    qtbot.waitUntil(lambda: dock.found is not None, timeout=LONG)


def wait(dock, qtbot, words):
    def said():
        assert words in dock.form.state.text(), dock.form.status.text()
        assert not dock.session.is_running("pictures")

    qtbot.waitUntil(said, timeout=LONG)


def test_augmented_patches_of_a_picture_are_shown(dock, folder, qtbot, click):
    choose(dock, folder, qtbot)
    dock.form.more.setChecked(True)
    click(dock, "show_augmented")
    qtbot.waitUntil(lambda: "squares - augmented" in dock.viewer.layers, timeout=LONG)
    page = dock.viewer.layers["squares - augmented"].data
    first = page[:16, :16]  # the patch as it is
    middle = iio.imread(folder / "train" / "images" / "train1.png")
    # The normalisation cuts off what is rare.
    np.testing.assert_allclose(first, middle[12:28, 14:30], atol=8)


def test_settings_of_network_and_loss_go_into_the_training(dock, folder, qtbot, click):
    choose(dock, folder, qtbot)
    given = {"depth": 4, "dilations": (1, 2)}
    dock.form.settings.set_values(network_settings=given, loss="focal")
    dock.form.settings.set_values(loss_settings={"gamma": 1.25})
    click(dock, "train_pictures")
    wait(dock, qtbot, "Trained")
    card = dock.session.engine.load_card(dock.model)
    assert card.training["settings"]["loss_settings"] == {"gamma": 1.25}
    spec = card.members[0].spec["settings"]
    assert (spec["depth"], list(spec["dilations"])) == (4, [1, 2])


def test_what_is_in_a_folder_is_said(dock, folder, qtbot):
    (folder / "train" / "images" / "train0.png").write_bytes(b"no picture")
    choose(dock, folder, qtbot)
    words = dock.form.found.text()
    assert "3 to learn from, 1 to judge by, 3 to test" in words
    assert "2 classes: grey 0 (0)" in words
    assert "train0.png is left out" in words
    assert dock.form.target.path == folder / "test"
    dock.form.names.setText("ground, square")
    dock.form.names.editingFinished.emit()
    qtbot.waitUntil(lambda: "square (255)" in dock.form.found.text(), timeout=LONG)


def test_why_nothing_can_be_learned_is_said(dock, folder, click, qtbot):
    choose(dock, folder, qtbot, unlabelled="0")
    assert "Only one class is labelled" in dock.form.found.text()
    click(dock, "train_pictures")
    assert "Only one class is labelled" in dock.form.status.text()


def test_no_folder_is_a_sentence(dock, tmp_path, qtbot):
    dock.form.folder.show_path(tmp_path / "nowhere")
    qtbot.waitUntil(lambda: "cannot be read" in dock.form.found.text(), timeout=LONG)
    assert not dock.form.apply_button.isEnabled()


def test_a_folder_is_learned_segmented_scored_and_shown(dock, folder, click, qtbot):
    choose(dock, folder, qtbot)
    assert not dock.form.apply_button.isEnabled()
    click(dock, "train_pictures")
    assert dock.form.stop_button.isEnabled()
    wait(dock, qtbot, "Trained")
    assert dock.form.loss.lines
    assert dock.form.models.count() == 2
    assert not dock.form.evaluate_button.isEnabled()
    click(dock, "apply")
    wait(dock, qtbot, "2 segmented, 1 without a result")
    assert "bad.png" in dock.form.state.text()
    click(dock, "evaluate")
    wait(dock, qtbot, "2 pictures were compared")
    assert "grey 255" in dock.form.scores.text()
    heads, rows = cells(dock)
    assert heads == ["F1", "IoU", "prec.", "recall", "Dice"]
    for row in rows:
        assert row["Dice"] == row["F1"]  # by its other name
    assert dock.form.against.isHidden()
    show(dock, click)


def cells(dock):
    """Headings of the table of scores, and its rows by them."""
    lines = [
        re.findall(r"<td[^>]*>(?:&nbsp;)?([^<]*)</td>", line)
        for line in dock.form.scores.text().split("</tr>")[:-1]
    ]
    (_, *heads), *rows = lines
    return heads, [dict(zip(heads, row[1:], strict=True)) for row in rows]


def show(dock, click):
    """All as a stack, then one of another size."""
    layers = dock.viewer.layers
    assert dock.form.shown.currentText() == ALL
    click(dock, "show_pictures")
    names = [layer.name.split(" - ")[-1] for layer in layers]
    assert names == ["pictures", "classes", "wrong grey 255"]
    for layer in layers:
        assert layer.data.shape[:3] == (2, 40, 52)
    assert np.asarray(layers[0].data[0])[36:].max() == 0
    found = np.asarray(layers[1].data[1])
    assert set(np.unique(found)) <= {1, 2}
    dock.form.shown.setCurrentIndex(1)
    dock.form.shown.activated.emit(1)
    assert [layer.data.shape[:2] for layer in layers] == [(36, 40)] * 3


@pytest.fixture(scope="module")
def restorer(tmp_path_factory):
    """A model that restores grey pictures, trained once."""
    image = np.stack([picture(np.random.default_rng(n), (40, 44))[0] for n in range(3)])
    place = tmp_path_factory.mktemp("restorers") / "clear.sashiko-model"
    pipeline.restore(image.astype(np.float32), place, **RESTORING)
    return place


def test_a_folder_is_restored_and_shown(dock, folder, restorer, click, qtbot):
    choose(dock, folder, qtbot)
    dock.add_model(restorer)
    assert dock.form.apply_button.text() == "Restore"
    assert not dock.form.start_button.isEnabled()  # no network goes on from it
    click(dock, "apply")
    wait(dock, qtbot, "2 restored, 1 without a result")
    click(dock, "show_pictures")
    layers = dock.viewer.layers
    names = [layer.name.split(" - ")[-1] for layer in layers]
    assert names == ["pictures", "restored"]
    pictures, restored = layers
    assert tuple(restored.contrast_limits) == tuple(pictures.contrast_limits)
    assert restored.data.shape == pictures.data.shape == (2, 40, 52)
    out = PictureFolder(folder).results_of(restorer, folder / "test")
    # Classes of another model, of all pictures, do not lie over the one.
    note = {"result": "classes", "pictures": True}
    name = restored.name.replace("restored", "classes")
    stack = np.zeros((2, 40, 52), np.uint8)
    dock.viewer.add_labels(stack, name=name, metadata={"napari_sashiko": note})
    dock.form.shown.setCurrentIndex(2)
    assert dock.form.shown.currentText() == "test1"
    dock.form.shown.activated.emit(2)
    assert [layer.ndim for layer in layers] == [2, 2]
    found = layers[1].data
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, iio.imread(out / "test1.tif"))
    np.testing.assert_array_equal(
        layers[0].data, iio.imread(folder / "test" / "images" / "test1.png")
    )
    dock.form.models.setCurrentIndex(0)
    assert dock.form.apply_button.text() == "Segment"
    assert dock.form.start_button.isEnabled()
    assert not dock.form.apply_button.isEnabled()  # nothing there tells classes


def test_probabilities_are_written_where_they_are_wanted(
    dock, folder, restorer, click, qtbot
):
    choose(dock, folder, qtbot)
    click(dock, "train_pictures")
    wait(dock, qtbot, "Trained")
    results = PictureFolder(folder).results_of(dock.model, folder / "test")
    for wanted in (False, True):
        dock.form.probabilities.setChecked(wanted)
        dock.form.say("")
        click(dock, "apply")
        wait(dock, qtbot, "1 without a result")
        files = sorted(each.name for each in results.glob("*-probabilities.tif"))
        assert len(files) == 2 * wanted
    assert tifffile.imread(results / files[0]).shape == (2, 36, 40)
    dock.add_model(restorer)
    assert dock.form.probabilities.isHidden()
    click(dock, "apply")  # what is ticked means nothing there
    wait(dock, qtbot, "2 restored, 1 without a result")


def test_restored_pictures_are_scored_by_clean_ones(
    dock, folder, restorer, click, qtbot, tmp_path, monkeypatch
):
    choose(dock, folder, qtbot)
    dock.add_model(restorer)
    assert not dock.form.evaluate_button.isEnabled()
    assert dock.form.against.isHidden()
    click(dock, "apply")
    wait(dock, qtbot, "2 restored, 1 without a result")
    assert not dock.form.against.isHidden()
    asked = []

    def ask(*words):
        asked.append(words)
        return ""

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", ask)
    click(dock, "evaluate")
    assert asked
    assert "no clean pictures to compare with" in dock.form.status.text()
    results = PictureFolder(folder).results_of(restorer, folder / "test")
    clean = tmp_path / "clean"
    (clean / "test").mkdir(parents=True)
    for number in range(2):
        made = iio.imread(results / f"test{number}.tif")
        iio.imwrite(clean / "test" / f"test{number}.tif", made + 2 * (-1) ** number)
    dock.form.clean.show_path(clean)
    click(dock, "evaluate")
    wait(dock, qtbot, "2 pictures were compared")
    heads, rows = cells(dock)
    assert heads == ["Pearson", "PSNR", "SSIM", "MAE", "RMSE"]
    assert (rows[0]["Pearson"], rows[0]["MAE"], rows[0]["RMSE"]) == ("1", "2", "2")
    table = results / "evaluation" / "scores.csv"
    assert dock.form.scores.toolTip() == str(table)
    assert len(table.read_text(encoding="utf-8").splitlines()) == 4
    dock.form.clean.show_path(folder / "test")
    assert dock.form.scores.isHidden()
    click(dock, "evaluate")
    qtbot.waitUntil(lambda: "were restored" in dock.form.status.text(), timeout=LONG)
    dock.form.models.setCurrentIndex(0)
    assert dock.form.against.isHidden()


def test_what_was_learned_of_an_open_image_restores_folders(
    dock, folder, restorer, click, qtbot, tmp_path
):
    image = tmp_path / "noisy.npy"
    np.save(image, np.zeros((3, 40, 44), np.float32))
    kept = tmp_path / "noisy.npy.sashiko" / "restorers" / restorer.name
    shutil.copytree(restorer, kept)
    choose(dock, folder, qtbot)
    assert dock.form.models.findText("clear") < 0
    dock.viewer.open(str(image), plugin="napari")
    dock.form.models.setCurrentIndex(dock.form.models.findText("clear"))
    assert dock.model == kept
    click(dock, "apply")
    wait(dock, qtbot, "2 restored, 1 without a result")


def test_stop_keeps_what_was_learned_and_resume_goes_on(dock, folder, click, qtbot):
    choose(dock, folder, qtbot)
    dock.form.settings.set_values(epochs=10_000)
    click(dock, "train_pictures")
    qtbot.waitUntil(lambda: bool(dock.form.loss.lines), timeout=LONG)
    click(dock, "stop_training_pictures")
    wait(dock, qtbot, "Stopped")
    dock.form.settings.set_values(epochs=1)
    click(dock, "resume_training_pictures")
    wait(dock, qtbot, "Trained")
    assert dock.form.models.count() == 3
