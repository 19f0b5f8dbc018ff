"""A restored image as layers that fill while it is made."""

from typing import Any

import numpy as np
from napari.layers import Image

from napari_sashiko.gui.lazy_array import as_levels
from napari_sashiko.gui.live_layers import LiveLayers, channel_axis
from napari_sashiko.gui.result_layers import put_layer

HIDDEN = {"visible": False, "colormap": "magma", "blending": "additive"}


class RestoredLayers(LiveLayers):
    """The restored image, and where its networks differ."""

    def show(self, result: Any, source: Any) -> None:
        """Add the layers of a result beside its image, or fill those of before."""
        count = result.mean.shape[channel_axis(result)]
        self.layers, self._stack = [], result.stack
        for channel in range(count):
            mark = f" {channel + 1}" if count > 1 else ""
            for part, words, first, always in (
                ("mean", "restored", _limits(source, one=count == 1), {}),
                ("std", "doubt", HIDDEN, _doubt(source)),
            ):
                finest = result.mean if part == "mean" else result.std
                arrays = (finest, *result.coarser.get(part, ()))
                self.layers.append(
                    put_layer(
                        self.viewer,
                        source,
                        Image,
                        as_levels(
                            arrays,
                            channel=channel,
                            dtype=np.float32,
                            channel_axis=channel_axis(result),
                        ),
                        name=f"{source.name} - {words}{mark}",
                        note={
                            "result": part,
                            "path": str(result.path),
                            "restored": True,
                        },
                        first=first,
                        always=always,
                    )
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
