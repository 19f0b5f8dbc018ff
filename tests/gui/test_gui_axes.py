"""What the axes of an image are taken for is chosen in the dock, and kept."""

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtWidgets import QPushButton

from napari_sashiko import pipeline
from napari_sashiko.gui.layer_projects import LayerProjects
from napari_sashiko.gui.layer_volume import label_axes, possible_axes, volume_of
from napari_sashiko.gui.volume_reader import image_layer, read_image
from napari_sashiko.volumes import Time, as_volume

STACK = np.random.default_rng(0).integers(0, 255, (3, 20, 24), np.uint8)


def button(dock):
    return dock.findChild(QPushButton, "axes")


def shown(dock):
    menu = button(dock).menu()
    menu.aboutToShow.emit()
    return menu.actions()


def offered(dock):
    return [action.text() for action in shown(dock)]


def taken(dock):
    return [action.text() for action in shown(dock) if action.isChecked()]


def choose(dock, words):
    next(action for action in shown(dock) if action.text() == words).trigger()


@pytest.fixture
def scan(tmp_path):
    """A file that does not say what its axes are, as a layer."""
    path = tmp_path / "scan.npy"
    np.save(path, STACK)
    ((data, look, _),) = read_image(str(path))
    layer = Image(data, **look)
    layer._source = layer.source.model_copy(update={"path": str(path)})
    return layer


def test_a_stack_may_be_pictures_at_several_times_or_channels(open_dock, scan):
    dock = open_dock(scan)
    assert not button(dock).isHidden()
    assert offered(dock) == ["z, y, x", "time, y, x", "channels, y, x"]
    assert taken(dock) == ["z, y, x"]
    assert dock.session.volume.time is None
    choose(dock, "time, y, x")
    volume = dock.session.volume
    assert (volume.time, volume.frame, volume.shape) == (Time(), 1, STACK.shape)
    assert volume.source["axes"] == "tyx"  # a worker opens it so, too
    assert scan.axis_labels == ("t", "y", "x")
    assert taken(dock) == ["time, y, x"]
    assert "3 time points" in dock.facts.text()
    choose(dock, "channels, y, x")
    volume = dock.session.volume
    assert (volume.channels, volume.shape) == (3, (1, 20, 24))
    everything = tuple(slice(0, n) for n in volume.shape)
    np.testing.assert_array_equal(volume.read(everything)[:, 0], STACK)


def test_labels_that_are_set_elsewhere_are_followed(open_dock):
    layer = Image(STACK, name="cells", scale=(3, 1, 1), units=("um",) * 3)
    dock = open_dock(layer)
    assert dock.session.volume.voxel_size == (3, 1, 1)
    layer.axis_labels = ("time", "y", "x")
    assert dock.session.volume.time == Time()  # micrometres are no time
    layer.axis_labels = ("z", "y", "x")
    assert dock.session.volume.time is None
    dock.shutdown()
    layer.axis_labels = ("time", "y", "x")
    assert dock.session.volume is None or dock.session.volume.time is None


def test_five_axes_are_a_volume_once_the_first_has_channels(open_dock):
    dock = open_dock(Image(np.stack([STACK[None]] * 2)[:, [0, 0]], name="five"))
    assert dock.session.volume is None
    assert dock.facts.isHidden()
    choose(dock, "channels, time, z, y, x")
    volume = dock.session.volume
    assert (volume.channels, volume.frame, volume.shape) == (2, 3, (6, 20, 24))
    assert not dock.facts.isHidden()


@pytest.mark.parametrize(("ndim", "axes"), [(4, "tzyx"), (5, "ctzyx")])
def test_a_file_of_many_axes_opens_and_the_dock_asks(open_dock, tmp_path, ndim, axes):
    path = tmp_path / "many.npy"
    np.save(path, np.broadcast_to(STACK, (2,) * (ndim - 3) + STACK.shape))
    ((data, look, _),) = read_image(str(path))
    dock = open_dock(Image(data, **look))
    assert dock.session.volume.axes == axes
    assert button(dock).isHidden() == (ndim == 5)  # nothing else is possible


def test_plain_images_ask_nothing(open_dock):
    dock = open_dock(Image(STACK[0]))
    assert button(dock).isHidden()
    dock = open_dock(Image(np.stack([STACK] * 3, axis=-1), rgb=True))
    assert button(dock).isHidden()


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        *(("czyx", (1, 5, 20, 24)), ("tzyx", (1, 5, 20, 24)), ("tyx", (1, 20, 24))),
        *(("cyx", (1, 20, 24)), ("ctyx", (1, 3, 20, 24)), ("ctyx", (3, 1, 20, 24))),
        *(("ctzyx", (2, 1, 5, 20, 24)), ("ctzyx", (1, 1, 5, 20, 24))),
    ],
)
def test_axes_of_one_are_no_question(axes, shape):
    data, look, _ = image_layer([as_volume(np.zeros(shape, np.uint8), axes=axes)])
    layer = Image(data, **look)
    volume = volume_of(layer)
    assert volume.axes == axes
    for each in possible_axes(layer):
        label_axes(layer, each)
        assert volume_of(layer).axes == each


def test_a_level_has_other_projects_with_other_axes(open_dock, tmp_path):
    path = tmp_path / "scan.tif"
    path.touch()
    coarse = [STACK, STACK[:, ::2, ::2]]
    layer = Image(coarse, name="scan", multiscale=True)
    layer._source = layer.source.model_copy(update={"path": str(path)})
    dock = open_dock(layer)
    dock.choose_level(layer, 1)
    assert dock.session.folder.name == "scan.tif_level_1.sashiko"
    choose(dock, "time, y, x")
    assert dock.session.folder.name == "scan.tif_level_1_tyx.sashiko"
    dock.choose_level(layer, 0)
    assert dock.session.folder.name == "scan.tif.sashiko"


def test_a_copy_of_a_layer_has_the_same_projects(open_dock, scan):
    copy = Image(scan.data, name="copy", axis_labels=scan.axis_labels)
    dock = open_dock(copy)
    first = dock.session.folder
    choose(dock, "channels, y, x")
    assert dock.session.folder != first
    assert dock.session.folder.name == "scan.npy_cyx.sashiko"


def test_what_is_restored_belongs_to_these_axes(open_dock, scan):
    dock = open_dock(scan)
    choose(dock, "time, y, x")
    projects = LayerProjects(dock.session, dock.viewer, dock)
    assert projects.folder_of(scan, volume_of(scan)) == dock.session.folder


def test_from_time_to_depth_the_step_is_no_size(open_dock):
    place = {"scale": (2.0, 0.5, 0.5), "units": ("s", "um", "um")}
    dock = open_dock(Image(STACK, axis_labels=("t", "y", "x"), name="film", **place))
    assert dock.session.volume.time == Time(2.0, "s")
    choose(dock, "z, y, x")
    volume = dock.session.volume
    assert (volume.voxel_size, volume.unit) == ((0.5, 0.5, 0.5), "um")


def test_a_depth_without_a_unit_keeps_its_size():
    place = {"scale": (2.0, 0.5, 0.5), "units": ("pixel", "um", "um")}
    volume = volume_of(Image(STACK, **place))
    assert (volume.voxel_size, volume.unit) == ((2.0, 0.5, 0.5), "pixel")


def test_labels_that_change_nothing_disturb_nobody(open_dock):
    layer = Image(STACK, name="cells")
    dock = open_dock(layer)
    before = dock.session.volume
    choose(dock, "z, y, x")
    assert dock.session.volume is before
    assert taken(dock) == ["z, y, x"]


def test_axes_in_another_order_are_those_of_the_file():
    volume = as_volume(np.zeros((4, 2, 20, 24)), axes="zcyx")
    data, look, _ = image_layer([volume])
    assert possible_axes(Image(data, **look)) == ()


def test_a_project_is_opened_with_the_axes_that_were_chosen(open_dock, click, scan):
    dock = open_dock(scan)
    choose(dock, "time, y, x")
    click(dock, "start_labelling")
    dock.session.labels.paint.store.array[1, 2:5, 2:9] = 1
    folder = dock.session.folder
    dock.shutdown()
    pipeline.note_image(*dock.session.engine.noted[-1])
    found = pipeline.project_image(folder)
    assert found.odd == ""
    assert found.volume.time is not None
    assert found.volume.axes == "tyx"


def test_other_axes_keep_the_paint_of_the_first(open_dock, click, scan):
    dock = open_dock(scan)
    click(dock, "start_labelling")
    dock.session.labels.paint.store.array[1, 2:5, 2:9] = 1
    choose(dock, "channels, y, x")
    (paint,) = (layer for layer in dock.viewer.layers if layer is not scan)
    assert not paint.visible
    click(dock, "start_labelling")
    assert dock.session.labels.paint.store.shape == (1, 20, 24)
    choose(dock, "z, y, x")
    assert paint.visible
    assert dock.label.layer is paint
    store = dock.session.labels.paint.store
    assert store.shape == STACK.shape
    assert (np.asarray(store.array[1, 2:5, 2:9]) == 1).all()
