"""Predict a whole volume, block by block, into a folder that can be resumed."""

import contextlib
import errno
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_sashiko.errors import Cancelled, OutputError, VolumeError
from napari_sashiko.prediction._prepare import Run, check_volume, prepare
from napari_sashiko.prediction._worker import (
    RemoteWorker,
    Worker,
    load_predictor,
    predictor_digest,
)
from napari_sashiko.prediction.events import (
    Box,
    CellDone,
    PredictionDone,
    PredictionStarted,
)
from napari_sashiko.prediction.mending import mend_prediction
from napari_sashiko.prediction.plan import windows_at_once
from napari_sashiko.prediction.predictor import Predictor
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.runners import (
    Event,
    Message,
    Tick,
    open_place,
    threads_each,
    torch_threads,
)
from napari_sashiko.runners import Run as RunTasks
from napari_sashiko.volumes import check_writable, remove_torn

HEARTBEAT = 0.2
DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # no quota: Windows


def predict(
    model: Path | str | Predictor,
    volume: Any,
    out: Path | str,
    settings: PredictionSettings | None = None,
    *,
    model_digest: str | None = None,
) -> Iterator[Event]:
    """Write mean, deviation and classes of a volume to ``out``.

    What is finished is kept whatever happens; the same call goes on where it stopped.

    Parameters
    ----------
    model : path or Predictor
        A model folder, or an open predictor.
    volume : Volume
        The image; read by blocks.
    out : path
        Folder NAME.zarr.
    settings : PredictionSettings, optional
        Windows, runner, device, order.
    model_digest : str, optional
        Name of the model's weights; needed when `model` is not a folder.

    Yields
    ------
    PredictionStarted, CellDone, PredictionDone, Message, Tick

    Raises
    ------
    VolumeError
        If the image has another number of channels than the model, or its slices are
        pictures of their own and the model looks at several.
    OutputError
        If the disk is full, or `out` belongs to another model or image.
    """
    start = time.perf_counter()
    settings = settings or PredictionSettings()
    path = Path(out).absolute()
    predictor = load_predictor(model, settings.device)
    yield from check_volume(predictor.card, volume)
    yield from _check_separate(predictor, volume)
    digest = model_digest or predictor_digest(predictor)
    if settings.runner == "dask":
        _check_in_a_file(volume)
    with open_place(settings) as do_tasks:  # before anything is written
        if not settings.overwrite:
            for note in (yield from mend_prediction(path)):
                yield Message(note, "warning")
        run = prepare(predictor, digest, volume, path, settings)
        if run.doubt:
            yield Message(run.doubt, "warning")
        yield from _warn_of_little_room(run)
        yield PredictionStarted(str(path), run.cells, run.cells - run.left)
        yield from _work(run, model, volume, settings, do_tasks)
    remove_torn(path)  # of this run or of one before it
    yield PredictionDone(str(path), time.perf_counter() - start)


def _warn_of_little_room(run: Run) -> Iterator[Message]:
    if not run.left:  # nothing will be written
        return
    check_writable(run.store.path)
    needed = int(run.store.layout.bytes * run.left / run.cells)
    try:
        check_writable(run.store.path, needed)
    except OutputError as error:
        # Probabilities compress: half of it may do, so it is only said.
        yield Message(f"The disk may become full. {error}", "warning")


def _work(
    run: Run,
    model: Any,
    volume: Any,
    settings: PredictionSettings,
    do_tasks: RunTasks,
) -> Iterator[Event]:
    stop = threading.Event()
    worker = _worker(run, model, volume, settings, stop)
    results = do_tasks(worker, run.todo, heartbeat=HEARTBEAT)
    total, todo = run.cells, run.left
    start, most_voxels = time.perf_counter(), None
    number = 0
    with (
        torch_threads(threads_each(settings)),
        contextlib.closing(results),
        _stopping(stop),
        _disk(run, lambda: number),
    ):
        for item in results:
            if item is None:
                yield Tick()
                continue
            task, (limit, sizes) = item
            for cell, size in zip(task, sizes, strict=True):
                run.store.ledger.mark(cell.index, size)
            number += len(task)
            if limit is not None and limit != most_voxels:
                most_voxels = limit
                yield Message(
                    "Memory ran out: going on with smaller windows.", "warning"
                )
            left = (time.perf_counter() - start) / number * (todo - number)
            before = total - todo + number - len(task)
            for place, cell in enumerate(task, 1):
                yield CellDone(box(cell.cell), before + place, total, left)


@contextlib.contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    try:
        yield
    finally:
        stop.set()


@contextlib.contextmanager
def _disk(run: Run, number: Any) -> Iterator[None]:
    """Say in words that the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        done = run.cells - run.left + number()
        raise OutputError(
            f"The disk is full: {done} of {run.cells} blocks of {run.store.path} "
            "are finished and kept.",
            "Free some space and start again: it goes on where it stopped.",
        ) from error


def _worker(
    run: Run,
    model: Any,
    volume: Any,
    settings: PredictionSettings,
    stop: threading.Event,
) -> Any:
    def tick() -> None:
        if stop.is_set():
            raise Cancelled("Stopped.")

    if settings.runner != "dask":
        at_once = windows_at_once(settings, settings.device)
        worker = Worker(run.predictor, volume, run.store, run.plan, tick, at_once)
        worker.expect(cell for task in run.todo for cell in task)
        return worker
    return RemoteWorker(
        model=str(model) if isinstance(model, Path) else model,
        digest=run.digest,
        source=json.dumps(volume.source),
        out=str(run.store.path),
        plan=run.plan,
        layout=run.store.layout,
        device=settings.device,
        threads=threads_each(settings),
    )


def _check_separate(predictor: Predictor, volume: Any) -> Iterator[Message]:
    """Refuse to take pictures for neighbours, and say who would."""
    if not volume.separate or volume.time is not None:
        return
    if predictor.halo[0]:
        raise VolumeError(
            f"The model looks at neighbouring slices; the pictures of {volume.name!r} "
            "are no slices of a block.",
            "Use sashiko apply: it looks at each picture alone.",
        )
    yield Message(
        "Each picture becomes a slice; sashiko apply gives a result for each picture.",
        "warning",
    )


def _check_in_a_file(volume: Any) -> None:
    if volume.source is None:
        raise VolumeError(
            f"The image {volume.name!r} is in memory only; other processes cannot "
            "read it.",
            "Save it and open it from the file, or take the runner 'threads'.",
        )


def box(region: tuple[slice, slice, slice]) -> Box:
    """Write a region as plain numbers."""
    z, y, x = ((part.start, part.stop) for part in region)
    return z, y, x
