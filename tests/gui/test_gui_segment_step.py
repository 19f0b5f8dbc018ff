"""Segment volume, by the real buttons, with a real model."""

import gc
import json
import shutil
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from gui_trained import SHAPE, VOXEL_SIZE, SlowEngine, balls
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_sashiko import pipeline
from napari_sashiko.gui.result_layers import ResultLayers
from napari_sashiko.labels import default_classes
from napari_sashiko.volumes import Stacking

LONG = 60_000
RESULTS = ["balls - mean ball", "balls - std", "balls - classes"]


@pytest.fixture
def engine():
    return SlowEngine()


def image_layer(data=None, name="balls", **changes):
    place = {
        "scale": VOXEL_SIZE,
        "translate": (5, 6, 7),
        "units": ("um",) * 3,
        "axis_labels": ("z", "y", "x"),
    }
    return Image(
        balls()[0] if data is None else data, name=name, **{**place, **changes}
    )


@pytest.fixture
def ready(open_dock, trained_model, qtbot):
    """A dock with an image and the model, which has said what it will cost."""
    dock = open_dock(image_layer())
    dock.session.open_model(trained_model)
    qtbot.waitUntil(lambda: dock.segment.cost.estimate is not None, timeout=LONG)
    return dock


def text(dock, name):
    return dock.findChild(QLabel, name).text()


def ended(dock):
    """Whether the job ended and the dock has heard all that it said."""
    job = dock.session.job("predict")
    return job is not None and job.status.ended and dock.segment.form.working.isHidden()


def names(dock):
    return [layer.name for layer in dock.viewer.layers]


def shown(layer):
    return np.asarray(layer._slice.image.raw)


def test_before_the_start_it_says_disk_memory_and_time(ready):
    said = text(ready, "segment_cost")
    assert "on disk" in said
    assert "memory" in said
    assert "about" in said
    assert ready.segment.isEnabled()
    assert not ready.findChild(QLabel, "segment_hint").isVisible()


def test_without_a_model_it_says_what_is_missing(open_dock):
    dock = open_dock(image_layer())
    assert text(dock, "segment_hint") == "Train a model first, or open one from disk."
    assert not dock.segment.form.start_button.isEnabled()


def test_segment_volume_fills_mean_std_and_classes(ready, click, qtbot):
    click(ready, "segment_volume")
    qtbot.waitUntil(lambda: "balls - classes" in names(ready), timeout=LONG)
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    source = ready.viewer.layers["balls"]
    for name in RESULTS:
        layer = ready.viewer.layers[name]
        np.testing.assert_allclose(
            layer.data_to_world((1, 2, 3)), source.data_to_world((1, 2, 3))
        )
        assert tuple(map(str, layer.units)) == tuple(map(str, source.units))
    classes = np.asarray(ready.viewer.layers["balls - classes"].data)
    truth = balls()[1]
    assert ((classes == 2) == truth).mean() > 0.97
    assert (classes > 0).all()
    mean = np.asarray(ready.viewer.layers["balls - mean ball"].data)
    assert ((mean > 0.5) == (classes == 2)).mean() > 0.99
    assert "blocks" in text(ready, "segment_state") or "Done" in text(
        ready, "segment_state"
    )
    assert shown(ready.viewer.layers["balls - classes"]).all()


def test_the_block_in_view_comes_first(ready, click, engine, qtbot):
    viewer = ready.viewer
    viewer.scene.camera.center = (0, 6 + 60, 7 + 70)
    viewer.scene.camera.zoom = 20
    cells = []
    ready.session.event.connect(
        lambda kind, event: cells.append(event.cell) if hasattr(event, "cell") else None
    )
    click(ready, "segment_volume")
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    inside = [y0 <= 60 < y1 and x0 <= 70 < x1 for _, (y0, y1), (x0, x1) in cells]
    # Blocks in work at the same time end in any order.
    assert inside.index(True) < 3
    assert len(cells) > 4


def test_the_slice_in_view_shows_blocks_while_others_are_missing(
    ready, click, engine, qtbot
):
    engine.rest = 0.3
    click(ready, "segment_volume")

    def some_but_not_all():
        if "balls - classes" not in names(ready):
            return False
        plane = shown(ready.viewer.layers["balls - classes"])
        return bool((plane > 0).any() and (plane == 0).any())

    qtbot.waitUntil(some_but_not_all, timeout=LONG)
    ready.segment.cancel()
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)


def begin_and_cancel(dock, click, engine, qtbot):
    """Blocks done, as they were told, of a run that was cancelled."""
    engine.rest = 0.2
    done = []
    dock.session.event.connect(
        lambda kind, event: done.append(event.done) if hasattr(event, "cell") else None
    )
    click(dock, "segment_volume")
    qtbot.waitUntil(lambda: len(done) >= 2, timeout=LONG)
    click(dock, "cancel_segment")
    qtbot.waitUntil(lambda: ended(dock), timeout=LONG)
    resume = dock.segment.form.resume_button
    qtbot.waitUntil(lambda: not resume.isHidden(), timeout=LONG)
    return done


def test_cancel_keeps_finished_blocks_and_resume_does_only_the_rest(
    ready, click, engine, qtbot
):
    done = begin_and_cancel(ready, click, engine, qtbot)
    kept = max(done)
    assert f"{ready.segment.cost.done} of" in text(ready, "segment_state")
    assert kept <= ready.segment.cost.done < ready.segment.cost.total
    before, total = ready.segment.cost.done, ready.segment.cost.total
    engine.rest = 0
    done.clear()
    click(ready, "resume_segment")
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    assert done[0] == before + 1
    assert done[-1] == total
    assert names(ready).count("balls - classes") == 1
    assert np.asarray(ready.viewer.layers["balls - classes"].data).all()


def test_a_result_of_another_model_is_replaced_only_when_told(ready, click, qtbot):
    click(ready, "segment_volume")
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    root = next(ready.session.place("predictions").glob("*.zarr")) / "zarr.json"
    record = json.loads(root.read_text())
    record["attributes"]["sashiko"]["model_digest"] = "of another"
    root.write_text(json.dumps(record))
    ready.segment.ask_cost()
    button = ready.segment.form.overwrite_button
    qtbot.waitUntil(lambda: not button.isHidden(), timeout=LONG)
    assert "another model" in text(ready, "segment_hint")
    assert str(root.parent) not in text(ready, "segment_hint")
    assert not ready.segment.form.start_button.isEnabled()
    click(ready, "overwrite_segment")
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    found = pipeline.open_prediction(root.parent)
    assert found.model_digest != "of another"
    assert found.done == found.total


def test_what_a_model_began_is_finished_with_it_after_it_has_learned_more(
    ready, click, engine, qtbot
):
    begin_and_cancel(ready, click, engine, qtbot)
    engine.rest = 0
    began = next(ready.session.place("predictions").glob("*.zarr"))
    before = pipeline.open_prediction(began).model_digest
    card = ready.segment.model / "model.json"
    said = json.loads(card.read_text())
    said["temperature"] *= 0.9  # as after another epoch
    card.write_text(json.dumps(said))
    ready.segment.ask_cost()
    qtbot.waitUntil(
        lambda: "has learned since" in text(ready, "segment_hint"), timeout=LONG
    )
    assert not ready.segment.form.start_button.isEnabled()
    click(ready, "resume_segment")
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    found = pipeline.open_prediction(began)
    assert found.done == found.total
    assert found.model_digest == before


def test_an_image_with_other_channels_is_refused_in_a_sentence(
    open_dock, trained_model, qtbot
):
    colour = np.zeros((*SHAPE, 3), np.uint8)
    dock = open_dock(image_layer(colour, rgb=True))
    dock.session.open_model(trained_model)
    qtbot.waitUntil(lambda: bool(dock.segment.cost.refusal), timeout=LONG)
    said = text(dock, "segment_hint")
    assert "3 channels" in said
    assert "1" in said
    assert not dock.segment.form.start_button.isEnabled()
    dock.segment.start()
    assert dock.session.job("predict") is None
    assert "3 channels" in dock.status.text()


def test_another_voxel_size_is_said_and_segmented_all_the_same(
    open_dock, trained_model, click, qtbot
):
    dock = open_dock(image_layer(scale=(1, 0.5, 0.5)))
    dock.session.open_model(trained_model)
    qtbot.waitUntil(lambda: bool(dock.segment.cost.warning), timeout=LONG)
    assert "0.5" in text(dock, "segment_hint")
    click(dock, "segment_volume")
    qtbot.waitUntil(lambda: ended(dock), timeout=LONG)
    assert "balls - classes" in names(dock)


def test_the_last_model_segments_another_volume_in_one_click(ready, click, qtbot):
    click(ready, "segment_volume")
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    ready.viewer.add_layer(image_layer(balls()[0][:, ::-1].copy(), name="other"))
    ready.volumes.setCurrentIndex(ready.volumes.findText("other"))
    qtbot.waitUntil(lambda: ready.segment.cost.estimate is not None, timeout=LONG)
    click(ready, "segment_volume")
    qtbot.waitUntil(lambda: "other - classes" in names(ready), timeout=LONG)
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    other = np.asarray(ready.viewer.layers["other - classes"].data)
    assert ((other == 2) == balls()[1][:, ::-1]).mean() > 0.97


def test_an_image_of_two_axes_is_segmented_and_its_objects_are_counted(
    open_dock, trained_model, engine, click, qtbot
):
    engine.window = (1, 64, 80)
    plane = image_layer(
        balls()[0][12],
        scale=(1, 1),
        translate=(0, 0),
        units=("um",) * 2,
        axis_labels=("y", "x"),
    )
    dock = open_dock(plane)
    dock.session.open_model(trained_model)
    qtbot.waitUntil(lambda: dock.segment.cost.estimate is not None, timeout=LONG)
    click(dock, "segment_volume")
    qtbot.waitUntil(lambda: ended(dock), timeout=LONG)
    assert dock.viewer.layers["balls - classes"].ndim == 2
    qtbot.waitUntil(lambda: dock.instances.sizes is not None, timeout=LONG)
    assert dock.instances.form.dust_unit.itemText(1) == "µm²"
    click(dock, "find_instances")
    table = dock.instances.form.table
    qtbot.waitUntil(lambda: table.rows is not None, timeout=LONG)
    assert table.rows.headerData(1, Qt.Orientation.Horizontal) == "area\nµm²"
    assert dock.instances.form.histogram.title == "size, µm²"
    table.selectRow(0)
    assert dock.viewer.layers["balls - instances"].selected_label == 1


def test_the_dock_shows_and_hides_results_as_their_eyes_do(ready, click, qtbot):
    click(ready, "segment_volume")
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    std = ready.viewer.layers["balls - std"]
    boxes = ready.segment.form.switch.boxes
    assert boxes["classes"].isChecked()
    assert not std.visible
    boxes["std"].click()
    assert std.visible
    std.visible = False
    assert not boxes["std"].isChecked()


def test_a_folder_that_is_no_model_is_refused_in_a_sentence(
    open_dock, tmp_path, monkeypatch
):
    dock = open_dock(image_layer())
    monkeypatch.setattr(
        "napari_sashiko.gui.segment_step.QFileDialog.getExistingDirectory",
        lambda *_: str(tmp_path),
    )
    box = dock.segment.form.models
    box.activated.emit(box.count() - 1)
    assert str(tmp_path) in dock.status.text() or "model" in dock.status.text()
    assert dock.segment.model is None


def test_a_model_from_disk_is_chosen(open_dock, trained_model, monkeypatch):
    dock = open_dock(image_layer())
    monkeypatch.setattr(
        "napari_sashiko.gui.segment_step.QFileDialog.getExistingDirectory",
        lambda *_: str(trained_model),
    )
    box = dock.segment.form.models
    box.activated.emit(box.count() - 1)
    assert dock.segment.model == trained_model
    assert box.currentText() == "balls, 2026-01-02 03:04"


def test_closing_in_the_middle_ends_cleanly_and_keeps_finished_blocks(
    ready, click, engine, qtbot
):
    engine.rest = 0.3
    click(ready, "segment_volume")
    done = []
    ready.session.event.connect(
        lambda kind, event: done.append(event.done) if hasattr(event, "cell") else None
    )
    qtbot.waitUntil(lambda: len(done) >= 1, timeout=LONG)
    folder = next(ready.session.place("predictions").glob("*.zarr"))
    ready.shutdown()
    assert ready.session.job("predict").status.ended
    found = pipeline.open_prediction(folder)
    assert 1 <= found.done < found.total


def test_a_model_folder_that_vanished_is_said(ready, trained_model, tmp_path, click):
    copy = tmp_path / "copy.sashiko-model"
    shutil.copytree(trained_model, copy)
    ready.session.open_model(copy)
    ready.segment.form.choose(copy)
    shutil.rmtree(copy)
    ready.segment.start()
    assert "copy" in ready.status.text()
    assert ready.session.job("predict") is None


def test_results_that_others_followed_are_let_go(open_dock, qtbot):
    dock = open_dock(image_layer())
    data = np.zeros((2, *SHAPE), np.float32)
    found = SimpleNamespace(
        mean=data,
        std=data,
        class_ids=np.zeros(SHAPE, np.uint8),
        coarser={},
        stack=Stacking(SHAPE),
        path="x.zarr",
        model_digest="abc",
        classes=default_classes(2),
        done=1,
        total=1,
    )
    step = dock.segment
    step.restore(found, None)
    step.results.finish()
    old = weakref.ref(step.results)
    step.restore(found, None)
    step.results.finish()
    assert [layer.name for layer in step.results.there()] == [
        name for name in names(dock) if name.startswith("balls - ")
    ]
    qtbot.waitUntil(lambda: len(step.findChildren(ResultLayers)) == 1, timeout=LONG)
    gc.collect()
    assert old() is None
