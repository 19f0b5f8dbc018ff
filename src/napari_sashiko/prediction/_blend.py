"""Overlapping windows blended by weight, one output cell at a time.

Strategy: a cell gathers its pieces of all windows of the fixed-step grid that touch it,
in row-major order, and divides by the sum of their weights. Of a window that was
predicted for one cell, the pieces of the cells that are still to come are kept, up to a
number of bytes: memory is bounded, and what was dropped is computed again. The sum runs
in the same order whatever the order of cells, so the result does not depend on it.
"""

from collections.abc import Iterable, Mapping
from itertools import product

import numpy as np

from napari_sashiko.patches import Cell, border_weights
from napari_sashiko.prediction._inference import Inference, Pair
from napari_sashiko.prediction._pieces import Pieces
from napari_sashiko.prediction.plan import Plan
from napari_sashiko.prediction.predictor import FloatArray, Triple
from napari_sashiko.volumes import Region, Scratch

CACHE_BYTES = 1 << 30
SLAB = 8  # rows that are blended at a time


class Blender:
    """Blend windows of a fixed-step grid into cells.

    Parameters
    ----------
    inference : Inference
        Predicts one window.
    plan : Plan
        Windows, step, border and its weight against 1 inside; and the cells.
    cache_bytes : int
        Most bytes of predicted windows that are kept.
    """

    def __init__(
        self, inference: Inference, plan: Plan, *, cache_bytes: int = CACHE_BYTES
    ) -> None:
        grid = plan.grid
        self.inference = inference
        self.cells = plan.cells()
        self.starts = grid.starts
        self.window = grid.size
        self._profiles = border_weights(grid, plan.border, plan.border_weight)
        self._pieces = Pieces(cache_bytes)
        self._scratch = Scratch()

    def expect(self, cells: Iterable[Cell]) -> None:
        """Say which cells will be asked for, in their order."""
        self._pieces.expect(cell.index for cell in cells)

    def forget(self, cells: Iterable[Cell]) -> None:
        """Say which cells will not be asked for any more."""
        self._pieces.forget(cell.index for cell in cells)

    def predict(self, cell: Cell) -> Pair:
        """Blended mean and deviation of `cell`, each (K, z, y, x) float32.

        They are valid until this thread asks again.
        """
        extents = [part.stop - part.start for part in cell.cell]
        shape = (self.inference.predictor.card.outputs, *extents)
        total = tuple(
            self._scratch.array(name, shape, np.float32) for name in ("mean", "std")
        )
        # Its own window first: threads on neighbours then wait the least for others.
        asked = sorted(self._touching(cell.cell), key=lambda each: each != cell.index)
        pieces = {index: self._piece(cell, index) for index in asked}
        self.forget([cell])
        z, y, x = cell.cell
        for low in range(z.start, z.stop, SLAB):
            slab = (slice(low, min(low + SLAB, z.stop)), y, x)
            rows = slice(low - z.start, slab[0].stop - z.start)
            self._blend(slab, z.start, pieces, [each[:, rows] for each in total])
        return total[0], total[1]

    def _blend(
        self,
        slab: Region,
        top: int,
        pieces: Mapping[Triple, Pair],
        total: list[FloatArray],
    ) -> None:
        """Blend a few rows: little enough to stay in the processor's cache.

        `top` is the first row of the cell, in voxels of the volume.
        """
        norm = self._scratch.array("norm", total[0].shape[1:], np.float32)
        for each in (*total, norm):
            each.fill(0)
        for index in self._touching(slab):
            source, target = self._overlap(index, slab)
            weights = self._weights(index, source)
            skipped = max(top - self.starts[0][index[0]], 0)  # rows before the cell
            rows = slice(source[0].start - skipped, source[0].stop - skipped)
            room = self._scratch.array("room", weights.shape, np.float32)
            for summed, values in zip(total, pieces[index], strict=True):
                for into, channel in zip(summed, values, strict=True):
                    into[target] += np.multiply(channel[rows], weights, out=room)
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

    def _overlap(self, index: Triple, region: Region) -> tuple[Region, Region]:
        """Where shared voxels lie in the window, and where in the region."""
        source, target = [], []
        for starts, i, w, part in zip(
            self.starts, index, self.window, region, strict=True
        ):
            low = max(starts[i], part.start)
            high = min(starts[i] + w, part.stop)
            source.append(slice(low - starts[i], high - starts[i]))
            target.append(slice(low - part.start, high - part.start))
        return tuple(source), tuple(target)  # type: ignore[return-value]

    def _weights(self, index: Triple, source: Region) -> FloatArray:
        z, y, x = (
            factors[i][part].astype(np.float32)
            for factors, i, part in zip(self._profiles, index, source, strict=True)
        )
        return np.minimum(np.minimum(z[:, None, None], y[:, None]), x)

    def _piece(self, cell: Cell, index: Triple) -> Pair:
        return self._pieces.take(
            cell.index, index, lambda: self._predict(index, cell.index)
        )

    def _predict(self, index: Triple, cell: Triple) -> dict[Triple, Pair]:
        """Predict a window; its pieces for `cell` and for those that will come."""
        z, y, x = (
            slice(starts[i], starts[i] + w)
            for starts, i, w in zip(self.starts, index, self.window, strict=True)
        )
        region = (z, y, x)
        whole = self.inference.predict(region, region, bounds=region)
        pieces = {}
        for touched in self.cells.touching(region):
            if touched == cell or self._pieces.expects(touched):
                source, _ = self._overlap(index, self.cells[touched].cell)
                mean, std = (each[(slice(None), *source)].copy() for each in whole)
                pieces[touched] = mean, std
        return pieces
