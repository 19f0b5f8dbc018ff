"""An encoder that takes images of any size: patch by patch, sewn together."""

import itertools
import math
from typing import Any

import torch
from torch import Tensor

from napari_sashiko.networks._encoder import Encoder
from napari_sashiko.networks._network import Network

AT_ONCE = 1 << 18  # voxels of patches in one pass while predicting
Corner = tuple[int, ...]
Box = tuple[Any, ...]  # an index: what lies before space, and a slice for each axis


class Patchwise(Network):
    """An encoder as a network that makes an image of an image.

    In evaluation, patches lie half an edge apart, and what is made of them is blended
    by weights that fall from their middle to their rim, so that no seam shows. Patches
    start at multiples of half an edge: windows that start there, too, agree. While
    training, patches lie side by side, and each counts once. What lies beyond the far
    faces of an image is mirrored.

    Parameters
    ----------
    encoder : Encoder
        What is done to each patch.
    """

    dilated = False
    half_precision = False  # an image has more than three digits
    fades = False
    squeezes = True

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder.in_channels, encoder.out_channels, dims=encoder.dims)
        self.name = encoder.name
        self.settings = encoder.settings
        self.encoder = encoder
        # oneDNN's gradients of 3D kernels on maps of a few voxels are not always finite
        # in bfloat16, from two threads on.
        self.half_gradients = encoder.dims == 2
        self.edge = encoder.edge
        self.align = max(1, encoder.edge // 2)
        self.receptive_radius = encoder.edge - 1

    @property
    def spec(self) -> dict[str, Any]:
        """That of the encoder."""
        return self.encoder.spec

    def silence(self) -> None:
        """Set the encoder's last layer to 0."""
        self.encoder.silence()

    def forward(self, x: Tensor) -> Tensor:
        """Make ``(B, out_channels, *S)`` of ``(B, in_channels, *S)``."""
        corners, grown = self._laid_out(x, self.align)
        seen, ramp = _mirrored(x, grown), self._ramp(x)
        total = x.new_zeros((len(x), self.out_channels, *grown), dtype=torch.float32)
        weight = total.new_zeros(tuple(grown))
        count = max(1, AT_ONCE // (len(x) * self.edge**self.dims))
        for first in range(0, len(corners), count):
            some = corners[first : first + count]
            made = self.encoder(self._cut(seen, some)).image.float() * ramp
            for corner, image in zip(some, made.split(len(x)), strict=True):
                box = self._box(corner)
                total[box] += image
                weight[box[1:]] += ramp
        return _cropped(total / weight, x)

    def penalised(
        self, x: Tensor, where: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Make images as `forward` does, of patches side by side; and their penalty."""
        del where
        corners, grown = self._laid_out(x, self.edge)
        said = self.encoder(self._cut(_mirrored(x, grown), corners))
        parts = said.image.split(len(x))
        total = parts[0].new_zeros((len(x), self.out_channels, *grown))
        for corner, image in zip(corners, parts, strict=True):
            total[self._box(corner)] = image
        return _cropped(total, x), said.penalty

    def _laid_out(self, x: Tensor, step: int) -> tuple[list[Corner], list[int]]:
        """Where patches begin, and the size that they cover."""
        counts = [1 + max(0, -(-(n - self.edge) // step)) for n in x.shape[2:]]
        places = (range(0, count * step, step) for count in counts)
        grown = [(count - 1) * step + self.edge for count in counts]
        return list(itertools.product(*places)), grown

    def _box(self, corner: Corner) -> Box:
        return (..., *(slice(start, start + self.edge) for start in corner))

    def _cut(self, x: Tensor, corners: list[Corner]) -> Tensor:
        return torch.cat([x[self._box(corner)] for corner in corners])

    def line(self) -> Tensor:
        """Weight of each voxel along one axis of a patch, above 0 everywhere."""
        place = torch.arange(self.edge)
        return (torch.minimum(place, place.flip(0)) + 1.0) / self.edge

    def _ramp(self, x: Tensor) -> Tensor:
        """Weight of each voxel of a patch, above 0 everywhere."""
        line = self.line().to(x.device)
        return math.prod(  # type: ignore[return-value]
            line.view(*(-1 if a == axis else 1 for a in range(self.dims)))
            for axis in range(self.dims)
        )


def _mirrored(x: Tensor, grown: list[int]) -> Tensor:
    """Mirror ``(B, C, *S)`` at the far faces, as often as it takes."""
    for axis, (size, wanted) in enumerate(zip(x.shape[2:], grown, strict=True), 2):
        if wanted > size:
            place = torch.arange(wanted, device=x.device) % (2 * size)
            x = x.index_select(axis, torch.minimum(place, 2 * size - 1 - place))
    return x


def _cropped(image: Tensor, like: Tensor) -> Tensor:
    inside: Box = (..., *(slice(0, n) for n in like.shape[2:]))
    return image[inside]
