"""A project comes back as it was left: layers, colours, model, curves, settings."""

import json
import re
import shutil

import numpy as np
import pytest
from gui_trained import CLASSES, SHAPE, VOXEL_SIZE, balls
from napari.layers import Image
from napari.utils.notifications import notification_manager
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QApplication, QLabel, QWidget

from napari_sashiko import pipeline
from napari_sashiko.gui import menu
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.reader import get_reader
from napari_sashiko.labels import LabelStore
from napari_sashiko.volumes import FolderLock

pytestmark = pytest.mark.gui
LONG = 60_000
RESULTS = ["mean ball", "std", "classes", "instances"]


@pytest.fixture
def engine():
    return pipeline


def painted():
    labels = np.zeros(SHAPE, np.uint8)
    labels[12, 18:22, 50:54] = 2
    labels[12, 30:34, 10:60] = 1
    return labels


def fill(folder, volume, image, trained_model, predicted):
    """Make a project as a session leaves it."""
    LabelStore.adopt(folder / "labels", painted(), CLASSES).close()
    pipeline.note_image(folder, volume, image, CLASSES)
    shutil.copytree(trained_model, folder / "models" / trained_model.name)
    shutil.copytree(predicted, folder / "predictions" / "balls.zarr")
    settings = pipeline.InstanceSettings(
        label_class=2, threshold=0.6, dust="20 um^3", connectivity=6
    )
    out = folder / "instances" / "balls.zarr"
    for _ in pipeline.instance_steps(
        folder / "predictions" / "balls.zarr", out, settings, out.with_suffix(".csv")
    ):
        pass


@pytest.fixture
def project(tmp_path, trained_model, predicted):
    """A project beside its image, in which everything was done once."""
    path = tmp_path / "balls.npy"
    np.save(path, balls()[0])
    volume = pipeline.open_image(path)
    volume.voxel_size, volume.unit = VOXEL_SIZE, "um"
    folder = tmp_path / "balls.npy.sashiko"
    fill(folder, volume, path, trained_model, predicted)
    return folder


def calibrate(model):
    """Say of a model that it has held out twelve strokes."""
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


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    yield viewer
    dock = menu.find_dock(viewer)
    if dock is not None:
        dock.shutdown()


@pytest.fixture
def notes():
    """What napari's notifications said."""
    notification_manager.records.clear()
    return lambda: [str(record.message) for record in notification_manager.records]


def drop(viewer, folder, qtbot):
    """Drop a project into the window and wait for all of it."""
    viewer.open(str(folder), plugin="napari-sashiko")
    qtbot.waitUntil(lambda: menu.find_dock(viewer) is not None, timeout=LONG)
    dock = menu.find_dock(viewer)
    qtbot.waitUntil(lambda: settled(dock), timeout=LONG)
    return dock


def settled(dock):
    """Whether everything that was found is shown."""
    row = dock.restoring
    shown = dock.segment.results is None or not dock.segment.results._waiting
    return row.isHidden() and not row.question.open and not row._waiting and shown


def text(dock, name):
    return dock.findChild(QLabel, name).text()


def test_a_project_that_is_opened_comes_back_as_it_was_left(viewer, project, qtbot):
    dock = drop(viewer, project, qtbot)
    names = [layer.name for layer in viewer.layers]
    assert names[0] == "balls"
    assert set(names) == {
        *("balls", "balls - labels", "balls - preview"),
        *(f"balls - {kind}" for kind in RESULTS),
    }
    for layer in viewer.layers:
        assert tuple(layer.scale) == VOXEL_SIZE
    np.testing.assert_array_equal(np.asarray(viewer.layers[0].data), balls()[0])
    # Labels
    labels = viewer.layers["balls - labels"]
    np.testing.assert_array_equal(np.asarray(labels.data), painted())
    expected = QColor(CLASSES[1].color).getRgbF()
    np.testing.assert_allclose(labels.get_color(2), expected, atol=1 / 255)
    assert [c.name for c in dock.session.labels.classes] == ["background", "ball"]
    labels.data[0, 0, 0] = 2
    assert dock.session.labels.paint.counts()[2] == (painted() == 2).sum() + 1
    # Model
    assert dock.train.plots.loss.lines
    assert dock.train.plots.score.lines
    assert "held-out strokes" in text(dock, "train_result")
    assert dock.train.preview.model == dock.segment.model
    assert dock.segment.model.parent == project / "models"
    # Results
    classes = np.asarray(viewer.layers["balls - classes"].data)
    assert ((classes == 2) == balls()[1]).mean() > 0.97
    objects = np.asarray(viewer.layers["balls - instances"].data)
    qtbot.waitUntil(lambda: dock.instances.form.table.rows is not None, timeout=LONG)
    assert objects.max() > 0
    assert viewer.layers["balls - instances"].visible
    assert not viewer.layers["balls - classes"].visible
    assert f"{objects.max()} objects" in text(dock, "instances_state")
    # Settings
    assert dock.instances.form.values()["threshold"] == 0.6
    assert dock.instances.form.values()["connectivity"] == 6
    assert dock.instances.form.values()["dust"] == "20 um^3"
    assert dock.status.level != "error"
    qtbot.waitUntil(lambda: not dock.session.is_running("preview"), timeout=LONG)


def test_error_bars_come_back_with_the_objects_that_they_belong_to(
    viewer, project, trained_model, qtbot
):
    volume = pipeline.open_image(project.parent / "balls.npy")
    volume.voxel_size, volume.unit = VOXEL_SIZE, "um"
    found = pipeline.measure(
        project / "models" / trained_model.name,
        volume,
        project / "measurements" / "balls ball",
        label_class="ball",
        threshold=0.6,
        dust="20 um^3",
        connectivity=6,
    )
    dock = drop(viewer, project, qtbot)
    line = pipeline.line_of(found, sign="±", unit="µm")
    qtbot.waitUntil(lambda: text(dock, "error_bars_state") == line, timeout=LONG)
    table = dock.findChild(QWidget, "fraction_table")
    assert not table.isHidden()
    assert table.layout().rowCount() == 3
    dock.instances.form.threshold.setValue(0.7)
    assert text(dock, "error_bars_state") == ""
    assert table.isHidden()


def test_prediction_sets_come_back_with_their_prediction(
    viewer, project, trained_model, qtbot
):
    calibrate(project / "models" / trained_model.name)
    predicted = project / "predictions" / "balls.zarr"
    shutil.rmtree(predicted)
    volume = pipeline.open_image(project.parent / "balls.npy")
    volume.voxel_size, volume.unit = VOXEL_SIZE, "um"
    pipeline.predict(project / "models" / trained_model.name, volume, predicted)
    pipeline.prediction_sets(predicted, project / "sets" / "balls.zarr", coverage=0.8)
    dock = drop(viewer, project, qtbot)
    qtbot.waitUntil(lambda: "balls - set sizes" in viewer.layers, timeout=LONG)
    sizes = pipeline.open_sets(project / "sets" / "balls.zarr").sizes
    shown = np.asarray(viewer.layers["balls - set sizes"].data)
    assert np.array_equal(shown, np.asarray(sizes))
    assert "80 % were asked for" in text(dock, "prediction_sets_state")
    assert dock.segment.sets.coverage.currentData() == 0.8


def test_the_preview_is_ready_without_training(viewer, project, qtbot):
    for name in ("predictions", "instances"):
        shutil.rmtree(project / name)
    dock = drop(viewer, project, qtbot)
    preview = viewer.layers["balls - preview"]
    qtbot.waitUntil(
        lambda: np.asarray(preview.data[viewer.dims.current_step[0]]).any(),
        timeout=LONG,
    )
    assert preview.visible
    assert text(dock, "preview_source").startswith("Preview by balls")
    assert re.search(r": (forest|\d network)", text(dock, "preview_source"))


def test_the_same_volume_offers_what_is_kept_of_it(
    open_dock, click, qtbot, trained_model, predicted
):
    place = {"scale": VOXEL_SIZE, "units": ("um",) * 3}
    first = open_dock(Image(balls()[0], name="balls", **place))
    folder, volume = first.session.folder, first.session.volume
    assert first.restoring.isHidden()
    first.viewer.close()
    fill(folder, volume, None, trained_model, predicted)
    dock = open_dock(Image(balls()[0], name="again", **place))
    assert "1 model, 1 segmentation, 1 set of objects" in text(dock, "kept")
    click(dock, "restore")
    qtbot.waitUntil(lambda: settled(dock), timeout=LONG)
    names = {layer.name for layer in dock.viewer.layers}
    assert {"again - labels", *(f"again - {kind}" for kind in RESULTS)} <= names
    assert dock.train.plots.loss.lines
    assert dock.status.level != "error", dock.status.text()


def test_a_colleague_without_the_image_sees_the_rest_and_is_told(
    viewer, project, qtbot, notes, tmp_path
):
    image = project.with_suffix("")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(image, elsewhere / "other.npy")
    viewer.open(str(project), plugin="napari-sashiko")
    names = [layer.name for layer in viewer.layers]
    assert names == [
        *("balls - mean ball", "balls - std", "balls - classes"),
        *("balls - instances", "balls.npy - labels"),
    ]
    labels = viewer.layers["balls.npy - labels"]
    np.testing.assert_array_equal(np.asarray(labels.data), painted())
    assert any(str(image) in note for note in notes())
    # From where it is now, it is known again.
    qtbot.waitUntil(lambda: menu.find_dock(viewer) is not None, timeout=LONG)
    dock = menu.find_dock(viewer)
    qtbot.waitUntil(lambda: bool(dock.session.projects._expected), timeout=LONG)
    data = np.load(elsewhere / "other.npy")
    viewer.add_image(data, name="moved", scale=VOXEL_SIZE, units=("um",) * 3)
    index = dock.volumes.findText("moved")
    dock.volumes.setCurrentIndex(index)
    assert dock.session.folder == project
    assert "1 model" in text(dock, "kept")


def test_damage_is_said_and_the_rest_is_shown(viewer, project, qtbot):
    (project / "labels" / "labels.json").write_text("{")
    (project / "instances" / "balls.zarr" / "zarr.json").write_text("{")
    chunk = max((project / "predictions/balls.zarr/mean/0/c").rglob("0"))
    chunk.write_bytes(b"")
    dock = drop(viewer, project, qtbot)
    names = {layer.name for layer in viewer.layers}
    assert {"balls - labels", "balls - classes"} <= names
    assert "balls - instances" not in names
    labels = viewer.layers["balls - labels"]
    np.testing.assert_array_equal(np.asarray(labels.data), painted())
    assert dock.status.level == "warning"
    assert "instances" in dock.status.text()
    assert "balls.zarr" in dock.status.text()
    partial = dock.instances.prediction
    assert partial.done < partial.total


def test_a_project_that_is_nothing_is_one_sentence(viewer, tmp_path, notes):
    empty = tmp_path / "empty.sashiko"
    empty.mkdir()
    assert get_reader(str(empty)) is not None
    viewer.open(str(empty), plugin="napari-sashiko")
    assert not viewer.layers
    assert any("not a project" in note for note in notes())


@pytest.mark.parametrize("name", ["predictions", "instances"])
def test_a_damaged_result_is_one_sentence(viewer, project, notes, name):
    path = project / name / "balls.zarr"
    inner = "mean/0" if name == "predictions" else "labels/0"
    (path / inner / "zarr.json").write_text("{")
    viewer.open(str(path), plugin="napari-sashiko")
    assert not viewer.layers
    assert any("balls.zarr" in note for note in notes())


def test_a_project_open_elsewhere_is_shown_and_cannot_be_painted_on(
    viewer, project, qtbot
):
    other = FolderLock(project)
    other.take()
    try:
        before = contents(project)
        dock = drop(viewer, project, qtbot)
        layer = viewer.layers["balls - labels"]
        assert not layer.editable
        assert layer.mode == "pan_zoom"
        assert "balls - classes" in viewer.layers
        dock.train.start()
        assert "open in another window" in dock.status.text()
        assert contents(project) == before
    finally:
        other.release()
    dock.label.start()
    qtbot.waitUntil(
        lambda: dock.label.layer is not None and dock.label.layer.editable, timeout=LONG
    )
    assert dock.label.layer is viewer.layers["balls - labels"]
    assert dock.label.layer is not layer
    assert layer not in viewer.layers


def contents(project):
    """Files of a project but for hidden ones: what was looked up, and the lock."""
    return {
        path: path.read_bytes()
        for path in project.rglob("*")
        if path.is_file()
        and path.suffix != ".lock"
        and not any(p.startswith(".") for p in path.relative_to(project).parts)
    }


def test_a_dock_that_is_opened_again_goes_on_with_its_layer(
    open_dock, click, stroke, blobs, qtbot
):
    first = open_dock(Image(blobs, name="blobs"))
    click(first, "start_labelling")
    layer = first.label.layer
    first.shutdown()
    assert not layer.editable
    second = type(first)(first.viewer, type(first.session)(pipeline))
    second.viewer.window.add_dock_widget(second, name="again")
    QApplication.processEvents()
    click(second, "start_labelling")
    assert second.label.layer is layer
    assert layer.editable
    second.shutdown()


def test_a_damaged_part_is_shown_as_nothing_and_said_once(notes):
    class Damaged:
        shape, dtype = (3, 4, 5), np.dtype(np.uint8)

        def __getitem__(self, key):
            raise RuntimeError("Blosc: not enough bytes")

    array = LazyArray(Damaged())
    for z in range(3):
        np.testing.assert_array_equal(np.asarray(array[z]), np.zeros((4, 5)))
    assert len([note for note in notes() if "Blosc" in note]) == 1
