"""A dock in a viewer, with an engine that learns nothing."""

import gc
import importlib.util

import pytest

if importlib.util.find_spec("napari") is None:
    collect_ignore_glob = ["test_*.py"]

WAIT = 30_000


@pytest.fixture(scope="session", autouse=True)
def libraries_at_rest():
    """Load what all tests need, and keep garbage collection from looking at it.

    napari collects garbage for each layer that goes, which takes a sixth of a second
    beside libraries of this size: a fifth of all that the tests of the window take.
    """
    import napari_sashiko.gui  # noqa: F401, PLC0415
    from napari_sashiko.pipeline import warm_up_steps  # noqa: PLC0415

    list(warm_up_steps())
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def open_dock(make_napari_viewer, engine):
    """Open the dock on layers: ``open_dock(layer, ...) -> dock``."""
    from qtpy.QtWidgets import QApplication  # noqa: PLC0415 - needs Qt

    from napari_sashiko.gui import SashikoDock  # noqa: PLC0415
    from napari_sashiko.session import Session  # noqa: PLC0415

    def make(*layers, **options):
        viewer = make_napari_viewer(**options)
        for layer in layers:
            viewer.add_layer(layer)
        dock = SashikoDock(viewer, Session(engine))
        viewer.window.add_dock_widget(dock, name="Sashiko")
        desks.append(dock.session)
        # The dock learns in the event loop which window it is in.
        QApplication.processEvents()
        return dock

    desks = []
    yield make
    for desk in desks:
        desk.shutdown()


@pytest.fixture
def dock(open_dock, blobs):
    """The dock beside one image of 6 x 40 x 50 voxels."""
    from napari.layers import Image  # noqa: PLC0415

    scale = (2.0, 1.5, 1.5)
    return open_dock(Image(blobs, name="blobs", scale=scale, units=("um",) * 3))


@pytest.fixture
def stroke():
    """Draw a line through napari's own mouse callbacks, in voxels of the layer."""
    from napari.utils._test_utils import read_only_mouse_event  # noqa: PLC0415
    from napari.utils.interactions import (  # noqa: PLC0415
        mouse_move_callbacks,
        mouse_press_callbacks,
        mouse_release_callbacks,
    )

    def draw(layer, begin, end):
        first, last = layer.data_to_world(begin), layer.data_to_world(end)
        common = {
            "view_direction": None,
            "up_direction": None,
            "dims_displayed": [layer.ndim - 2, layer.ndim - 1],
        }

        def event(kind, position, **more):
            return read_only_mouse_event(type=kind, position=position, **more, **common)

        mouse_press_callbacks(layer, event("mouse_press", first))
        mouse_move_callbacks(layer, event("mouse_move", last, is_dragging=True))
        mouse_release_callbacks(layer, event("mouse_release", last))

    return draw


@pytest.fixture
def click(qtbot):
    """Click the real button of this object name."""
    from qtpy.QtCore import Qt  # noqa: PLC0415
    from qtpy.QtWidgets import QAbstractButton  # noqa: PLC0415

    def press(dock, name):
        button = dock.findChild(QAbstractButton, name)
        assert button is not None, name
        assert button.isEnabled(), f"{name} cannot be pressed"
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        return button

    return press


@pytest.fixture(scope="session")
def trained_model(tmp_path_factory):
    """Folder of a real model, trained once."""
    from gui_trained import train_model  # noqa: PLC0415

    return train_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def predicted(trained_model, tmp_path_factory):
    """Folder of a finished prediction of that model, made once."""
    from gui_trained import predict_balls  # noqa: PLC0415

    return predict_balls(trained_model, tmp_path_factory.mktemp("predictions"))
