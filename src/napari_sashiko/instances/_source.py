"""A prediction as instances see it: a mask, block by block."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from napari_sashiko.errors import OutputError, SettingsError
from napari_sashiko.instances.settings import InstanceSettings
from napari_sashiko.labels import class_of_objects
from napari_sashiko.volumes import (
    ATTRIBUTES,
    DAMAGED,
    Slices,
    Stacking,
    beyond,
    extents_in,
    reading,
    stacking_of,
)

Region = tuple[slice, slice, slice]
Triple = tuple[int, int, int]
FORMAT_VERSION = 2  # of predictions: the newest that is read
KEYS = (  # of the record, without which nothing can be done
    *("model_digest", "input_digest", "plan_digest"),
    *("shape", "flat", "voxel_size", "unit", "classes"),
)
BLOCKS_VERSION = 2  # of the order in which blocks and their labels are numbered
SPLIT_VERSION = 1  # of the way in which objects are cut apart
KEPT_OPEN = 4


@dataclass(frozen=True)
class Source:
    """One class of an open prediction.

    Parameters
    ----------
    path : Path
        Folder of the prediction.
    record : dict
        What the prediction says about itself.
    mean, std : Slices
        (K, Z, Y, X).
    channel : int
        Channel of the class.
    class_id : int
        Id of the class.
    class_name : str
        Name of the class.
    settings : InstanceSettings
        Threshold and deviations.
    boundary : int or None
        Channel of the class between objects; None where no class separates them.
    extents : array, (Z, 2), or None
        Height and width of each picture, where some are smaller than others.
    """

    path: Path
    record: dict[str, Any]
    mean: Slices
    std: Slices
    channel: int
    class_id: int
    class_name: str
    settings: InstanceSettings
    boundary: int | None = None
    extents: npt.NDArray[np.integer] | None = None

    @property
    def stack(self) -> Stacking:
        """How slices fall into frames: no object goes from one to the next."""
        return stacking_of(self.record)

    @property
    def planar(self) -> bool:
        """Whether objects have an area, no volume."""
        return self.stack.planar

    @property
    def shape(self) -> Triple:
        """Volume in voxels (z, y, x)."""
        return self.stack.shape

    @property
    def sides(self) -> Triple:
        """What an object may fill, (z, y, x): a frame, or the volume."""
        return self.stack.depth, *self.shape[1:]

    @property
    def chunk(self) -> Triple:
        """Chunk in voxels (z, y, x)."""
        z, y, x = (self.mean.chunks or self.mean.shape)[-3:]
        return z, y, x

    @property
    def voxel_size(self) -> tuple[float, float, float]:
        """z, y, x in `unit`."""
        z, y, x = self.record["voxel_size"]
        return float(z), float(y), float(x)

    @property
    def unit(self) -> str:
        """Unit of length."""
        return str(self.record["unit"])

    def finished(self) -> tuple[int, int]:
        """Cells that are predicted, and all cells."""
        return _finished(self.path)

    def digest(self) -> str:
        """Name everything that decides which objects there are."""
        settings = self.settings
        chosen: list[Any]
        chosen = [settings.threshold, settings.minus_std, settings.connectivity]
        if cutting := settings.splitting():
            chosen += [SPLIT_VERSION, cutting, self.boundary]
        state = prediction_state(self.path, self.record)
        parts = [BLOCKS_VERSION, chosen, self.class_id, state]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def probabilities(self, region: Region) -> npt.NDArray[np.float32]:
        """Read the mean probability of a region, (z, y, x); 0 beyond a picture."""
        found = self._read(self.mean, region, self.channel)
        if self.extents is not None:
            found[beyond(self.extents, region)] = 0
        return found

    def deviations(self, region: Region) -> npt.NDArray[np.float32]:
        """Read the standard deviation of a region, (z, y, x)."""
        return self._read(self.std, region, self.channel)

    def boundaries(self, region: Region) -> npt.NDArray[np.float32]:
        """Read the mean probability of the class between objects, (z, y, x)."""
        if self.boundary is None:
            raise SettingsError("No class lies between objects.", "Choose one.")
        return self._read(self.mean, region, self.boundary)

    def mask(self, region: Region) -> npt.NDArray[np.bool_]:
        """Voxels of objects in a region."""
        std = self.deviations(region) if self.settings.minus_std > 0 else None
        return self.above(self.probabilities(region), std)

    def above(
        self, mean: npt.NDArray[np.float32], std: npt.NDArray[np.float32] | None
    ) -> npt.NDArray[np.bool_]:
        """Voxels of objects: mean - k std above the threshold; None for k = 0."""
        if std is not None and self.settings.minus_std > 0:
            mean = mean - np.float32(self.settings.minus_std) * std
        return mean > np.float32(self.settings.threshold)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as a path: other processes open the arrays themselves."""
        settings = self.settings.model_copy(update={"label_class": self.class_id})
        return _opened_once, (self.path, settings, self.digest())

    def _read(
        self, array: Slices, region: Region, channel: int
    ) -> npt.NDArray[np.float32]:
        with _reading(self.path):
            return np.array(array[(channel, *region)], np.float32)


def open_source(path: Path, settings: InstanceSettings) -> Source:
    """Open a prediction for one of its classes.

    Raises
    ------
    OutputError
        If it is not a prediction, is damaged, or comes from a newer version.
    SettingsError
        If there is no such class; the message lists the classes.
    """
    try:
        group = zarr.open_group(str(path), mode="r")
        record: Any = group.attrs.get(ATTRIBUTES)
    except DAMAGED:
        record = None
    if not isinstance(record, dict) or record.get("kind") != "prediction":
        raise OutputError(
            f"{path} is not a prediction.", "Predict the volume first, then choose it."
        )
    _check_record(path, record)
    with _reading(path):
        axes = stacking_of(record).axes_with_channels
        classes = record["classes"]
        wanted = settings.label_class
        if wanted is None:
            wanted = class_of_objects(classes)["id"]
        channel = _channel(classes, wanted)
        chosen = classes[channel]
        boundary = _boundary(classes, channel, settings)
        return Source(
            path=path,
            record=record,
            mean=Slices(group["mean/0"], axes),
            std=Slices(group["std/0"], axes),
            channel=channel,
            class_id=int(chosen["id"]),
            class_name=str(chosen["name"]),
            settings=settings,
            boundary=boundary,
            extents=extents_in(record),
        )


def prediction_state(path: Path, record: Mapping[str, Any]) -> list[Any]:
    """What tells a prediction from others of its name, and from itself before.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    record : mapping
        What it says of itself.

    Returns
    -------
    list
        As it is read back from JSON.

    Raises
    ------
    OutputError
        If its ledger is damaged.
    """
    keys = ("model_digest", "input_digest", "plan_digest", "created")
    return [*(record.get(key) for key in keys), *_finished(path)]


def _finished(path: Path) -> tuple[int, int]:
    with _reading(path):
        array = zarr.open_array(str(path / "ledger"), mode="r")
        ledger = np.asarray(array[...])
    return int((ledger == 1).sum()), int(ledger.size)


@lru_cache(maxsize=KEPT_OPEN)
def _opened_once(path: Path, settings: InstanceSettings, _digest: str) -> Source:
    # By digest: a prediction of the same name may be another one by now.
    return open_source(path, settings)


def _check_record(path: Path, record: dict[str, Any]) -> None:
    version = record.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise OutputError(
            f"{path} was written by a newer version (format {version}, here "
            f"{FORMAT_VERSION}).",
            "Update napari-sashiko.",
        )
    with _reading(path):
        for key in KEYS:
            record[key]


def _reading(path: Path) -> AbstractContextManager[None]:
    return reading(
        f"The prediction {path}",
        "Mend it, with: sashiko mend; else predict it again, with overwrite.",
    )


def _channel(classes: list[Any], wanted: int | str | None) -> int:
    for channel, each in enumerate(classes):
        if wanted in (each["id"], each["name"], str(each["id"])):
            return channel
    known = ", ".join(f"{each['id']} ({each['name']})" for each in classes)
    raise SettingsError(f"There is no class {wanted!r}.", f"Classes: {known}.")


def _boundary(
    classes: list[Any], channel: int, settings: InstanceSettings
) -> int | None:
    if settings.split != "boundary":
        return None
    boundary = _channel(classes, settings.boundary_class)
    if boundary == channel:
        raise SettingsError(
            f"{classes[channel]['name']!r} is both the class of the objects and what "
            "lies between them.",
            "Choose two classes.",
        )
    return boundary
