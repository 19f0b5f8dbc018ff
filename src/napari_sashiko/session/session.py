"""The desk of one viewer: evented, free of Qt, and the only way to the engine."""

import importlib
import logging
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

from psygnal import Signal

from napari_sashiko.errors import (
    LabelError,
    ModelError,
    OutputError,
    SashikoError,
    VolumeError,
)
from napari_sashiko.runners import Event, Job, JobStatus, Tick
from napari_sashiko.session.board import JobBoard, describe_error
from napari_sashiko.session.home import lies_beside, volume_folder
from napari_sashiko.session.labelling import KIND as OPENING
from napari_sashiko.session.labelling import LabelDesk
from napari_sashiko.session.previews import PreviewDesk
from napari_sashiko.session.projects import Projects
from napari_sashiko.session.reopening import Reopening, kept_words, reopen
from napari_sashiko.session.shelf import ModelShelf
from napari_sashiko.session.steps import StepDesk
from napari_sashiko.session.suggestions import SuggestionDesk
from napari_sashiko.volumes import Volume

LOG = logging.getLogger(__name__)
JobKind = Literal[
    "warm",
    "adopt",
    "train",
    "predict",
    "instances",
    "measure",
    "sets",
    "between",
    "preview",
    "note",
    "places",
    "export",
    "score",
]


class Session:
    """Volume, paint, models and running jobs of one viewer.

    All methods are called from one thread, which also calls ``pump`` several times a
    second; signals are emitted in that thread only.

    Parameters
    ----------
    engine : module or object, optional
        What the pipeline room offers; imported at the first use.

    Attributes
    ----------
    labels : LabelDesk
        The paint.
    between : SuggestionDesk
        What may be paint between two painted slices.
    steps : StepDesk
        Training, predicting, measuring.
    previews : PreviewDesk
        The slice in view, segmented.
    projects : Projects
        Folders that this window works in.
    """

    volume_changed = Signal()
    labels_changed = Signal()  # another store, or other classes
    paint_changed = Signal()  # other counts
    paint_saved = Signal()  # all of it, and the hand rests
    models_changed = Signal()
    job_changed = Signal(str)  # kind
    event = Signal(str, object)  # kind, Event
    message = Signal(str, str)  # sentence, "info" | "warning" | "error"

    def __init__(self, engine: Any = None) -> None:
        self._engine = engine
        self.board = JobBoard()
        # The engine is imported when a model is looked at, not before.
        self.shelf = ModelShelf(lambda path: self.engine.load_card(path))  # noqa: PLW0108
        self.volume: Volume | None = None
        self.source: Any = None  # what the volume was taken from, e.g. a layer
        self.name = ""
        self.image: Path | None = None  # the file of the volume
        self.folder: Path | None = None
        self.closed = False
        self.projects = Projects()
        self.labels = LabelDesk(self)
        self.steps = StepDesk(self)
        self.previews = PreviewDesk(self)
        self.between = SuggestionDesk(self)

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
            yield from self.engine.warm_up_steps()

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
            folder = folder or self.folder_of(volume, name, path)
        else:
            folder = None
        self.volume, self.name, self.folder = volume, name, folder
        self.image = path
        self.source = source
        self.labels.turn_to(folder)
        self.previews.forget()
        self.volume_changed.emit()
        self.labels_changed.emit()
        self.models_changed.emit()

    def folder_of(self, volume: Volume, name: str, path: Path | None) -> Path:
        """Find the project of a volume, which may be read for it; in any thread.

        Parameters
        ----------
        volume : Volume
            The image.
        name : str
            What it is called.
        path : Path or None
            Its file.

        Raises
        ------
        VolumeError
            If it must be read, and cannot be.
        OutputError
            If no folder can be written.
        """
        return self.projects.expected(volume) or volume_folder(name, path, volume)

    def must_read(self, volume: Volume, path: Path | None) -> bool:
        """Whether `folder_of` reads what is not in memory, which may take long."""
        if volume.in_memory:
            return False
        return self.projects.expects or not lies_beside(path)

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

    @property
    def subject(self) -> tuple[Path | None, tuple[int, int, int]] | None:
        """What lies on the desk: equal whenever the same image is put there again."""
        return None if self.volume is None else (self.folder, self.volume.shape)

    def place(self, room: str) -> Path:
        """Subfolder of the project, such as ``"models"``; made when it is missing.

        Raises
        ------
        OutputError
            If another window works in the project.
        """
        self.need_volume()
        self.claim()
        folder = Path(str(self.folder)) / room
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def claim(self) -> None:
        """Claim the project for this window.

        Raises
        ------
        OutputError
            If another window works in it.
        """
        busy = self.busy()
        if busy:
            raise OutputError(
                f"The project {self.folder} is open in another window: {busy}.",
                "Close it there first.",
            )

    def busy(self) -> str:
        """Claim the project for this window; say who has it if that fails."""
        return "" if self.folder is None else self.projects.claim(self.folder)

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
        LabelError
            If its labels are being opened.
        """
        volume, folder = self.need_volume(), Path(str(self.folder))
        if self.is_running(OPENING):
            raise LabelError("Labels are being read.", "Wait until they are there.")
        paint, readonly = self.labels.paint is None, bool(self.busy())
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

    def need_model(self, model: Path | None = None) -> Path:
        """Return a model, the newest one if none is named.

        Raises
        ------
        ModelError
            If there is no model yet.
        """
        chosen = model or self.last_model
        if chosen is None:
            raise ModelError("There is no model yet.", "Train one first.")
        return chosen

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
        announce = partial(self.job_changed.emit, kind)
        return self.board.start(kind, work, name=name or kind, announce=announce)

    def job(self, kind: str) -> Job | None:
        """Return the job of this kind that runs or ran last."""
        return self.board.job(kind)

    def is_running(self, kind: str) -> bool:
        """Whether work of this kind has not ended."""
        return self.board.is_running(kind)

    def stop(self, kind: str) -> None:
        """Ask work to stop; what is finished is kept."""
        self.board.stop(kind)

    # ---- heartbeat --------------------------------------------------------------

    def pump(self) -> None:
        """Hand over what the jobs said, save paint that is due, start previews.

        The board tells everything once: if a listener fails, the others hear it all
        the same, and the first failure is raised at the end.
        """
        if self.closed:
            return
        failures: list[Exception] = []

        def hand(tell: Callable[[], None]) -> None:
            try:
                tell()
            except Exception as error:  # noqa: BLE001 - raised below
                failures.append(error)

        for kind, events, status in self.board.pump():
            for event in events:
                hand(partial(self.event.emit, kind, event))
            if status is not None:
                self._report(kind, status, hand)
        hand(self.labels.pump)
        hand(self.previews.pump)
        for error in failures[1:]:
            LOG.error("A listener failed, too", exc_info=error)
        if failures:
            raise failures[0]

    def shutdown(self) -> None:
        """Cancel and join all jobs and save the paint; may be called twice."""
        if self.closed:
            return
        self.closed = True
        self.board.close()
        try:
            self.labels.save()
            note = self.labels.take_note()
            if note is not None and self._engine is not None:  # loading takes seconds
                note()
        except (SashikoError, OSError) as error:
            LOG.exception("Closing")
            self.message.emit(describe_error(error), "error")
        self.projects.release()

    def _report(
        self, kind: str, status: JobStatus, hand: Callable[[Callable[[], None]], None]
    ) -> None:
        if status.state == "failed":
            if not isinstance(status.error, SashikoError):
                LOG.error("%s failed\n%s", status.name, status.trace)
            text = describe_error(status.error)
            hand(partial(self.message.emit, text, "error"))
        if kind == "train":
            hand(self.models_changed.emit)
        hand(partial(self.job_changed.emit, kind))
