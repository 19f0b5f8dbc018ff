"""What is suggested between painted slices, as a layer that nobody can paint on."""

from typing import Any

from napari.layers import Labels
from qtpy.QtCore import QObject

from napari_sashiko.gui.label_layer import KEY, class_colormap
from napari_sashiko.gui.layer_volume import placement
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.result_layers import insert_quietly
from napari_sashiko.session import Session

OPACITY = 0.3  # half of that of paint


class SuggestionLayer(QObject):
    """A layer that is there as long as the session keeps a suggestion.

    Taking it out of the layer list discards the suggestion.

    Parameters
    ----------
    session : Session
        Keeps the suggestion.
    viewer : napari.Viewer
        Where the layer is shown.
    """

    def __init__(self, session: Session, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.viewer = viewer
        self.layer: Any = None
        session.between.changed.connect(self.refresh)
        session.labels_changed.connect(self._recolour)
        viewer.layers.events.removed.connect(self._on_removed)

    def refresh(self) -> None:
        """Show the suggestion that there is, or nothing."""
        suggestion = self.session.between.suggestion
        if suggestion is None or not len(suggestion):
            self._drop()
        elif self.layer is None:
            self._add(LazyArray(suggestion))
        else:
            self.layer.data = LazyArray(suggestion)
            self.layer.editable = False  # other data made it editable

    def shutdown(self) -> None:
        """Take the layer away and stop following the viewer."""
        self.viewer.layers.events.removed.disconnect(self._on_removed)
        self._drop()

    def _add(self, data: LazyArray) -> None:
        image = self.session.source
        layer = Labels(
            data,
            name=f"{image.name} - suggestion",
            opacity=OPACITY,
            metadata={KEY: {"suggestion": True}},
            colormap=class_colormap(self.session.labels.classes),
            **placement(image, data.ndim),
        )
        layer.editable = False
        insert_quietly(self.viewer, layer)
        self.layer = layer

    def _drop(self) -> None:
        layer, self.layer = self.layer, None
        if layer is not None and layer in self.viewer.layers:
            self.viewer.layers.remove(layer)

    def _recolour(self) -> None:
        if self.layer is not None and self.session.labels.classes:
            self.layer.colormap = class_colormap(self.session.labels.classes)

    def _on_removed(self, event: Any) -> None:
        if self.layer is not None and event.value is self.layer:
            self.layer = None
            self.session.between.discard()
