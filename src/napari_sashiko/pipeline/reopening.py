"""A project opened again: its last model, results and settings, and what is damaged."""

import math
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from napari_sashiko.errors import OutputError, SashikoError, VolumeError
from napari_sashiko.instances import InstanceSettings
from napari_sashiko.measurements import read_measurements
from napari_sashiko.pipeline.found import Instances, open_instances
from napari_sashiko.pipeline.held_out import held_out_scores
from napari_sashiko.pipeline.info import kind_of
from napari_sashiko.pipeline.inputs import open_image
from napari_sashiko.pipeline.project import ROOMS, ImageFacts, Project, ProjectRecord
from napari_sashiko.pipeline.results import (
    Prediction,
    PredictionSets,
    open_prediction,
    open_sets,
)
from napari_sashiko.pipeline.sources import is_outdated
from napari_sashiko.prediction import PredictionSettings, mend_prediction
from napari_sashiko.runners import Event, Tick
from napari_sashiko.volumes import Volume, finish_replacing, remove_abandoned

if TYPE_CHECKING:  # loads torch
    from napari_sashiko.checkpoints import ModelCard

Steps = Generator[Event, None, None]


@dataclass(frozen=True)
class Epoch:
    """A point of the curves of an earlier training; NaN where nothing was measured.

    Parameters
    ----------
    member, epoch : int
        Which network (from 0), and after how many epochs (from 1).
    loss, macro_f1 : float
        On training patches, and on held-out strokes.
    """

    member: int
    epoch: int
    loss: float
    macro_f1: float


@dataclass(frozen=True)
class Trained:
    """The last model of a project.

    Parameters
    ----------
    path : Path
        Its folder.
    epochs : tuple of Epoch
        Its curves.
    metrics : tuple of (name, value)
        On held-out strokes, as `TrainingDone` has them.
    fairness : str
        How far from learned paint they were taken, in words.
    """

    path: Path
    epochs: tuple[Epoch, ...]
    metrics: tuple[tuple[str, float], ...]
    fairness: str = ""


@dataclass(frozen=True)
class Reopened:
    """What a project holds that is whole, and what is not.

    Parameters
    ----------
    folder : Path
        ``NAME.sashiko``.
    record : ProjectRecord
        What it says about itself.
    trained : Trained or None
        The last model.
    prediction : Prediction or None
        The last one, finished or not.
    instances : Instances or None
        The last ones.
    sets : PredictionSets or None
        Those of the last prediction.
    settings : dict
        Settings of the last run of each step, by its name; checked.
    findings : tuple of str
        What is damaged, gone or changed, and what was kept: a sentence each.
    """

    folder: Path
    record: ProjectRecord
    trained: Trained | None
    prediction: Prediction | None
    instances: Instances | None
    sets: PredictionSets | None
    settings: dict[str, dict[str, Any]]
    findings: tuple[str, ...]


def reopen_project(
    folder: Path | str, volume: Volume | None = None, *, readonly: bool = False
) -> Generator[Event, None, Reopened]:
    """Find what a project holds; mend what is damaged and say so.

    What killed processes left half done is removed. Damaged files are not overwritten:
    a copy is kept beside them, as ``NAME.damaged``.

    Parameters
    ----------
    folder : path
        ``NAME.sashiko``.
    volume : Volume, optional
        Its image: results of another one are not handed out.
    readonly : bool
        Change nothing, because somebody else works there.

    Yields
    ------
    Tick

    Returns
    -------
    Reopened

    Raises
    ------
    OutputError
        If it is no project, or comes from a newer version.
    """
    look = Inspection(Path(folder).absolute(), readonly=readonly)
    yield Tick()
    look.tidy()
    look.open()
    fits = look.compare(volume)
    yield Tick()
    trained = yield from look.model()
    prediction, instances, sets = None, None, None
    if fits:
        prediction = yield from look.prediction()
        instances = look.instances()
        sets = look.sets(prediction)
    look.measurements()
    settings = look.settings()
    return Reopened(
        look.folder,
        look.project.record,
        trained,
        prediction,
        instances,
        sets,
        settings,
        tuple(look.findings),
    )


class Inspection:
    """A walk through a project that collects what is wrong.

    Parameters
    ----------
    folder : Path
        ``NAME.sashiko``.
    readonly : bool
        Look only; else what can be mended is.
    """

    def __init__(self, folder: Path, *, readonly: bool) -> None:
        self.folder = folder
        self.readonly = readonly
        self.findings: list[str] = []
        self.project = Project(folder, ProjectRecord())

    def tidy(self) -> None:
        """Remove what killed processes left, put back what they had moved away."""
        if self.readonly:
            return
        models = (self.folder / "models").glob("*.sashiko-model")
        rooms = (self.folder / room for room in ROOMS)
        for place in (self.folder, *rooms, *models):
            remove_abandoned(place)
        with suppress(OSError):
            for old in self.folder.glob("*/.*.old"):
                finish_replacing(old.with_name(old.name[1 : -len(".old")]))

    def open(self) -> None:
        """Open the project, mended where it must be."""
        if not self.readonly:
            self.project, words = Project.rescue(self.folder)
            self.note(words)
            return
        try:
            self.project = Project.open(self.folder)
        except OutputError as error:
            self.note(str(error))

    def compare(self, volume: Volume | None) -> bool:
        """Whether the image is the one that the project was made with."""
        facts = self.project.record.facts
        if volume is None or facts is None:
            return True
        if facts.digest == volume.content_digest():
            return True
        self.note(
            f"The image {volume.name!r} has changed since it was worked on: labels and "
            "models are kept, results of the image before stay in the folder and are "
            "not shown."
        )
        return False

    def model(self) -> Generator[Event, None, Trained | None]:
        """Find the last model that is whole."""
        for path in self._without_card():
            self.note(
                f"{path.name} has no model.json, it cannot be used; its files are left "
                "as they are."
            )
        for path in self.project.latest("train", self.project.models()):
            yield Tick()
            card = self.whole_model(path)
            if card is not None:
                scores = held_out_scores(card.training)
                metrics = tuple(scores.metrics.items())
                return Trained(path, tuple(_epochs(card)), metrics, scores.fairness)
        return None

    def prediction(self) -> Generator[Event, None, Prediction | None]:
        """Find the last prediction that can be shown."""
        for path in self.project.latest("predict", self.project.predictions()):
            found = yield from self.whole_prediction(path)
            if found is not None:
                return found
        return None

    def instances(self) -> Instances | None:
        """Find the last instances that can be shown, of predictions as they are."""
        for path in self.project.latest("instances", self.project.instances()):
            if any(is_outdated(path, each) for each in self.project.predictions()):
                self.note(
                    f"The objects {path.name} were found in an earlier prediction: "
                    "find them again."
                )
                continue
            found = self.whole_instances(path)
            if found is not None:
                return found
        return None

    def sets(self, prediction: Prediction | None) -> PredictionSets | None:
        """Find the sets of a prediction, unless they were made of one before it."""
        path = (
            None if prediction is None else self.folder / "sets" / prediction.path.name
        )
        if prediction is None or path is None or not path.exists():
            return None
        try:
            found = open_sets(path)
        except SashikoError as error:
            self.note(str(error))
            return None
        return found if found.model_digest == prediction.model_digest else None

    def measurements(self) -> None:
        """Say which measurements cannot be read; they are shown by whoever wants to."""
        for path in self.project.measurements():
            try:
                read_measurements(path)
            except SashikoError as error:
                self.note(f"{error} They are left as they are.")

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return the settings that this version still knows."""
        from napari_sashiko.training import TrainingSettings  # noqa: PLC0415 - torch

        kinds: dict[str, Any] = {
            "train": TrainingSettings,
            "predict": PredictionSettings,
            "instances": InstanceSettings,
        }
        known = {}
        for step, values in self.project.record.settings.items():
            if step not in kinds:
                continue
            try:
                known[step] = kinds[step](**values).model_dump()
            except (ValidationError, SashikoError, TypeError):
                self.note(
                    f"The settings of the last {step} are not those of this version: "
                    "the usual ones are taken."
                )
        return known

    def whole_model(self, path: Path) -> "ModelCard | None":
        """Card of a model, mended where it must be; None if it cannot be used."""
        from napari_sashiko.checkpoints import (  # noqa: PLC0415 - loads torch
            load_card,
            mend_model,
        )

        try:
            if not self.readonly:
                self.note(mend_model(path))
            return load_card(path)
        except SashikoError as error:
            self.note(f"{error} Its files are left as they are.")
            return None

    def whole_prediction(self, path: Path) -> Generator[Event, None, Prediction | None]:
        """Open a prediction, mended where it must be; None if it cannot be shown."""
        if kind_of(path) not in ("prediction", ""):
            return None
        try:
            if not self.readonly:
                self.findings += yield from mend_prediction(path)
            return open_prediction(path)
        except SashikoError as error:
            self.note(f"{error.what} It is left as it is.")
            return None

    def whole_instances(self, path: Path) -> Instances | None:
        """Open instances; None if they cannot be shown."""
        try:
            found = open_instances(path)
        except SashikoError as error:
            self.note(str(error))
            return None
        self.note(found.odd)
        return found

    def note(self, words: str) -> None:
        """Take down a sentence."""
        if words:
            self.findings.append(words)

    def _without_card(self) -> Iterator[Path]:
        for path in sorted((self.folder / "models").glob("*.sashiko-model")):
            if not (path / "model.json").exists() and any(path.glob("member-*")):
                yield path


def _epochs(card: "ModelCard") -> Iterator[Epoch]:
    history = card.training.get("history")
    for member, epochs in enumerate(history if isinstance(history, list) else ()):
        for number, scores in enumerate(epochs if isinstance(epochs, list) else (), 1):
            if isinstance(scores, dict):
                loss, score = (_number(scores.get(k)) for k in ("loss", "macro_f1"))
                yield Epoch(member, number, loss, score)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


@dataclass(frozen=True)
class ProjectImage:
    """The image of a project, if it is still there.

    Parameters
    ----------
    project : Project
        The project.
    volume : Volume or None
        The image, opened; with the voxel size that it was worked on with.
    odd : str
        Why there is none, or what else is wrong; empty if nothing is.
    """

    project: Project
    volume: Volume | None
    odd: str


def project_image(folder: Path | str) -> ProjectImage:
    """Open the image that a project belongs to; reads no voxels.

    Raises
    ------
    OutputError
        If it is no project, or comes from a newer version.
    """
    project, words = Project.rescue(Path(folder).absolute())
    facts, path = project.record.facts, project.image
    if path is None:
        name = "an image" if facts is None else f"the image {facts.name!r}"
        said = f"This project belongs to {name} that has no file: open it, and restore."
        return ProjectImage(project, None, f"{words} {said}".strip())
    if not path.exists():
        said = (
            f"The image of this project is not at {path} any more: put it back there, "
            "or open it from where it is."
        )
        return ProjectImage(project, None, f"{words} {said}".strip())
    try:
        volume = _at_level(path, facts)
    except SashikoError as error:
        return ProjectImage(project, None, f"{words} {error}".strip())
    if facts is not None and facts.axes and volume.channels > 1 > facts.axes.count("c"):
        said = (
            f"This project belongs to one channel of {path}: open the file with the "
            "reader that shows its channels as layers, and restore."
        )
        return ProjectImage(project, None, f"{words} {said}".strip())
    if facts is not None and facts.shape == volume.shape:
        # As it was worked on: files do not always say it, and people correct it.
        volume.voxel_size, volume.unit = facts.voxel_size, facts.unit
        volume.name = facts.name
    return ProjectImage(project, volume, words)


def worked_on(image: Any, project: Path | None) -> Volume:
    """Open an image as its project worked on it, else as its file says.

    Parameters
    ----------
    image : path or array
        Whatever can be opened.
    project : Path or None
        A project; it need not be that of the image.
    """
    is_file = isinstance(image, str | Path)
    if is_file and project is not None and Project.open(project).image == Path(image):
        volume = project_image(project).volume
        if volume is not None:
            return volume
    return open_image(image)


def _at_level(path: Path, facts: ImageFacts | None) -> Volume:
    """Open an image as it was worked on: its axes and its level, the finest if none."""
    axes = None
    try:
        volume = open_image(path)
        axes = _other_axes(volume, facts)
    except VolumeError:  # it may be that the file does not say what its axes are
        axes = facts.axes if facts is not None and facts.axes else None
        if axes is None:
            raise
    if axes is not None:
        volume = open_image(path, axes=axes)
    level, found = 0, volume
    while facts is not None and found.shape != facts.shape:
        level += 1
        try:
            found = open_image(path, axes=axes, level=level)
        except VolumeError:  # no other level
            return volume
    return found


def _other_axes(volume: Volume, facts: ImageFacts | None) -> str | None:
    """What somebody took the axes for that a file does not name, or names wrongly."""
    known = "" if facts is None else facts.axes
    same = len(known) != len(volume.axes) or sorted(known) == sorted(volume.axes)
    return None if same else known
