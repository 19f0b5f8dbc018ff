"""A reconstructed volume as layers: by back-projection, and by networks beside it."""

from typing import Any

import numpy as np
from napari.layers import Image

from napari_sashiko.gui.lazy_array import as_levels
from napari_sashiko.gui.live_layers import Box, LiveLayers
from napari_sashiko.gui.result_layers import KEY, put_layer

PARTS = {"fbp": "back-projection", "mean": "network", "std": "doubt"}
DOUBT = "std"
GAP = 1.05  # sides of a slice from one to the other
PERCENTILES = (0.5, 99.5)
LARGEST_DOUBT = 0.1  # of the contrast of the volume


class ReconstructedLayers(LiveLayers):
    """What each way makes of the same sinograms, with the same contrast.

    Attributes
    ----------
    beside : bool
        Whether they lie beside each other, else on top of each other.
    """

    beside = True
    _result: Any = None
    _measured = False  # whether contrast follows what was made

    def show(self, result: Any, source: Any) -> None:
        """Add the layers of a result, or fill those of before."""
        self._result, self._measured = result, False
        before = set(self.viewer.layers)
        self.layers = [
            self._put(result, source, part) for part in PARTS if part in result.images
        ]
        self.place()
        if not before.issuperset(self.layers):
            # Sinograms would lie beneath, and slices may be of another size.
            source.visible = False
            self.viewer.reset_view()

    def place(self) -> None:
        """Put them beside each other, or on top of each other."""
        for layer in self.there():
            apart = self.beside and layer.metadata[KEY]["image"] != "fbp"
            only = "fbp" not in self._result.images
            side = _finest(layer).shape[-1] * layer.scale[-1] * GAP
            layer.translate = [
                *(0.0 for _ in range(layer.ndim - 1)),
                side if apart and not only else 0.0,
            ]

    def cell_done(self, cell: Box) -> None:
        """Take the contrast from the first block; show all of them."""
        if not self._measured:
            self._measure(cell)
        super().cell_done(cell)

    def finish(self) -> None:
        """Repaint; contrast as all of it needs it."""
        if self._result is not None and self._result.images:
            array = next(iter(self._result.images.values()))
            depth = array.shape[1] if array.ndim == 4 else 1
            self._measure(((depth // 2, depth // 2 + 1),))
        super().finish()

    def _put(self, result: Any, source: Any, part: str) -> Any:
        array = result.images[part]
        doubt = part == DOUBT
        ndim = array.ndim - 1
        hidden = {"visible": False, "colormap": "magma", "blending": "additive"}
        return put_layer(
            self.viewer,
            source,
            Image,
            as_levels(
                (array, *result.coarser.get(part, ())), channel=0, dtype=np.float32
            ),
            name=f"{source.name} - {PARTS[part]}",
            note={
                "result": DOUBT if doubt else "mean",
                "image": part,
                "path": str(result.path),
                "restored": True,
            },
            first=hidden if doubt else {},
            always={
                "scale": result.voxel_size[-ndim:],
                "units": (result.unit or "pixel",) * ndim,
                "axis_labels": ("z", "y", "x")[-ndim:],
            },
        )

    def _measure(self, cell: Box) -> None:
        """Same contrast for all, from the middle slice of a block."""
        (start, stop), *_ = cell
        middle, layers = (start + stop) // 2, self.there()
        shown = [each for each in layers if each.metadata[KEY]["image"] != DOUBT]
        if not shown:
            return
        # Back-projection is first; networks may know nothing yet.
        data = _finest(shown[0])
        low, high = np.percentile(
            np.asarray(data[middle] if data.ndim == 3 else data), PERCENTILES
        )
        if not high > low:
            return
        self._measured = True
        for layer in layers:
            doubt = layer.metadata[KEY]["image"] == DOUBT
            ends = (0.0, LARGEST_DOUBT * (high - low)) if doubt else (low, high)
            # The range first: limits must lie in it.
            layer.contrast_limits_range = (min(0.0, ends[0]), ends[1] * 2)
            layer.contrast_limits = ends


def _finest(layer: Any) -> Any:
    """The voxels themselves, where a layer has coarser levels beside them."""
    return layer.data[0] if layer.multiscale else layer.data
