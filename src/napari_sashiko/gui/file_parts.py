"""Images that one file holds, such as channels, are told apart: each has a project.

Readers of many microscopes make a layer of each channel, and all of them say that they
come from the same file. What is painted on one is no paint of the others.
"""

from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

from qtpy.QtCore import QObject, QTimer, Signal

from napari_sashiko.gui.layer_volume import mark_parts
from napari_sashiko.gui.result_layers import is_source
from napari_sashiko.session import Session

MILLISECONDS = 200  # within which a reader adds all layers of a file


class FileParts(QObject):
    """Mark layers that came together out of one file.

    Parameters
    ----------
    session : Session
        What is painted on already stays what it is.
    viewer : napari.Viewer
        Where layers appear.
    parent : QObject
        Owns this.
    """

    marked = Signal(object)  # layers that are known to be parts from now on

    def __init__(self, session: Session, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.viewer = viewer
        self._new: WeakSet[Any] = WeakSet()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self._mark_new)
        viewer.layers.events.inserted.connect(self._on_inserted)
        self._mark(viewer.layers)

    def stop(self) -> None:
        """Look at no more layers."""
        self.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._timer.stop()

    def _on_inserted(self, event: Any) -> None:
        self._new.add(event.value)
        self._timer.start()

    def _mark_new(self) -> None:
        layers = [layer for layer in self.viewer.layers if layer in self._new]
        self._new.clear()
        self._mark(layers)

    def _mark(self, layers: Iterable[Any]) -> None:
        painted = None if self.session.labels.paint is None else self.session.source
        images = [each for each in layers if is_source(each) and each is not painted]
        found = mark_parts(images)
        if found:
            self.marked.emit(found)
