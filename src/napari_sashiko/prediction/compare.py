"""How near an image that networks made is to the one that it should be, by blocks."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.errors import SettingsError, VolumeError
from napari_sashiko.metrics import ImageErrors, ImageScores, StructuralSimilarity
from napari_sashiko.prediction._finished import (
    chunk_blocks,
    chunk_of,
    finished_record,
    open_image,
)
from napari_sashiko.prediction.predictor import Triple
from napari_sashiko.prediction.store import (
    RECONSTRUCTED,
    RESTORED,
    reading_prediction,
)
from napari_sashiko.runners import Event, Progress
from napari_sashiko.volumes import (
    Region,
    Slices,
    Volume,
    beyond,
    extents_of,
    grow,
    stacking_of,
)

Array = npt.NDArray[Any]
IMAGES = ("mean", "std")  # of a restored image, whose record does not name them
DEVIATION = "std"  # is nothing that a truth could be compared with


@dataclass(frozen=True)
class Comparison:
    """Scores of a restored or reconstructed image over all voxels that count.

    Parameters
    ----------
    errors : ImageScores
        Correlation, signal-to-noise ratio and errors in grey values.
    ssim : float
        Structural similarity, mean over windows of 7 x 7 pixels of all slices; NaN
        where a slice is smaller, or no window counts as a whole.
    """

    errors: ImageScores
    ssim: float

    def record(self) -> dict[str, Any]:
        """Write the scores as JSON."""
        ssim = self.ssim if np.isfinite(self.ssim) else None
        return {**self.errors.record(), "ssim": ssim}


def compare_steps(
    made: Path | str,
    truth: Volume,
    *,
    ignore: Volume | None = None,
    only: Volume | None = None,
    part: str | None = None,
) -> Generator[Event, None, Comparison]:
    """Compare a restored image, or a reconstruction, with the truth, block by block.

    Parameters
    ----------
    made : path
        Folder NAME.zarr.
    truth : Volume
        The image as it should be, of the same shape.
    ignore, only : Volume, optional
        Voxels that are not 0 in the one, or 0 in the other, do not count: scores of
        gaps alone are those `only` in them. Beyond the edge of a picture that is
        smaller than others of its folder nothing counts.
    part : str, optional
        Which image of a reconstruction: ``"mean"`` by networks, or ``"fbp"``. When
        left out, the former if there is one.

    Yields
    ------
    Progress

    Returns
    -------
    Comparison

    Raises
    ------
    OutputError
        If there is no such image, or it is not finished.
    SettingsError
        If there is no such part.
    VolumeError
        If shapes or channels differ.
    """
    path = Path(made)
    record = finished_record(path, RESTORED, RECONSTRUCTED)
    stack = stacking_of(record)
    shape = stack.shape
    with reading_prediction(path):
        image = open_image(path, _part(record, part))
    _check(truth, shape, image.shape[0], record["kind"])
    for mask in (ignore, only):
        if mask is not None:
            _check(mask, shape, 1, record["kind"])
    scene = _Scene(path, image, truth, ignore, only, extents_of(truth))
    errors = ImageErrors()
    blocks = list(chunk_blocks(shape, chunk_of(image), stack.frame))
    for number, region in enumerate(blocks):
        yield Progress(number, 2 * len(blocks), "comparing with the truth")
        errors.update(*scene.read(region))
    found = errors.compute()
    similarity = _similarity(found)
    for number, region in enumerate(blocks if similarity else ()):
        yield Progress(len(blocks) + number, 2 * len(blocks), "comparing structures")
        for metric in similarity:
            metric.update(*scene.read(grow(region, metric.halo, shape, stack.frame)))
    ssim = [metric.compute().ssim for metric in similarity]
    return Comparison(found, ssim[0] if ssim else float("nan"))


def _part(record: dict[str, Any], wanted: str | None) -> str:
    """Which image is compared, of those that there are."""
    there = [name for name in record.get("images", IMAGES) if name != DEVIATION]
    if wanted is None or wanted in there:
        return wanted or there[0]
    raise SettingsError(
        f"There is no image {wanted!r} to compare.", f"Choose from: {', '.join(there)}."
    )


def _similarity(found: ImageScores) -> list[StructuralSimilarity]:
    """None where the truth has one grey value only."""
    known = found.voxels > 0 and found.data_range > 0
    return [StructuralSimilarity(found.data_range, dims=2)] if known else []


@dataclass(frozen=True)
class _Scene:
    """An image, its truth, and what of both counts."""

    path: Path
    image: Slices
    truth: Volume
    ignore: Volume | None
    only: Volume | None
    extents: npt.NDArray[np.integer] | None

    def read(self, region: Region) -> tuple[Array, Array, Array]:
        """Image, truth and what does not count, each ``(C, z, y, x)``."""
        with reading_prediction(self.path):
            image = np.asarray(self.image[(slice(None), *region)], np.float32)
        true = self.truth.read(region)
        left_out = np.zeros(image.shape, bool)
        for mask in self._masks(region):
            left_out |= mask
        return image, true, left_out

    def _masks(self, region: Region) -> Iterator[Array]:
        if self.ignore is not None:
            yield self.ignore.read(region) != 0
        if self.only is not None:
            yield self.only.read(region) == 0
        if self.extents is not None:  # what lies beyond is their mirror image
            yield beyond(self.extents, region)[None]


def _check(volume: Volume, shape: Triple, channels: int, kind: str) -> None:
    if volume.shape != shape or volume.channels != channels:
        raise VolumeError(
            f"{volume.name!r} has shape {volume.shape} and {volume.channels} "
            f"channel(s), the {kind} {shape} and {channels}.",
            "Choose an image of the same place.",
        )
