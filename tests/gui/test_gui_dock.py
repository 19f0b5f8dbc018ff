"""The dock follows the layers, says what is wrong, and closes cleanly at any time."""

import threading

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtWidgets import QComboBox

from napari_sashiko.runners import Message

pytestmark = pytest.mark.gui


def choices(dock):
    box = dock.findChild(QComboBox, "volume")
    return [box.itemText(i) for i in range(box.count())]


def test_the_volume_box_follows_the_layers(dock, blobs):
    viewer = dock.viewer
    assert choices(dock) == ["blobs"]
    second = viewer.add_image(blobs, name="second")
    viewer.add_points(np.zeros((1, 3)))
    assert choices(dock) == ["blobs", "second"]
    second.name = "other"
    assert choices(dock) == ["blobs", "other"]
    dock.volumes.setCurrentIndex(1)
    assert dock.session.name == "other"
    viewer.layers.remove("blobs")
    assert choices(dock) == ["other"]
    assert dock.session.name == "other"
    viewer.layers.clear()
    assert choices(dock) == []
    assert dock.session.volume is None


def test_renaming_the_image_renames_what_is_made_next(dock, click):
    dock.viewer.layers["blobs"].name = "cement"
    click(dock, "start_labelling")
    assert dock.label.layer.name == "cement - labels"


def test_results_are_no_volumes_to_work_on(dock, blobs):
    dock.viewer.add_image(blobs, name="x", metadata={"napari_sashiko": {}})
    assert choices(dock) == ["blobs"]


def test_without_an_image_nothing_can_be_pressed(open_dock):
    dock = open_dock()
    assert not dock.label.isEnabled()
    assert not dock.train.isEnabled()
    assert "Open an image" in dock.label.hint.text()


def test_the_facts_name_size_voxel_size_and_type(dock):
    assert dock.facts.text() == "6 × 40 × 50, 2 × 1.5 × 1.5 µm, float32"


def test_an_image_of_five_axes_is_refused_in_a_sentence(open_dock, blobs):
    dock = open_dock(Image(np.stack([[blobs] * 2] * 3), name="movies"))
    assert "5 axes" in dock.status.text()
    assert "(3, 2, 6, 40, 50)" in dock.status.text()
    assert dock.session.volume is None
    assert not dock.label.isEnabled()


def test_the_sentence_goes_when_a_good_image_is_chosen(open_dock, blobs):
    movie = Image(np.stack([[blobs] * 2] * 3), name="movies")
    dock = open_dock(movie, Image(blobs, name="good"))
    dock.volumes.setCurrentIndex(1)
    assert dock.status.text() == ""
    assert dock.session.volume is not None


@pytest.mark.parametrize(
    ("data", "options", "shape", "channels"),
    [
        (np.zeros((5, 20, 30), ">i2"), {}, (5, 20, 30), 1),
        (np.zeros((20, 30)), {}, (1, 20, 30), 1),
        (np.zeros((1, 5, 20, 30)), {}, (5, 20, 30), 1),
        (np.zeros((20, 30, 3), np.uint8), {"rgb": True}, (1, 20, 30), 3),
        (np.zeros((5, 20, 30, 3), np.uint8), {"rgb": True}, (5, 20, 30), 3),
        (np.zeros((5, 20, 30), bool), {}, (5, 20, 30), 1),
    ],
)
def test_images_of_many_kinds_can_be_painted_on(
    open_dock, click, data, options, shape, channels
):
    dock = open_dock(Image(data, name="image", **options))
    assert dock.session.volume.shape == shape
    assert dock.session.volume.channels == channels
    click(dock, "start_labelling")
    assert dock.status.text() == ""
    dock.label.layer.paint([0] * dock.label.layer.ndim, 1)
    assert sum(dock.session.labels.paint.counts().values()) > 0


def test_dask_and_multiscale_images_can_be_painted_on(open_dock, click, blobs, qtbot):
    dask_array = pytest.importorskip("dask.array")
    lazy = dask_array.from_array(blobs, chunks=(2, 20, 20))
    for image in (
        Image(lazy, name="dask"),
        Image([blobs, blobs[::2, ::2, ::2]], multiscale=True, name="pyramid"),
    ):
        dock = open_dock(image)
        qtbot.waitUntil(lambda dock=dock: dock.session.volume is not None)
        assert dock.session.volume.shape == blobs.shape
        click(dock, "start_labelling")
        # The second image has the voxels, and so the labels, of the first.
        qtbot.waitUntil(lambda dock=dock: dock.label.layer is not None, timeout=30_000)
        assert dock.label.layer.data.shape == blobs.shape


def test_errors_reach_the_status_line_and_napari(dock, qtbot):
    from napari.utils.notifications import notification_manager  # noqa: PLC0415

    before = len(notification_manager.records)
    dock.session.message.emit("This is wrong. Do that.", "error")
    assert dock.status.text() == "This is wrong. Do that."
    assert not dock.status.isHidden()
    told = [r.message for r in list(notification_manager.records)[before:]]
    assert "This is wrong. Do that." in told


def test_what_went_well_is_said_in_the_dock_alone(dock):
    from napari.utils.notifications import notification_manager  # noqa: PLC0415

    before = len(notification_manager.records)
    dock.session.message.emit("Table saved.", "info")
    assert dock.status.text() == "Table saved."
    assert len(notification_manager.records) == before


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_coloured_text_can_be_read_in_every_theme(dock, theme):
    from napari_sashiko.gui.theme import contrast, palette_of  # noqa: PLC0415

    dock.viewer.theme = theme
    palette = palette_of(dock.viewer)
    assert contrast(palette.text, palette.background) >= 4.5
    assert contrast(palette.error, palette.background) >= 4.5


def busy(dock, click, stroke, engine):
    engine.seconds, engine.epochs = 0.02, 10_000
    click(dock, "start_labelling")
    layer = dock.label.layer
    stroke(layer, (2, 10, 10), (2, 10, 30))
    layer.selected_label = 2
    stroke(layer, (2, 30, 10), (2, 30, 30))
    click(dock, "train")
    assert dock.session.is_running("train")
    stroke(layer, (4, 30, 10), (4, 30, 30))
    return dock.session, dock.session.labels.paint


@pytest.mark.parametrize("way", ["viewer", "dock", "window"])
def test_closing_in_the_middle_of_training_ends_cleanly(
    dock, click, stroke, engine, way
):
    session, paint = busy(dock, click, stroke, engine)
    viewer = dock.viewer
    if way == "viewer":
        viewer.close()
    elif way == "window":
        viewer.window._qt_window.close()
    else:
        viewer.window.remove_dock_widget(dock)
    assert session.closed
    assert not session.is_running("train")
    assert not paint.dirty
    names = {thread.name for thread in threading.enumerate()}
    assert not any(name.startswith("Training") for name in names)


def test_paint_goes_on_when_the_dock_was_closed_and_opened_again(
    dock, click, stroke, engine
):
    from napari_sashiko.gui import SashikoDock  # noqa: PLC0415
    from napari_sashiko.session import Session  # noqa: PLC0415

    click(dock, "start_labelling")
    layer = dock.label.layer
    viewer = dock.viewer
    stroke(layer, (2, 10, 10), (2, 10, 30))
    kept = dict(dock.session.labels.paint.counts())
    viewer.window.remove_dock_widget(dock)
    assert not layer.editable
    again = SashikoDock(viewer, Session(engine))
    viewer.window.add_dock_widget(again, name="Sashiko again")
    click(again, "start_labelling")
    assert again.label.layer is layer
    assert layer.editable
    assert again.session.labels.paint.counts() == kept
    stroke(layer, (3, 10, 10), (3, 10, 30))
    assert again.session.labels.paint.dirty
    again.shutdown()


def test_a_proxy_is_unwrapped(make_napari_viewer_proxy, engine):
    from napari_sashiko.gui import SashikoDock  # noqa: PLC0415
    from napari_sashiko.session import Session  # noqa: PLC0415

    proxy = make_napari_viewer_proxy()
    dock = SashikoDock(proxy, Session(engine))
    dock.viewer.window.add_dock_widget(dock, name="Sashiko")
    assert type(dock.viewer).__name__ == "Viewer"
    dock.shutdown()


def test_the_dock_fits_a_small_screen_and_scrolls(dock):
    assert dock.minimumSizeHint().height() < 400
    assert dock.minimumSizeHint().width() < 450


def test_an_error_goes_when_the_next_work_starts(dock, qtbot):
    end = threading.Event()

    def work():
        yield Message("working")
        end.wait(60)

    dock.session.message.emit("There is no room on the disk.", "error")
    assert dock.status.isVisibleTo(dock)
    dock.session.start("predict", work)
    assert dock.status.text() == ""
    dock.session.message.emit("Labels of another scale were adopted.", "warning")
    dock.session.start("train", work)
    assert dock.status.text().startswith("Labels of another scale")
    end.set()
    qtbot.waitUntil(lambda: not dock.session.board.running(), timeout=30_000)
