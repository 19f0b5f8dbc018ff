"""Ask something slow without freezing; only the newest question is answered."""

from collections.abc import Callable, Generator
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_sashiko.errors import SashikoError
from napari_sashiko.runners import Event
from napari_sashiko.session import Session

Work = Callable[[], Generator[Event, None, Any]]


class Question(QObject):
    """One kind of question; asking again drops the answer to the one before.

    Parameters
    ----------
    session : Session
        Runs the work as a job.
    kind : str
        Kind of the job.
    """

    answered = Signal(object)
    refused = Signal(str)  # what the user can mend, in words

    def __init__(self, session: Session, kind: str, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.kind = kind
        self._generation = 0
        self._pending: Work | None = None
        self._answer: tuple[int, Any] | None = None
        session.job_changed.connect(self._on_job)

    def ask(self, work: Work) -> None:
        """Ask; `work` is a generator whose return value is the answer."""
        self._generation += 1
        self._pending = work
        if self.session.is_running(self.kind):
            self.session.stop(self.kind)
        else:
            self._start()

    def forget(self) -> None:
        """Want no answer any more."""
        self._generation += 1
        self._pending = None
        self.session.stop(self.kind)

    @property
    def open(self) -> bool:
        """Whether an answer is still to come."""
        return self._pending is not None or self.session.is_running(self.kind)

    def _start(self) -> None:
        work, self._pending = self._pending, None
        if work is None or self.session.closed:
            return
        generation = self._generation

        def run() -> Generator[Event, None, None]:
            try:
                answer = yield from work()
            except SashikoError as error:
                answer = error
            self._answer = (generation, answer)

        self.session.start(self.kind, run, name=self.kind)

    def _on_job(self, kind: str) -> None:
        if kind != self.kind or self.session.is_running(kind):
            return
        held, self._answer = self._answer, None
        if self._pending is not None:
            self._start()
        elif held is not None and held[0] == self._generation:
            answer = held[1]
            if isinstance(answer, SashikoError):
                self.refused.emit(str(answer))
            else:
                self.answered.emit(answer)
