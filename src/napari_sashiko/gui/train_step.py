"""Step 2 of the dock: train an ensemble, watch it learn, stop it."""

import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.gui.augment_row import AugmentRow
from napari_sashiko.gui.background import Question
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.paint_hint import PaintHint
from napari_sashiko.gui.parts import make_line, say
from napari_sashiko.gui.preview_layer import PreviewLayer
from napari_sashiko.gui.score_panel import ScorePanel
from napari_sashiko.gui.settings_form import SettingsForm, part_choices
from napari_sashiko.gui.start_row import StartRow
from napari_sashiko.gui.train_curves import TrainCurves
from napari_sashiko.gui.train_words import clock, describe_settings
from napari_sashiko.runners import Event, Message, Progress, Tick, available_devices
from napari_sashiko.session import Session

STEPS = 1000
AFTER_STOP = "Stopped; the best model so far is kept."
NOTHING_SAVED = "Stopped before a model was saved."
PARTS = {"network": "network", "loss": "loss"}  # what each field chooses from
AT_REST = "All paint is learned. Paint more, and training goes on."


class TrainStep(QGroupBox):
    """Say what is missing, train, show curves and the slice in view.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Shows the preview.
    """

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__("2  Train")
        self.session = session
        self.viewer = viewer
        self.form: SettingsForm | None = None
        self.augmented: AugmentRow | None = None
        self.model: Path | None = None
        self._subject: Any = None  # what is trained on, even when another is chosen
        self._name = ""  # of it
        # The last model and what came to it last, by what it was trained on.
        self._models: dict[Any, tuple[Path, str]] = {}
        self._said = ""  # how the training goes
        self._job: Any = None  # that was told of
        self.preview = PreviewLayer(session, viewer, self)
        self.scoring = Question(session, "scores", self)
        self._build()
        session.volume_changed.connect(self._on_volume)
        session.labels_changed.connect(self.refresh)
        session.job_changed.connect(self._on_job)
        session.event.connect(self._on_event)
        self.scoring.answered.connect(self._show_scores)
        self.scoring.refused.connect(lambda why: session.message.emit(why, "error"))
        self.refresh()

    # ---- what the user does -----------------------------------------------------

    def start(self) -> None:
        """Check the paint, then train in the background."""
        with telling(self.session):
            stay = self.stay_box.isChecked()
            if not stay:
                self.session.labels.check_counts()
            self.ensure_form()
            settings = self.form.settings() if self.form else None
            self._begin()
            self.preview.make_room()
            self.session.steps.train(settings, self.start_from.model(), stay=stay)
            self.hint.refresh()

    def stop(self) -> None:
        """Stop training; the best model so far is kept, paint is not followed."""
        self.stop_button.setEnabled(False)
        self.state.setText("Stopping ...")
        self.session.stop("train")

    def restore(self, trained: Any, settings: dict[str, Any] | None) -> None:
        """Show a model of an earlier session as if it had just been trained.

        Parameters
        ----------
        trained : Trained or None
            Model, curves and scores.
        settings : dict, optional
            Of that training.
        """
        if self.session.is_running("train"):
            return
        if settings is not None:
            self.ensure_form()
            if self.form is not None:
                self.form.show_values(settings)
        if trained is None:
            return
        self._begin()
        self._take(trained.path)
        for epoch in trained.epochs:
            self.plots.add(epoch)
        self._show_scores(trained)
        self._tell("Trained before.")
        self._preview()

    def _begin(self) -> None:
        """Forget the training before; what comes is about what lies on the desk."""
        self._subject, self._name = self.session.subject, self.session.name
        self.model = None
        self.scoring.forget()
        self.plots.clear()
        self.result.clear()

    def _take(self, model: Path, what: str = "") -> None:
        """Know that this is the newest model of what is trained on."""
        self.model = model
        self._models[self._subject] = model, what

    def show_more(self, *, on: bool) -> None:
        """Open or close the settings."""
        with telling(self.session):
            if on:
                self.ensure_form()
            self.more_area.setVisible(on)

    def ensure_form(self) -> None:
        """Make the form; the first time this loads the engine."""
        if self.form is not None:
            return
        settings = self.session.engine.TrainingSettings
        self.form = SettingsForm(
            settings,
            choices={"device": ["auto", *available_devices()]},
            parts=part_choices(self.session.engine, PARTS),
        )
        self.form.setObjectName("training_settings")
        self.form.changed.connect(self._show_summary)
        self._more_layout.addWidget(self.form)
        self.augmented = AugmentRow(self.session, self.viewer, self.form.settings)
        self._more_layout.addWidget(self.augmented)
        self._show_summary()

    # ---- what is shown ----------------------------------------------------------

    def refresh(self) -> None:
        """Open the step when there is paint, and say what is missing."""
        running = self.session.is_running("train")
        self.setEnabled(running or self.session.labels.paint is not None)
        self.train_button.setEnabled(not running)
        self.stay_box.setEnabled(not running)
        self.stop_button.setEnabled(running)
        self.more_area.setEnabled(not running)
        self.working.setVisible(running)
        for each in (self.progress, self.left):
            each.setVisible(self.session.steps.is_learning)

    def shutdown(self) -> None:
        """Stop following the viewer."""
        self.preview.shutdown()
        self.plots.shutdown()

    def _show_summary(self) -> None:
        values = self.form.values() if self.form else {}
        self.summary.setText(describe_settings(values))

    def _on_volume(self) -> None:
        """Show what is about the image on the desk, and what is going on elsewhere."""
        self._show_training()
        self.source.setVisible(False)
        self.refresh()
        self._preview()

    def _show_training(self) -> None:
        """Show how the last training goes, or went if it was on this very image."""
        running = self.session.is_running("train")
        shown = running or not self._away
        # A forest alone, or a quick stop, leaves no curve to look at.
        self.plots.setVisible(running or (shown and not self.plots.empty))
        self.result.setVisible(shown and not self.result.empty)
        said = f"{self._name}: {self._said}" if self._away else self._said
        say(self.state, said if shown and self._said else "")

    @property
    def _away(self) -> bool:
        """Whether the last training was on another image than that on the desk."""
        return self._subject != self.session.subject

    def _on_job(self, kind: str) -> None:
        if kind != "train":
            return
        job = self.session.job(kind)
        state = "" if job is None else job.status.state
        if state == "cancelled":
            self._tell(AFTER_STOP if self.model else NOTHING_SAVED)
            self._ask_scores()
        elif state == "failed":
            self._tell("")
            self._ask_scores()
        elif job is not None and job is not self._job:
            self._job = job
            self._tell("Preparing ...")
            self.progress.setRange(0, 0)
            self.left.setText("")
        self._show_training()
        self.refresh()

    def _on_event(self, kind: str, event: Event) -> None:
        if kind != "train":
            return
        handler = getattr(self, f"_on_{_snake(type(event).__name__)}", None)
        if handler is not None:
            handler(event)

    def _on_training_started(self, event: Any) -> None:
        self.summary.setText(event.text)

    def _on_training_decided(self, event: Any) -> None:
        self.summary.setText(event.summary)  # which says it, and all else

    def _on_epoch_done(self, event: Any) -> None:
        self.plots.add(event)
        self._tell(f"Network {event.member + 1}, epoch {event.epoch} of {event.epochs}")

    def _on_member_saved(self, event: Any) -> None:
        self._take(Path(event.path), event.what)
        self._show_newest()
        self.session.models_changed.emit()

    def _on_paint_taken(self, _event: Any) -> None:
        self.result.mark_older()

    def _on_training_done(self, event: Any) -> None:
        self._show_result(event)
        self._tell("Done.")

    def _on_training_rested(self, event: Any) -> None:
        self._show_result(event)
        self._tell(AT_REST)

    def _on_training_waits(self, event: Any) -> None:
        self._tell(f"Waiting for paint. {event.text}")

    def _show_result(self, event: Any) -> None:
        self._show_newest()  # written once more since the last member was saved
        self._show_scores(event)

    def _show_newest(self) -> None:
        if not self._away:
            self._preview()

    def _show_scores(self, found: Any) -> None:
        self.result.show_scores(found.metrics, found.fairness)
        self._show_training()

    def _ask_scores(self) -> None:
        """Read the scores of the saved model, which may be long, in the background."""
        model, engine = self.model, self.session.engine
        if model is None:
            return

        def work() -> Generator[Event, None, Any]:
            yield Tick()
            return engine.model_scores(model)

        self.scoring.ask(work)

    def _preview(self) -> None:
        """Have the last model of the image on the desk segment what is in view."""
        known = self._models.get(self.session.subject)
        if known is not None:
            self.preview.use(*known)

    def _on_progress(self, event: Progress) -> None:
        self._show_progress(event.done / max(1, event.total), event.seconds_left)

    def _on_message(self, event: Message) -> None:
        self.session.message.emit(event.text, event.level)

    def _show_progress(self, share: float, seconds_left: float | None) -> None:
        self.progress.setRange(0, STEPS)
        self.progress.setValue(round(STEPS * share))
        known = seconds_left is not None and math.isfinite(seconds_left)
        self.left.setText(f"{clock(seconds_left or 0)} left" if known else "")

    def _tell(self, text: str) -> None:
        self._said = text
        self._show_training()

    def _on_preview(self, text: str) -> None:
        say(self.source, text)

    # ---- widgets ----------------------------------------------------------------

    def _build(self) -> None:
        self.hint = PaintHint(self.session)
        self.summary = QLabel(describe_settings({}))
        self.summary.setObjectName("train_summary")
        self.summary.setWordWrap(True)
        self.more = QPushButton()
        self.more.setObjectName("more_training")
        self.more.setText("more")
        self.more.setCheckable(True)
        self.more.setToolTip("Network, members, time, device and other settings")
        self.more.toggled.connect(lambda on: self.show_more(on=on))
        self.more_area = QWidget()
        self._more_layout = QVBoxLayout(self.more_area)
        self._more_layout.setContentsMargins(0, 0, 0, 0)
        self.start_from = StartRow(self.session)
        self._more_layout.addWidget(self.start_from)
        self.more_area.setVisible(False)
        self.train_button = QPushButton("Train")
        self.train_button.setObjectName("train")
        self.train_button.setToolTip("Train on the strokes, in the background")
        self.train_button.clicked.connect(self.start)
        self.stay_box = QCheckBox("stay on")
        self.stay_box.setObjectName("stay_on")
        self.stay_box.setChecked(True)
        self.stay_box.setToolTip("Go on learning from whatever you paint, until Stop")
        self.preview_box = QCheckBox("preview")
        self.preview_box.setObjectName("preview")
        self.preview_box.setChecked(True)
        self.preview_box.setToolTip("Segment the slice in view with the newest model")
        self.preview_box.toggled.connect(lambda on: self.preview.switch(on=on))
        self.std_box = QCheckBox("uncertainty")
        self.std_box.setObjectName("preview_std")
        self.std_box.setToolTip("Show how unsure it is of the slice in view")
        self.std_box.toggled.connect(lambda on: self.preview.switch_doubt(on=on))
        self.preview.changed.connect(self._on_preview)
        self._build_progress()
        self._build_curves()
        self._arrange()

    def _build_progress(self) -> None:
        self.progress = QProgressBar()
        self.progress.setObjectName("train_progress")
        self.progress.setTextVisible(False)
        self.left = QLabel()
        self.left.setObjectName("time_left")
        self.stop_button = QPushButton("Stop")
        self.stop_button.setObjectName("stop_training")
        self.stop_button.setToolTip("Stop now and keep the best model so far")
        self.stop_button.clicked.connect(self.stop)
        self.working = QWidget()
        row = QHBoxLayout(self.working)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.progress, 1)
        row.addWidget(self.left)
        row.addWidget(self.stop_button)

    def _build_curves(self) -> None:
        self.plots = TrainCurves(self.viewer)
        self.plots.setVisible(False)
        self.state = make_line("train_state")
        self.result = ScorePanel()
        self.source = make_line("preview_source")

    def _arrange(self) -> None:
        about = QHBoxLayout()
        about.addWidget(self.summary, 1)
        about.addWidget(self.more, 0, Qt.AlignmentFlag.AlignTop)
        act = QHBoxLayout()
        act.addWidget(self.train_button)
        act.addWidget(self.stay_box)
        act.addStretch(1)
        act.addWidget(self.preview_box)
        act.addWidget(self.std_box)
        layout = QVBoxLayout(self)
        layout.addWidget(self.hint)
        layout.addLayout(about)
        layout.addWidget(self.more_area)
        layout.addLayout(act)
        layout.addWidget(self.working)
        layout.addWidget(self.state)
        layout.addWidget(self.plots)
        layout.addWidget(self.result)
        layout.addWidget(self.source)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
