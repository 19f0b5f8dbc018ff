"""What is done with one block once all objects are known: write it, measure it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import zarr

from napari_sashiko.errors import Cancelled, OutputError
from napari_sashiko.instances._moments import FloatArray, Sums, ends_along, sums_of
from napari_sashiko.instances._source import Region, Source
from napari_sashiko.instances.cache import forget_components
from napari_sashiko.instances.components import label_again
from napari_sashiko.volumes import Slices

KEPT_OPEN = 4
Names = npt.NDArray[np.uint32]  # final label of each label of a block
WriteTask = tuple[int, Region, Names]
ReachTask = tuple[int, Region, Names, FloatArray]


@dataclass(frozen=True)
class Target:
    """Labels on disk, known by their path wherever a block is written.

    Parameters
    ----------
    path : Path
        Folder of the group.
    """

    path: Path

    def write(self, region: Region, labels: Names) -> None:
        """Write one block, (z, y, x).

        Raises
        ------
        Cancelled
            If the work was stopped meanwhile: its folder is gone.
        """
        if not (self.path / "zarr.json").exists():
            raise Cancelled("Stopped.")
        _open(self.path)[region] = labels

    def read(self, region: Region) -> Names:
        """Read one block, (z, y, x)."""
        return _open(self.path)[region]


def write_block(
    source: Source, target: Target, task: WriteTask, *, measured: bool
) -> Sums | None:
    """Second pass: label the block again and write the final labels.

    Parameters
    ----------
    source : Source
        The mask.
    target : Target
        Where labels go.
    task : (number, region, names)
        `names` (n + 1,): final label of labels 0 to n; 0 for what is not kept.
    measured : bool
        Whether sums over voxels are wanted.

    Returns
    -------
    Sums or None

    Raises
    ------
    OutputError
        If the prediction is not the one that was searched.
    """
    _, region, names = task
    deviating = measured or source.settings.minus_std > 0
    std = source.deviations(region) if deviating else None
    mean = source.probabilities(region)
    labels, count = label_again(source, region, source.above(mean, std))
    if count + 1 != len(names):
        forget_components(source)
        raise OutputError(
            f"{source.path} changed while objects were searched.", "Start again."
        )
    target.write(region, names[labels])
    if std is None or not measured or not names.any():
        return None
    return sums_of(region, np.ascontiguousarray(labels), names, mean, std)


def reach_of_block(target: Target, task: ReachTask) -> tuple[FloatArray, FloatArray]:
    """Third pass: least and greatest position along the axis of each object.

    Parameters
    ----------
    target : Target
        The final labels.
    task : (number, region, names, steps)
        `names` (k,): final labels in the region, ascending; `steps` (k, 3): what one
        voxel along z, y, x adds to the position.

    Returns
    -------
    low, high : (k,) float64
    """
    _, region, names, steps = task
    return ends_along(region, target.read(region), names, steps)


@lru_cache(maxsize=KEPT_OPEN)
def _open(path: Path) -> Slices:
    return Slices(zarr.open_array(str(path / "labels" / "0"), mode="r+"))
