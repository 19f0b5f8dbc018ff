"""Augmented patches as a layer beside the image, for what the form says."""

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtWidgets import QLineEdit

from napari_sashiko import pipeline
from napari_sashiko.pipeline.augmenting import COLUMNS, GAP, ROWS

pytestmark = pytest.mark.gui
LONG = 60_000
EDGE = 16
PAGE = (ROWS * (EDGE + GAP) - GAP, COLUMNS * (EDGE + GAP) - GAP)


@pytest.fixture
def engine():
    return pipeline


@pytest.fixture
def dock(open_dock):
    grey = np.random.default_rng(0).normal(100, 10, (4, 40, 50)).astype(np.float32)
    dock = open_dock(Image(grey, name="grains", scale=(2.0, 1.5, 1.5)))
    dock.label.start()
    dock.train.show_more(on=True)
    dock.train.form.set_values(patch=EDGE)
    return dock


def shown(dock, qtbot):
    """The layer, once it is there."""
    name = "grains - augmented"
    qtbot.waitUntil(lambda: name in dock.viewer.layers, timeout=LONG)
    return dock.viewer.layers[name]


def test_patches_lie_beside_the_image(dock, click, qtbot):
    active = dock.viewer.layers.selection.active
    click(dock, "show_augmented")
    layer = shown(dock, qtbot)
    assert layer.data.shape == PAGE
    assert tuple(layer.scale) == (1.5, 1.5)
    assert layer.translate[1] >= 50 * 1.5
    assert dock.viewer.layers.selection.active is active
    # It is nothing to work on.
    names = [dock.volumes.itemText(i) for i in range(dock.volumes.count())]
    assert names == ["grains"]


def test_other_settings_replace_it(dock, click, qtbot):
    click(dock, "show_augmented")
    before = np.array(shown(dock, qtbot).data)
    dock.train.form.set_values(augment=("noise",))
    click(dock, "show_augmented")
    qtbot.waitUntil(
        lambda: not np.array_equal(before, shown(dock, qtbot).data, equal_nan=True),
        timeout=LONG,
    )
    assert sum("augmented" in layer.name for layer in dock.viewer.layers) == 1


def test_an_unknown_augmentation_is_a_sentence(dock, click, qtbot):
    line = dock.findChild(QLineEdit, "augment")
    line.setText("frost")
    click(dock, "show_augmented")
    qtbot.waitUntil(lambda: "frost" in dock.status.text(), timeout=LONG)
    assert "grains - augmented" not in dock.viewer.layers
