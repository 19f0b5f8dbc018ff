"""From jobs in threads to widgets: a timer pumps the session ten times a second."""

from typing import Any

from napari.utils import progress
from qtpy.QtCore import QObject, QTimer

from napari_sashiko.gui.messages import notify
from napari_sashiko.runners import Event
from napari_sashiko.session import Session

MILLISECONDS = 100
STEPS = 100
HIDDEN = {"warm", "preview", "estimate", "count", "table", "look"}  # short and many


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
        self._shown: dict[str, int] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self._beat)
        session.event.connect(self._on_event)
        session.job_changed.connect(self._on_job)
        session.message.connect(notify)
        self._timer.start()

    def stop(self) -> None:
        """Stop pumping and take down the progress bars."""
        self._timer.stop()
        for kind in list(self._bars):
            self._close(kind)

    def _beat(self) -> None:
        # A progress bar processes Qt events when it changes, so that this could be
        # called again before it returns.
        self._timer.stop()
        try:
            self.session.pump()
        finally:
            if not self.session.closed:
                self._timer.start()

    def _on_job(self, kind: str) -> None:
        job = self.session.job(kind)
        if kind in HIDDEN or job is None:
            return
        if self.session.is_running(kind):
            if kind not in self._bars:
                self._bars[kind] = progress(total=STEPS, desc=job.name)
                self._shown[kind] = 0
        else:
            self._close(kind)

    def _on_event(self, kind: str, event: Event) -> None:
        total = getattr(event, "total", 0)
        if not total or kind not in self._bars:
            return
        percent = STEPS * int(getattr(event, "done", 0)) // total
        ahead = percent - self._shown[kind]
        if ahead > 0:
            self._shown[kind] = percent
            self._bars[kind].update(ahead)

    def _close(self, kind: str) -> None:
        self._bars.pop(kind).close() if kind in self._bars else None
        self._shown.pop(kind, None)
