"""Which level of a multiscale image is worked on; only there for such images."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget
from superqt.utils import signals_blocked

from napari_sashiko.gui.level_layer import level_of, level_shapes, whole_of
from napari_sashiko.gui.parts import make_box

TIP = (
    "Level of the image pyramid to paint, train and predict on: coarser ones are "
    "faster, and networks see more around a voxel"
)


class LevelRow(QWidget):
    """Choose a level of the image that is worked on.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers they are.
    """

    chosen = Signal(object, int)  # image, level

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._image: Any = None
        self.box = make_box("level", TIP)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Level"))
        row.addWidget(self.box, 1)
        self.box.activated.connect(self._on_activated)
        self.follow(None)

    def follow(self, layer: Any) -> None:
        """Show the levels of the image that `layer` is, or is a level of."""
        self._image = None if layer is None else whole_of(self._viewer, layer)
        shapes = [] if self._image is None else level_shapes(self._image)
        with signals_blocked(self.box):
            self.box.clear()
            for level, shape in enumerate(shapes):
                size = " × ".join(map(str, shape))
                self.box.addItem(f"{level}: {size}", level)
            if layer is not None:
                self.box.setCurrentIndex(min(level_of(layer), len(shapes) - 1))
        self.setVisible(len(shapes) > 1)

    def _on_activated(self, level: int) -> None:
        self.chosen.emit(self._image, level)
