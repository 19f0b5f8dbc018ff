"""Results of a folder of pictures as layers: one picture, or all as a stack."""

from functools import partial
from typing import Any

import numpy as np
from napari.layers import Image, Labels

from napari_sashiko.gui.label_layer import KEY, class_colormap
from napari_sashiko.gui.lazy_array import LazyArray
from napari_sashiko.gui.result_layers import OPACITY, find_result

PERCENTILES = (0.5, 99.5)


class PictureLayers:
    """Pictures, and their classes and where these are wrong; or pictures restored.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are shown.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.layers: list[Any] = []

    def show(self, found: Any, number: int | None = None) -> None:
        """Show one picture, or all of them as a stack.

        Parameters
        ----------
        found : ShownPictures
            Open results.
        number : int, optional
            Of the picture; None shows the stack.
        """
        name, contrast = found.results.path.name, _contrast(found, number or 0)
        self.layers = [
            self._put(
                Image,
                self._data(found, found.picture, number, found.dtype, found.channels),
                f"{name} - pictures",
                "pictures",
                **contrast,
            )
        ]
        if found.results.restores:
            self.layers.append(self._restored(found, number, contrast))
        else:
            self.layers += self._segmented(found, number)
        self._remove_others(name)
        self.viewer.reset_view()

    def _remove_others(self, name: str) -> None:
        """Remove what an earlier model made of this folder, if it is of other pictures.

        It would lie over these: of all pictures over one, or of one over all.
        """
        ndim = self.layers[0].ndim
        for layer in list(self.viewer.layers):
            ours = layer.metadata.get(KEY, {}).get("pictures")
            if layer in self.layers or not ours:
                continue
            if layer.name.startswith(f"{name} - ") and layer.ndim != ndim:
                self.viewer.layers.remove(layer)

    def _restored(self, found: Any, number: int | None, contrast: Any) -> Any:
        """Restored pictures, in the light of the others, so that both compare."""
        kind, channels = found.restored_dtype, found.restored_channels
        if channels > 1:
            contrast = {"rgb": True}
        elif found.channels > 1:
            contrast = {}  # of another number of channels
        return self._put(
            Image,
            self._data(found, found.restored, number, kind, channels),
            f"{found.results.path.name} - restored",
            "restored",
            **contrast,
        )

    def _segmented(self, found: Any, number: int | None) -> list[Any]:
        """Classes, and what was drawn by an evaluation."""
        name, classes = found.results.path.name, found.results.classes
        shown = self._put(
            Labels,
            self._data(found, found.classes, number, np.uint8),
            f"{name} - classes",
            "classes",
            colormap=class_colormap(classes),
            opacity=OPACITY,
            features={
                "index": [0, *(each.id for each in classes)],
                "class": ["none", *(each.name for each in classes)],
            },
        )
        shown.editable = False
        wrong = [
            self._put(
                Image,
                self._data(found, partial(found.overlay, each), number, np.uint8, 3),
                f"{name} - wrong {each}",
                "wrong",
                rgb=True,
                visible=False,
            )
            for each in found.overlays
        ]
        return [shown, *wrong]

    def _data(
        self, found: Any, read: Any, number: int | None, dtype: Any, channels: int = 1
    ) -> Any:
        """One picture, or a stack whose pictures are read when they are shown."""
        if number is not None:
            return read(number)
        return LazyArray(found.stack(read, colours=channels > 1, dtype=dtype))

    def _put(self, kind: Any, data: Any, name: str, part: str, **look: Any) -> Any:
        """Put a layer in the place of the one of before, which stays as visible."""
        ndim = data.ndim - (1 if look.get("rgb") else 0)
        old = find_result(self.viewer, name, kind, ndim)
        visible = look.pop("visible", True)
        if old is not None:
            visible = old.visible
            self.viewer.layers.remove(old)
        note = {"result": part, "pictures": True}
        layer = kind(data, name=name, metadata={KEY: note}, visible=visible, **look)
        self.viewer.add_layer(layer)
        return layer


def _contrast(found: Any, number: int) -> dict[str, Any]:
    """Colours as they are; grey values from dark to bright of one picture."""
    if found.channels > 1:
        return {"rgb": True}
    picture = np.asarray(found.picture(number), np.float32)
    low, high = (float(v) for v in np.percentile(picture, PERCENTILES))
    return {"contrast_limits": (low, high)} if high > low else {}
