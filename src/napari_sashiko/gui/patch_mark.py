"""A square around the patch that was picked, as a layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Shapes

from napari_sashiko.gui.layer_volume import placement, volume_of
from napari_sashiko.gui.result_layers import KEY
from napari_sashiko.gui.view_center import look_at

NOTE = {"mark": "patch"}


class PatchMark:
    """Goes to patches of an image and draws a square around them.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.layer: Any = None

    def show(self, source: Any, place: Sequence[int], edge: int) -> None:
        """Go to a patch.

        Parameters
        ----------
        source : napari layer
            The image.
        place : sequence of int
            Its first voxel (z, y, x).
        edge : int
            Voxels along y and x.
        """
        ndim = source.ndim
        corners = np.array([[0, 0], [0, edge], [edge, edge], [edge, 0]]) - 0.5
        square = np.zeros((4, ndim))
        square[:, -2:] = corners + place[-2:]
        middle = [place[1] + (edge - 1) / 2, place[2] + (edge - 1) / 2]
        *early, _, _ = volume_of(source).stacking.point(place)
        if early:
            square[:, -2 - len(early) : -2] = early
            middle = [*early, *middle]
        self._put(source, square)
        look_at(self.viewer, source, middle)

    def remove(self) -> None:
        """Take the square away."""
        if self.layer is not None and self.layer in self.viewer.layers:
            self.viewer.layers.remove(self.layer)
        self.layer = None

    def _put(self, source: Any, square: Any) -> None:
        there = self.layer is not None and self.layer in self.viewer.layers
        if there and self.layer.ndim == source.ndim:
            for name, value in placement(source, source.ndim).items():
                setattr(self.layer, name, value)
            self.layer.data = [square]
            return
        self.remove()
        self.layer = Shapes(
            [square],
            shape_type="polygon",
            name="patch",
            face_color="transparent",
            edge_color="yellow",
            edge_width=1,
            metadata={KEY: NOTE},
            **placement(source, source.ndim),
        )
        active = self.viewer.layers.selection.active
        self.viewer.add_layer(self.layer)
        # Whoever was painting goes on painting.
        self.viewer.layers.selection.active = active
