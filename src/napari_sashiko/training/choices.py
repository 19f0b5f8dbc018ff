"""Choices that the data make: 2D or 3D, neighbouring slices; each with its reason."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import SettingsError
from napari_sashiko.labels import LabelledVoxels
from napari_sashiko.training.learning import LearningSettings
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.volumes import LARGEST, Volume, frames_apart

SEPARATE = 0.25  # slices that agree less than this share of in-plane agreement
NEIGHBOURS = 4  # slices on either side for voxels as deep as wide
BESIDE = 2  # the same where there is no paint: noise differs from slice to slice
# With paint on fewer slices, what neighbours look like is learned by heart: tried with
# two, three and eight (docs/explanation/tried.md).
FEW_SLICES = 16
BY_ITSELF = "2D: every {} is looked at by itself."
MAY_BE_SLICES = " If these are slices, say so with the axes zyx."
THICK = 0.5  # share of paint with paint above or below: a ball brush


@dataclass(frozen=True)
class Choices:
    """How the members look at the volume.

    Attributes
    ----------
    dims : int
        Axes that networks look along.
    neighbours : int
        Slices on either side that a 2D network sees as channels.
    filter_dims : int
        Axes that the forest's filters run along.
    spacing : tuple of float
        Voxel size (z, y, x) relative to the finest axis.
    reason : str
        Why, in a sentence or two.
    agreement : float or None
        How well neighbouring slices agree, relative to rows; None where it does not
        matter.
    """

    dims: int
    neighbours: int
    filter_dims: int
    spacing: tuple[float, float, float]
    reason: str
    agreement: float | None = None

    @property
    def view(self) -> tuple[int, int]:
        """What decides the shape of networks: `dims` and `neighbours`."""
        return self.dims, self.neighbours


def make_choices(
    volume: Volume,
    labelled: LabelledVoxels,
    settings: TrainingSettings,
    device: str = "cpu",
    *,
    agreement: float | None = None,
) -> Choices:
    """Choose 2D, 2D with neighbouring slices, or 3D, and say why.

    Parameters
    ----------
    volume : Volume
        The image; a few small blocks of it are read.
    labelled : LabelledVoxels
        The paint.
    settings : TrainingSettings
        ``dims`` and ``neighbours`` overrule the rule.
    device : str
        Blocks are only worth their price on a GPU.
    agreement : float, optional
        That of choices for other paint of the volume: its slices are not read again.

    Raises
    ------
    SettingsError
        If neighbouring pictures are to be looked at that are no neighbours.
    """
    spacing = _spacing(volume)
    depth = volume.stacking.depth
    if volume.separate:
        _check_separate(volume, settings)
        return Choices(2, 0, 2, spacing, _by_itself(volume))
    if depth == 1:
        return Choices(2, 0, 2, spacing, "2D: the image is a single slice.")
    if agreement is None:
        agreement = _agreement(volume)
    if agreement < SEPARATE and settings.dims != "3":
        seen, why = settings.neighbours or 0, _apart(agreement)
        return Choices(2, seen, 2, spacing, why, agreement)
    dims, why = _dims(labelled, settings, device, volume.frame)
    if dims == 3:
        return Choices(3, 0, 3, spacing, f"3D blocks: {why}.", agreement)
    neighbours = max(1, round(NEIGHBOURS / spacing[0]))
    neighbours = min(neighbours, depth - 1)
    painted = len(np.unique(labelled.coords[:, 0]))
    if settings.neighbours is not None:
        neighbours = settings.neighbours
    elif painted < FEW_SLICES:
        reason = (
            f"2D, each slice by itself: paint on {painted} "
            f"slice{'s' if painted != 1 else ''} says too little about neighbours."
        )
        return Choices(2, 0, 3, spacing, reason, agreement)
    reason = f"2D with {neighbours} slices on either side: {why}."
    return Choices(2, neighbours, 3, spacing, reason, agreement)


def choices_for_images(
    volume: Volume, settings: LearningSettings, device: str = "cpu", *, gaps: bool
) -> Choices:
    """Choose as `make_choices` does, where there is no paint to go by.

    Parameters
    ----------
    volume : Volume
        The image; a few small blocks of it are read.
    settings : LearningSettings
        ``dims`` and ``neighbours`` overrule the rule.
    device : str
        Blocks are only worth their price on a GPU.
    gaps : bool
        Whether gaps are to be filled: those of a detector are the same in all slices,
        and these often are pictures of their own.

    Raises
    ------
    SettingsError
        As `make_choices`.
    """
    spacing = _spacing(volume)
    if volume.separate:
        _check_separate(volume, settings)
        return Choices(2, 0, 2, spacing, _by_itself(volume))
    depth = volume.stacking.depth
    if depth == 1:
        return Choices(2, 0, 2, spacing, "2D: the image is a single slice.")
    if gaps and settings.dims == "auto" and settings.neighbours is None:
        return Choices(2, 0, 2, spacing, "2D: gaps are alike in all slices.")
    agreement = _agreement(volume)
    if agreement < SEPARATE and settings.dims != "3":
        return Choices(2, settings.neighbours or 0, 2, spacing, _apart(agreement))
    if settings.dims == "3" or (settings.dims == "auto" and device != "cpu"):
        return Choices(3, 0, 3, spacing, "3D blocks: neighbouring slices agree.")
    neighbours = settings.neighbours
    if neighbours is None:
        neighbours = min(max(1, round(BESIDE / spacing[0])), depth - 1)
    reason = f"2D with {neighbours} slices on either side: neighbouring slices agree."
    return Choices(2, neighbours, 3, spacing, reason)


def slices_agree(volume: Volume) -> bool:
    """Whether neighbouring slices show much the same; a single one has no other."""
    return volume.stacking.depth == 1 or _agreement(volume) >= SEPARATE


def _spacing(volume: Volume) -> tuple[float, float, float]:
    finest = min(volume.voxel_size)
    z, y, x = (size / finest for size in volume.voxel_size)
    return z, y, x


def _by_itself(volume: Volume) -> str:
    if volume.time is None:
        return BY_ITSELF.format("picture")
    # Some programs call the slices of a stack its frames.
    return BY_ITSELF.format("time point") + MAY_BE_SLICES


def _apart(agreement: float) -> str:
    if round(agreement, 2) <= 0:  # noise, or slices that contradict each other
        return "2D, each slice by itself: neighbouring slices have nothing in common."
    return (
        f"2D, each slice by itself: neighbouring slices agree only {agreement:.2f} "
        "times as well as neighbouring rows."
    )


def _check_separate(volume: Volume, settings: LearningSettings) -> None:
    if settings.dims == "3" or settings.neighbours:
        asked = "dims = 3" if settings.dims == "3" else "neighbours"
        timed = volume.time is not None
        what = "time points" if timed else "pictures"
        raise SettingsError(
            f"The {what} of {volume.name!r} are no slices of a block: {asked} is not "
            "possible.",
            "Leave it out; or say axes zyx, to have time looked along like depth."
            if timed
            else "Leave it out.",
        )


def _dims(
    labelled: LabelledVoxels,
    settings: TrainingSettings,
    device: str,
    frame: int | None,
) -> tuple[int, str]:
    if settings.dims != "auto":
        return int(settings.dims), "as set"
    thick = _thickness(labelled, frame)
    if device == "cpu":
        return 2, "on a CPU, slices with neighbours learn more in the same time"
    if thick < THICK:
        return 2, "the paint lies on single slices"
    return 3, f"{thick:.0%} of the paint continues in the next slice"


def _thickness(labelled: LabelledVoxels, frame: int | None) -> float:
    """Share of painted voxels with paint directly above or below in their frame."""
    plane = labelled.shape[1] * labelled.shape[2]
    z, y, x = frames_apart(labelled.coords.astype(np.int64), frame, 1).T
    flat = z * plane + y * labelled.shape[2] + x
    beside = np.isin(flat + plane, flat) | np.isin(flat - plane, flat)
    return float(beside.mean())


def _agreement(volume: Volume) -> float:
    """Correlation of neighbouring slices over that of neighbouring rows."""
    stack = volume.stacking
    if stack.depth == 1:
        return 0.0
    shape = (stack.depth, *stack.shape[1:])
    edges = [min(n, e) for n, e in zip(shape, (8, 192, 192), strict=True)]
    along, across = [], []
    for place in (0.25, 0.5, 0.75):
        starts = [int((n - e) * place) for n, e in zip(shape, edges, strict=True)]
        starts[0] += int(stack.count * place) * stack.depth
        region = tuple(slice(s, s + e) for s, e in zip(starts, edges, strict=True))
        block = volume.read(region)[0].astype(np.float64)  # type: ignore[arg-type]
        block[~(np.abs(block) <= LARGEST)] = 0  # broken voxels, as in normalisation
        block -= block.mean(axis=(1, 2), keepdims=True)
        along.append(_correlation(block[1:], block[:-1]))
        # Rows as far apart as slices are: two, so that pixel noise does not decide.
        across.append(_correlation(block[:, 2:], block[:, :-2]))
    rows = max(float(np.mean(across)), 1e-3)
    return float(np.mean(along)) / rows


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale else 1.0
