"""What metrics of images share: the registry, the protocol, the voxels that count."""

import math
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sashiko.errors import SettingsError, VolumeError
from napari_sashiko.registry import Registry

Floats = NDArray[np.float64]


class ImageMetric(Protocol):
    """Compares images block by block; the split into blocks does not matter."""

    def reset(self) -> None:
        """Forget everything."""

    def update(
        self, image: ArrayLike, truth: ArrayLike, ignore: ArrayLike | None = None
    ) -> None:
        """Add a block of an image and of its truth; not 0 in `ignore` is left out."""

    def compute(self) -> Any:
        """Return the scores of all voxels since the last reset."""


IMAGE_METRICS: Registry[type[ImageMetric]] = Registry(
    "image metric", "napari_sashiko.metrics"
)


@dataclass(frozen=True)
class Scores:
    """Numbers by name."""

    def record(self) -> dict[str, float | int | None]:
        """Return the scores as JSON, which has neither NaN nor infinity: None."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {key: v if math.isfinite(v) else None for key, v in found.items()}


def compared(
    image: ArrayLike, truth: ArrayLike, ignore: ArrayLike | None
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return both as float64, 0 where either is unknown, and where that is.

    Raises
    ------
    VolumeError
        If shapes differ.
    """
    x, y = np.asarray(image, np.float64), np.asarray(truth, np.float64)
    unknown = np.zeros(x.shape, bool) if ignore is None else np.asarray(ignore) != 0
    if len({x.shape, y.shape, unknown.shape}) > 1:
        also = "" if ignore is None else f" and ignored voxels {unknown.shape}"
        raise VolumeError(
            f"Image {x.shape}, truth {y.shape}{also} differ in shape.",
            "Compare blocks of one shape.",
        )
    unknown = unknown | ~(np.isfinite(x) & np.isfinite(y))
    if unknown.any():
        x, y = np.where(unknown, 0.0, x), np.where(unknown, 0.0, y)
    return x, y, unknown


def checked_range(data_range: float) -> float:
    """Return a data range that is a finite number above 0.

    Raises
    ------
    SettingsError
        If it is not.
    """
    if not (math.isfinite(data_range) and data_range > 0):
        raise SettingsError(
            f"data_range = {data_range:g} is not possible.", "Use a number above 0."
        )
    return float(data_range)
