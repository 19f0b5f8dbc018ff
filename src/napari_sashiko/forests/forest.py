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
VOICES = 8  # groups of trees whose answers are compared
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
            sums = self._votes(np.ascontiguousarray(features[rows].T), 1)[0]
            total[rows] = sums.T / np.float32(len(self.trees))

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
        return self._piecewise(patch, core, tick, self.n_classes, self._mean)

    def voices(
        self,
        patch: torch.Tensor,
        core: Box,
        correct: Callable[[torch.Tensor], torch.Tensor],
        tick: Callable[[], None] = lambda: None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What all trees say together, and how far groups of them are apart.

        Trees differ where few strokes leave doubt, which one forest among few networks
        would not show. They are dealt to `VOICES` groups.

        Parameters
        ----------
        patch : torch.Tensor
            ``(C, Z, Y, X)``.
        core : tuple of (start, stop)
            The voxels wanted, per axis.
        correct : callable
            Makes of probabilities ``(K, z, y, x)`` those that count.
        tick : callable
            Called between pieces; may raise to stop.

        Returns
        -------
        mean, variance : torch.Tensor
            ``(K, z, y, x)``: corrected probabilities of the forest, and the variance of
            those of its groups.
        """

        def compare(features: torch.Tensor) -> torch.Tensor:
            sums = self._sums(features, min(VOICES, len(self.trees)))
            sizes = np.bincount(np.arange(len(self.trees)) % len(sums))
            mean = correct(sums.sum(0) / len(self.trees))
            pairs = zip(sums, sizes.tolist(), strict=True)
            groups = [correct(group / size) for group, size in pairs]
            return torch.cat([mean, _variance(groups)])

        both = self._piecewise(patch, core, tick, 2 * self.n_classes, compare)
        return both[: self.n_classes], both[self.n_classes :]

    def _piecewise(
        self,
        patch: torch.Tensor,
        core: Box,
        tick: Callable[[], None],
        rows: int,
        make: Callable[[torch.Tensor], torch.Tensor],
    ) -> torch.Tensor:
        """Make ``(rows, z, y, x)`` of the features ``(F, z, y, x)`` of each piece."""
        tick()
        region = FilteredRegion(self.bank, patch, core)
        self._fits(region.count)
        sides = [high - low for low, high in core]
        out = torch.empty((rows, *sides), dtype=torch.float32)

        def fill(piece: Box) -> None:
            made = make(region.features(piece).cpu())
            out[(slice(None), *within(piece, core))].copy_(made)

        for _ in side_by_side(fill, region.pieces, region.threads):
            tick()
        return out.to(patch.device)

    def _mean(self, features: torch.Tensor) -> torch.Tensor:
        return self._sums(features, 1)[0] / len(self.trees)

    def _sums(self, features: torch.Tensor, groups: int) -> torch.Tensor:
        """Sums over groups of trees ``(groups, K, z, y, x)``."""
        sums = torch.from_numpy(self._votes(features.flatten(1).numpy(), groups))
        return sums.reshape(*sums.shape[:2], *features.shape[1:])

    def _fits(self, count: int) -> None:
        wanted = self.trees[0].n_features
        if count != wanted:
            raise ModelError(
                f"The forest was grown on {wanted} features, not {count}.",
                "The image must have as many channels as the one it learned from.",
            )

    def _votes(self, features: NDArray[np.float32], groups: int) -> NDArray[np.float32]:
        """Sums of class shares ``(groups, K, N)`` of features ``(F, N)``."""
        if self._paths is not None:
            return self._paths.votes(features, groups)
        total = np.zeros((groups, features.shape[1], self.n_classes), np.float32)
        for start in range(0, total.shape[1], CACHED):
            rows = np.ascontiguousarray(features[:, start : start + CACHED].T)
            for number, tree in enumerate(self.trees):
                total[number % groups, start : start + CACHED] += tree.predict(rows)
        return np.ascontiguousarray(total.transpose(0, 2, 1))


def _variance(groups: list[torch.Tensor]) -> torch.Tensor:
    # torch.var over the first axis takes ten times as long.
    mean = torch.stack(groups).mean(dim=0)
    squares = torch.zeros_like(mean)
    for group in groups:
        squares += (group - mean).square_()
    return squares / len(groups)
