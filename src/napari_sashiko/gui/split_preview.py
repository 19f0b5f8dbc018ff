"""The objects of the slice in view, cut apart before all of them are searched."""

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.label_layer import KEY
from napari_sashiko.gui.layer_volume import placement
from napari_sashiko.gui.preview_array import PreviewArray
from napari_sashiko.gui.preview_words import describe_cut
from napari_sashiko.gui.result_layers import insert_quietly, is_result_of
from napari_sashiko.gui.view_region import view_region
from napari_sashiko.runners import Event, Tick
from napari_sashiko.session import Session
from napari_sashiko.volumes import Region

MILLISECONDS = 200
LONGEST_SIDE = 256  # of the region that is cut apart at once: a second or two
OPACITY = 0.7


class SplitPreview(QObject):
    """A layer that is there until the final labels come.

    Parameters
    ----------
    session : Session
        Computes in the background.
    viewer : napari.Viewer
        Where the layer is shown.
    """

    def __init__(self, session: Session, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.viewer = viewer
        self.layer: Any = None
        self._hidden: list[Any] = []
        self._array: PreviewArray | None = None
        self._asked: tuple[Path, Any] | None = None
        self._is_cut = False
        self._question = Question(session, "split_preview", self)
        self._question.answered.connect(self._show)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self._ask)
        viewer.dims.events.current_step.connect(self._on_view)
        viewer.dims.events.order.connect(self._on_view)
        viewer.camera.events.connect(self._on_view)
        viewer.layers.events.removed.connect(self._on_removed)

    def show(self, prediction: Path, settings: Any) -> None:
        """Show how the objects in view are cut apart; nothing where they are not.

        Parameters
        ----------
        prediction : Path
            Folder NAME.zarr.
        settings : InstanceSettings
            Class, threshold, splitting.
        """
        if settings.split == "no":
            self.drop()
            return
        self._asked = prediction, settings
        if self._array is not None:
            self._array.clear()
        self._ask()

    def drop(self) -> None:
        """Take the layer away, and want no answer any more."""
        self._asked = None
        self._timer.stop()
        self._question.forget()
        if self.layer is not None and self.layer in self.viewer.layers:
            self.viewer.layers.remove(self.layer)
        self.layer = self._array = None
        for layer in self._hidden:
            layer.visible = True
        self._hidden = []

    def shutdown(self) -> None:
        """Stop following the viewer."""
        self._timer.stop()
        self.viewer.dims.events.current_step.disconnect(self._on_view)
        self.viewer.dims.events.order.disconnect(self._on_view)
        self.viewer.camera.events.disconnect(self._on_view)
        self.viewer.layers.events.removed.disconnect(self._on_removed)

    def _ask(self) -> None:
        image, volume = self.session.source, self.session.volume
        if self._asked is None or image is None or volume is None:
            return
        region = view_region(self.viewer, image, volume, LONGEST_SIDE)
        if region is None:
            return
        self._tell(cut=region != view_region(self.viewer, image, volume, sys.maxsize))
        own = volume.stacking.box(region)
        if self._array is not None and self._array.covers(own):
            return
        engine, (path, settings) = self.session.engine, self._asked

        def work() -> Generator[Event, None, Any]:
            yield Tick()
            return volume, region, engine.preview_instances(path, region, settings)

        self._question.ask(work)

    def _tell(self, *, cut: bool) -> None:
        """Say, once, that the view is larger than what is cut apart at once."""
        if cut and not self._is_cut:
            text = "The split preview shows part of the view"
            self.session.message.emit(f"{text}{describe_cut(LONGEST_SIDE)}.", "info")
        self._is_cut = cut

    def _show(self, answer: tuple[Any, Region, np.ndarray]) -> None:
        volume, region, labels = answer
        if volume is not self.session.volume or self._asked is None:
            return
        if self.layer is None:
            self._add_layer()
        if self._array is None:
            return
        # Numbers of one slice mean nothing in the next: only one is kept.
        self._array.clear()
        self._array.put(volume.stacking.box(region), labels)
        self.layer.refresh(extent=False, thumbnail=False, highlight=False)

    def _add_layer(self) -> None:
        image, volume = self.session.source, self.session.need_volume()
        self._array = PreviewArray(volume.stacking.on_disk, np.uint32)
        self.layer = Labels(
            self._array,
            name=f"{image.name} - split preview",
            opacity=OPACITY,
            metadata={KEY: {"split_preview": True}},
            **placement(image, self._array.ndim),
        )
        self.layer.editable = False
        self._hide_found(image)
        insert_quietly(self.viewer, self.layer)

    def _hide_found(self, image: Any) -> None:
        """Hide classes and objects found before, while the preview lies on them."""
        for layer in self.viewer.layers:
            over = layer.metadata.get(KEY, {}).get("result") in ("instances", "classes")
            if over and layer.visible and is_result_of(layer, image):
                layer.visible = False
                self._hidden.append(layer)

    def _on_view(self, _event: Any = None) -> None:
        if self._asked is not None:
            self._timer.start()

    def _on_removed(self, event: Any) -> None:
        if self.layer is not None and event.value is self.layer:
            self.layer = self._array = self._asked = None
