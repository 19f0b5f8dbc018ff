"""A fourth dock: every patch of an image as a point; a click goes to the patch."""

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QWidget
from superqt.utils import signals_blocked

from napari_sashiko.errors import SettingsError
from napari_sashiko.gui.explore_form import ExploreForm
from napari_sashiko.gui.job_bridge import JobBridge
from napari_sashiko.gui.layer_volume import source_path, volume_of
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.patch_mark import PatchMark
from napari_sashiko.gui.result_layers import is_source
from napari_sashiko.gui.train_words import clock
from napari_sashiko.gui.window_watch import WindowWatch
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.session import Exploration, Session, explored, explorers

KIND = "explore"
WIDTH = 330
LEARN = "learn anew"
STOPPED = "Stopped; what was learned is kept under Model."


class ExploreDock(QWidget):
    """Choose an image; its patches become points, and a click goes to one of them.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer; napari passes it by this name.
    session : Session, optional
        What jobs run in; for tests.
    """

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__()
        # A proxy hides what is not public and makes every read slow.
        self.viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.session = session or Session()
        self.destroyed.connect(self.session.shutdown)
        self.form = ExploreForm(self, self.viewer)
        self.mark = PatchMark(self.viewer)
        self.setMinimumWidth(WIDTH)
        self.found: Any = None  # the table of patches that is shown
        self._source: Any = None  # the layer that they are of
        self._shut = False
        self._bridge = JobBridge(self.session, self)
        self._watch = WindowWatch(self)
        self._connect()
        self.reset_choices()
        self.session.warm_up()

    # ---- what the user does -----------------------------------------------------

    def start(self) -> None:
        """Learn, where no model is chosen, and look at all patches."""
        with telling(self.session):
            wanted = self._wanted()
            self._forget()
            self._source = self.form.images.currentData()
            session = self.session
            session.start(
                KIND,
                lambda: explored(lambda: session.engine, wanted),
                name=f"Exploring {wanted.name}",
            )
            self.form.status.clear()

    def stop(self) -> None:
        """Stop; what was learned is kept."""
        self.form.stop_button.setEnabled(False)
        self.form.say("Stopping ...")
        self.session.stop(KIND)

    def pick(self, index: int) -> None:
        """Go to a patch."""
        if self.found is None or self._source not in self.viewer.layers:
            return
        z, y, x = (int(at) for at in self.found.places[index])
        self.mark.show(self._source, (z, y, x), self.found.edge)
        score = float(self.found.outside[index])
        words = "outside of what is known" if score > 1 else "like what is known"
        self.form.say_patch(f"Patch at z {z}, y {y}, x {x}: {words} ({score:.2f}).")

    def reset_choices(self, event: Any = None) -> None:  # noqa: ARG002 - napari's name
        """Follow added, removed and renamed layers."""
        layers = [layer for layer in self.viewer.layers if is_source(layer)]
        box = self.form.images
        chosen = box.currentData()
        with signals_blocked(box):
            box.clear()
            for layer in layers:
                box.addItem(layer.name, layer)
            if chosen in layers:
                box.setCurrentIndex(layers.index(chosen))
        if self._source is not None and self._source not in self.viewer.layers:
            self._forget()
        self._choose()

    def show_more(self, *, on: bool) -> None:
        """Open or close the other settings."""
        with telling(self.session):
            if on:
                self.form.ensure_settings(self.session.engine.ExploreSettings)
            self.form.show_task()

    # ---- what is asked for ------------------------------------------------------

    def _wanted(self) -> Exploration:
        layer = self.form.images.currentData()
        if layer is None:
            raise SettingsError("There is no image yet.", "Open one first.")
        model, engine = self.form.models.currentData(), self.session.engine
        settings, device = None, "auto"
        if model is None:
            form = self.form.ensure_settings(engine.ExploreSettings)
            settings = engine.explore_settings(**form.values())
            device = settings.device
        looking = engine.EmbedSettings.checked(method=self.form.method, device=device)
        return Exploration(
            volume=volume_of(layer),
            name=layer.name,
            path=source_path(layer),
            settings=settings,
            looking=looking,
            model=model,
        )

    # ---- what is shown ----------------------------------------------------------

    def _forget(self) -> None:
        """Take points and mark of an earlier image away."""
        self.found = self._source = None
        self.form.scatter.show_points([], [])
        self.form.scatter.setVisible(False)
        self.form.say_patch("")
        self.mark.remove()

    def _choose(self) -> None:
        """List what was learned of all images: one is compared with the other."""
        box = self.form.models
        chosen = box.currentData()
        layers = [layer for layer in self.viewer.layers if is_source(layer)]
        known: list[Path] = []
        with telling(self.session):
            known = explorers([_folder(layer) for layer in layers])
        with signals_blocked(box):
            box.clear()
            box.addItem(LEARN, None)
            for path in known:
                box.addItem(path.stem, path)
            if chosen in known:
                box.setCurrentIndex(1 + known.index(chosen))
        self.form.show_task()
        self.form.show_running(running=self.session.is_running(KIND))

    def _on_job(self, kind: str) -> None:
        if kind != KIND:
            return
        job = self.session.job(kind)
        state = job.status.state if job is not None else ""
        running = self.session.is_running(kind)
        self.form.show_running(running=running)
        if state == "cancelled":
            self.form.say(STOPPED)
        elif state == "failed":
            self.form.say("")
        elif running:
            self.form.say("Preparing ...")
        if not running:
            self._choose()

    def _on_event(self, kind: str, event: Event) -> None:
        if kind != KIND:
            return
        if isinstance(event, Message):
            self.session.message.emit(event.text, event.level)
        elif isinstance(event, Progress):
            self.form.progress.setRange(0, event.total)
            self.form.progress.setValue(event.done)
            left = event.seconds_left
            self.form.left.setText("" if left is None else f"{clock(left)} left")
        else:
            # By name: the classes live in rooms that load the engine.
            handler = getattr(self, f"_on_{type(event).__name__}", None)
            if handler is not None:
                handler(event)

    def _on_TrainingStarted(self, event: Any) -> None:  # noqa: N802 - after the event
        self.form.say(event.text)

    def _on_TrainingDone(self, _event: Any) -> None:  # noqa: N802 - after the event
        self.form.say("Looking at all patches ...")

    def _on_EmbedDone(self, event: Any) -> None:  # noqa: N802 - after the event
        with telling(self.session):
            engine = self.session.engine
            self.found = engine.read_embedding(event.path)
            self.form.scatter.show_points(self.found.points, self.found.outside > 1)
            self.form.scatter.setVisible(True)
            self.form.say(engine.outside_line(event))

    # ---- life -------------------------------------------------------------------

    def _connect(self) -> None:
        form = self.form
        form.models.currentIndexChanged.connect(lambda _index: form.show_task())
        form.more.toggled.connect(lambda on: self.show_more(on=on))
        form.start_button.clicked.connect(lambda _on: self.start())
        form.stop_button.clicked.connect(lambda _on: self.stop())
        form.scatter.picked.connect(self.pick)
        self.session.job_changed.connect(self._on_job)
        self.session.event.connect(self._on_event)
        self.session.message.connect(form.status.show_message)
        self._watch.gone.connect(self.shutdown)
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
        self._bridge.stop()
        self.form.shutdown()
        self.session.shutdown()


def _folder(layer: Any) -> Path:
    """The project of an image layer."""
    volume = volume_of(layer)
    path = source_path(layer)
    return Exploration(volume, layer.name, path, None, looking=None).folder
