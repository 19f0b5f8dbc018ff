"""A third dock: take noise away, fill gaps, make one image like another."""

import threading
from typing import Any

from qtpy.QtWidgets import QWidget
from superqt.utils import signals_blocked

from napari_sashiko.errors import SettingsError
from napari_sashiko.gui.job_bridge import JobBridge
from napari_sashiko.gui.layer_volume import source_path, volume_of
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.restore_form import RestoreForm
from napari_sashiko.gui.restored_layers import RestoredLayers
from napari_sashiko.gui.result_layers import is_source
from napari_sashiko.gui.train_words import clock
from napari_sashiko.gui.window_watch import WindowWatch
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.session import Restoration, Session, restored, restorers

KIND = "restore"
WIDTH = 330
LEARN = "learn anew"
STOPPED = "Stopped; what was learned is kept under Model."


class RestoreDock(QWidget):
    """Choose an image and what is wrong with it; the better one becomes a layer.

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
        self.form = RestoreForm(self, self.viewer)
        self.results = RestoredLayers(self.viewer, self)
        self.setMinimumWidth(WIDTH)
        self._source: Any = None  # the layer that is being restored
        self._room = threading.Event()
        self._shut = False
        self._bridge = JobBridge(self.session, self)
        self._watch = WindowWatch(self)
        self._connect()
        self.reset_choices()
        self.session.warm_up()

    # ---- what the user does -----------------------------------------------------

    def start(self) -> None:
        """Learn, where no model is chosen, and make the restored image."""
        with telling(self.session):
            wanted = self._wanted()
            self.form.loss.clear()
            self._source, self._room = self.form.images.currentData(), threading.Event()
            room, session = self._room, self.session
            session.start(
                KIND,
                lambda: restored(lambda: session.engine, wanted, room),
                name=f"Restoring {wanted.name}",
            )
            self.form.status.clear()

    def stop(self) -> None:
        """Stop; what was learned and made is kept."""
        self.form.stop_button.setEnabled(False)
        self.form.say("Stopping ...")
        self.session.stop(KIND)

    def reset_choices(self, event: Any = None) -> None:  # noqa: ARG002 - napari's name
        """Follow added, removed and renamed layers."""
        layers = [layer for layer in self.viewer.layers if is_source(layer)]
        for box in (self.form.images, self.form.clean):
            chosen = box.currentData()
            with signals_blocked(box):
                box.clear()
                for layer in layers:
                    box.addItem(layer.name, layer)
                if chosen in layers:
                    box.setCurrentIndex(layers.index(chosen))
        self._choose()

    def show_more(self, *, on: bool) -> None:
        """Open or close the other settings."""
        with telling(self.session):
            if on:
                self.form.ensure_settings(self.session.engine)
            self.form.show_task()

    # ---- what is asked for ------------------------------------------------------

    def _wanted(self) -> Restoration:
        layer = self.form.images.currentData()
        if layer is None:
            raise SettingsError("There is no image yet.", "Open one first.")
        model, clean = self.form.models.currentData(), None
        if model is None and self.form.task == "paired":
            clean = self.form.clean.currentData()
            if clean is None or clean is layer:
                raise SettingsError(
                    "The clean image is the image itself.",
                    "Choose another layer of the same place, or another task.",
                )
        return Restoration(
            volume=volume_of(layer),
            name=layer.name,
            path=source_path(layer),
            settings=None if model else self._settings(),
            clean=None if clean is None else volume_of(clean),
            model=model,
        )

    def _settings(self) -> Any:
        self.form.ensure_settings(self.session.engine)
        values = self.form.values() | {"gaps": self.form.task == "gaps"}
        text = self.form.missing.text().strip()
        if self.form.task == "gaps" and text:
            try:
                values["missing"] = float(text)
            except ValueError:
                raise SettingsError(
                    f"{text!r} is no grey value.", "Write a number, or leave it empty."
                ) from None
        return self.session.engine.restore_settings(**values)

    # ---- what is shown ----------------------------------------------------------

    def _choose(self) -> None:
        """List what was learned of the chosen image."""
        layer, box = self.form.images.currentData(), self.form.models
        chosen = box.currentData()
        known = []
        if layer is not None:
            with telling(self.session):
                known = restorers(_folder(layer))
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
            self._show_progress(event.done, event.total, event.seconds_left)
        else:
            # By name: the classes live in rooms that load the engine.
            handler = getattr(self, f"_on_{type(event).__name__}", None)
            if handler is not None:
                handler(event)

    def _on_TrainingStarted(self, event: Any) -> None:  # noqa: N802 - after the event
        self.form.loss.setVisible(True)
        self.form.say(event.text)

    def _on_EpochDone(self, event: Any) -> None:  # noqa: N802 - after the event
        self.form.loss.add(event.member, event.epoch, event.valid_loss)

    def _on_PredictionOpened(self, event: Any) -> None:  # noqa: N802 - after the event
        self.form.say("Restoring the image ...")
        if self._source in self.viewer.layers:
            with telling(self.session):
                self.results.show(event.result, self._source)
        self._room.set()

    def _on_CellDone(self, event: Any) -> None:  # noqa: N802 - after the event
        self._show_progress(event.done, event.total, event.seconds_left)
        self.results.cell_done(event.cell)

    def _on_PredictionDone(self, _event: Any) -> None:  # noqa: N802 - after the event
        self.results.finish()
        self.form.say("Done: the restored image is a layer, and kept in the project.")

    def _show_progress(self, done: int, total: int, left: float | None) -> None:
        self.form.progress.setRange(0, total)
        self.form.progress.setValue(done)
        self.form.left.setText("" if left is None else f"{clock(left)} left")

    # ---- life -------------------------------------------------------------------

    def _connect(self) -> None:
        form = self.form
        form.images.currentIndexChanged.connect(lambda _index: self._choose())
        form.models.currentIndexChanged.connect(lambda _index: form.show_task())
        form.tasks.currentIndexChanged.connect(lambda _index: form.show_task())
        form.more.toggled.connect(lambda on: self.show_more(on=on))
        form.start_button.clicked.connect(lambda _on: self.start())
        form.stop_button.clicked.connect(lambda _on: self.stop())
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


def _folder(layer: Any) -> Any:
    """The project of an image layer."""
    volume = volume_of(layer)
    wanted = Restoration(volume, layer.name, source_path(layer), settings=None)
    return wanted.folder
