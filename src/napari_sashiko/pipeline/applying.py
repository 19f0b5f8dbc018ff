"""The step that applies a model to every picture of a folder."""

import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from napari_sashiko.errors import Cancelled, SettingsError, VolumeError
from napari_sashiko.labels import LabelValues, value_of
from napari_sashiko.pipeline.folder_pictures import left_out
from napari_sashiko.pipeline.folder_results import FolderResults, begin_results
from napari_sashiko.pipeline.models import open_model
from napari_sashiko.pipeline.picture_worker import PictureWorker, RemotePictureWorker
from napari_sashiko.prediction import voxels_for, windows_at_once
from napari_sashiko.runners import (
    Event,
    Message,
    Results,
    RunnerSettings,
    Tick,
    open_place,
    threads_each,
    torch_threads,
)
from napari_sashiko.volumes import find_pictures

if TYPE_CHECKING:  # loads torch
    from napari_sashiko.checkpoints import Ensemble

HEARTBEAT = 0.2


class ApplySettings(RunnerSettings):
    """What is written for each picture of a folder, and where it is predicted."""

    probabilities: bool = Field(
        default=False,
        description="Also write the probability of each class, as pages of a TIFF.",
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:0 or mps.")
    overwrite: bool = Field(
        default=False,
        description="Start anew where there are results, also those of another model.",
    )


@dataclass(frozen=True, slots=True)
class PictureDone(Event):
    """``done`` of ``total`` pictures were looked at; ``name`` was the last one."""

    name: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class PicturesDone(Event):
    """All pictures were looked at.

    Attributes
    ----------
    path : str
        Folder of the results.
    written, kept : int
        Results that were made now, and that were there already.
    renewed : int
        Those of the former whose picture had changed since an earlier run.
    problems : tuple of (str, str)
        Pictures without a result, and why.
    seconds : float
        It took so long.
    """

    path: str
    written: int
    kept: int
    renewed: int
    problems: tuple[tuple[str, str], ...]
    seconds: float


@dataclass
class _Pictures:
    """Pictures of a folder, by what is to be done about them."""

    todo: list[Path]
    stale: list[Path]  # part of the former: their results were of something else
    problems: dict[Path, str]
    seen: int


def apply_steps(
    model: Path | str,
    folder: Path | str,
    out: Path | str,
    settings: ApplySettings | None = None,
) -> Iterator[Event]:
    """Segment or restore every picture of a folder; goes on where it stopped.

    A few pictures are in memory at a time, as many as there are workers. Class pictures
    have the grey values or colours of the labels that the model learned from, else
    class ids; restored ones are float32. A result whose picture has changed since is
    made again.

    Parameters
    ----------
    model : path
        Model folder.
    folder : path
        Pictures of any sizes, or a folder with ``images`` in it.
    out : path
        Folder for the results: for each picture ``NAME.png``, or of a model that
        restores ``NAME.tif``.
    settings : ApplySettings, optional
        Probabilities, device, runner.

    Yields
    ------
    Event
        `PictureDone`, `PicturesDone`, `Message`, `Tick`.

    Raises
    ------
    SashikoError
        If model, folder, settings or output cannot be used. A picture that cannot be
        read is left out and told of.
    """
    start = time.perf_counter()
    chosen = settings or ApplySettings()
    files = [file.absolute() for file in find_pictures(Path(folder))]
    place = Path(model).absolute()
    predictor = open_model(place, chosen.device)
    results = _results(predictor, files[0].parent, Path(out).absolute())
    if results.restores and chosen.probabilities:
        raise SettingsError(
            f"The model {results.model!r} restores images, it gives no probabilities.",
            "Leave them out.",
        )
    with open_place(chosen) as run:  # before anything is written
        begin_results(results, files, overwrite=chosen.overwrite)
        if predictor.halo[0]:
            yield Message(
                "The model looks at neighbouring slices. Pictures have none: their own "
                "mirror image stands in for them.",
                "warning",
            )
        found = yield from _look(results, files, chosen)
        stop = threading.Event()
        worker = _worker(place, predictor, results, chosen, stop)
        done = run(worker, found.todo, heartbeat=HEARTBEAT)
        with torch_threads(threads_each(chosen)), contextlib.closing(done):
            try:
                yield from _follow(done, found)
            finally:
                stop.set()
    problems = [
        (file.name, found.problems[file]) for file in files if file in found.problems
    ]
    results.write(problems)
    written = sum(file not in found.problems for file in found.todo)
    yield PicturesDone(
        path=str(results.path),
        written=written,
        kept=len(files) - written - len(problems),
        renewed=sum(file not in found.problems for file in found.stale),
        problems=tuple(problems),
        seconds=time.perf_counter() - start,
    )


def _results(predictor: "Ensemble", images: Path, out: Path) -> FolderResults:
    card = predictor.card
    return FolderResults(
        out,
        card.name,
        predictor.digest,
        images,
        card.classes,
        _values(card),
        restores=card.restoring is not None,
    )


def _values(card: Any) -> LabelValues:
    """Values of the labels that a model learned from; class ids where it had none."""
    ids = tuple(each.id for each in card.classes)
    origin = card.training.get("origin", {})
    texts = origin.get("values", {})
    values = tuple(value_of(texts.get(str(number), str(number))) for number in ids)
    return LabelValues(values, ids, value_of(origin.get("unlabelled", "0")))


def _look(
    results: FolderResults, files: list[Path], settings: ApplySettings
) -> Generator[Event, None, _Pictures]:
    """Find out which pictures have a result, and remove what is of something else."""
    todo: list[Path] = []
    stale: list[Path] = []
    problems: dict[Path, str] = {}
    names: set[str] = set()
    seen = 0
    for file in files:
        try:
            _check_name(file, names)
            state = results.state_of(file, probabilities=settings.probabilities)
        except VolumeError as error:
            problems[file] = str(error)
            yield Message(left_out(file, error), "warning")
        else:
            if state == "stale":
                # At once: what is stopped now holds no result of another picture.
                results.remove(file)
                stale.append(file)
            if state != "whole":
                todo.append(file)
                continue
        seen += 1
        yield PictureDone(file.name, seen, len(files))
    if stale:
        yield Message(
            f"{len(stale)} of the results were of other pictures, which have changed "
            f"since; that of {stale[0].name} is one. They are made again."
        )
    return _Pictures(todo, stale, problems, seen)


def _follow(done: Results[Path, str], found: _Pictures) -> Iterator[Event]:
    """Tell of pictures as they are done, and note those that have no result."""
    seen, total = found.seen, found.seen + len(found.todo)
    for item in done:
        if item is None:
            yield Tick()
            continue
        file, problem = item
        if problem:
            found.problems[file] = problem
            yield Message(left_out(file, problem), "warning")
        seen += 1
        yield PictureDone(file.name, seen, total)


def _worker(
    model: Path,
    predictor: "Ensemble",
    results: FolderResults,
    settings: ApplySettings,
    stop: threading.Event,
) -> PictureWorker | RemotePictureWorker:
    def tick() -> None:
        if stop.is_set():
            raise Cancelled("Stopped.")

    at_once = windows_at_once(settings, settings.device)
    voxels = voxels_for(predictor, settings.device, at_once)
    wanted = settings.probabilities
    if settings.runner != "dask":
        return PictureWorker(predictor, results, wanted, voxels, at_once, tick)
    return RemotePictureWorker(
        model, results, wanted, voxels, at_once, settings.device, threads_each(settings)
    )


def _check_name(file: Path, names: set[str]) -> None:
    """Refuse a second picture whose result would have the same name."""
    if file.stem in names:
        raise VolumeError(
            f"{file.name} has the name of another picture, but for its ending.",
            "Rename one of them.",
        )
    names.add(file.stem)
