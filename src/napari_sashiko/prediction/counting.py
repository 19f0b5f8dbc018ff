"""How much of a volume is of each class, by blocks."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_sashiko.prediction._finished import (
    chunk_blocks,
    chunk_of,
    finished_record,
    open_image,
)
from napari_sashiko.prediction.store import reading_prediction
from napari_sashiko.runners import (
    Event,
    Progress,
    RunnerSettings,
    Tick,
    in_order,
    open_place,
)
from napari_sashiko.volumes import Region, Slices, beyond, extents_in, stacking_of

HEARTBEAT = 0.2
Totals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClassTotals:
    """How much of a volume is of each class.

    Parameters
    ----------
    voxels : dict
        Voxels by class id, each given to its most probable class.
    mass : dict
        Sum of the mean probability by class id, in voxels.
    """

    voxels: dict[int, int]
    mass: dict[int, float]


@dataclass(frozen=True)
class Counter:
    """Counts one block, known by paths in any process.

    Parameters
    ----------
    prediction : Path
        Folder of the prediction.
    ids : tuple of int
        Class id of each channel.
    extents : array, (Z, 2), optional
        Height and width of each picture, where some are smaller than others.
    """

    prediction: Path
    ids: tuple[int, ...]
    extents: npt.NDArray[np.integer] | None = None

    def __call__(self, task: tuple[int, Region]) -> Totals:
        """Voxels and probability of each class in a block, (2, K)."""
        box = task[1]
        with reading_prediction(self.prediction):
            winners = np.asarray(self.open("classes")[box])
            mean = self.open("mean")
            inside = np.broadcast_to(True, winners.shape)  # noqa: FBT003 - no option
            if self.extents is not None:
                inside = ~beyond(self.extents, box)
            voxels = np.bincount(winners[inside], minlength=256)[list(self.ids)]
            # Class by class, and summed with more digits than are stored.
            mass = [
                np.asarray(mean[(channel, *box)]).sum(dtype=np.float64, where=inside)
                for channel in range(len(self.ids))
            ]
        return np.array([voxels, mass], np.float64)

    def open(self, name: str) -> Slices:
        """Open an image of the prediction."""
        return open_image(self.prediction, name)


def count_classes(
    prediction: Path | str, settings: RunnerSettings | None = None
) -> Generator[Event, None, ClassTotals]:
    """Sum voxels and probability of each class; the generator returns them.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr of a finished prediction.
    settings : RunnerSettings, optional
        Where the work runs; the sums do not depend on it.

    Yields
    ------
    Progress, Tick

    Returns
    -------
    ClassTotals

    Raises
    ------
    OutputError
        If there is no finished prediction, or it is damaged.
    """
    settings = settings or RunnerSettings()
    path = Path(prediction).absolute()
    record = finished_record(path)
    with reading_prediction(path):
        ids = tuple(int(each["id"]) for each in record["classes"])
        counter = Counter(path, ids, extents_in(record))
        stack, chunk = stacking_of(record), chunk_of(counter.open("mean"))
    tasks = list(enumerate(chunk_blocks(stack.shape, chunk, stack.frame)))
    totals = np.zeros((2, len(ids)))
    with open_place(settings) as run:
        results = run(counter, tasks, heartbeat=HEARTBEAT)
        with contextlib.closing(in_order(results)) as counted:
            for item in counted:
                if item is None:
                    yield Tick()
                    continue
                totals += item[1]
                yield Progress(item[0] + 1, len(tasks), "counting voxels")
    voxels, mass = totals.tolist()
    return ClassTotals(
        dict(zip(ids, map(int, voxels), strict=True)), dict(zip(ids, mass, strict=True))
    )
