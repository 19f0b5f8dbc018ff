"""Overlapping windows blended by weight, one output cell at a time.

Strategy: a cell gathers every window of the fixed-step grid that touches it, in
row-major order, and divides by the sum of their weights. A window touches several
cells, so the newest windows are kept, up to a number of bytes: memory is bounded, and
what was dropped is computed again. The sum runs in the same order whatever the order of
cells, so the result does not depend on it.
"""

from collections.abc import Mapping
from itertools import product

import numpy as np

from napari_sashiko.patches import Grid, border_weights
from napari_sashiko.prediction._inference import Inference, Pair
from napari_sashiko.prediction.predictor import FloatArray, Triple
from napari_sashiko.volumes import Recent, Region, Scratch

CACHE_BYTES = 1 << 30
SLAB = 8  # rows that are blended at a time


class Blender:
    """Blend windows of a fixed-step grid into regions.

    Parameters
    ----------
    inference : Inference
        Predicts one window.
    window, step, border : (int, int, int)
        The grid, in voxels.
    weight : float
        Weight of the border against 1 inside.
    cache_bytes : int
        Most bytes of predicted windows that are kept.
    """

    def __init__(
        self,
        inference: Inference,
        window: Triple,
        step: Triple,
        border: Triple,
        *,
        weight: float,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        grid = Grid(inference.volume.shape, window, step)
        self.inference = inference
        self.starts = grid.starts
        self.window = grid.size
        self._profiles = border_weights(grid, border, weight)
        self._recent: Recent[Pair] = Recent(cache_bytes, _bytes)
        self._scratch = Scratch()

    def predict(self, region: Region) -> Pair:
        """Blended mean and deviation of `region`, each (K, z, y, x) float32.

        They are valid until this thread asks again.
        """
        extents = [part.stop - part.start for part in region]
        shape = (len(self.inference.predictor.card.classes), *extents)
        total = tuple(
            self._scratch.array(name, shape, np.float32) for name in ("mean", "std")
        )
        windows = {index: self._window(index) for index in self._touching(region)}
        z, y, x = region
        for low in range(z.start, z.stop, SLAB):
            slab = (slice(low, min(low + SLAB, z.stop)), y, x)
            rows = slice(low - z.start, slab[0].stop - z.start)
            self._blend(slab, windows, [each[:, rows] for each in total])
        return total[0], total[1]

    def _blend(
        self, slab: Region, windows: Mapping[Triple, Pair], total: list[FloatArray]
    ) -> None:
        """Blend a few rows: little enough to stay in the processor's cache."""
        norm = self._scratch.array("norm", total[0].shape[1:], np.float32)
        for each in (*total, norm):
            each.fill(0)
        for index in self._touching(slab):
            weights, source, target = self._overlap(index, slab)
            room = self._scratch.array("room", weights.shape, np.float32)
            for summed, values in zip(total, windows[index], strict=True):
                for into, channel in zip(summed, values, strict=True):
                    into[target] += np.multiply(channel[source], weights, out=room)
            norm[target] += weights
        for each in total:
            np.divide(each, norm, out=each)

    def _touching(self, region: Region) -> list[Triple]:
        """Find the windows that share a voxel with `region`, row-major."""
        near = [
            [i for i, s in enumerate(starts) if s < part.stop and s + w > part.start]
            for starts, w, part in zip(self.starts, self.window, region, strict=True)
        ]
        return [(i, j, k) for i, j, k in product(*near)]

    def _overlap(
        self, index: Triple, region: Region
    ) -> tuple[FloatArray, Region, Region]:
        """Weights of the shared voxels, and where they lie in window and region."""
        source, target, profiles = [], [], []
        for axis, (i, part) in enumerate(zip(index, region, strict=True)):
            start = self.starts[axis][i]
            low = max(start, part.start)
            high = min(start + self.window[axis], part.stop)
            source.append(slice(low - start, high - start))
            target.append(slice(low - part.start, high - part.start))
            profiles.append(self._profiles[axis][i][source[-1]].astype(np.float32))
        z, y, x = profiles
        weights = np.minimum(np.minimum(z[:, None, None], y[:, None]), x)
        return weights, tuple(source), tuple(target)  # type: ignore[return-value]

    def _window(self, index: Triple) -> Pair:
        z, y, x = (
            slice(starts[i], starts[i] + w)
            for starts, i, w in zip(self.starts, index, self.window, strict=True)
        )
        region = (z, y, x)
        return self._recent.get(
            index, lambda: self.inference.predict(region, region, bounds=region)
        )


def _bytes(pair: Pair) -> int:
    return sum(each.nbytes for each in pair)
