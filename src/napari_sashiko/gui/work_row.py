"""A row of a step that starts work of its own and says how it goes."""

from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.gui.parts import make_button, make_line
from napari_sashiko.gui.train_words import clock
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.session import JobKind, Session


class WorkRow(QWidget):
    """A button; beneath it progress while work runs, and what came of it.

    Parameters
    ----------
    session : Session
        The desk.
    kind : str
        Of the job.
    name : str
        Object name of the button; those of the others are made from it.
    text, tip : str
        Of the button.
    kept : str
        What is kept when the work is cancelled, e.g. ``"members are kept"``.
    """

    def __init__(
        self,
        session: Session,
        kind: JobKind,
        *,
        name: str,
        text: str,
        tip: str,
        kept: str,
    ) -> None:
        super().__init__()
        self.session = session
        self.kind = kind
        self.ready = False
        self._kept = kept
        self._build(name, text, tip)
        self.button.clicked.connect(lambda _on: self.start())
        self.cancel_button.clicked.connect(lambda _on: self.cancel())
        session.job_changed.connect(self._on_job)
        session.event.connect(self._on_event)
        self.refresh(ready=False)

    @property
    def running(self) -> bool:
        """Whether the work is under way."""
        return self.session.is_running(self.kind)

    def start(self) -> None:
        """Begin the work."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Stop the work."""
        self.cancel_button.setEnabled(False)
        self.left.setText("stopping ...")
        self.session.stop(self.kind)

    def refresh(self, *, ready: bool) -> None:
        """Show what can be done now; `ready` is whether there is a prediction."""
        self.ready = ready
        busy = self.session.is_running("predict")  # training may stay on for hours
        self.button.setVisible(ready)
        self.button.setEnabled(ready and not self.running and not busy)
        self.working.setVisible(self.running)

    def say(self, text: str) -> None:
        """Say what came of it, or what is the matter."""
        self.state.setText(text)
        self.state.setVisible(bool(text))

    def on_event(self, event: Event) -> None:
        """Take what the work says beside messages and progress."""

    def how_far(self) -> str:
        """Say what is being worked on, beside the time that is left."""
        return ""

    def _on_job(self, kind: str) -> None:
        if kind == self.kind:
            job = self.session.job(kind)
            state = job.status.state if job is not None else ""
            if self.running:
                self.progress.setRange(0, 0)
                self.left.setText("")
                self.cancel_button.setEnabled(True)
            elif state == "cancelled":
                self.say(f"Stopped; {self._kept}.")
        self.refresh(ready=self.ready)

    def _on_event(self, kind: str, event: Event) -> None:
        if kind != self.kind:
            return
        if isinstance(event, Message):
            self.session.message.emit(event.text, event.level)
        elif isinstance(event, Progress):
            self.progress.setRange(0, event.total)
            self.progress.setValue(event.done)
            left = event.seconds_left
            rest = "" if left is None else f"{clock(left)} left"
            self.left.setText(
                ", ".join(part for part in (self.how_far(), rest) if part)
            )
        else:
            self.on_event(event)

    def _build(self, name: str, text: str, tip: str) -> None:
        self.button = make_button(name, text, tip)
        self.progress = QProgressBar()
        self.progress.setObjectName(f"{name}_progress")
        self.progress.setTextVisible(False)
        self.left = QLabel()
        self.left.setObjectName(f"{name}_left")
        tip = f"Stop; {self._kept}"
        self.cancel_button = make_button(f"cancel_{name}", "Cancel", tip)
        self.state = make_line(f"{name}_state")
        self.working = QWidget()
        work = QHBoxLayout(self.working)
        work.setContentsMargins(0, 0, 0, 0)
        work.addWidget(self.progress, 1)
        work.addWidget(self.left)
        work.addWidget(self.cancel_button)
        self.press = QHBoxLayout()
        self.press.addWidget(self.button)
        self.press.addStretch(1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addLayout(self.press)
        rows.addWidget(self.working)
        rows.addWidget(self.state)
        # Rows that appear must not be squeezed into the room that was there before.
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Preferred, policy.Fixed)
