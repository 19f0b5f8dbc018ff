"""The slice in view, segmented by the newest model, as a layer of its own."""

from pathlib import Path
from typing import Any

from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from napari_sashiko.gui.label_layer import KEY, class_colormap, find_label_layer
from napari_sashiko.gui.layer_volume import placement
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.preview_array import Box, PreviewArray
from napari_sashiko.gui.result_words import describe_model
from napari_sashiko.gui.view_region import view_region
from napari_sashiko.session import PreviewReady, Session
from napari_sashiko.volumes import Region

MILLISECONDS = 150
LONGEST_SIDE = 1024  # of the region that is segmented at once
OPACITY = 0.45


class PreviewLayer(QObject):
    """Ask for the slice in view when it or the model changes, and show the answer.

    Parameters
    ----------
    session : Session
        Segments in the background; drops stale answers.
    viewer : napari.Viewer
        Where the layer is added.
    """

    changed = Signal(str)  # which model it comes from, in words

    def __init__(self, session: Session, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.viewer = viewer
        self.enabled = True
        self.layer: Any = None
        self.model: Path | None = None
        self._array: PreviewArray | None = None
        self._members = 0
        self._what = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self._ask_if_needed)
        viewer.dims.events.current_step.connect(self._on_view)
        viewer.dims.events.order.connect(self._on_view)
        viewer.camera.events.connect(self._on_view)
        viewer.layers.events.removed.connect(self._on_removed)
        session.volume_changed.connect(self._on_volume)
        session.labels_changed.connect(self._on_classes)
        session.preview_changed.connect(self._show)

    def use(self, model: Path, what: str = "") -> None:
        """Show this model from now on; call it again when a member was saved.

        Parameters
        ----------
        model : Path
            Model folder.
        what : str, optional
            What was added to it last, in words.
        """
        self.model = model
        self._what = what
        self._ask()

    def make_room(self) -> None:
        """Add the layer, empty, before all cores compute: that takes a while."""
        if self.layer is None and self.enabled:
            self._add_layer()

    def switch(self, *, on: bool) -> None:
        """Show or hide the preview, and ask for none while it is hidden."""
        self.enabled = on
        if self.layer is not None:
            self.layer.visible = on
        if on:
            self._ask_if_needed()
        else:
            self.session.forget_preview()

    def shutdown(self) -> None:
        """Stop following the viewer; the layer stays."""
        self._timer.stop()
        self.viewer.dims.events.current_step.disconnect(self._on_view)
        self.viewer.dims.events.order.disconnect(self._on_view)
        self.viewer.camera.events.disconnect(self._on_view)
        self.viewer.layers.events.removed.disconnect(self._on_removed)

    # ---- asking -----------------------------------------------------------------

    def region_in_view(self) -> Region | None:
        """Part of the slice in view that is segmented, (Z, Y, X); None in 3D."""
        image, volume = self.session.source, self.session.volume
        if image is None or volume is None:
            return None
        return view_region(self.viewer, image, volume, LONGEST_SIDE)

    def _ask(self) -> None:
        region = self.region_in_view() if self.enabled else None
        if region is None or self.model is None:
            return
        with telling(self.session):
            self.session.preview(region, self.model)

    def _ask_if_needed(self) -> None:
        region = self.region_in_view()
        if region is None or (self._array and self._array.covers(self._own(region))):
            return
        self._ask()

    def _on_view(self, _event: Any = None) -> None:
        if self.enabled and self.model is not None:
            self._timer.start()

    # ---- showing ----------------------------------------------------------------

    def _show(self, ready: PreviewReady) -> None:
        if ready.volume is not self.session.volume or not self.enabled:
            return
        if self.layer is None:
            self._add_layer()
        if self._array is None:
            return
        if (ready.model, ready.members) != (self.model, self._members):
            # Slices of an older model would say what the newest does not.
            self._array.clear()
            self._members = ready.members
        classes = ready.classes[0] if self._array.ndim == 2 else ready.classes
        self._array.put(self._own(ready.region), classes)
        self.layer.metadata[KEY]["model"] = str(ready.model)
        self.layer.refresh(extent=False, thumbnail=False, highlight=False)
        self.changed.emit(_describe(ready, self._what))

    def _add_layer(self) -> None:
        image, volume = self.session.source, self.session.need_volume()
        self._array = PreviewArray(volume.shape[1:] if volume.flat else volume.shape)
        layer = Labels(
            self._array,
            name=f"{image.name} - preview",
            opacity=OPACITY,
            metadata={KEY: {"preview": True}},
            colormap=class_colormap(self.session.classes),
            **placement(image, self._array.ndim),
        )
        layer.editable = False
        active = self.viewer.layers.selection.active
        self.viewer.layers.insert(self._place_below_paint(), layer)
        self.viewer.layers.selection.active = active
        self.layer = layer

    def _place_below_paint(self) -> int:
        paint = self.session.paint
        labels = find_label_layer(self.viewer, paint) if paint else None
        layers = self.viewer.layers
        return len(layers) if labels is None else layers.index(labels)

    def _own(self, region: Box) -> Box:
        flat = self._array is not None and self._array.ndim == 2
        return region[1:] if flat else region

    def _on_classes(self) -> None:
        if self.layer is not None and self.session.classes:
            self.layer.colormap = class_colormap(self.session.classes)

    def _on_volume(self) -> None:
        self.layer = self._array = self.model = None
        self._members = 0

    def _on_removed(self, event: Any) -> None:
        if self.layer is not None and event.value is self.layer:
            self.layer = self._array = None


def _describe(ready: PreviewReady, what: str) -> str:
    members = f"{ready.members} member{'s' if ready.members != 1 else ''}"
    newest = f" ({what})" if what else ""
    return f"Preview by {describe_model(ready.model)}: {members}{newest}"
