"""Layers of several time points: painted, looked at and shown frame by frame."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_sashiko.errors import LabelError, VolumeError
from napari_sashiko.gui.instance_link import bounding_box, jump_to
from napari_sashiko.gui.layer_volume import volume_of
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.main_dock import describe_volume
from napari_sashiko.gui.paint_view import PaintView
from napari_sashiko.gui.result_layers import ResultLayers
from napari_sashiko.gui.view_center import look_at, view_center
from napari_sashiko.gui.view_region import view_region
from napari_sashiko.gui.volume_array import VolumeArray
from napari_sashiko.labels import BetweenSettings, LabelClass
from napari_sashiko.volumes import Time, as_volume

pytestmark = pytest.mark.gui
TIMES, DEPTH, HEIGHT, WIDTH = 3, 4, 24, 30
SHAPE = (TIMES, DEPTH, HEIGHT, WIDTH)
GREY = np.random.default_rng(0).integers(0, 255, SHAPE, np.uint8)
TIMED = {
    "scale": (30.0, 2.0, 0.5, 0.5),
    "units": ("s", "um", "um", "um"),
    "axis_labels": ("t", "z", "y", "x"),
}
CLASSES = (
    LabelClass(id=1, name="dark", color="#999999"),
    LabelClass(id=2, name="ball", color="#e69f00"),
)


def image(data=GREY, **more):
    return Image(data, name="cells", **{**TIMED, **more})


def test_the_axis_before_z_is_time_with_its_step_and_unit():
    volume = volume_of(image())
    assert (volume.shape, volume.frame) == ((TIMES * DEPTH, HEIGHT, WIDTH), DEPTH)
    assert volume.time == Time(30.0, "s")
    assert volume.voxel_size == (2.0, 0.5, 0.5)
    assert describe_volume(volume).startswith("3 time points, 4 × 24 × 30")
    bare = Image(GREY, name="cells")
    assert volume_of(bare).time == Time()


def test_three_axes_are_pictures_at_several_times_only_when_they_say_so():
    assert volume_of(Image(GREY[:, 0])).frame is None
    timed = volume_of(Image(GREY[:, 0], axis_labels=("Time", "y", "x")))
    assert (timed.frame, timed.flat, timed.shape) == (1, True, (TIMES, HEIGHT, WIDTH))


@pytest.mark.parametrize(
    ("shape", "labels", "axes"),
    [
        (SHAPE, ("channel", "z", "y", "x"), "channels, z, y, x"),
        (SHAPE[1:], ("c", "y", "x"), "channels, y, x"),
        ((2, *SHAPE), ("C", "t", "z", "y", "x"), "channels, time, z, y, x"),
        (SHAPE, ("c", "t", "y", "x"), "channels, time, y, x"),
        (SHAPE, ("", "", "", ""), "time, z, y, x"),
    ],
)
def test_axes_are_taken_as_they_are_labelled_and_that_is_said(shape, labels, axes):
    data = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    labels = {"axis_labels": labels} if any(labels) else {}
    volume = volume_of(Image(data, name="cells", **labels))
    assert describe_volume(volume).endswith(f"axes taken as {axes}")
    names = axes.split(", ")
    assert volume.channels == (shape[0] if names[0] == "channels" else 1)
    assert (volume.time is not None) == ("time" in names)
    whole = (slice(0, n) for n in volume.shape)
    read = volume.read(tuple(whole))
    np.testing.assert_array_equal(read.ravel(), data.ravel())


def test_plain_axes_need_no_words():
    colours = np.stack([GREY[0]] * 3, axis=-1)
    for layer in (Image(GREY[0]), Image(GREY[0, 0]), Image(colours, rgb=True)):
        assert "axes" not in describe_volume(volume_of(layer))


def test_channels_elsewhere_and_too_many_axes_are_refused_in_words():
    with pytest.raises(VolumeError, match="channels first"):
        volume_of(Image(GREY, axis_labels=("z", "channel", "y", "x")))
    with pytest.raises(VolumeError, match="Split Stack"):
        volume_of(Image(np.stack([GREY, GREY])))


def test_paint_at_a_time_point_is_paint_of_its_slices():
    store = np.arange(72, dtype="u1").reshape(6, 3, 4)
    volume = as_volume(np.zeros((2, 3, 3, 4), np.uint8), axes="tzyx")
    view = PaintView(store, volume.stacking)
    whole = store.reshape(2, 3, 3, 4)
    for key in [0, (1, 2), (1, 2, slice(1, 3), slice(None)), (slice(None), 2), ...]:
        np.testing.assert_array_equal(view[key], whole[key])
    places = (np.array([0, 1]), np.array([2, 0]), np.array([1, 1]), np.array([0, 3]))
    view[places] = 99
    assert store[2, 1, 0] == store[3, 1, 3] == 99
    view[1, 1:3, 0, 0] = 98
    view[0:2, 2:3, 2:3, 3:4] = np.array([96, 97]).reshape(2, 1, 1, 1)
    assert (store[2, 2, 3], store[5, 2, 3]) == (96, 97)
    assert (store[:, 0, 0] == 98).tolist() == [False] * 4 + [True] * 2


def test_a_stroke_stays_at_its_time_point(open_dock, click, stroke):
    dock = open_dock(image())
    click(dock, "start_labelling")
    layer = dock.label.layer
    assert layer.data.shape == SHAPE
    assert layer.axis_labels == ("t", "z", "y", "x")
    stroke(layer, (1, 3, 12, 8), (1, 3, 12, 20))
    labelled = dock.session.labels.paint.labelled()
    assert len(labelled) > 10
    assert set(labelled.coords[:, 0]) == {1 * DEPTH + 3}
    layer.undo()
    assert not any(dock.session.labels.paint.counts().values())
    with pytest.raises(LabelError, match="time points"):
        dock.session.between.fill(1, BetweenSettings())


def test_what_is_in_view_is_a_slice_of_one_time_point():
    viewer = ViewerModel()
    layer = viewer.add_layer(image())
    volume = volume_of(layer)
    look_at(viewer, layer, volume.stacking.point((7, 10, 12)))
    assert tuple(viewer.dims.current_step[:2]) == (1, 3)
    region = view_region(viewer, layer, volume, 1024)
    assert region == (slice(7, 8), slice(0, HEIGHT), slice(0, WIDTH))
    z, y, x = view_center(viewer, layer, volume)
    assert (z, round(y), round(x)) == (7, 10, 12)
    viewer.dims.order = (1, 2, 0, 3)  # time runs down the picture
    assert view_region(viewer, layer, volume, 1024) is None


def test_an_object_is_found_at_its_time_point():
    viewer = ViewerModel()
    labels = np.zeros(SHAPE, np.uint32)
    labels[2, 1:3, 4:9, 5:11] = 7
    layer = viewer.add_labels(labels)
    row = {"frame": 2}
    for axis, (low, high) in zip("zyx", ((1, 3), (4, 9), (5, 11)), strict=True):
        row |= {f"bbox_{axis}_start": low, f"bbox_{axis}_stop": high}
    jump_to(viewer, layer, 7, bounding_box(row))
    assert tuple(viewer.dims.current_step[:2]) == (2, 1)


def test_voxels_of_an_image_of_ours_are_those_of_its_array():
    lazy = LazyArray(VolumeArray(as_volume(GREY, axes="tzyx")))
    assert lazy.shape == SHAPE
    for key in [(1, 2), (slice(0, 2), 3), (slice(None), slice(1, 3), 5), ...]:
        np.testing.assert_array_equal(np.asarray(lazy[key]), GREY[key])


def test_results_lie_on_the_image_at_each_time_point():
    viewer = ViewerModel()
    source = viewer.add_layer(image())
    volume = volume_of(source)
    mean = np.random.default_rng(1).random((TIMES, 2, *SHAPE[1:])).astype(np.float32)
    result = SimpleNamespace(
        path="p.zarr",
        mean=mean,
        std=mean,
        class_ids=np.ones(SHAPE, np.uint8),
        stack=volume.stacking,
        classes=CLASSES,
        coarser={},
        model_digest="abc",
    )
    layers = ResultLayers(viewer, source)
    layers.show(result)
    shown = {layer.name: layer for layer in viewer.layers}
    for name in ("mean ball", "std", "classes"):
        layer = shown[f"cells - {name}"]
        assert layer.data.shape == SHAPE
        np.testing.assert_array_equal(layer.scale, source.scale)
    ball, doubt = (np.asarray(shown[f"cells - {n}"].data) for n in ("mean ball", "std"))
    np.testing.assert_array_equal(ball, mean[:, 1])
    np.testing.assert_array_equal(doubt, mean.max(axis=1))
    layers.cell_done(((4, 6), (0, HEIGHT), (0, WIDTH)))  # another time point
