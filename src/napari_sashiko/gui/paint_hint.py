"""What the paint lacks, in a line above the button that trains."""

from collections.abc import Sequence

from qtpy.QtWidgets import QLabel

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.parts import say
from napari_sashiko.session import Paint, Session

NOT_BEGUN = "Paint a few strokes of each class first."
NO_PAINT = "No paint yet: a few strokes of two classes are enough."


class PaintHint(QLabel):
    """Say what is missing; hidden while nothing is.

    What the counts tell is said at once. The rest needs all paint to be read, which may
    be millions of voxels: that is done in the background, once for each change.

    Parameters
    ----------
    session : Session
        The desk.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("train_hint")
        self.setWordWrap(True)
        self.session = session
        self._looked: tuple[Paint, int] | None = None  # and its version
        self.question = Question(session, "preflight", self)
        self.question.answered.connect(self._warn)
        self.question.refused.connect(self._say)
        session.volume_changed.connect(self.refresh)
        session.labels_changed.connect(self.refresh)
        session.paint_changed.connect(self.refresh)
        session.paint_saved.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say what the counts tell; look at all paint when the hand rests."""
        paint = self.session.labels.paint
        if paint is None or self.session.volume is None:
            self._forget(NOT_BEGUN)
            return
        counts = paint.counts()
        painted = [c for c in paint.classes if counts.get(c.id, 0)]
        if not painted:
            self._forget(NO_PAINT)
        elif len(painted) == 1:
            name = painted[0].name
            self._forget(f"Only {name} has paint: paint another class too.")
        elif not paint.dirty:
            self._look(paint)

    def _look(self, paint: Paint) -> None:
        """Read all paint in the background, unless that was done since it changed."""
        if self._looked != (paint, paint.version):
            self._looked = (paint, paint.version)
            work = self.session.labels.preflight()
            self.question.ask(lambda: work)

    def _warn(self, warnings: Sequence[str]) -> None:
        self._say(" ".join(warnings))

    def _forget(self, text: str) -> None:
        """Want no answer to what was asked before, and say this instead."""
        self._looked = None
        self.question.forget()
        self._say(text)

    def _say(self, text: str) -> None:
        say(self, text)
