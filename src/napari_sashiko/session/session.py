"""The desk of one viewer: evented, free of Qt, and the only way to the engine."""

import importlib
import logging
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from psygnal import Signal

from napari_sashiko.errors import (
    LabelError,
    ModelError,
    OutputError,
    SashikoError,
    VolumeError,
)
from napari_sashiko.labels import LabelClass, LabelStore, check_labels
from napari_sashiko.runners import Event, Job, JobStatus, Tick
from napari_sashiko.session.board import JobBoard, describe_error
from napari_sashiko.session.home import plain_name, project_folder
from napari_sashiko.session.looking import looked_for
from napari_sashiko.session.paint import (
    Paint,
    adopt_paint,
    check_adoptable,
    check_values,
    has_paint,
    open_paint,
)
from napari_sashiko.session.paints import Paints
from napari_sashiko.session.previews import PreviewDesk
from napari_sashiko.session.projects import Projects
from napari_sashiko.session.reopening import Reopening, kept_words, reopen
from napari_sashiko.session.shelf import ModelShelf
from napari_sashiko.session.suggestions import SuggestionDesk
from napari_sashiko.session.unveiling import unveiled
from napari_sashiko.volumes import Region, Volume

MUCH_PAINT = 5_000_000  # voxels
ONLY_SHOWN = "Its labels are shown, but cannot be painted on here."
LOG = logging.getLogger(__name__)
JobKind = Literal[
    "warm",
    "adopt",
    "train",
    "predict",
    "instances",
    "measure",
    "between",
    "preview",
    "note",
    "places",
]


class Session:
    """Volume, paint, models and running jobs of one viewer.

    All methods are called from one thread, which also calls ``pump`` several times a
    second; signals are emitted in that thread only.

    Parameters
    ----------
    engine : module or object, optional
        What the pipeline room offers; imported at the first use.
    """

    volume_changed = Signal()
    labels_changed = Signal()  # another store, or other classes
    paint_changed = Signal()  # other counts
    paint_saved = Signal()  # all of it, and the hand rests
    models_changed = Signal()
    job_changed = Signal(str)  # kind
    event = Signal(str, object)  # kind, Event
    preview_changed = Signal(object)  # PreviewReady
    message = Signal(str, str)  # sentence, "info" | "warning" | "error"

    def __init__(self, engine: Any = None) -> None:
        self._engine = engine
        self.board = JobBoard()
        self.shelf = ModelShelf(self._load_card)
        self.volume: Volume | None = None
        self.source: Any = None  # what the volume was taken from, e.g. a layer
        self.name = ""
        self.image: Path | None = None  # the file of the volume
        self.folder: Path | None = None
        self.paint: Paint | None = None
        self.closed = False
        self.projects = Projects()
        self._paints = Paints()
        self._adopted: tuple[Path | None, Paint] | None = None
        self._previews = PreviewDesk(self._segment)
        self._at_rest = False
        self.between = SuggestionDesk(self)
        self._to_note: Callable[[], object] | None = None

    @property
    def engine(self) -> Any:
        """The pipeline; importing it loads the libraries that compute."""
        if self._engine is None:
            self._engine = importlib.import_module("napari_sashiko.pipeline")
        return self._engine

    def warm_up(self, *more: Callable[[], object]) -> None:
        """Load what is slow to load in the background, so that nobody waits for it.

        Parameters
        ----------
        *more : callable
            Called first, one after the other.
        """
        if self._engine is not None:
            return

        def work() -> Iterator[Event]:
            for each in more:
                yield Tick()
                each()
            yield Tick()
            # A name that loads the libraries; the others come along.
            _ = self.engine.TrainingSettings

        self.start("warm", work, name="Loading the engine")

    # ---- volume -----------------------------------------------------------------

    def set_volume(
        self,
        volume: Volume | None,
        *,
        name: str = "",
        path: Path | None = None,
        source: Any = None,
        folder: Path | None = None,
    ) -> None:
        """Put another volume on the desk; its paint and models come with it.

        Parameters
        ----------
        volume : Volume or None
            None clears the desk.
        name : str
            What the user calls it; results are named after it.
        path : Path, optional
            Its file, if it has one.
        source : object, optional
            What it was taken from, for whoever shows results beside it.
        folder : Path, optional
            Its project, if it was opened from one; else the usual place.
        """
        if volume is not None:
            name = name or volume.name
            path = path or volume.path
            folder = folder or self.projects.expected(volume)
            folder = folder or project_folder(name, path, volume.digest)
        else:
            folder = None
        self.volume, self.name, self.folder = volume, name, folder
        self.image = path
        self.source = source
        self.paint = None if folder is None else self._paints.get(folder)
        self._previews.forget()
        self.volume_changed.emit()
        self.labels_changed.emit()
        self.models_changed.emit()

    def need_volume(self) -> Volume:
        """Return the volume on the desk.

        Raises
        ------
        VolumeError
            If there is none.
        """
        if self.volume is None:
            raise VolumeError("There is no volume yet.", "Open an image first.")
        return self.volume

    def place(self, room: str) -> Path:
        """Subfolder of the project, such as ``"models"``; made when it is missing.

        Raises
        ------
        OutputError
            If another window works in the project.
        """
        self.need_volume()
        busy = self.busy()
        if busy:
            raise self._is_busy(busy)
        folder = Path(str(self.folder)) / room
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _is_busy(self, busy: str) -> OutputError:
        return OutputError(
            f"The project {self.folder} is open in another window: {busy}.",
            "Close it there first.",
        )

    def busy(self) -> str:
        """Claim the project for this window; say who has it if that fails."""
        return "" if self.folder is None else self.projects.claim(self.folder)

    # ---- labels -----------------------------------------------------------------

    def has_saved_paint(self) -> bool:
        """Whether this volume was painted on before."""
        return self.folder is not None and has_paint(self.folder / "labels")

    def start_labels(self) -> LabelStore:
        """Open the paint of the volume, or begin with none.

        Where another window works in the project, it is opened for reading.

        Raises
        ------
        LabelError
            If it belongs to a volume of another shape.
        OutputError
            If another window works in the project and there is no paint yet.
        """
        shape = self.need_volume().shape
        if self.paint is None:
            readonly = bool(self.has_saved_paint() and self.busy())
            folder = Path(str(self.folder)) / "labels"
            folder = folder if readonly else self.place("labels")
            self.attach_paint(open_paint(folder, shape, readonly=readonly))
        return self.need_paint().store

    def adopt_labels(
        self, array: Any, classes: tuple[LabelClass, ...] | None = None
    ) -> Job:
        """Copy an existing label array into the store of this volume, by a job.

        Parameters
        ----------
        array : array of int, (Z, Y, X)
            0 is not labelled.
        classes : tuple of LabelClass, optional
            Names and colours; made up when missing.

        Raises
        ------
        LabelError
            If it does not fit the volume, or there is paint that would be lost.
        """
        shape = self.need_volume().shape
        if self.paint is not None and any(self.paint.counts().values()):
            raise LabelError(
                "This volume has paint already, which would be lost.",
                "Erase it first.",
            )
        check_adoptable(array, shape)
        self.save()
        folder, project = self.place("labels"), self.folder

        def work() -> Iterator[Event]:
            for _ in check_values(array):
                yield Tick()
            self._adopted = (project, adopt_paint(folder, array, classes))

        return self.start("adopt", work, name=f"Copying labels of {self.name}")

    def attach_paint(self, paint: Paint) -> None:
        """Make this the paint of the volume on the desk; say what is odd about it.

        Raises
        ------
        OutputError
            If it is open for writing, and another window works in the project.
        """
        busy = self.busy()
        if busy and not paint.readonly:
            raise self._is_busy(busy)
        if self.folder is not None:
            self._paints[self.folder] = paint
        self.paint = paint
        for sentence in paint.store.mended:
            self.message.emit(sentence, "warning")
        if paint.readonly:
            why = (
                f" is open in another window: {busy}" if busy else " cannot be written"
            )
            self.message.emit(
                f"The project {self.folder}{why}. {ONLY_SHOWN}", "warning"
            )
        self._note_classes()
        self.labels_changed.emit()
        self.paint_changed.emit()

    def need_paint(self) -> Paint:
        """Return the paint of the volume.

        Raises
        ------
        LabelError
            If there is none.
        """
        if self.paint is None:
            raise LabelError("There are no labels yet.", "Press Start labelling.")
        return self.paint

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """Label classes of the volume; empty when there are none yet."""
        return self.paint.classes if self.paint else ()

    def set_classes(self, classes: tuple[LabelClass, ...]) -> None:
        """Rename, recolour or add classes."""
        self.need_paint().set_classes(classes)
        self._note_classes()
        self.labels_changed.emit()

    def preflight(self) -> list[str]:
        """Warnings about the paint, in words.

        Raises
        ------
        LabelError
            If nothing can be learned from it.
        """
        paint, shape = self.need_paint(), self.need_volume().shape
        counts = paint.counts()
        if len(counts) > 1 and sum(counts.values()) > MUCH_PAINT:
            return []  # to look at all of it would take longer than anyone waits
        return list(check_labels(paint.labelled(), shape, paint.classes))

    def save(self) -> None:
        """Write all paint to disk now."""
        self._paints.save()

    def _note_classes(self) -> None:
        """Keep in the project which image it belongs to and which classes there are."""
        volume, folder, paint = self.volume, self.folder, self.paint
        if volume is None or folder is None or paint is None or paint.readonly:
            return
        image, classes = self.image, paint.classes
        self._to_note = lambda: self.engine.note_image(folder, volume, image, classes)

    # ---- project ----------------------------------------------------------------

    def kept(self) -> str:
        """Say what is kept of this volume beside paint; empty if nothing is."""
        return kept_words(self.folder)

    def reopen(self) -> Generator[Event, None, Reopening]:
        """Work that gathers paint, model, results and settings to be shown again.

        Called in the thread of the desk; what it returns runs in any.

        Raises
        ------
        VolumeError
            If there is no volume.
        """
        volume, folder = self.need_volume(), Path(str(self.folder))
        paint, readonly = self.paint is None, bool(self.busy())
        return reopen(
            lambda: self.engine, volume, folder, paint=paint, readonly=readonly
        )

    # ---- models -----------------------------------------------------------------

    def models(self) -> list[Path]:
        """Model folders: the project's, newest first, then those used before."""
        return self.shelf.paths(self.folder)

    @property
    def last_model(self) -> Path | None:
        """The newest model, of this volume or of one before it."""
        return next(iter(self.models()), None)

    def open_model(self, path: Path) -> None:
        """Add a model folder to the list.

        Raises
        ------
        ModelError
            If it is damaged or not a model.
        """
        self.shelf.card(path)
        self.shelf.remember(path)
        self.models_changed.emit()

    def model_members(self, model: Path) -> int:
        """How many members a model has now; it grows while it is trained."""
        return len(self.shelf.card(model).members)

    # ---- jobs -------------------------------------------------------------------

    def start(
        self, kind: str, work: Callable[[], Iterator[Event]], *, name: str = ""
    ) -> Job:
        """Run work in the background; at most one of each kind.

        Raises
        ------
        SashikoError
            If work of this kind is still running.
        """
        if self.closed:
            raise SashikoError("The dock was closed.", "Open it again.")
        job = self.board.start(kind, work, name=name or kind)
        self.job_changed.emit(kind)
        return job

    def job(self, kind: str) -> Job | None:
        """Return the job of this kind that runs or ran last."""
        return self.board.job(kind)

    def is_running(self, kind: str) -> bool:
        """Whether work of this kind has not ended."""
        return self.board.is_running(kind)

    @property
    def is_learning(self) -> bool:
        """Whether training runs and has paint that is not learned yet."""
        return self.is_running("train") and not self._at_rest

    def stop(self, kind: str) -> None:
        """Ask work to stop; what is finished is kept."""
        self.board.stop(kind)

    def train(
        self, settings: Any, start: Path | None = None, *, stay: bool = False
    ) -> Job:
        """Train an ensemble on the paint of the volume.

        Parameters
        ----------
        settings : TrainingSettings
            Everything a user may set.
        start : Path, optional
            Model whose networks go on learning.
        stay : bool
            Go on with whatever is painted meanwhile and afterwards, until stopped.
        """
        volume, paint = self.need_volume(), self.need_paint()
        paint.save()
        out = self.shelf.new_path(self.place("models"), self.name)
        engine, classes = self.engine, paint.classes

        def work() -> Iterator[Event]:
            if stay:
                yield from engine.live_steps(volume, paint, settings, out, start=start)
                return
            labelled = paint.labelled()
            yield from engine.train_steps(
                volume, labelled, classes, settings, out, start=start
            )

        self._at_rest = False
        job = self.start("train", work, name=f"Training on {self.name}")
        self.shelf.remember(out)
        return job

    def predict(
        self,
        model: Path,
        settings: Any,
        out: Path | None = None,
        *,
        room: threading.Event | None = None,
    ) -> Job:
        """Segment the whole volume with a model; a `PredictionOpened` tells of files.

        Parameters
        ----------
        model : Path
            The model folder.
        settings : PredictionSettings
            Windows, runner, device.
        out : Path, optional
            Folder NAME.zarr; in the project of the volume when None.
        room : threading.Event, optional
            Set when there is room for the results: the first block waits for it.
        """
        volume, engine = self.need_volume(), self.engine
        if room is None:
            room = threading.Event()
            room.set()
        target = out or self.place("predictions") / f"{model.stem}.zarr"
        return self.start(
            "predict",
            lambda: unveiled(
                engine.predict_steps(model, volume, target, settings),
                engine.open_prediction,
                room,
            ),
            name=f"Segmenting {self.name}",
        )

    def find_instances(
        self, prediction: Path, settings: Any, out: Path | None = None
    ) -> Job:
        """Find the instances of one class in a prediction; the table lies beside."""
        engine = self.engine
        target = out or self.place("instances") / prediction.name
        table = target.with_suffix(".csv")
        return self.start(
            "instances",
            lambda: engine.instance_steps(prediction, target, settings, table),
            name=f"Finding instances in {self.name}",
        )

    def measure(self, prediction: Path, settings: Any, name: str) -> Job:
        """Measure the volume with each member of a prediction's model alone.

        Parameters
        ----------
        prediction : Path
            Folder NAME.zarr: its model is looked for, and members are cut like it.
        settings : InstanceSettings
            What is an object.
        name : str
            Of the class: the tables are named after it and after the prediction.
        """
        volume, engine, models = self.need_volume(), self.engine, self.models()
        out = self.place("measurements") / plain_name(f"{prediction.stem} {name}")

        def work() -> Iterator[Event]:
            yield Tick()
            model = engine.model_of(prediction, models)
            chosen = engine.settings_like(prediction, settings)
            yield Tick()
            yield from engine.measure_steps(model, volume, out, chosen)

        return self.start("measure", work, name=f"Measuring {self.name}")

    def find_places(self, model: Path | None = None, settings: Any = None) -> Job:
        """Look for places that are unsure; a `PlacesFound` brings them.

        Parameters
        ----------
        model : Path, optional
            The newest one if left out.
        settings : PlacesSettings, optional
            How many, how far apart, how long.

        Raises
        ------
        ModelError
            If there is no model yet.
        """
        chosen, volume = self._need_model(model), self.need_volume()
        prediction = self.place("predictions") / f"{chosen.stem}.zarr"
        engine, paint = self.engine, self.paint
        return self.start(
            "places",
            lambda: looked_for(
                engine, chosen, prediction, volume, paint, settings=settings
            ),
            name=f"Looking for places in {self.name}",
        )

    def preview(self, region: Region, model: Path | None = None) -> None:
        """Ask for the segmentation of a region; ``preview_changed`` brings it.

        Raises
        ------
        ModelError
            If there is no model yet.
        """
        chosen = self._need_model(model)
        members = self.model_members(chosen)
        self._previews.ask(chosen, members, self.need_volume(), region)

    def _need_model(self, model: Path | None) -> Path:
        chosen = model or self.last_model
        if chosen is None:
            raise ModelError("There is no model yet.", "Train one first.")
        return chosen

    def forget_preview(self) -> None:
        """Drop what was asked for."""
        self._previews.forget()

    def _load_card(self, path: Path) -> Any:
        return self.engine.load_card(path)

    def _segment(
        self, model: Path, volume: Volume, region: Region
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        answer: tuple[np.ndarray, np.ndarray, np.ndarray] = self.engine.preview(
            model, volume, region
        )
        return answer

    # ---- heartbeat --------------------------------------------------------------

    def pump(self) -> None:
        """Hand over what the jobs said, save paint that is due, start previews."""
        if self.closed:
            return
        for kind, events, status in self.board.pump():
            for event in events:
                if kind == "train":
                    self._follow_training(event)
                self.event.emit(kind, event)
            if status is not None:
                self._report(kind, status)
        self._pump_paint()
        self._pump_note()
        self._pump_preview()

    def shutdown(self) -> None:
        """Cancel and join all jobs and save the paint; may be called twice."""
        if self.closed:
            return
        self.closed = True
        self.board.close()
        try:
            self.save()
            note, self._to_note = self._to_note, None
            if note is not None and self._engine is not None:  # loading takes seconds
                note()
        except (SashikoError, OSError) as error:
            LOG.exception("Closing")
            self.message.emit(describe_error(error), "error")
        self.projects.release()

    def _report(self, kind: str, status: JobStatus) -> None:
        if status.state == "failed":
            if not isinstance(status.error, SashikoError):
                LOG.error("%s failed\n%s", status.name, status.trace)
            self.message.emit(describe_error(status.error), "error")
        if kind == "train":
            self.models_changed.emit()
        if kind == "adopt" and self._adopted is not None:
            (project, paint), self._adopted = self._adopted, None
            if project == self.folder:
                self.attach_paint(paint)
        self.job_changed.emit(kind)

    def _follow_training(self, event: Event) -> None:
        """Take note of whether there is anything to learn."""
        # By name: the classes live in a room that loads the engine.
        at_rest = type(event).__name__ in ("TrainingRested", "TrainingWaits")
        if at_rest != self._at_rest:
            self._at_rest = at_rest
            self.job_changed.emit("train")

    def _pump_paint(self) -> None:
        self._paints.save_due(lambda sentence: self.message.emit(sentence, "error"))
        if self._paints.take_rest():
            self.paint_saved.emit()
        if self.paint is not None and self.paint.take_news():
            self.paint_changed.emit()

    def _pump_note(self) -> None:
        note = self._to_note
        if note is None or self.is_running("note"):
            return
        self._to_note = None

        def work() -> Iterator[Event]:
            yield Tick()
            note()

        self.start("note", work, name="Noting the project")

    def _pump_preview(self) -> None:
        ready = self._previews.take()
        if ready is not None:
            self.preview_changed.emit(ready)
        if not self.is_running("preview"):
            work = self._previews.next_work()
            if work is not None:
                self.start("preview", work, name=f"Preview of {self.name}")
