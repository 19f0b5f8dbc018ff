"""Overlapping windows blended by weight, one output cell at a time.

Strategy: a cell gathers every window of the fixed-step grid that touches it, in
row-major order, and divides by the sum of their weights. A window touches several
cells, so the newest windows are kept, up to a number of bytes: memory is bounded, and
what was dropped is computed again. The sum runs in the same order whatever the order of
cells, so the result does not depend on it.
"""

from collections import OrderedDict
from itertools import product
from threading import Lock

import numpy as np

from napari_sashiko.patches import Grid, border_weights
from napari_sashiko.prediction._inference import Inference, Pair
from napari_sashiko.prediction.predictor import FloatArray, Triple
from napari_sashiko.volumes import Region

CACHE_BYTES = 1 << 30


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
        self._cache: OrderedDict[Triple, Pair] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._lock = Lock()

    def predict(self, region: Region) -> Pair:
        """Blended mean and deviation of `region`, each (K, z, y, x) float32."""
        extents = [part.stop - part.start for part in region]
        classes = len(self.inference.predictor.card.classes)
        total: list[FloatArray] = [
            np.zeros((classes, *extents), np.float32) for _ in ("mean", "std")
        ]
        norm: FloatArray = np.zeros(extents, np.float32)
        for index in self._touching(region):
            pair = self._window(index)
            weights, source, target = self._overlap(index, region)
            for summed, values in zip(total, pair, strict=True):
                summed[(slice(None), *target)] += (
                    weights * values[(slice(None), *source)]
                )
            norm[target] += weights
        mean, std = (np.divide(summed, norm, out=summed) for summed in total)
        return mean, std

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
        with self._lock:
            if index in self._cache:
                self._cache.move_to_end(index)
                return self._cache[index]
        z, y, x = (
            slice(starts[i], starts[i] + w)
            for starts, i, w in zip(self.starts, index, self.window, strict=True)
        )
        region = (z, y, x)
        pair = self.inference.predict(region, region, bounds=region)
        with self._lock:
            self._cache[index] = pair
            self._forget()
        return pair

    def _forget(self) -> None:
        kept = sum(mean.nbytes + std.nbytes for mean, std in self._cache.values())
        while kept > self._cache_bytes and len(self._cache) > 1:
            _, (mean, std) = self._cache.popitem(last=False)
            kept -= mean.nbytes + std.nbytes
