"""What all metrics share: the registry, the protocol, the choice of scored voxels."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sashiko.errors import LabelError
from napari_sashiko.registry import Registry


class Metric(Protocol):
    """Counts over any number of blocks; the split into blocks does not matter."""

    def reset(self) -> None:
        """Forget everything."""

    def update(self, probabilities: ArrayLike, truth: ArrayLike) -> None:
        """Add voxels: probabilities ``(C, *S)``, truth ``(*S)`` ids, 0 = not scored."""

    def compute(self) -> Any:
        """Return the scores of all voxels since the last reset."""


METRICS: Registry[type[Metric]] = Registry("metric", "napari_sashiko.metrics")


def class_ids(classes: int | Sequence[int]) -> tuple[int, ...]:
    """Return ids in channel order: 1..C for a count, the ids themselves otherwise."""
    if isinstance(classes, int):
        return tuple(range(1, classes + 1))
    return tuple(int(value) for value in classes)


def channel_of(truth: NDArray[Any], ids: tuple[int, ...]) -> NDArray[np.intp]:
    """Return the channel of each class id in ``truth``.

    Raises
    ------
    LabelError
        If an id is none of ``ids``.
    """
    order = np.argsort(ids)
    sorted_ids = np.asarray(ids)[order]
    place = np.searchsorted(sorted_ids, truth).clip(0, len(ids) - 1)
    unknown = sorted_ids[place] != truth
    if unknown.any():
        found = int(truth[unknown][0])
        known = ", ".join(map(str, ids))
        raise LabelError(f"There is no class {found}.", f"Classes: {known}.")
    channel: NDArray[np.intp] = order[place]
    return channel


def scored(
    probabilities: ArrayLike, truth: ArrayLike, ids: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return probabilities ``(C, N)`` and channels ``(N,)`` of voxels with a truth.

    Raises
    ------
    LabelError
        If shapes do not fit or a class id is unknown.
    """
    p, t = np.asarray(probabilities), np.asarray(truth)
    if p.shape != (len(ids), *t.shape):
        raise LabelError(
            f"Probabilities of shape {p.shape} do not fit a truth of shape {t.shape}"
            f" with {len(ids)} classes.",
            f"Expected {(len(ids), *t.shape)}.",
        )
    known = t != 0
    return p[:, known].astype(np.float64), channel_of(t[known], ids)
