"""What forests say about strokes that they have not seen."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.labels import LabelledVoxels, even_shares, scattered
from napari_sashiko.patches import Folds, flat_places
from napari_sashiko.training.tiles import EDGE
from napari_sashiko.volumes import Normalisation, Region, Volume, grow

MOST_ASKED = 500_000  # labelled voxels that forests are asked about
FEWEST = 5000  # of a class that has so many
MOST_VOXELS = 60_000  # a forest learns nothing more from more
LEAST = 500  # of a class that has so many


@dataclass(frozen=True, eq=False)
class FoldForest:
    """A forest that has not seen a fold.

    Attributes
    ----------
    forest : Forest
        Grown on what is left.
    seen : numpy.ndarray
        ``(k,)`` channels of the classes that are left.
    count : int
        Classes of all paint.
    """

    forest: Forest
    seen: NDArray[np.intp]
    count: int

    def classify(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities ``(N, K)`` float32; 0 for a class that was never seen."""
        out = np.zeros((len(features), self.count), np.float32)
        out[:, self.seen] = self.forest.classify(features)
        return out


def features_at(
    volume: Volume,
    normalisation: Normalisation,
    labelled: LabelledVoxels,
    bank: FilterBank,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Compute filter features at labelled voxels, tile by tile.

    Yields
    ------
    rows : numpy.ndarray
        ``(n,)`` places in `labelled`.
    features : numpy.ndarray
        ``(n, F)`` float32.
    """
    size = np.array([1, EDGE, EDGE])
    keys, inverse = np.unique(labelled.coords // size, axis=0, return_inverse=True)
    for place in range(len(keys)):
        rows = np.flatnonzero(inverse.ravel() == place)
        coords = labelled.coords[rows]
        low, high = coords.min(axis=0), coords.max(axis=0) + 1
        core: Region = tuple(  # type: ignore[assignment]
            slice(int(a), int(b)) for a, b in zip(low, high, strict=True)
        )
        features = features_of(volume, normalisation, bank, core)
        z, y, x = (coords - low).T
        yield rows, features[:, z, y, x].T


def features_of(
    volume: Volume, normalisation: Normalisation, bank: FilterBank, core: Region
) -> NDArray[np.float32]:
    """Filter features ``(F, z, y, x)`` float32 of a part of the volume.

    Read with the surroundings that the filters want, as far as the volume, or the
    frame, goes.
    """
    region = grow(core, bank.halo, volume.shape, volume.frame)
    patch = torch.from_numpy(normalisation.apply(volume.read(region)))
    box = tuple(
        (c.start - r.start, c.stop - r.start) for c, r in zip(core, region, strict=True)
    )
    return np.asarray(bank.features(patch, box).numpy())


def asked_rows(labelled: LabelledVoxels, seed: int) -> NDArray[np.int64]:
    """Which labelled voxels forests look at, in order: all, or a part of very many.

    Whole slices may be filled, and labels of a whole volume taken over: what filters
    say of a voxel, and the time that forests take, must not grow with them. Classes
    keep their shares, for scores and the correction rest on these; of one with less
    than ``FEWEST`` voxels all are kept. Voxels that are kept are so again when
    paint is added, as long as shares allow: the place of a voxel decides.

    Parameters
    ----------
    labelled : LabelledVoxels
        All paint.
    seed : int
        Decides which places are kept.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` places in `labelled`; about ``MOST_ASKED`` at most.
    """
    if len(labelled) <= MOST_ASKED:
        return np.arange(len(labelled))
    counts = np.bincount(labelled.values)
    shares = even_shares(counts, MOST_ASKED).clip(FEWEST / counts.clip(1), None)
    drawn = scattered(flat_places(labelled).astype(np.uint64), seed)
    return np.flatnonzero(drawn < shares[labelled.values])


def subsample(channels: NDArray[np.intp], seed: int) -> NDArray[np.int64]:
    """Places of about ``MOST_VOXELS`` voxels, drawn evenly, in order.

    Of each class there are ``LEAST`` at least, or all that it has.
    """
    if len(channels) <= MOST_VOXELS:
        return np.arange(len(channels))
    order = np.random.default_rng(seed).permutation(len(channels))
    scarce = [order[channels[order] == each][:LEAST] for each in np.unique(channels)]
    return np.unique(np.concatenate([order[:MOST_VOXELS], *scarce]))


def cross_fit(
    features: NDArray[np.float32],
    channels: NDArray[np.intp],
    folds: Folds,
    bank: FilterBank,
    *,
    asked: int,
    trees: int,
    seed: int,
    threads: int,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32], FoldForest]]:
    """Grow one forest per fold on the other folds and ask it about its own.

    Only the first `asked` folds are gone through: those that networks are judged on.
    No forest learns from more than ``MOST_VOXELS``.

    Yields
    ------
    rows : numpy.ndarray
        Voxels of the fold.
    probabilities : numpy.ndarray
        ``(n, K)`` float32; a class that the fold's forest never saw has 0.
    forest : FoldForest
        The forest that was asked.
    """
    count = int(channels.max()) + 1
    judge: FoldForest | None = None
    before = np.zeros(0, bool)
    for number in range(min(asked, len(folds))):
        rows = np.flatnonzero(folds.fold == number)
        train = folds.train[number]
        if not len(rows) or not train.any():
            continue
        # Where all leave out the same, one forest is all of them.
        if judge is None or not np.array_equal(train, before):
            known = np.flatnonzero(train)
            known = known[subsample(channels[known], seed)]
            seen, local = np.unique(channels[known], return_inverse=True)
            forest = Forest.fit(
                bank, features[known], local, trees=trees, seed=seed, threads=threads
            )
            judge, before = FoldForest(forest, seen, count), train
        yield rows, judge.classify(features[rows]), judge


def without_slants(
    features: NDArray[np.float32], bank: FilterBank, channels: int
) -> NDArray[np.float32]:
    """Features ``(N, F)`` of a bank without the slants that it has."""
    parts = features.reshape(len(features), channels, -1)
    kept = parts[:, :, : parts.shape[2] - len(bank.textures)]
    return kept.reshape(len(features), -1)


def without_direction(
    features: NDArray[np.float32], bank: FilterBank, channels: int
) -> NDArray[np.float32]:
    """Features in which textures no longer say along which in-plane axis they run.

    A channel's last features are root mean square slopes, ``(axis, scale)``: those
    along y and x are replaced by the smaller and the larger one. A bank with slants has
    these behind, by scale, of which the sign is left out.
    """
    scales, axes = len(bank.textures), len(bank.axes)
    out = features.copy().reshape(len(features), channels, -1)
    directed = out[:, :, out.shape[2] - bank.directed :]
    directed = directed.reshape(len(features), channels, -1, scales)
    directed[:, :, axes - 2 : axes] = np.sort(directed[:, :, axes - 2 : axes], axis=2)
    directed[:, :, axes:] = np.abs(directed[:, :, axes:])
    out[:, :, out.shape[2] - bank.directed :] = directed.reshape(
        len(features), channels, -1
    )
    return out.reshape(features.shape)
