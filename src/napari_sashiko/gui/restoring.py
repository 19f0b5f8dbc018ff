"""What was done to an image in an earlier session, offered and shown again."""

from functools import partial
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.messages import telling
from napari_sashiko.session import Reopening, Session


class RestoreRow(QWidget):
    """Say what is kept of the image, and bring it back.

    Parameters
    ----------
    session : Session
        The desk.
    """

    restored = Signal(object)  # Reopening

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.question = Question(session, "reopen", self)
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
            self.restored.emit(answer)

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


def show_again(dock: Any, answer: Reopening) -> None:
    """Hand what was found to the steps of a dock; layers come one after another.

    Parameters
    ----------
    dock : SashikoDock
        Its session holds the volume of the answer.
    """
    session, found = dock.session, answer.found
    odd = " ".join([*found.findings, *answer.problems])
    if odd:
        session.message.emit(odd, "warning")
    steps = [
        partial(dock.label.restore, answer.paint),
        partial(dock.train.restore, found.trained, found.settings.get("train")),
        partial(dock.segment.restore, found.prediction, found.settings.get("predict")),
        partial(
            dock.instances.restore,
            found.prediction,
            found.instances,
            found.settings.get("instances"),
        ),
    ]
    for step in steps:
        with telling(session):
            step()
