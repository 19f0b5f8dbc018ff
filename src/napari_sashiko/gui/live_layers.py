"""Layers of a result that fill while it is made."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_sashiko.volumes import Stacking

MILLISECONDS = 150
MILLISECONDS_3D = 2000  # a 3D view reads the whole array at each refresh

Box = Sequence[tuple[int, int]]


class LiveLayers(QObject):
    """Repaint layers when blocks of theirs are finished, and not too often.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are shown.
    parent : QObject
        Owns this.
    """

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.layers: list[Any] = []
        self._stack: Stacking | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.refresh)

    def show(self, result: Any, source: Any) -> None:
        """Add the layers of a result beside its image, or fill those of before."""
        raise NotImplementedError

    def cell_done(self, cell: Box) -> None:
        """Repaint soon if a finished block, ((z0, z1), ...), meets the view."""
        if self._timer.isActive():
            return
        own = own_box(self._stack, cell)
        if any(hits_view(self.viewer, layer, own) for layer in self.there()):
            flat = self.viewer.dims.ndisplay == 2
            self._timer.start(MILLISECONDS if flat else MILLISECONDS_3D)

    def refresh(self) -> None:
        """Read what is shown again."""
        for layer in self.there():
            if layer.visible:
                layer.refresh(extent=False, thumbnail=False, highlight=False)

    def finish(self) -> None:
        """Repaint everything, thumbnails too."""
        self._timer.stop()
        for layer in self.there():
            layer.refresh()

    def there(self) -> list[Any]:
        """Return the layers that the user has not removed."""
        return [layer for layer in self.layers if layer in self.viewer.layers]


def hits_view(viewer: Any, layer: Any, cell: Box) -> bool:
    """Whether a box of voxels ((z0, z1), (y0, y1), (x0, x1)) is in the slice shown."""
    if not layer.visible:
        return False
    point = np.round(layer.world_to_data(viewer.dims.point[-layer.ndim :])).astype(int)
    offset = viewer.dims.ndim - layer.ndim
    shown = {axis - offset for axis in viewer.dims.displayed}
    box = list(cell)[-layer.ndim :]
    return all(
        axis in shown or start <= point[axis] < stop
        for axis, (start, stop) in enumerate(box)
    )


def channel_axis(result: Any) -> int:
    """Axis of the channels of a result's arrays: behind that of time."""
    return 0 if result.stack.time is None else 1


def own_box(stack: Stacking | None, cell: Box) -> Box:
    """Where a block, ((z0, z1), ...), lies in the arrays of a result."""
    if stack is None:
        return cell
    box = stack.box([slice(*side) for side in cell])
    return [(part.start, part.stop) for part in box]
