"""Reconstruct a volume from its sinograms, some slices at a time, resumable.

Strategy: a cell of the store is a few whole slices, so that what is in memory is
bounded by the size of a slice. Beside what networks make lies the filtered
back-projection of the same sinograms, to compare.
"""

import hashlib
import json
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sashiko.errors import OutputError, VolumeError
from napari_sashiko.prediction.events import (
    CellDone,
    PredictionDone,
    PredictionStarted,
)
from napari_sashiko.prediction.mending import mend_prediction
from napari_sashiko.prediction.predictor import FloatArray
from napari_sashiko.prediction.reconstruct_settings import ReconstructSettings
from napari_sashiko.prediction.store import (
    BEFORE_TIME,
    RECONSTRUCTED,
    Layout,
    PredictionStore,
    create_store,
    read_record,
    remove_store,
)
from napari_sashiko.runners import Event, Message, Tick, check_memory, choose_device
from napari_sashiko.tomography import Sinograms, check_angles, filtered_back_projection
from napari_sashiko.volumes import Volume, check_writable, remove_torn

if TYPE_CHECKING:  # loads torch: filtered back-projection needs none
    from napari_sashiko.checkpoints import ReconstructorEnsemble

CELL_BYTES = 1 << 26  # of the sinograms and slices of a cell
MOST_SLICES = 16  # of a cell, which is a chunk: thicker ones are slow to browse
SAME_ANGLE = 0.01  # degrees
BACK_PROJECTION = "fbp"  # name of its array


@dataclass(frozen=True)
class Work:
    """What is made of which sinograms."""

    sinograms: Sinograms
    angles: tuple[float, ...]
    model: "ReconstructorEnsemble | None"
    settings: ReconstructSettings
    images: tuple[str, ...]

    @property
    def size(self) -> int:
        """Side of a slice."""
        return self.sinograms.detectors if self.model is None else self.model.made.size

    def layout(self) -> Layout:
        """How the volume lies on disk."""
        stack, side = self.sinograms, self.size
        each = 4 * (2 * stack.angles * stack.detectors + len(self.images) * side**2)
        depth = max(1, min(MOST_SLICES, stack.slices, CELL_BYTES // each))
        return Layout(
            shape=(stack.slices, side, side),
            cell=(depth, side, side),
            channels=1,
            dtype="float32",
            flat=stack.volume.flat,
            classifies=False,
            images=self.images,
        )

    def voxel_size(self) -> tuple[float, float, float]:
        """(z, y, x): a slice is as wide as the detector, whatever its side."""
        z, y, x = self.sinograms.voxel_size
        scale = self.sinograms.detectors / self.size
        return z, y * scale, x * scale

    def make(self, start: int, stop: int) -> Generator[Event, None, list[FloatArray]]:
        """Reconstruct some slices: ``(1, z, y, x)`` for each array."""
        raw = self.sinograms.read_measured(start, stop)
        made = {}
        if BACK_PROJECTION in self.images:
            slices = []
            for sinogram in raw:
                slices.append(
                    filtered_back_projection(
                        sinogram,
                        self.angles,
                        filter_name=self.settings.filter,
                        circle=self.settings.circle,
                    )
                )
                yield Tick()
            made[BACK_PROJECTION] = np.stack(slices)
        if self.model is not None:
            pairs = []
            for sinogram in raw:
                pairs.append(self.model.predict(sinogram[None]))
                yield Tick()
            for place, name in enumerate(("mean", "std")):
                made[name] = np.concatenate([pair[place] for pair in pairs])
        return [made[name][None] for name in self.images]


def reconstruct(
    sinograms: Volume,
    out: Path | str,
    settings: ReconstructSettings | None = None,
    *,
    model: Path | str | None = None,
    angles: Sequence[float] | None = None,
) -> Iterator[Event]:
    """Write a volume of sinograms: filtered back-projection, and what a model makes.

    What is finished is kept whatever happens; the same call goes on where it stopped.

    Parameters
    ----------
    sinograms : Volume
        ``(slice, angle, detector)``, or as ``settings.order`` says.
    out : path
        Folder NAME.zarr.
    settings : ReconstructSettings, optional
        Everything a user may set.
    model : path, optional
        Model folder; without, there is filtered back-projection alone.
    angles : sequence of float, optional
        Degrees, one for each row of a sinogram; the model's if left out, else evenly
        over half a turn.

    Yields
    ------
    PredictionStarted, CellDone, PredictionDone, Message, Tick

    Raises
    ------
    VolumeError
        If sinograms, angles and model do not fit.
    OutputError
        If the disk is full, or `out` belongs to something else.
    """
    begun = time.perf_counter()
    settings = settings or ReconstructSettings()
    path = Path(out).absolute()
    work, digest = _open(sinograms, settings, model, angles)
    if work.model is not None and settings.beside and len(work.images) == 2:
        yield Message(
            f"The model makes slices of {work.size} pixels, back-projection of "
            f"{work.sinograms.detectors}: it is left out. Without a model it is made.",
            "warning",
        )
    if settings.overwrite:
        remove_store(path)
    else:
        for note in (yield from mend_prediction(path)):
            yield Message(note, "warning")
    store = _opened(path, work, digest)
    finished = store.ledger.finished()
    yield PredictionStarted(str(path), finished.size, int(finished.sum()))
    yield from _fill(work, store)
    remove_torn(path)
    yield PredictionDone(str(path), time.perf_counter() - begun)


def _fill(work: Work, store: PredictionStore) -> Iterator[Event]:
    finished = store.ledger.finished()
    done, side, begun = int(finished.sum()), work.size, time.perf_counter()
    left = finished.size - done
    depth = store.layout.cell[0]
    todo = [index for index in store.ledger.cells() if not finished[index]]
    for number, index in enumerate(todo, start=1):
        start = index[0] * depth
        stop = min(start + depth, work.sinograms.slices)
        images = yield from work.make(start, stop)
        try:
            store.ledger.mark(index, store.write_images(index, images))
        except OSError as error:
            raise OutputError(
                f"{store.path} cannot be written: {error.strerror or error}. "
                f"{done + number - 1} of {finished.size} blocks are finished and kept.",
                "Free some space and start again: it goes on where it stopped.",
            ) from error
        seconds = (time.perf_counter() - begun) / number * (left - number)
        box = ((start, stop), (0, side), (0, side))
        yield CellDone(box, done + number, finished.size, seconds)


def _open(
    volume: Volume,
    settings: ReconstructSettings,
    folder: Path | str | None,
    angles: Sequence[float] | None,
) -> tuple[Work, str]:
    """Check sinograms, angles and model against each other."""
    stack = Sinograms(volume, settings.order)
    if folder is None:
        known = check_angles(angles, stack.angles)
        return Work(stack, known, None, settings, (BACK_PROJECTION,)), ""
    from napari_sashiko.checkpoints import (  # noqa: PLC0415 - loads torch
        load_card,
        load_reconstructors,
    )

    folder, device = Path(folder), str(choose_device(settings.device))
    needed = sum(
        (folder / entry.file).stat().st_size
        for entry in load_card(folder).members
        if (folder / entry.file).is_file()
    )
    check_memory(2 * needed, device, f"The model {folder}", "Close other programs.")
    model = load_reconstructors(folder, device)
    _check_model(model, stack, angles)
    same = model.made.size == stack.detectors
    images: tuple[str, ...] = ("mean", "std")
    if settings.beside and same:
        images = (*images, BACK_PROJECTION)
    work = Work(stack, model.made.angles, model, settings, images)
    return work, model.digest


def _check_model(
    model: "ReconstructorEnsemble", stack: Sinograms, angles: Sequence[float] | None
) -> None:
    wanted = len(model.made.angles), model.made.detectors
    found = stack.angles, stack.detectors
    if found != wanted:
        raise VolumeError(
            f"The model {model.card.name!r} is made for sinograms of {wanted[0]} "
            f"angles x {wanted[1]} detectors, {stack.volume.name!r} has {found[0]} x "
            f"{found[1]}.",
            "Networks that reconstruct know one size only: train one for this, or "
            "leave the model out.",
        )
    if angles is not None and not np.allclose(
        check_angles(angles, stack.angles), model.made.angles, rtol=0, atol=SAME_ANGLE
    ):
        raise VolumeError(
            f"The model {model.card.name!r} was trained on sinograms of other angles.",
            "Train one for these angles, or leave the model out.",
        )


def _opened(path: Path, work: Work, digest: str) -> PredictionStore:
    record, fresh, layout = read_record(path), _record(work, digest), work.layout()
    if record is None:
        check_writable(path, layout.bytes // 2)
        create_store(
            path,
            layout,
            fresh,
            voxel_size=work.voxel_size(),
            unit=work.sinograms.volume.unit,
        )
        return PredictionStore(path, layout)
    parts = {
        "kind": "as something else",
        "model_digest": "with another model, or with none",
        "input_digest": "of other sinograms",
        "plan": "with other angles or settings",
        "cell": "in other blocks",
    }
    for key, words in parts.items():
        if record.get(key) != fresh[key]:
            raise OutputError(
                f"{path} exists and was made {words}.",
                "Choose another name, or overwrite it.",
            )
    return PredictionStore(path, layout)


def _record(work: Work, digest: str) -> dict[str, Any]:
    volume, layout = work.sinograms.volume, work.layout()
    settings = work.settings.model_dump(mode="json", exclude={"device", "overwrite"})
    angles = hashlib.sha256(json.dumps(work.angles).encode()).hexdigest()[:16]
    return {
        "format_version": BEFORE_TIME,
        "kind": RECONSTRUCTED,
        "model_digest": digest,
        "input_digest": volume.digest(),
        "input_name": volume.name,
        "input_path": None if volume.path is None else str(volume.path),
        "plan": {**settings, "angles": angles},
        "angles": list(work.angles),
        "images": list(work.images),
        "cell": list(layout.cell),
        "shape": list(layout.shape),
        "voxel_size": list(work.voxel_size()),
        "unit": volume.unit,
        "flat": volume.flat,
        "classes": [],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
