"""Which desk a second dock follows: that of the main dock, or one of its own."""

from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.job_bridge import JobBridge
from napari_sashiko.gui.menu import find_dock
from napari_sashiko.runners import Event
from napari_sashiko.session import Session


class DeskFollower(QObject):
    """Hears what happens on the desk of the main dock, whenever that is open.

    While it is not, jobs run on a desk with nothing on it.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose main dock is looked for.
    own : Session
        The other desk; closed by `shutdown`.
    parent : QObject
        Owns this.

    Emits
    -----
    changed : str
        What is another: ``"volume"``, ``"models"``, ``"paint"``, or the kind of a job
        that has ended.
    job_changed : str
        Kind of a job that was started or has ended.
    said : str, Event
        What a job says.
    """

    changed = Signal(str)
    job_changed = Signal(str)
    said = Signal(str, object)  # `event` would hide Qt's own

    def __init__(self, viewer: Any, own: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.dock: Any = None
        self._own = own
        self._followed: Session | None = None
        self._bridge: JobBridge | None = None
        self._questions: dict[tuple[int, str], Question] = {}
        self._over = False
        self.meet()

    @property
    def session(self) -> Session:
        """The desk that is followed."""
        return self._followed or self._own

    def meet(self) -> bool:
        """Look which desk there is now; True if it is another than before."""
        if self._over:
            return False
        self.dock = find_dock(self.viewer)
        desk = self._own if self.dock is None else self.dock.session
        if desk is self._followed:
            return False
        self._part()
        self._followed = desk
        if desk is self._own and self._bridge is None:
            self._bridge = JobBridge(desk, self)
        for signal, hear in self._wires(desk):
            signal.connect(hear)
        return True

    def question(self, kind: str) -> tuple[Question, bool]:
        """Return the questions of a kind to the desk, and whether they are new."""
        key = (id(self.session), kind)
        new = key not in self._questions
        if new:
            self._questions[key] = Question(self.session, kind, self)
        return self._questions[key], new

    def shutdown(self) -> None:
        """Follow nothing any more."""
        if self._over:
            return
        self._over = True
        self._part()
        if self._bridge is not None:
            self._bridge.stop()
        self._own.shutdown()

    def _part(self) -> None:
        desk, self._followed = self._followed, None
        if desk is None:
            return
        for signal, hear in self._wires(desk):
            signal.disconnect(hear)
        for (number, _), question in self._questions.items():
            if number == id(desk):
                question.forget()

    def _wires(self, desk: Session) -> tuple[tuple[Any, Any], ...]:
        return (
            (desk.volume_changed, self._on_volume),
            (desk.models_changed, self._on_models),
            (desk.paint_saved, self._on_paint),
            (desk.job_changed, self._on_job),
            (desk.event, self._on_event),
        )

    def _on_volume(self) -> None:
        self.changed.emit("volume")

    def _on_models(self) -> None:
        self.changed.emit("models")

    def _on_paint(self) -> None:
        self.changed.emit("paint")

    def _on_job(self, kind: str) -> None:
        self.job_changed.emit(kind)
        if not self.session.is_running(kind):
            self.changed.emit(kind)

    def _on_event(self, kind: str, event: Event) -> None:
        self.said.emit(kind, event)
