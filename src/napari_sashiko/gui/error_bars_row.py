"""Counts and sizes with error bars: a row of the instances step."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.result_words import short
from napari_sashiko.gui.train_words import clock
from napari_sashiko.runners import Event, Message, Progress, Tick
from napari_sashiko.session import Session

KIND = "measure"
TIP = (
    "How far are the members of the ensemble apart? Each segments the volume alone and "
    "its instances are found: all together, that takes about as long as segmenting"
)


class ErrorBarsRow(QWidget):
    """Measure with each member alone, and say the numbers with their spread.

    Parameters
    ----------
    session : Session
        The desk.
    ask : callable
        The prediction and the settings of instances as they are now.
    """

    def __init__(self, session: Session, ask: Callable[[], tuple[Any, Any]]) -> None:
        super().__init__()
        self.session = session
        self._ask = ask
        self._ready = False
        self._wanted = False  # whether the numbers to come are those of the settings
        self._member = ""
        self.reading = Question(session, "measured", self)
        self._build()
        self.button.clicked.connect(lambda _on: self.start())
        self.cancel_button.clicked.connect(lambda _on: self.cancel())
        self.reading.answered.connect(self._show)
        self.reading.refused.connect(self.say)
        session.job_changed.connect(self._on_job)
        session.event.connect(self._on_event)
        self.refresh(ready=False)

    @property
    def running(self) -> bool:
        """Whether members are being measured."""
        return self.session.is_running(KIND)

    def start(self) -> None:
        """Measure, or go on where an earlier run stopped."""
        with telling(self.session):
            prediction, settings = self._ask()
            names = {each.id: each.name for each in prediction.classes}
            self.say("")
            self.session.steps.measure(
                prediction.path, settings, names[settings.label_class]
            )
            self._wanted = True

    def cancel(self) -> None:
        """Stop; what members gave is kept."""
        self.cancel_button.setEnabled(False)
        self.left.setText("stopping ...")
        self.session.stop(KIND)

    def clear(self) -> None:
        """Take the numbers away: they are not those of the settings any more."""
        self._wanted = False
        self.reading.forget()
        self.say("")

    def refresh(self, *, ready: bool) -> None:
        """Show what can be done now; `ready` is whether there is a prediction."""
        self._ready = ready
        busy = self.session.is_running("predict")  # training may stay on for hours
        self.button.setVisible(ready)
        self.button.setEnabled(ready and not self.running and not busy)
        self.working.setVisible(self.running)

    def say(self, text: str) -> None:
        """Say the numbers, or what is the matter."""
        self.state.setText(text)
        self.state.setVisible(bool(text))

    # ---- following --------------------------------------------------------------

    def _on_job(self, kind: str) -> None:
        if kind == KIND:
            job = self.session.job(kind)
            state = job.status.state if job is not None else ""
            if self.running:
                self.progress.setRange(0, 0)
                self.left.setText("")
                self.cancel_button.setEnabled(True)
            elif state == "cancelled":
                self.say("Stopped; members that were measured are kept.")
        self.refresh(ready=self._ready)

    def _on_event(self, kind: str, event: Event) -> None:
        if kind != KIND:
            return
        name = type(event).__name__
        if isinstance(event, Message):
            self.session.message.emit(event.text, event.level)
        elif isinstance(event, Progress):
            self.progress.setRange(0, event.total)
            self.progress.setValue(event.done)
            left = event.seconds_left
            rest = "" if left is None else f", {clock(left)} left"
            self.left.setText(f"{self._member}{rest}")
        elif name == "MemberStarted":
            self._member = f"member {event.number} of {event.members}"
            self.left.setText(self._member)
        elif name == "MeasureDone":
            self._on_done(Path(event.path))

    def _on_done(self, folder: Path) -> None:
        self.session.message.emit(f"Tables saved to {folder}.", "info")
        if not self._wanted:
            return
        engine = self.session.engine

        def work() -> Generator[Event, None, str]:
            yield Tick()
            found = engine.read_measurements(folder)
            line: str = engine.line_of(found, sign="±", unit=short(found.unit))
            return line

        self.reading.ask(work)

    def _show(self, line: str) -> None:
        if self._wanted:
            self.say(line)

    # ---- widgets ----------------------------------------------------------------

    def _build(self) -> None:
        self.button = QPushButton("Error bars")
        self.button.setObjectName("error_bars")
        self.button.setToolTip(TIP)
        self.progress = QProgressBar()
        self.progress.setObjectName("error_bars_progress")
        self.progress.setTextVisible(False)
        self.left = QLabel()
        self.left.setObjectName("error_bars_left")
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setObjectName("cancel_error_bars")
        self.cancel_button.setToolTip("Stop; members that were measured are kept")
        self.state = QLabel()
        self.state.setObjectName("error_bars_state")
        self.state.setWordWrap(True)
        self.working = QWidget()
        work = QHBoxLayout(self.working)
        work.setContentsMargins(0, 0, 0, 0)
        work.addWidget(self.progress, 1)
        work.addWidget(self.left)
        work.addWidget(self.cancel_button)
        press = QHBoxLayout()
        press.addWidget(self.button)
        press.addStretch(1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addLayout(press)
        rows.addWidget(self.working)
        rows.addWidget(self.state)
        # Rows that appear must not be squeezed into the room that was there before.
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Preferred, policy.Fixed)
        self.say("")
