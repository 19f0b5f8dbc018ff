"""A restored image as layers that fill while it is made."""

from typing import Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QObject, QTimer

from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.result_layers import (
    Box,
    channel_axis,
    hits_view,
    own_box,
    put_layer,
)
from napari_sashiko.volumes import Stacking

MILLISECONDS = 200


class RestoredLayers(QObject):
    """The restored image, and where its networks differ.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are shown.
    parent : QObject
        Owns this.
    """

    def __init__(self, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.layers: list[Any] = []
        self._stack: Stacking | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self.refresh)

    def show(self, result: Any, source: Any) -> None:
        """Add the layers of a result beside its image, or fill those of before."""
        count = result.mean.shape[channel_axis(result)]
        self.layers, self._stack = [], result.stack
        for channel in range(count):
            mark = f" {channel + 1}" if count > 1 else ""
            limits = _limits(source, one=count == 1)
            self.layers.append(
                self._put(
                    result, source, "mean", channel, f"restored{mark}", first=limits
                )
            )
            hidden = {"visible": False, "colormap": "magma", "blending": "additive"}
            self.layers.append(
                self._put(result, source, "std", channel, f"doubt{mark}", first=hidden)
            )

    def cell_done(self, cell: Box) -> None:
        """Repaint soon if a finished block is in view."""
        if self._timer.isActive():
            return
        own = own_box(self._stack, cell)
        if any(hits_view(self.viewer, layer, own) for layer in self.there()):
            self._timer.start()

    def refresh(self) -> None:
        """Read what is shown again."""
        for layer in self.there():
            if layer.visible:
                layer.refresh(extent=False, thumbnail=False, highlight=False)

    def finish(self) -> None:
        """Repaint everything; contrast of what networks doubt is known now."""
        self._timer.stop()
        for layer in self.there():
            layer.refresh()

    def there(self) -> list[Any]:
        """Return the layers that the user has not removed."""
        return [layer for layer in self.layers if layer in self.viewer.layers]

    def _put(
        self,
        result: Any,
        source: Any,
        part: str,
        channel: int,
        words: str,
        *,
        first: dict[str, Any],
    ) -> Any:
        array = result.mean if part == "mean" else result.std
        return put_layer(
            self.viewer,
            source,
            Image,
            LazyArray(
                array,
                channel=channel,
                dtype=np.float32,
                channel_axis=channel_axis(result),
            ),
            name=f"{source.name} - {words}",
            note={"result": part, "path": str(result.path), "restored": True},
            first=first,
            always=_doubt(source) if part == "std" else {},
        )


def _limits(source: Any, *, one: bool) -> dict[str, Any]:
    """Contrast and colours of the image, so that both can be compared."""
    if not one or getattr(source, "rgb", False):
        return {}
    low, high = source.contrast_limits
    return {"contrast_limits": (low, high), "colormap": source.colormap}


def _doubt(source: Any) -> dict[str, Any]:
    """A tenth of the image's contrast is much to differ by."""
    low, high = source.contrast_limits
    return {"contrast_limits": (0.0, 0.1 * (high - low) or 1.0)}
