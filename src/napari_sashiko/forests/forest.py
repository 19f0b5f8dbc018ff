"""A random forest over a filter bank, in the shape of an ensemble member."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.tree._tree import Tree

from napari_sashiko.errors import ModelError
from napari_sashiko.forests.filters import Box, FilterBank
from napari_sashiko.forests.trees import Arrays, from_arrays, grow, to_arrays

ROWS = 16_384  # voxels that one call of a tree sees: its features stay in the cache


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
        wanted = self.trees[0].n_features
        if features.shape[1] != wanted:
            raise ModelError(
                f"The forest was grown on {wanted} features, not {features.shape[1]}.",
                "The image must have as many channels as the one it learned from.",
            )
        total = np.zeros((len(features), self.n_classes), np.float32)

        def vote(start: int) -> None:
            rows = np.ascontiguousarray(features[start : start + ROWS], np.float32)
            for tree in self.trees:
                total[start : start + ROWS] += tree.predict(rows)

        # Trees release the interpreter lock.
        with ThreadPoolExecutor(max(1, torch.get_num_threads())) as pool:
            for _ in pool.map(vote, range(0, len(features), ROWS)):
                tick()
        return np.asarray(total / len(self.trees), np.float32)

    def probabilities(
        self,
        patch: torch.Tensor,
        core: Box,
        tick: Callable[[], None] = lambda: None,
    ) -> torch.Tensor:
        """Class probabilities ``(K, z, y, x)`` of the core of ``(C, Z, Y, X)``."""
        features = self.bank.features(patch, core, tick)
        flat = features.flatten(1).T.cpu().numpy()
        shares = torch.from_numpy(self.classify(flat, tick).T.copy())
        return shares.reshape(-1, *features.shape[1:]).to(patch.device)
