"""What was done to an image in an earlier session, offered and shown again."""

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.result_layers import MILLISECONDS_BETWEEN, hide_classes
from napari_sashiko.session import Reopening, Session


class RestoreRow(QWidget):
    """Say what is kept of the image, and bring it back.

    Parameters
    ----------
    session : Session
        The desk.
    steps : callable
        What to do with what was found; done one by one, so that the window answers
        in between.
    """

    restored = Signal()

    def __init__(
        self,
        session: Session,
        steps: Callable[[Reopening], list[Callable[[], None]]],
    ) -> None:
        super().__init__()
        self.session = session
        self.question = Question(session, "reopen", self)
        self._steps_of = steps
        self._waiting: list[Callable[[], None]] = []
        self._beat = QTimer(self)
        self._beat.setInterval(MILLISECONDS_BETWEEN)
        self._beat.timeout.connect(self._do_next)
        self._build()
        session.volume_changed.connect(self._on_volume)
        session.job_changed.connect(self._on_job)
        self.question.answered.connect(self._show)
        self.question.refused.connect(self._cannot)
        self._on_volume()

    def restore(self) -> None:
        """Look through the project in the background, then show what is whole."""
        with telling(self.session):
            steps = self.session.reopen()
            self.button.setEnabled(False)
            self.words.setText("Looking through the project ...")
            self.setVisible(True)
            self.question.ask(lambda: steps)

    def _on_volume(self) -> None:
        self.question.forget()
        self._waiting.clear()
        self._offer()

    def _offer(self) -> None:
        kept = self.session.kept()
        self.words.setText(f"Kept from before: {kept}.")
        self.button.setEnabled(True)
        self.setVisible(bool(kept))

    def _on_job(self, kind: str) -> None:
        # What is made now is shown as it is made.
        if kind in ("train", "predict", "instances"):
            self.setVisible(False)

    def _show(self, answer: Reopening) -> None:
        self.setVisible(False)
        if answer.volume is self.session.volume:
            self._waiting = self._steps_of(answer)
            self._beat.start()

    def _do_next(self) -> None:
        if self._waiting and not self.session.closed:
            with telling(self.session):
                self._waiting.pop(0)()
            if self._waiting:
                return
            self.restored.emit()
        self._beat.stop()

    def _cannot(self, why: str) -> None:
        self._offer()
        self.session.message.emit(why, "error")

    def _build(self) -> None:
        self.words = QLabel()
        self.words.setObjectName("kept")
        self.words.setWordWrap(True)
        self.button = QPushButton("Restore")
        self.button.setObjectName("restore")
        self.button.setToolTip(
            "Show labels, the last model with its curves, and the last results again"
        )
        self.button.clicked.connect(lambda _on: self.restore())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)


def steps_of(dock: Any, answer: Reopening) -> list[Callable[[], None]]:
    """What each step of a dock does to show what was found; each adds a layer at most.

    Parameters
    ----------
    dock : SashikoDock
        Its session holds the volume of the answer.
    answer : Reopening
        What there is.
    """
    found = answer.found
    settings, prediction = found.settings, found.prediction
    odd = " ".join([*found.findings, *answer.problems])
    return [
        partial(dock.label.restore, answer.paint),
        partial(dock.train.restore, found.trained, settings.get("train")),
        partial(dock.train.preview.make_room) if found.trained else _nothing,
        partial(dock.segment.restore, prediction, settings.get("predict")),
        partial(_uncover_objects, dock) if found.instances else _nothing,
        partial(_show_sets, dock, found.sets) if found.sets else _nothing,
        partial(
            dock.instances.restore,
            prediction,
            found.instances,
            settings.get("instances"),
        ),
        partial(dock.session.message.emit, odd, "warning") if odd else _nothing,
    ]


def _uncover_objects(dock: Any) -> None:
    """Hide the classes, which come later, from what they would lie on."""
    results = dock.segment.results
    if results is not None:
        hide = partial(hide_classes, dock.viewer, dock.session.source)
        results.all_there.connect(hide)


def _show_sets(dock: Any, sets: Any) -> None:
    """Show prediction sets after the classes, which take away sets of other runs."""
    results = dock.segment.results
    if results is None:
        return

    def show() -> None:
        results.all_there.disconnect(show)
        with telling(dock.session):
            dock.segment.sets.restore(sets)

    results.all_there.connect(show)


def _nothing() -> None:
    """Do nothing."""
