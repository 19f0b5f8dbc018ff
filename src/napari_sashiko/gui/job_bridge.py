"""From jobs in threads to widgets: a timer pumps the session ten times a second."""

from typing import Any

from napari.utils import progress
from qtpy.QtCore import QObject, QTimer

from napari_sashiko.gui.messages import notify
from napari_sashiko.runners import Event
from napari_sashiko.session import Session

MILLISECONDS = 100
STEPS = 100
HIDDEN = {  # short and many
    *("warm", "preview", "estimate", "count", "table", "look", "measured"),
    *("note", "find", "reopen", "plot", "save", "augment", "preflight", "scores"),
}


class JobBridge(QObject):
    """Pump the session and mirror progress in napari's activity dock.

    Everything happens in the main thread: napari builds widgets for a progress bar.

    Parameters
    ----------
    session : Session
        Whose jobs are shown.
    parent : QObject
        Owns the bridge.
    """

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self._bars: dict[str, Any] = {}
        self._percent: dict[str, int] = {}  # of the jobs that run and are shown
        self._timer = QTimer(self)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self._beat)
        session.event.connect(self._on_event)
        session.job_changed.connect(self._on_job)
        session.message.connect(_notify_of_trouble)
        self._timer.start()

    def stop(self) -> None:
        """Stop pumping and take down the progress bars."""
        self._timer.stop()
        self._percent.clear()
        self._show()

    def _beat(self) -> None:
        # A progress bar processes Qt events when it is made, moved or closed. The timer
        # rests meanwhile, and bars are touched here alone: inside of whatever starts
        # or follows a job, the first events would arrive before it is ready for them.
        self._timer.stop()
        try:
            self.session.pump()
            self._show()
        finally:
            if self.session.closed:
                self.stop()  # closed by one of those events
            else:
                self._timer.start()

    def _on_job(self, kind: str) -> None:
        if kind in HIDDEN:
            return
        if self.session.is_running(kind):
            if kind != "train" or self.session.steps.is_learning:
                self._percent.setdefault(kind, 0)
        else:
            self._percent.pop(kind, None)

    def _on_event(self, kind: str, event: Event) -> None:
        if type(event).__name__ == "TrainingRested":
            # Nothing to show until there is more paint.
            self._percent.pop(kind, None)
        total = getattr(event, "total", 0)
        if total and kind not in HIDDEN and self.session.is_running(kind):
            percent = STEPS * int(getattr(event, "done", 0)) // total
            self._percent[kind] = max(self._percent.get(kind, 0), percent)

    def _show(self) -> None:
        """Make, move and close the bars as the jobs are."""
        for kind in [kind for kind in self._bars if kind not in self._percent]:
            self._bars.pop(kind).close()
        for kind, percent in list(self._percent.items()):
            job = self.session.job(kind)
            if kind not in self._bars and job is not None:
                self._bars[kind] = progress(total=STEPS, desc=job.name)
            if kind in self._bars and percent > self._bars[kind].n:
                self._bars[kind].update(percent - self._bars[kind].n)


def _notify_of_trouble(text: str, level: str) -> None:
    """Let napari notify of what went wrong; the rest is said in the dock alone."""
    if level != "info":
        notify(text, level)
