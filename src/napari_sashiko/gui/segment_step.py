"""Step 3 of the dock: the whole volume with one of the models."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from threading import Event as Room
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QGroupBox

from napari_sashiko.errors import ModelError, VolumeError
from napari_sashiko.gui.background import Question
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.result_layers import ResultLayers, hide_preview
from napari_sashiko.gui.result_rows import ResultRows
from napari_sashiko.gui.result_words import (
    describe_estimate,
    describe_time,
    mismatch,
)
from napari_sashiko.gui.segment_cost import Cost, with_begun
from napari_sashiko.gui.segment_form import SegmentForm
from napari_sashiko.gui.train_words import clock
from napari_sashiko.gui.view_center import view_center
from napari_sashiko.runners import Event, Message, Tick
from napari_sashiko.session import Session

KIND = "predict"
QUIET_MILLISECONDS = 200


class SegmentStep(QGroupBox):
    """Choose a model, say what it costs, segment, cancel and resume.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Where the results are shown.
    """

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__("3  Segment")
        self.session = session
        self.viewer = viewer
        self.cost = Cost()
        self.results: ResultLayers | None = None
        self._newest: Path | None = None
        self.form = SegmentForm(self)
        self.rows = ResultRows(session, viewer, lambda: self.model)
        self.sets = self.rows.sets
        self.sets.shown.connect(self._on_sets)
        self.form.add_row(self.rows)
        self.question = Question(session, "estimate", self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(QUIET_MILLISECONDS)
        self._connect()
        self._follow_models()
        self.refresh()

    @property
    def model(self) -> Path | None:
        """The chosen model."""
        return self.form.model

    @property
    def running(self) -> bool:
        """Whether a volume is being segmented."""
        return self.session.is_running(KIND)

    # ---- what the user does -----------------------------------------------------

    def start(self, *, overwrite: bool = False, kept: Path | None = None) -> None:
        """Segment the volume, or go on where an earlier run stopped.

        Parameters
        ----------
        overwrite : bool
            Delete what an earlier run left.
        kept : Path, optional
            The chosen model as it was in that run.
        """
        with telling(self.session):
            model = self.model
            if model is None:
                raise ModelError("There is no model yet.", "Train one, or open one.")
            volume, source = self.session.need_volume(), self.session.source
            refusal, _ = mismatch(self.session.shelf.card(model), volume)
            if refusal:
                self.form.say(refusal)
                raise VolumeError(refusal)
            settings = self.session.engine.PredictionSettings.checked(
                **self.form.place.values(),
                center=view_center(self.viewer, source, volume),
                overwrite=overwrite,
            )
            self.question.forget()
            room = Room()
            self.session.steps.predict(kept or model, settings, room=room)
            # Another volume may be put on the desk while this one is segmented.
            self._follow_results(source).all_there.connect(room.set)
            self.session.shelf.remember(model)

    def cancel(self) -> None:
        """Stop; finished blocks are kept."""
        self.form.stopping()
        self.session.stop(KIND)

    def resume(self) -> None:
        """Go on where the run before stopped, with the model as it was then."""
        self.start(kept=self.cost.kept)

    def overwrite(self) -> None:
        """Delete what an earlier run left and begin anew."""
        self.start(overwrite=True)

    def restore(self, prediction: Any, settings: dict[str, Any] | None) -> None:
        """Show a segmentation of an earlier session.

        Parameters
        ----------
        prediction : Prediction or None
            Open for reading.
        settings : dict, optional
            Of that run.
        """
        if self.running:
            return
        if settings is not None:
            self.form.place.show_form(self.session.engine.PredictionSettings)
            self.form.place.show_values(settings)
        if prediction is None:
            return
        self._follow_results(self.session.source).begin(prediction)
        done = f"{prediction.done} of {prediction.total} blocks"
        self.form.tell(f"Segmented before: {done}.")

    def open_model(self) -> None:
        """Add a model from disk to the list and choose it."""
        folder = QFileDialog.getExistingDirectory(
            self, "Open a model: choose a folder NAME.sashiko-model"
        )
        if not folder:
            return
        with telling(self.session):
            self.session.open_model(Path(folder))
            self.form.choose(Path(folder))

    # ---- what is shown ----------------------------------------------------------

    def refresh(self) -> None:
        """Open the step when there is a volume, and say what is missing."""
        ready = self.session.volume is not None and self.model is not None
        self.setEnabled(self.running or self.session.volume is not None)
        fits = ready and not self.cost.refusal
        partial = fits and self.cost.is_begun
        self.form.show_buttons(
            running=self.running,
            start=fits and not self.cost.other,
            resume=partial,
            overwrite=partial or (fits and bool(self.cost.other)),
        )
        if self.running:
            return
        if self.session.volume is None:
            self.form.say("Open a volume first.")
        elif self.model is None:
            self.form.say("Train a model first, or open one from disk.")
        else:
            lines = (self.cost.refusal, self.cost.warning, self.cost.other)
            self.form.say(" ".join(line for line in lines if line))

    def shutdown(self) -> None:
        """Stop following."""
        self._soon.stop()

    # ---- cost -------------------------------------------------------------------

    def ask_cost(self) -> None:
        """Ask what the chosen model would take on this volume."""
        model, volume = self.model, self.session.volume
        if self.running:
            return
        if model is None or volume is None:
            self.question.forget()
            return
        self.form.show_cost("estimating ...")
        session, out, place = self.session, self._out(model), self.form.place.values()
        measure = not session.steps.is_learning

        def work() -> Generator[Event, None, Cost]:
            yield Tick()
            engine = session.engine
            refusal, warning = mismatch(session.shelf.card(model), volume)
            if refusal:
                return Cost(refusal=refusal)
            yield Tick()
            settings = engine.PredictionSettings.checked(**place)
            estimate = engine.estimate(model, volume, settings, measure=measure)
            yield Tick()
            return with_begun(engine, Cost("", warning, estimate), model, volume, out)

        self.question.ask(work)

    def _show_place(self, on: bool) -> None:  # noqa: FBT001 - a slot
        if on:
            self.form.place.show_form(self.session.engine.PredictionSettings)

    def _show_cost(self, cost: Cost) -> None:
        self.cost = cost
        if cost.estimate is not None:
            estimate = cost.estimate
            self.form.show_cost(describe_estimate(estimate), blocks=estimate.cells)
        else:
            self.form.show_cost("")
        if cost.is_begun and not self.running:
            self.form.tell(f"{cost.done} of {cost.total} blocks are done.")
        self.refresh()

    def _cannot_tell(self, why: str) -> None:
        self.cost = Cost(refusal=why)
        self.form.show_cost("")
        self.refresh()

    def _out(self, model: Path) -> Path:
        return Path(str(self.session.folder)) / "predictions" / f"{model.stem}.zarr"

    # ---- following --------------------------------------------------------------

    def _connect(self) -> None:
        self.form.start_button.clicked.connect(lambda _on: self.start())
        self.form.cancel_button.clicked.connect(lambda _on: self.cancel())
        self.form.resume_button.clicked.connect(lambda _on: self.resume())
        self.form.overwrite_button.clicked.connect(lambda _on: self.overwrite())
        self.form.model_chosen.connect(self._on_model)
        self.form.open_wanted.connect(self.open_model)
        self.form.more.toggled.connect(self._show_place)
        self.form.place.changed.connect(self._soon.start)
        self.question.answered.connect(self._show_cost)
        self.question.refused.connect(self._cannot_tell)
        self._soon.timeout.connect(self.ask_cost)
        self.session.volume_changed.connect(self._on_volume)
        self.session.models_changed.connect(self._follow_models)
        self.session.job_changed.connect(self._on_job)
        self.session.event.connect(self._on_event)

    def _follow_models(self) -> None:
        models = self.session.models()
        newest = next(iter(models), None)
        keep = self.model if newest == self._newest else newest
        self._newest = newest
        self.form.show_models(models, keep)
        self._on_model()

    def _on_model(self) -> None:
        self.rows.follow()
        self.cost = Cost()
        self.refresh()
        self._soon.start()

    def _on_volume(self) -> None:
        self._newest = None
        if not self.running:
            self.form.tell("")
            self.form.switch.watch(())
        self._follow_models()

    def _on_job(self, kind: str) -> None:
        if kind == "train":
            self._on_training()
        if kind != KIND:
            return
        job = self.session.job(kind)
        state = job.status.state if job is not None else ""
        if self.running:
            self.form.starting()
        elif state == "cancelled":
            self.form.tell("Stopped; finished blocks are kept.")
        elif state == "failed":
            self.form.tell("")
        if not self.running:
            if self.results is not None:
                self.results.finish()
            self.cost = replace(self.cost, done=0, total=0, other="")
            self._soon.start()
        self.refresh()

    def _on_training(self) -> None:
        if self.session.steps.is_learning:
            # What the older model said must not hide what the new one learns.
            for layer in self.results.there() if self.results else ():
                layer.visible = False
            hide_preview(self.viewer, hide=False)
        self._soon.start()

    def _on_event(self, kind: str, event: Event) -> None:
        if kind != KIND:
            return
        if isinstance(event, Message):
            self.session.message.emit(event.text, event.level)
            return
        # By name: the classes live in a room that loads the engine.
        handlers = {
            "PredictionOpened": self._on_opened,
            "CellDone": self._on_cell,
            "PredictionDone": self._on_done,
        }
        handler = handlers.get(type(event).__name__)
        if handler is not None:
            handler(event)

    def _on_opened(self, event: Any) -> None:
        self.form.show_progress(event.done, event.cells, "")
        if self.results is not None:
            self.results.begin(event.result)

    def _follow_results(self, source: Any) -> ResultLayers:
        """Show results beside this image from now on."""
        old, self.results = self.results, ResultLayers(self.viewer, source, self)
        if old is not None:
            # It would be kept as long as the dock, and its image with it.
            old.drop()
        self.results.all_there.connect(self._on_layers)
        return self.results

    def _on_layers(self) -> None:
        if self.results is not None:
            self.form.switch.watch(self.results.layers)

    def _on_sets(self, layer: Any) -> None:
        mine = self.results.there() if self.results is not None else []
        self.form.switch.watch([*mine, layer])

    def _on_cell(self, event: Any) -> None:
        left = event.seconds_left
        text = "" if left is None else f"{clock(left)} left"
        self.form.show_progress(event.done, event.total, text)
        if self.results is not None:
            self.results.cell_done(event.cell)

    def _on_done(self, event: Any) -> None:
        self.form.tell(
            f"Done in {describe_time(event.seconds).removeprefix('about ')}."
        )
