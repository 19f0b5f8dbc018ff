"""A dock in which something is learned, and used: what all of that kind have in common.

Choose what to learn from and the settings, see the curve while networks learn, stop,
resume, and see the result as layers. What differs goes into the slots: the form, the
work, and what is done with its events.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_sashiko.errors import SettingsError, VolumeError
from napari_sashiko.gui.adopting import foreign_labels
from napari_sashiko.gui.export_row import ExportRow
from napari_sashiko.gui.file_parts import FileParts
from napari_sashiko.gui.job_bridge import JobBridge
from napari_sashiko.gui.layer_projects import LayerProjects
from napari_sashiko.gui.layer_volume import volume_of
from napari_sashiko.gui.learn_form import LEARN, LearnForm
from napari_sashiko.gui.live_layers import LiveLayers
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.parts import choose_data, fill_box
from napari_sashiko.gui.result_layers import KEY, is_source
from napari_sashiko.gui.score_row import ScoreRow
from napari_sashiko.gui.settings_form import part_choices
from napari_sashiko.gui.window_watch import WindowWatch
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.session import ImageTask, Session, known_models
from napari_sashiko.volumes import Volume

WIDTH = 290
STOPPED = "Stopped; what was learned is kept under Model."


class LearnDock(QWidget):
    """Learn, and use what was learned.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer; napari passes it by this name.
    session : Session, optional
        What jobs run in; for tests.

    Attributes
    ----------
    kind : str
        Of the jobs.
    settings_name : str
        What the pipeline calls the settings of the training.
    using_name : str
        What it calls those of what is made then; empty where none of them is shown.
    room : str
        Where models of this kind lie in a project.
    parts : mapping
        Which kind of parts each field chooses from.
    score_tip : str
        What a result is compared with; empty where there is nothing to compare.
    """

    kind: ClassVar[str]
    settings_name: ClassVar[str]
    using_name: ClassVar[str] = ""
    room: ClassVar[str]
    parts: ClassVar[Mapping[str, str]] = {"network": "network"}
    score_tip: ClassVar[str] = ""

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__()
        # A proxy hides what is not public and makes every read slow.
        self.viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.session = session or Session()
        self.destroyed.connect(self.session.shutdown)
        self.results: LiveLayers | None = None
        self._source: Any = None  # the layer that is worked on
        self._task: ImageTask | None = None
        self._opened: list[Path] = []  # models from elsewhere
        self._before: set[Path] = set()  # models that were known when work began
        self._unfinished: Path | None = None  # what can be gone on with
        self._learned: dict[int, float] = {}  # share of each network's training
        self._members = 1
        self._shut = False
        self.projects = LayerProjects(self.session, self.viewer, self)
        self.parts_of_files = FileParts(self.session, self.viewer, self)
        self.form = self.make_form()
        self.scoring = ScoreRow(self.session, self.score_tip, volume_of, masked=True)
        self.form.add_below(self.scoring)
        self.exporting = ExportRow(self.session, self.written)
        self.form.add_below(self.exporting)
        self.form.close_below()
        self.setMinimumWidth(WIDTH)
        self._bridge = JobBridge(self.session, self)
        self._watch = WindowWatch(self)
        self._connect()
        self.reset_choices()
        self.session.warm_up()

    # ---- slots ------------------------------------------------------------------

    def make_form(self) -> LearnForm:
        """Make the widgets."""
        raise NotImplementedError

    def wanted(self) -> ImageTask:
        """What is asked for.

        Raises
        ------
        SashikoError
            If it is not possible.
        """
        raise NotImplementedError

    def layer_boxes(self) -> tuple[Any, ...]:
        """Boxes that list image layers."""
        return ()

    def fresh(self) -> list[tuple[str, Any]]:
        """What may be chosen instead of a model."""
        return [(LEARN, None)]

    def project_folders(self) -> list[Path]:
        """Projects whose models are listed."""
        found: list[Path] = []
        unknown: list[tuple[Any, Volume | None]] = []
        for layer in self.sources():
            # Images that are no volumes have no project; whoever takes one is told.
            with suppress(VolumeError):
                volume = self.projects.volume_of(layer)
                folder = self.projects.folder_of(layer, volume)
                if folder is None:
                    unknown.append((layer, volume))
                else:
                    found.append(folder)
        self.projects.look_for(unknown)  # and listed then
        return found

    def on_begin(self) -> None:
        """Forget what belongs to the work before."""
        self.scoring.use(None)

    # ---- what the user does -----------------------------------------------------

    def start(self) -> None:
        """Learn, where no model is chosen, and use what was learned."""
        with telling(self.session):
            task, session = self.wanted(), self.session
            self.begin(
                lambda: task.steps(lambda: session.engine),
                name=f"{self.form.words.doing.capitalize()} {task.name}",
            )
            self._task = task

    def begin(self, work: Callable[[], Iterator[Event]], *, name: str) -> None:
        """Run work of this dock; one at a time."""
        self.form.loss.clear()
        self._learned.clear()
        self._members = 1
        self._unfinished = None
        self._before = set(self.models())
        self.on_begin()
        self.session.start(self.kind, work, name=name)
        self.form.status.clear()

    def stop(self) -> None:
        """Stop; what was learned and made is kept."""
        self.form.stopping()
        self.session.stop(self.kind)

    def resume(self) -> None:
        """Go on with what the work that was stopped has left."""
        choose_data(self.form.models, self._unfinished)
        self.start()

    def open_model(self) -> None:
        """Add a model from disk to the list and choose it."""
        folder = QFileDialog.getExistingDirectory(
            self, "Open a model: choose a folder NAME.sashiko-model"
        )
        if folder:
            self.add_model(Path(folder))

    def add_model(self, folder: Path) -> None:
        """Add a model to the list and choose it."""
        with telling(self.session):
            self.session.shelf.card(folder)
            self._opened = [folder, *(p for p in self._opened if p != folder)]
            self.choose()
            choose_data(self.form.models, folder)

    def show_more(self, *, on: bool) -> None:
        """Open or close the other settings."""
        with telling(self.session):
            if on:
                self.ensure_settings()
                if self.using_name:
                    self.ensure_using()
            self.form.show_task()

    def reset_choices(self, event: Any = None) -> None:  # noqa: ARG002 - napari's name
        """Follow added, removed and renamed layers."""
        layers = self.sources()
        for box in self.layer_boxes():
            fill_box(box, [(layer.name, layer) for layer in layers])
        self.scoring.show_truths(layers, [*foreign_labels(self.viewer), *layers])
        self.choose()

    # ---- what is asked for ------------------------------------------------------

    def ensure_settings(self) -> Any:
        """Return the form of all other settings, made the first time."""
        engine = self.session.engine
        settings = getattr(engine, self.settings_name)
        return self.form.ensure_settings(settings, part_choices(engine, self.parts))

    def ensure_using(self) -> Any:
        """Return the form of what is made of what was learned, made the first time."""
        return self.form.ensure_using(getattr(self.session.engine, self.using_name))

    def sources(self) -> list[Any]:
        """Layers that can be worked on."""
        return [layer for layer in self.viewer.layers if is_source(layer)]

    def chosen_layer(self, box: Any) -> Any:
        """Layer that a box shows.

        Raises
        ------
        SettingsError
            If there is none.
        """
        layer = box.currentData()
        if layer is None:
            raise SettingsError("There is no image yet.", "Open one first.")
        return layer

    def project_of(self, layer: Any, volume: Volume) -> Path | None:
        """Project of an image; None where the job that works on it must look for it."""
        with suppress(VolumeError):
            return self.projects.folder_of(layer, volume)
        return None

    def models(self) -> list[Path]:
        """Models of the projects of all images, then those from elsewhere."""
        with telling(self.session):
            found = known_models(self.project_folders(), self.room)
            return [*found, *(path for path in self._opened if path not in found)]
        return []

    def results_there(self) -> list[Path]:
        """Folders of the results that layers show."""
        layers = self.results.there() if self.results is not None else []
        notes = (layer.metadata.get(KEY, {}).get("path") for layer in layers)
        return [Path(path) for path in dict.fromkeys(notes) if path]

    def written(self) -> list[Path]:
        """The model that is chosen, or the newest, and results."""
        chosen = self.form.models.currentData()
        model = chosen if isinstance(chosen, Path) else next(iter(self.models()), None)
        return [*([] if model is None else [model]), *self.results_there()]

    # ---- what is shown ----------------------------------------------------------

    def choose(self) -> None:
        """List what was learned: of all images, for one may serve another."""
        models = [(path.stem, path) for path in self.models()]
        fill_box(self.form.models, [*self.fresh(), *models])
        self.form.show_task()
        self.exporting.follow()
        self._show_running()

    def _show_running(self) -> None:
        running = self.session.is_running(self.kind)
        resumable = self._unfinished is not None
        self.form.show_running(running=running, resumable=resumable)

    def _on_job(self, kind: str) -> None:
        if kind != self.kind:
            return
        job = self.session.job(kind)
        state = job.status.state if job is not None else ""
        if self.session.is_running(kind):
            self.form.say("Preparing ...")
            self._show_running()
            return
        if state in ("cancelled", "failed"):
            self._unfinished = self._left_over(stopped=state == "cancelled")
            self.form.say(self.stopped_words() if state == "cancelled" else "")
        elif self.form.status.level == "info":
            self.form.status.clear()  # what was said on the way is over
        self.choose()

    def _left_over(self, *, stopped: bool) -> Path | None:
        """Model with which work that ended early can go on."""
        fresh = [path for path in self.models() if path not in self._before]
        chosen = self._task.model if stopped and self._task is not None else None
        return chosen or next(iter(fresh), None)

    def _on_event(self, kind: str, event: Event) -> None:
        if kind != self.kind:
            return
        if isinstance(event, Message):
            self.session.message.emit(event.text, event.level)
        elif isinstance(event, Progress):
            self.form.show_progress(event.done, event.total, event.seconds_left)
        else:
            # By name: the classes live in rooms that load the engine.
            handler = getattr(self, f"on_{type(event).__name__}", None)
            if handler is not None:
                handler(event)

    def on_TrainingStarted(self, event: Any) -> None:  # noqa: N802 - after the event
        """Say what learns; its curve begins."""
        self._members = event.members
        self.form.loss.setVisible(True)
        self.form.say(event.text)

    def on_EpochDone(self, event: Any) -> None:  # noqa: N802 - after the event
        """Go on with the curve."""
        self.form.loss.add(event.member, event.epoch, event.valid_loss)
        self._learned[event.member] = event.fraction
        done = sum(self._learned.values())
        self.form.show_progress(done, max(self._members, 1), event.seconds_left)

    def on_PredictionOpened(self, event: Any) -> None:  # noqa: N802 - after the event
        """Make room for the result."""
        self.form.say(f"{self.form.words.doing.capitalize()} ...")
        if self.results is not None and self._source in self.viewer.layers:
            with telling(self.session):
                self.results.show(event.result, self._source)
        room = getattr(self._task, "room", None)
        if room is not None:
            room.set()

    def on_CellDone(self, event: Any) -> None:  # noqa: N802 - after the event
        """Show a block that is finished."""
        self.form.show_progress(event.done, event.total, event.seconds_left)
        if self.results is not None:
            self.results.cell_done(event.cell)

    def on_PredictionDone(self, _event: Any) -> None:  # noqa: N802 - after the event
        """Show all of the result, which can be scored now."""
        if self.results is not None:
            self.results.finish()
        self.scoring.use(next(iter(self.results_there()), None))
        self.form.say(self.done_words())

    def stopped_words(self) -> str:
        """What is said after a stop."""
        return STOPPED

    def done_words(self) -> str:
        """What is said in the end."""
        return "Done: the result is a layer, and kept in the project."

    # ---- life -------------------------------------------------------------------

    def _connect(self) -> None:
        form = self.form
        for box in self.layer_boxes():
            box.currentIndexChanged.connect(lambda _index: self.choose())
        form.models.currentIndexChanged.connect(lambda _index: form.show_task())
        form.more.toggled.connect(lambda on: self.show_more(on=on))
        form.start_button.clicked.connect(lambda _on: self.start())
        form.resume_button.clicked.connect(lambda _on: self.resume())
        form.stop_button.clicked.connect(lambda _on: self.stop())
        form.open_button.clicked.connect(lambda _on: self.open_model())
        self.session.job_changed.connect(self._on_job)
        self.session.event.connect(self._on_event)
        self.session.message.connect(form.status.show_message)
        self._watch.gone.connect(self.shutdown)
        self.projects.found.connect(self.choose)
        self.parts_of_files.marked.connect(lambda _layers: self.choose())
        for emitter in self._layer_events():
            emitter.connect(self.reset_choices)

    def _layer_events(self) -> tuple[Any, ...]:
        events = self.viewer.layers.events
        return events.inserted, events.removed, events.renamed

    def shutdown(self) -> None:
        """Stop and join all work; may be called twice."""
        if self._shut:
            return
        self._shut = True
        for emitter in self._layer_events():
            emitter.disconnect(self.reset_choices)
        self.parts_of_files.stop()
        self._bridge.stop()
        self.form.shutdown()
        self.session.shutdown()
