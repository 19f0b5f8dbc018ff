"""Uncertainty of the slice in view: a layer of its own, filled as the preview is."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Image

pytestmark = pytest.mark.gui
WAIT = 20000
NAME = "blobs - preview std"


@pytest.fixture
def painted(dock, click, stroke):
    click(dock, "start_labelling")
    dock.train.stay_box.setChecked(False)
    layer = dock.label.layer
    stroke(layer, (2, 10, 10), (2, 10, 30))
    layer.selected_label = 2
    stroke(layer, (2, 30, 10), (2, 30, 30))
    return dock


def trained(dock, click, qtbot):
    dock.train.stay_box.setChecked(False)
    click(dock, "train")
    qtbot.waitUntil(lambda: dock.train.model is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: not dock.session.is_running("train"), timeout=WAIT)
    return dock


def shown(dock, qtbot):
    qtbot.waitUntil(lambda: NAME in dock.viewer.layers, timeout=WAIT)
    return dock.viewer.layers[NAME]


def test_it_is_shown_when_asked_for_only(painted, click, qtbot):
    trained(painted, click, qtbot)
    qtbot.waitUntil(lambda: "blobs - preview" in painted.viewer.layers, timeout=WAIT)
    assert NAME not in painted.viewer.layers
    painted.train.std_box.setChecked(True)
    layer = shown(painted, qtbot)
    z = painted.viewer.dims.current_step[0]
    qtbot.waitUntil(lambda: bool(np.all(layer.data[z])), timeout=WAIT)
    # The fake's deviation is a fifth of its mean, which is 0 or 1.
    np.testing.assert_allclose(layer.data[z], 0.2)
    assert layer.data[z].dtype == np.float32
    assert tuple(layer.contrast_limits) == (0.0, 0.25)


def test_it_lies_on_the_image_and_below_the_paint(painted, click, qtbot):
    painted.train.std_box.setChecked(True)
    trained(painted, click, qtbot)
    layer = shown(painted, qtbot)
    names = [each.name for each in painted.viewer.layers]
    assert names == ["blobs", "blobs - preview", NAME, "blobs - labels"]
    np.testing.assert_array_equal(layer.scale, painted.viewer.layers["blobs"].scale)
    assert painted.viewer.layers.selection.active is painted.label.layer
    # It is no volume to work on.
    assert painted.volumes.count() == 1


def test_it_follows_the_slice(painted, click, qtbot):
    painted.train.std_box.setChecked(True)
    trained(painted, click, qtbot)
    layer = shown(painted, qtbot)
    for z in (0, 5):
        painted.viewer.dims.set_current_step(0, z)
        qtbot.waitUntil(lambda z=z: bool(np.all(layer.data[z])), timeout=WAIT)


def test_switched_off_it_is_hidden_and_not_asked_for(painted, click, qtbot, engine):
    dock = painted
    dock.train.preview_box.setChecked(False)
    dock.train.std_box.setChecked(True)
    trained(dock, click, qtbot)
    layer = shown(dock, qtbot)
    assert "blobs - preview" not in dock.viewer.layers
    qtbot.wait(600)
    qtbot.waitUntil(lambda: not dock.session.is_running("preview"), timeout=WAIT)
    dock.train.std_box.setChecked(False)
    assert not layer.visible
    asked = len(engine.previewed)
    dock.viewer.dims.set_current_step(0, 0)
    qtbot.wait(700)
    assert len(engine.previewed) == asked
    dock.train.std_box.setChecked(True)
    assert layer.visible
    qtbot.waitUntil(lambda: bool(np.all(layer.data[0])), timeout=WAIT)


def test_a_single_member_shows_its_own_doubt(painted, click, qtbot, engine):
    def preview(model, volume, region):
        classes = np.ones([part.stop - part.start for part in region], np.uint8)
        mean = np.stack([classes * 0.7, classes * 0.3]).astype(np.float32)
        std = np.zeros_like(mean)
        return SimpleNamespace(mean=mean, std=std, classes=classes, voices=("forest",))

    engine.preview = preview
    painted.train.std_box.setChecked(True)
    trained(painted, click, qtbot)
    layer = shown(painted, qtbot)
    z = painted.viewer.dims.current_step[0]
    qtbot.waitUntil(lambda: bool(np.all(layer.data[z])), timeout=WAIT)
    np.testing.assert_allclose(layer.data[z], 0.3, rtol=1e-5)
    assert tuple(layer.contrast_limits) == (0.0, 0.5)


def test_removed_it_comes_back_with_the_next_slice(painted, click, qtbot):
    painted.train.std_box.setChecked(True)
    trained(painted, click, qtbot)
    painted.viewer.layers.remove(shown(painted, qtbot))
    painted.viewer.dims.set_current_step(0, 1)
    shown(painted, qtbot)


def test_a_newer_model_clears_slices_of_the_one_before(painted, click, qtbot, engine):
    painted.train.std_box.setChecked(True)
    trained(painted, click, qtbot)
    layer = shown(painted, qtbot)
    painted.viewer.dims.set_current_step(0, 0)
    qtbot.waitUntil(lambda: bool(np.all(layer.data[0])), timeout=WAIT)
    painted.viewer.dims.set_current_step(0, 5)
    qtbot.waitUntil(lambda: bool(np.all(layer.data[5])), timeout=WAIT)
    engine.members = 1  # as many as the first one of the model before had
    trained(painted, click, qtbot)
    qtbot.waitUntil(lambda: not np.any(layer.data[0]), timeout=WAIT)


def test_a_flat_image_has_a_flat_one(open_dock, click, stroke, blobs, qtbot):
    dock = open_dock(Image(blobs[0], name="flat"))
    click(dock, "start_labelling")
    dock.train.stay_box.setChecked(False)
    stroke(dock.label.layer, (10, 10), (10, 30))
    dock.label.layer.selected_label = 2
    stroke(dock.label.layer, (30, 10), (30, 30))
    dock.train.std_box.setChecked(True)
    trained(dock, click, qtbot)
    qtbot.waitUntil(lambda: "flat - preview std" in dock.viewer.layers, timeout=WAIT)
    layer = dock.viewer.layers["flat - preview std"]
    assert layer.ndim == 2
    qtbot.waitUntil(lambda: bool(np.asarray(layer.data).all()), timeout=WAIT)
