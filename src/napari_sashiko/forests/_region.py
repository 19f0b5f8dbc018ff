"""The features of one region, piece by piece, so that memory does not grow with it."""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import torch

from napari_sashiko.forests._hands import Box, Rows, hand_for

if TYPE_CHECKING:
    from napari_sashiko.forests.filters import FilterBank

PIECE = 150_000  # voxels: enough to share their surroundings, few enough for any memory
SLOPE = 1.0  # scale at which slopes are taken for textures
STEEP = 1e-8  # squared slope, of a grey scale about 1 wide: below, there is none


class FilteredRegion:
    """A core of a patch whose features are asked for in pieces, from any thread.

    What all pieces share is computed once: squares, and the slopes of textures.

    Parameters
    ----------
    bank : FilterBank
        Which filters.
    patch : torch.Tensor
        ``(C, Z, Y, X)`` float32.
    core : tuple of (start, stop)
        The voxels wanted, per axis.
    """

    def __init__(self, bank: "FilterBank", patch: torch.Tensor, core: Box) -> None:
        self._bank = bank
        self._hand = hand_for(patch)
        self._core = core
        self._images = [image.contiguous() for image in patch.float()]
        self._squares = [image * image for image in self._images]
        self._wide = bank.grow(core, patch.shape[1:], self._texture_reach() + 1)
        self._slopes = [self._products(image) for image in self._images]
        compiled = isinstance(self._hand, Rows)
        self.threads = max(1, torch.get_num_threads()) if compiled else 1
        self.pieces = _cut(core, self.threads)

    @property
    def count(self) -> int:
        """Number of features of a voxel."""
        return len(self._images) * self._bank.count

    def features(self, piece: Box) -> torch.Tensor:
        """Features ``(F, z, y, x)`` of a part of the core."""
        sides = [high - low for low, high in piece]
        out: torch.Tensor = self._images[0].new_empty((self.count, *sides))
        count = self._bank.count
        for channel in range(len(self._images)):
            part = out[channel * count : (channel + 1) * count]
            self._channel(channel, piece, part)
        return out

    def _channel(self, channel: int, piece: Box, out: torch.Tensor) -> None:
        bank, image = self._bank, self._images[channel]
        out[0] = image[tuple(slice(*span) for span in piece)]
        wider = bank.grow(piece, image.shape, 2)  # second differences reach that far
        corner = tuple(a - b for (a, _), (b, _) in zip(piece, wider, strict=True))
        place = 1
        for sigma in bank.sigmas:
            self._hand.describe(
                self._smooth(image, wider, sigma),
                self._smooth(self._squares[channel], piece, sigma),
                corner=corner,  # type: ignore[arg-type]
                axes=bank.axes,
                factors=tuple(sigma / bank.spacing[axis] for axis in bank.axes),
                out=out[place : place + bank.per_scale],
            )
            place += bank.per_scale
        box = tuple(
            (low - start, high - start)
            for (low, high), (start, _) in zip(piece, self._wide, strict=True)
        )
        scales, axes = len(bank.textures), len(bank.axes)
        for number, product in enumerate(self._slopes[channel]):
            for sigma in bank.textures:
                mean = self._smooth(product, box, sigma)
                if number < axes:
                    torch.sqrt(mean, out=out[place])
                else:
                    down, across = (out[place - n * scales] for n in (2, 1))
                    torch.div(mean, (down * across).clamp_min(STEEP), out=out[place])
                place += 1

    def _products(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Squares of the slopes along all axes; then those along y and x multiplied."""
        bank = self._bank
        if not bank.textures:
            return []
        smooth = self._smooth(image, self._wide, SLOPE)
        slopes = [self._hand.slope(smooth, a, 1 / bank.spacing[a]) for a in bank.axes]
        slants = [slopes[-2] * slopes[-1]] if bank.slants else []
        return [slope * slope for slope in slopes] + slants

    def _texture_reach(self) -> int:
        bank = self._bank
        reaches = (bank.reach(s, axis) for s in bank.textures for axis in bank.axes)
        return max(reaches, default=0)

    def _smooth(self, image: torch.Tensor, box: Box, sigma: float) -> torch.Tensor:
        bank = self._bank
        widths = tuple(sigma / step for step in bank.spacing)
        reaches = tuple(
            bank.reach(sigma, axis) if axis in bank.axes else 0 for axis in range(3)
        )
        return self._hand.smooth(image, box, widths, reaches)  # type: ignore[arg-type]


def side_by_side(
    work: Callable[[Any], Any], pieces: Iterable[Any], threads: int
) -> Iterator[Any]:
    """Do the work of all pieces; whoever stops listening stops those not begun."""
    if threads == 1:
        yield from map(work, pieces)
        return
    inference = torch.is_inference_mode_enabled()  # each thread has its own

    def alike(piece: Any) -> Any:
        with torch.inference_mode(inference):
            return work(piece)

    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(alike, pieces)
        finally:
            pool.shutdown(cancel_futures=True)


def _cut(core: Box, threads: int) -> list[Box]:
    """Cut along the first axis that is long enough for all threads."""
    sides = [high - low for low, high in core]
    axis = 0 if sides[0] >= 4 * threads or sides[0] >= sides[1] else 1
    wanted = -(-math.prod(sides) // PIECE)
    count = min(sides[axis], threads * -(-wanted // threads))
    low, _ = core[axis]
    edges = [low + sides[axis] * n // count for n in range(count + 1)]
    return [
        (*core[:axis], (edges[n], edges[n + 1]), *core[axis + 1 :])
        for n in range(count)
    ]


def within(box: Box, wider: Box) -> tuple[slice, ...]:
    """Where a box lies in an array of a wider one."""
    return tuple(
        slice(start - low, stop - low)
        for (start, stop), (low, _) in zip(box, wider, strict=True)
    )
