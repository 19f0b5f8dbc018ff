"""The napari dock: asks the session and shows what it says."""

from napari_sashiko.gui.binding_guard import guard_constants
from napari_sashiko.gui.main_dock import SashikoDock

__all__ = ["SashikoDock"]

guard_constants()
