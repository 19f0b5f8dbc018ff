"""Check model, image and output against each other, and open the output."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import Any

from napari_sashiko.errors import ModelError, OutputError, VolumeError
from napari_sashiko.patches import Cell
from napari_sashiko.prediction._order import tasks_of
from napari_sashiko.prediction.plan import (
    Plan,
    make_plan,
    plan_from_record,
    stored_type,
)
from napari_sashiko.prediction.predictor import Predictor
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.prediction.store import (
    BEFORE_TIME,
    FORMAT_VERSION,
    PREDICTION,
    RECONSTRUCTED,
    RESTORED,
    Layout,
    PredictionStore,
    create_store,
    read_record,
    remove_store,
)
from napari_sashiko.runners import Message
from napari_sashiko.volumes import check_writable, extents_record

VOXEL_SIZE_TOLERANCE = 0.1


@dataclass
class Run:
    """One prediction, ready to go: `todo` are the cells not on disk yet, by task.

    `doubt` says what speaks against going on, in words; empty if nothing does.
    """

    predictor: Predictor
    digest: str
    plan: Plan
    store: PredictionStore
    cells: int
    todo: Sequence[tuple[Cell, ...]]
    doubt: str

    @property
    def left(self) -> int:
        """Number of cells that are not on disk yet."""
        return sum(len(task) for task in self.todo)


def check_volume(card: Any, volume: Any) -> Iterator[Message]:
    """Say what does not fit between a model and an image.

    Raises
    ------
    VolumeError
        If the number of channels differs.
    """
    if card.channels != volume.channels:
        raise VolumeError(
            f"The image has {volume.channels} channel(s), the model was trained on "
            f"{card.channels}.",
            "Choose an image like the one that the model was trained on.",
        )
    sizes = zip(card.voxel_size, volume.voxel_size, strict=True)
    if card.unit == volume.unit and any(
        abs(a - b) > VOXEL_SIZE_TOLERANCE * abs(a) for a, b in sizes
    ):
        yield Message(
            f"The model was trained on voxels of {_words(card)}, this image has "
            f"{_words(volume)}: objects appear at another size, check the result.",
            "warning",
        )


def check_classifies(card: Any) -> None:
    """Refuse a model that makes an image where classes are wanted.

    Raises
    ------
    ModelError
        If it tells no classes.
    """
    if card.restoring is not None:
        raise ModelError(
            f"The model {card.name!r} restores images, it tells no classes.",
            "Choose a model that was trained on strokes.",
        )


def prepare(
    predictor: Predictor,
    digest: str,
    volume: Any,
    path: Path,
    settings: PredictionSettings,
) -> Run:
    """Open or create the output of a prediction.

    Raises
    ------
    OutputError
        If it cannot be written, or belongs to other input.
    """
    if settings.overwrite:
        remove_store(path)
    record = read_record(path)
    if record is not None and record["kind"] == RECONSTRUCTED:
        raise OutputError(
            f"{path} exists and is a {RECONSTRUCTED}.",
            "Choose another name, or overwrite it.",
        )
    plan = _plan(predictor, volume, settings, record)
    fresh = _record(predictor, digest, volume, plan)
    cells = plan.cells()
    shape = cells.chunk
    layout = Layout(
        shape=volume.shape,
        cell=shape,
        channels=predictor.card.outputs,
        dtype=stored_type(predictor, settings),
        flat=volume.flat,
        classifies=predictor.card.restoring is None,
        frame=volume.frame,
        time=volume.time,
    )
    if record is None:
        check_writable(path, layout.bytes // 2)
        create_store(
            path, layout, fresh, voxel_size=volume.voxel_size, unit=volume.unit
        )
        doubt = ""
    else:
        _check_same(path, record, fresh)
        doubt = _doubt(record, fresh)
    store = PredictionStore(path, layout)
    _check_dtype(store, layout.dtype)
    finished = store.ledger.finished()
    tasks = (
        tuple(cell for cell in task if not finished[cell.index])
        for task in tasks_of(plan, layout.channels, settings)
    )
    todo = [task for task in tasks if task]
    return Run(predictor, digest, plan, store, len(cells), todo, doubt)


def _plan(
    predictor: Predictor,
    volume: Any,
    settings: PredictionSettings,
    record: dict[str, Any] | None,
) -> Plan:
    """Take the stored plan, as far as the user did not ask for another one."""
    wanted = make_plan(predictor, volume.shape, settings, frame=volume.frame)
    if record is None:
        return wanted
    stored = plan_from_record(record["plan"])
    asked = {
        "window": settings.window,
        "border": settings.border,
        "step": settings.step,
    }
    same = all(
        value is None or getattr(wanted, key) == getattr(stored, key)
        for key, value in asked.items()
    )
    if same and stored.border_weight == settings.border_weight:
        return stored
    return wanted


def _record(
    predictor: Predictor, digest: str, volume: Any, plan: Plan
) -> dict[str, Any]:
    sets = predictor.card.sets
    return {
        "format_version": FORMAT_VERSION if volume.time else BEFORE_TIME,
        "kind": PREDICTION if predictor.card.restoring is None else RESTORED,
        "model_digest": digest,
        "input_digest": volume.digest(),
        "input_name": volume.name,
        "input_path": None if volume.path is None else str(volume.path),
        "input_file": _stamp(volume.path),
        "plan": plan.record(),
        "plan_digest": plan.digest(),
        "cell": list(plan.cells().chunk),
        "shape": list(volume.shape),
        "voxel_size": list(volume.voxel_size),
        "unit": volume.unit,
        "flat": volume.flat,
        **volume.stacking.record(),
        **extents_record(volume),
        "classes": [each.model_dump(mode="json") for each in predictor.card.classes],
        "sets": None if sets is None else sets.model_dump(mode="json"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _stamp(path: Path | None) -> list[int] | None:
    """Size and time of the last change of a file, ns; None of what is no file."""
    try:
        known = None if path is None else path.stat()
    except OSError:
        return None
    if known is None or not S_ISREG(known.st_mode):
        return None
    return [known.st_size, known.st_mtime_ns]


def _doubt(record: dict[str, Any], fresh: dict[str, Any]) -> str:
    """Say that a file was written to since: its digest samples it only."""
    same = record.get("input_path") == fresh["input_path"]
    then, now = record.get("input_file"), fresh["input_file"]
    if not same or None in (then, now) or then == now:
        return ""
    return (
        f"{fresh['input_path']} was written to since this result was begun; what was "
        "finished before stays. Overwrite the result to make all of it anew."
    )


def _check_same(path: Path, stored: dict[str, Any], fresh: dict[str, Any]) -> None:
    parts = {
        "model_digest": "another model",
        "input_digest": "another image",
        "plan_digest": "other windows or borders",
        "cell": "other windows or borders",  # equal plans were cut otherwise before
        "classes": "other classes",
    }
    for key, words in parts.items():
        if stored.get(key) != fresh[key]:
            raise OutputError(
                f"{path} exists and was made with {words}.",
                "Choose another name, or overwrite it.",
            )


def _check_dtype(store: PredictionStore, dtype: str) -> None:
    """Ask the arrays: records do not say it."""
    if store.dtype != dtype:
        raise OutputError(
            f"{store.path} exists and holds probabilities as {store.dtype}, not as "
            f"{dtype}.",
            f"Set dtype to {store.dtype}, choose another name, or overwrite it.",
        )


def _words(thing: Any) -> str:
    size = " x ".join(f"{value:g}" for value in thing.voxel_size)
    return f"{size} {thing.unit}"
