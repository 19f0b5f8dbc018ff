"""Prediction sets of a whole volume: how many classes each voxel may have, by blocks.

Strategy: the store of a prediction keeps what held-out strokes said when its model was
trained, so that sets need nothing else. Each block is read class by class, and whatever
is stored is compared in the type in which predictions are stored by default: equal
probabilities stay equal, and sets do not depend on the type.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from pydantic import Field, ValidationError

from napari_sashiko.errors import Cancelled, OutputError
from napari_sashiko.metrics import SetCalibration, in_set, strokes_needed
from napari_sashiko.prediction._finished import (
    chunk_blocks,
    chunk_of,
    finished_record,
    open_image,
)
from napari_sashiko.prediction.events import SetsDone
from napari_sashiko.prediction.store import reading_prediction
from napari_sashiko.runners import (
    Event,
    Message,
    Progress,
    Run,
    RunnerSettings,
    Tick,
    open_place,
)
from napari_sashiko.volumes import (
    ATTRIBUTES,
    Region,
    Slices,
    beyond,
    check_replaceable,
    check_writable,
    create_ome_image,
    extents_in,
    stacking_of,
    written_whole,
)

FORMAT_VERSION = 1
HEARTBEAT = 0.2


class SetSettings(RunnerSettings):
    """How often the set of a voxel shall hold its true class."""

    coverage: float = Field(
        default=0.9,
        gt=0.0,
        lt=1.0,
        description="Share of voxels like those of held-out strokes whose set holds "
        "the true class: one of those that the model was calibrated for.",
    )


@dataclass(frozen=True)
class Sets:
    """Where sets come from and where their sizes go, known by paths in any process.

    Parameters
    ----------
    prediction : Path
        Folder of the prediction.
    target : Path
        Folder of the sizes.
    classes : int
        Number of classes.
    least : float
        Least probability of a class in a set.
    extents : array, (Z, 2), optional
        Where smaller pictures end: what lies beyond is not counted.
    """

    prediction: Path
    target: Path
    classes: int
    least: float
    extents: npt.NDArray[np.integer] | None = None

    def write(self, region: Region) -> npt.NDArray[np.int64]:
        """Write the sizes of one block; count voxels by size, ``(C + 1,)``.

        Raises
        ------
        Cancelled
            If the work was stopped meanwhile: its folder is gone.
        """
        sizes = self.sizes(region)
        if not (self.target / "zarr.json").exists():
            raise Cancelled("Stopped.")
        Slices(zarr.open_array(str(self.target / "sizes" / "0"), mode="r+"))[region] = (
            sizes
        )
        inside: Any = ... if self.extents is None else ~beyond(self.extents, region)
        return np.bincount(sizes[inside].ravel(), minlength=self.classes + 1)

    def sizes(self, region: Region) -> npt.NDArray[np.uint8]:
        """Count the classes in the set of each voxel of a block."""
        total = np.zeros([side.stop - side.start for side in region], np.uint8)
        with reading_prediction(self.prediction):
            mean = self.mean()
            for channel in range(self.classes):
                values = np.asarray(mean[(channel, *region)], np.float16)
                total += in_set(values, self.least)
        return total

    def mean(self) -> Slices:
        """Open the probabilities, (C, z, y, x)."""
        with reading_prediction(self.prediction):
            return open_image(self.prediction, "mean")


def prediction_sets(
    prediction: Path | str, out: Path | str, settings: SetSettings | None = None
) -> Iterator[Event]:
    """Write the size of the prediction set of each voxel.

    A set holds every class whose mean probability is at least that which held-out
    strokes ask for; it may be empty: then the voxel is like none of them. The output
    appears when it is complete.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr of a finished prediction.
    out : path
        Folder NAME.zarr for the sizes; sets written before are replaced.
    settings : SetSettings, optional
        Coverage.

    Yields
    ------
    Progress, Message, Tick, SetsDone

    Raises
    ------
    SettingsError
        If the model was not calibrated for this coverage.
    OutputError
        If there is no finished prediction, its model has no calibration, or the disk is
        full or not writable.
    """
    start = time.perf_counter()
    settings = settings or SetSettings()
    source, target = Path(prediction).absolute(), Path(out).absolute()
    record = finished_record(source)
    calibration = _calibration(source, record)
    least = calibration.at(settings.coverage)
    check_replaceable(target, "sets", "prediction sets")
    check_writable(target)
    yield from _remarks(calibration, settings.coverage, least)
    counts = np.zeros(len(record["classes"]) + 1, np.int64)
    with open_place(settings) as run, written_whole(target) as part:
        work = Sets(source, part, len(counts) - 1, least, extents_in(record))
        _create(work, record, settings.coverage, calibration)
        yield from _fill(work, record, run, counts)
        note = zarr.open_group(str(part), mode="r+").attrs
        facts: Any = note[ATTRIBUTES]
        note[ATTRIBUTES] = facts | {"voxels": counts.tolist()}
    yield SetsDone(
        str(target),
        settings.coverage,
        least,
        tuple(int(count) for count in counts),
        time.perf_counter() - start,
        calibration.reached_at(settings.coverage),
    )


def _calibration(path: Path, record: dict[str, Any]) -> SetCalibration:
    found = record.get("sets")
    if found is None:
        raise OutputError(
            f"The model of the prediction {path} was not calibrated for prediction "
            "sets.",
            "Train and predict again, with strokes enough to hold some out.",
        )
    try:
        return SetCalibration.model_validate(found)
    except ValidationError as error:
        raise OutputError(
            f"The calibration of the prediction {path} is damaged.",
            "Predict it again, with overwrite.",
        ) from error


def _remarks(
    calibration: SetCalibration, coverage: float, least: float
) -> Iterator[Message]:
    needed = strokes_needed(coverage)
    if calibration.strokes < needed:
        yield Message(
            f"Every set holds all classes: a coverage of {coverage:g} needs {needed} "
            f"held-out strokes, the model has {calibration.strokes}. Ask for less, or "
            "paint more strokes.",
            "warning",
        )
    elif least == 0:
        yield Message(
            f"Every set holds all classes: the true class of too many held-out strokes "
            f"was given no chance for a coverage of {coverage:g}.",
            "warning",
        )


def _create(
    work: Sets, record: dict[str, Any], coverage: float, calibration: SetCalibration
) -> None:
    facts = {
        "format_version": FORMAT_VERSION,
        "kind": "sets",
        "prediction": str(work.prediction),
        "model_digest": record["model_digest"],
        "classes": record["classes"],
        "coverage": coverage,
        "least": work.least,
        "strokes": calibration.strokes,
        "reached": calibration.reached_at(coverage),
    }
    group = zarr.create_group(str(work.target), attributes={ATTRIBUTES: facts})
    stack, whole = stacking_of(record), chunk_of(work.mean())
    chunk = [min(c, n) for c, n in zip(whole, stack.shape, strict=True)]
    create_ome_image(
        group,
        "sizes",
        shape=stack.on_disk,
        chunks=stack.lying(1, chunk),
        dtype="uint8",
        axes=stack.axes,
        voxel_size=record["voxel_size"][1 if stack.flat else 0 :],
        unit=record["unit"],
        time=stack.time,
    )


def _fill(
    work: Sets, record: dict[str, Any], run: Run, counts: npt.NDArray[np.int64]
) -> Iterator[Event]:
    stack, chunk = stacking_of(record), chunk_of(work.mean())
    regions = partial(chunk_blocks, stack.shape, chunk, stack.frame)
    total, done = sum(1 for _ in regions()), 0
    with contextlib.closing(run(work.write, regions(), heartbeat=HEARTBEAT)) as written:
        for item in written:
            if item is None:
                yield Tick()
                continue
            counts += item[1]
            done += 1
            yield Progress(done, total, "writing sets")
