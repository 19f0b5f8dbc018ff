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
    """Pictures, their classes, and where these are wrong.

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
        name, classes = found.results.path.name, found.results.classes
        self.layers = [
            self._put(
                Image,
                self._data(found, found.picture, number, found.dtype, found.channels),
                f"{name} - pictures",
                "pictures",
                **_contrast(found, number or 0),
            ),
            self._put(
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
            ),
        ]
        self.layers[1].editable = False
        for each in found.overlays:
            read = partial(found.overlay, each)
            self.layers.append(
                self._put(
                    Image,
                    self._data(found, read, number, np.uint8, 3),
                    f"{name} - wrong {each}",
                    "wrong",
                    rgb=True,
                    visible=False,
                )
            )
        self.viewer.reset_view()

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
