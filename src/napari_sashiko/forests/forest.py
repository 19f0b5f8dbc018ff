"""A random forest over a filter bank, in the shape of an ensemble member."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.tree._tree import Tree

from napari_sashiko.errors import ModelError
from napari_sashiko.forests._hands import Box
from napari_sashiko.forests._native import AVAILABLE
from napari_sashiko.forests._region import FilteredRegion, side_by_side, within
from napari_sashiko.forests._walk import Paths
from napari_sashiko.forests.filters import FilterBank
from napari_sashiko.forests.trees import Arrays, from_arrays, grow, to_arrays

ROWS = 65_536  # voxels that a thread classifies at a time
CACHED = 16_384  # voxels that one call of a tree sees: their features stay in the cache


class Forest:
    """Class probabilities from filter features.

    Parameters
    ----------
    bank : FilterBank
        What is computed for each voxel.
    trees : list of sklearn.tree._tree.Tree
        Fitted trees whose leaves hold class shares.
    """

    def __init__(self, bank: FilterBank, trees: list[Tree]) -> None:
        self.bank = bank
        self.trees = trees
        self._paths = Paths.of(to_arrays(trees)) if AVAILABLE else None

    @classmethod
    def fit(
        cls,
        bank: FilterBank,
        features: NDArray[np.float32],
        classes: NDArray[np.intp],
        *,
        trees: int = 100,
        seed: int = 0,
        threads: int = 1,
    ) -> "Forest":
        """Grow a forest on the features ``(N, F)`` and class indices ``(N,)``."""
        grown = grow(features, classes, trees=trees, seed=seed, threads=threads)
        return cls(bank, grown)

    @classmethod
    def from_arrays(cls, bank: FilterBank, arrays: Arrays) -> "Forest":
        """Rebuild a forest from what `arrays` returned."""
        return cls(bank, from_arrays(arrays, int(arrays["n_features"][0])))

    def arrays(self) -> Arrays:
        """Plain arrays that hold the whole forest."""
        n_features = np.array([self.trees[0].n_features], np.int64)
        return {**to_arrays(self.trees), "n_features": n_features}

    @property
    def halo(self) -> tuple[int, int, int]:
        """Voxels of surroundings that a prediction depends on, (z, y, x)."""
        return self.bank.halo

    @property
    def n_classes(self) -> int:
        """Number of classes that it tells apart."""
        return int(self.trees[0].n_classes[0])

    def classify(
        self, features: NDArray[np.float32], tick: Callable[[], None] = lambda: None
    ) -> NDArray[np.float32]:
        """Class probabilities ``(N, K)`` of features ``(N, F)``, float32.

        Raises
        ------
        ModelError
            If the forest was grown on another number of features.
        """
        self._fits(features.shape[1])
        total = np.empty((len(features), self.n_classes), np.float32)

        def vote(start: int) -> None:
            rows = slice(start, start + ROWS)
            total[rows] = self._vote(np.ascontiguousarray(features[rows].T)).T

        starts = range(0, len(features), ROWS)
        for _ in side_by_side(vote, starts, max(1, torch.get_num_threads())):
            tick()
        return total

    def probabilities(
        self,
        patch: torch.Tensor,
        core: Box,
        tick: Callable[[], None] = lambda: None,
    ) -> torch.Tensor:
        """Class probabilities ``(K, z, y, x)`` of the core of ``(C, Z, Y, X)``."""
        tick()
        region = FilteredRegion(self.bank, patch, core)
        self._fits(region.count)
        sides = [high - low for low, high in core]
        out = torch.empty((self.n_classes, *sides), dtype=torch.float32)

        def fill(piece: Box) -> None:
            features = region.features(piece)
            shares = torch.from_numpy(self._vote(features.flatten(1).cpu().numpy()))
            part = out[(slice(None), *within(piece, core))]
            part.copy_(shares.reshape(part.shape))

        for _ in side_by_side(fill, region.pieces, region.threads):
            tick()
        return out.to(patch.device)

    def _fits(self, count: int) -> None:
        wanted = self.trees[0].n_features
        if count != wanted:
            raise ModelError(
                f"The forest was grown on {wanted} features, not {count}.",
                "The image must have as many channels as the one it learned from.",
            )

    def _vote(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean class shares ``(K, N)`` of features ``(F, N)``."""
        if self._paths is not None:
            return self._paths.vote(features)
        total = np.zeros((features.shape[1], self.n_classes), np.float32)
        for start in range(0, len(total), CACHED):
            rows = np.ascontiguousarray(features[:, start : start + CACHED].T)
            for tree in self.trees:
                total[start : start + CACHED] += tree.predict(rows)
        return np.ascontiguousarray(total.T) / np.float32(len(self.trees))
