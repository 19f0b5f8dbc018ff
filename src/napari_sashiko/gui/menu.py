"""What napari's menus call: the dock, and a step of it in one click."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_warning

from napari_sashiko.gui.main_dock import SashikoDock
from napari_sashiko.gui.parts import choose_data
from napari_sashiko.gui.result_layers import is_source

if TYPE_CHECKING:
    import napari.viewer

PLUGIN = "napari-sashiko"
WIDGET = "Sashiko"


def open_image(viewer: "napari.viewer.Viewer") -> None:
    """Ask for an image of any size, and open it without reading it whole."""
    open_dock(viewer).open.ask_file()


def segment_with_last_model(viewer: "napari.viewer.Viewer") -> None:
    """Segment the selected image with the model that was trained or used last."""
    dock = open_dock(viewer)

    def segment() -> None:
        if _has_model(dock):
            dock.segment.start()

    _with_active(dock, segment)


def start_labelling(viewer: "napari.viewer.Viewer") -> None:
    """Make a label layer for the selected image, kept on disk as one paints."""
    dock = open_dock(viewer)
    _with_active(dock, dock.label.start)


def find_instances(viewer: "napari.viewer.Viewer") -> None:
    """Count and measure the objects of a class in the segmented image."""
    dock = open_dock(viewer)
    _with_active(dock, dock.instances.find_objects)


def open_dock(viewer: Any) -> SashikoDock:
    """Return the dock of a viewer, opened if it is not there."""
    dock = find_dock(viewer)
    if dock is not None:
        return dock
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
    return dock


def find_dock(viewer: Any) -> SashikoDock | None:
    """Return the dock of a viewer, by whichever menu it was opened."""
    for widget in viewer.window.dock_widgets.values():
        if isinstance(widget, SashikoDock) and not widget.session.closed:
            return widget
    return None


def _with_active(dock: SashikoDock, action: Callable[[], None]) -> None:
    """Put the selected image on the desk, if one is, and do something with it."""
    layer = dock.viewer.layers.selection.active
    if is_source(layer):
        choose_data(dock.volumes, layer)
    if not dock.when_ready(action):
        show_warning("There is no image that Sashiko can work on. Open a volume first.")


def _has_model(dock: SashikoDock) -> bool:
    if dock.segment.model is not None:
        return True
    show_warning("There is no model yet. Train one in the Sashiko dock, or open one.")
    return False
