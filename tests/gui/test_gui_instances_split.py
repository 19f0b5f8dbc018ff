"""Split touching objects by the real widgets, in a prediction of two pairs of balls."""

import shutil

import numpy as np
import pytest
import zarr
from gui_trained import SHAPE, VOXEL_SIZE, SlowEngine, balls
from napari.layers import Image
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox

LONG = 60_000
PAIRS = (((12, 20, 16), (12, 20, 30)), ((12, 44, 50), (12, 44, 64)))


@pytest.fixture
def engine():
    return SlowEngine()


@pytest.fixture
def pairs(predicted, tmp_path):
    """A prediction of two pairs of balls that overlap, finished."""
    path = tmp_path / "pairs.zarr"
    shutil.copytree(predicted, path)
    axes = [a * s for a, s in zip(np.indices(SHAPE), VOXEL_SIZE, strict=True)]
    mask = np.zeros(SHAPE, bool)
    for center in (each for pair in PAIRS for each in pair):
        place = np.multiply(center, VOXEL_SIZE)
        mask |= sum((a - c) ** 2 for a, c in zip(axes, place, strict=True)) <= 81
    mean = zarr.open_group(str(path))["mean/0"]
    mean[0], mean[1] = ~mask, mask
    return path


@pytest.fixture
def ready(open_dock, pairs, qtbot):
    """A dock in which the objects of the pairs are counted."""
    place = {"scale": VOXEL_SIZE, "units": ("um",) * 3}
    dock = open_dock(Image(balls()[0], name="balls", **place))
    dock.viewer.dims.set_point(0, 12 * VOXEL_SIZE[0])
    dock.instances.use(pairs)
    qtbot.waitUntil(lambda: dock.instances.sizes is not None, timeout=LONG)
    return dock


def choose(dock, name, value):
    box = dock.findChild(QComboBox, name)
    box.setCurrentIndex(box.findData(value))


def preview(dock):
    found = [each for each in dock.viewer.layers if "split preview" in each.name]
    return found[0] if found else None


def count(dock, qtbot, wanted):
    def counted():
        sizes = dock.instances.sizes
        return sizes is not None and len(sizes) == wanted

    qtbot.waitUntil(counted, timeout=LONG)


def test_only_what_the_choice_needs_is_shown(ready):
    form = ready.instances.form.split
    assert form.narrower.isHidden()
    assert form.between.isHidden()
    choose(ready, "split", "distance")
    assert not form.narrower.isHidden()
    assert form.between.isHidden()
    choose(ready, "split", "boundary")
    assert not form.between.isHidden()


def test_the_count_grows_and_the_slice_in_view_is_previewed(ready, qtbot):
    assert len(ready.instances.sizes) == len(PAIRS)
    choose(ready, "split", "distance")
    count(ready, qtbot, 2 * len(PAIRS))
    qtbot.waitUntil(lambda: preview(ready) is not None, timeout=LONG)
    layer, image = preview(ready), ready.viewer.layers["balls"]
    plane = np.asarray(layer.data[12])
    assert len({int(plane[c[1:]]) for pair in PAIRS for c in pair}) == 4
    np.testing.assert_allclose(
        layer.data_to_world((1, 2, 3)), image.data_to_world((1, 2, 3))
    )
    ready.viewer.dims.set_point(0, 9 * VOXEL_SIZE[0])
    qtbot.waitUntil(lambda: np.asarray(layer.data[9]).any(), timeout=LONG)
    assert not np.asarray(layer.data[12]).any()


def test_an_eager_split_cuts_more_than_a_shy_one(ready, qtbot):
    choose(ready, "split", "distance")
    count(ready, qtbot, 2 * len(PAIRS))
    ready.findChild(QDoubleSpinBox, "split_depth").setValue(90)
    count(ready, qtbot, len(PAIRS))


def test_found_objects_take_the_place_of_the_preview(ready, click, qtbot):
    choose(ready, "split", "distance")
    count(ready, qtbot, 2 * len(PAIRS))
    qtbot.waitUntil(lambda: preview(ready) is not None, timeout=LONG)
    click(ready, "find_instances")
    table = ready.instances.form.table
    qtbot.waitUntil(lambda: table.rows is not None, timeout=LONG)
    assert table.rows.rowCount() == 2 * len(PAIRS)
    assert preview(ready) is None
    labels = np.asarray(ready.viewer.layers["balls - instances"].data)
    assert labels.max() == 2 * len(PAIRS)
    # Nothing comes back by looking elsewhere, until a setting changes.
    ready.viewer.dims.set_point(0, 8 * VOXEL_SIZE[0])
    qtbot.wait(400)
    assert preview(ready) is None


def test_no_splitting_takes_the_preview_away(ready, qtbot):
    choose(ready, "split", "distance")
    qtbot.waitUntil(lambda: preview(ready) is not None, timeout=LONG)
    choose(ready, "split", "no")
    qtbot.waitUntil(lambda: preview(ready) is None, timeout=LONG)
    count(ready, qtbot, len(PAIRS))


def test_the_own_class_as_boundary_is_said(ready, qtbot):
    choose(ready, "split", "boundary")
    choose(ready, "boundary_class", 2)
    said = ready.instances.form.going
    qtbot.waitUntil(lambda: "Choose two classes" in said.text(), timeout=LONG)


def test_another_volume_takes_the_preview_away(ready, qtbot):
    choose(ready, "split", "distance")
    qtbot.waitUntil(lambda: preview(ready) is not None, timeout=LONG)
    ready.viewer.add_image(balls()[0][:10], name="other", units=("um",) * 3)
    ready.volumes.setCurrentIndex(ready.volumes.findText("other"))
    assert preview(ready) is None
