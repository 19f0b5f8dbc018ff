"""What a preview shows: its classes, or how unsure it is; each a layer of its own."""

from typing import Any, ClassVar

import numpy as np
from napari.layers import Image, Labels

from napari_sashiko.gui.label_layer import KEY, class_colormap, find_label_layer
from napari_sashiko.gui.layer_volume import placement
from napari_sashiko.gui.preview_array import PreviewArray
from napari_sashiko.gui.result_layers import MOST_STD, SHOWN_STD
from napari_sashiko.session import PreviewReady, Session
from napari_sashiko.volumes import Region

OPACITY = 0.45


class PreviewFace:
    """A layer that is filled with the regions that were looked at.

    Parameters
    ----------
    session : Session
        Knows the image and the classes.
    viewer : napari.Viewer
        Where the layer is added, below the paint.
    on : bool
        Whether it is wanted from the beginning.
    """

    title: ClassVar[str]
    dtype: ClassVar[type]

    def __init__(self, session: Session, viewer: Any, *, on: bool) -> None:
        self.session = session
        self.viewer = viewer
        self.on = on
        self.layer: Any = None
        self._array: PreviewArray | None = None
        self._number: int | None = None  # of the model that all its regions are of

    def switch(self, *, on: bool) -> None:
        """Show or hide the layer, if it is there already."""
        self.on = on
        if self.layer is not None:
            self.layer.visible = on

    def covers(self, region: Region, number: int) -> bool:
        """Whether nothing has to be asked for to show this region by this model."""
        if not self.on:
            return True
        if self._array is None or self._number != number:
            return False
        return self._array.covers(self.session.need_volume().stacking.box(region))

    def put(self, ready: PreviewReady) -> None:
        """Show a region, if this face is wanted; those of another model go."""
        if ready.number != self._number:
            self._number = ready.number
            if self._array is not None:
                self._array.clear()
        if not self.on:
            return
        self.make_room()
        if self._array is None:
            return
        self._array.put(
            self.session.need_volume().stacking.box(ready.region), self._values(ready)
        )
        self.layer.metadata[KEY]["model"] = str(ready.model)
        self.layer.refresh(extent=False, thumbnail=False, highlight=False)

    def make_room(self) -> None:
        """Add the layer, empty, if it is wanted and not there."""
        if self.layer is not None or not self.on:
            return
        image, volume = self.session.source, self.session.need_volume()
        self.layer = self._left_over(image, volume.stacking.on_disk)
        if self.layer is not None:
            self._array = self.layer.data
            self._array.clear()  # of whichever model
            self.layer.visible = True
            self.recolour()
            return
        self._array = PreviewArray(volume.stacking.on_disk, self.dtype)
        self.layer = self._make(
            self._array,
            name=f"{image.name} - {self.title}",
            metadata={KEY: {self.title: True, "of": image.unique_id}},
            **placement(image, self._array.ndim),
        )
        active = self.viewer.layers.selection.active
        self.viewer.layers.insert(self._place_below_paint(), self.layer)
        self.viewer.layers.selection.active = active

    def forget(self) -> None:
        """Let go of the layer; it stays in the viewer."""
        self.layer = self._array = self._number = None

    def recolour(self) -> None:
        """Follow the classes."""

    def _place_below_paint(self) -> int:
        paint = self.session.labels.paint
        labels = find_label_layer(self.viewer, paint) if paint else None
        layers = self.viewer.layers
        return len(layers) if labels is None else layers.index(labels)

    def _left_over(self, image: Any, shape: tuple[int, ...]) -> Any:
        """Layer of this image from before another one was worked on, if it is there."""
        for layer in self.viewer.layers:
            known = layer.metadata.get(KEY, {})
            ours = known.get(self.title) and known.get("of") == image.unique_id
            if ours and layer.data.shape == shape:
                return layer
        return None

    def _make(self, array: PreviewArray, **about: Any) -> Any:
        raise NotImplementedError

    def _values(self, ready: PreviewReady) -> np.ndarray:
        raise NotImplementedError


class ClassesFace(PreviewFace):
    """The most probable class, in the colours of the classes."""

    title = "preview"
    dtype = np.uint8

    def recolour(self) -> None:
        """Take the colours that the classes have now."""
        if self.layer is not None and self.session.labels.classes:
            self.layer.colormap = class_colormap(self.session.labels.classes)

    def _make(self, array: PreviewArray, **about: Any) -> Any:
        layer = Labels(
            array,
            opacity=OPACITY,
            colormap=class_colormap(self.session.labels.classes),
            **about,
        )
        layer.editable = False
        return layer

    def _values(self, ready: PreviewReady) -> np.ndarray:
        return ready.classes


class DoubtFace(PreviewFace):
    """How unsure each voxel is: black where the members agree."""

    title = "preview std"
    dtype = np.float32

    def put(self, ready: PreviewReady) -> None:
        """Show a region, on the scale of what is shown."""
        super().put(ready)
        if self.layer is not None and self.on:
            most = SHOWN_STD if ready.members_differ else MOST_STD
            if tuple(self.layer.contrast_limits) != (0.0, most):
                self.layer.contrast_limits = (0.0, most)

    def _make(self, array: PreviewArray, **about: Any) -> Any:
        layer = Image(
            array,
            rgb=False,
            colormap="magma",
            blending="additive",
            contrast_limits=(0.0, SHOWN_STD),
            **about,
        )
        layer.contrast_limits_range = (0.0, 1.0)
        return layer

    def _values(self, ready: PreviewReady) -> np.ndarray:
        return ready.doubt
