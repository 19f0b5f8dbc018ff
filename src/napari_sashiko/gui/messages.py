"""What goes wrong is one sentence in the dock and a notification, never a traceback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from napari.utils.notifications import show_error, show_info, show_warning
from psygnal import EmitLoopError
from qtpy.QtCore import QCoreApplication, QObject, Qt, QThread, Signal, Slot

from napari_sashiko.errors import SashikoError
from napari_sashiko.session import Session, describe_error

FIRST = threading.Lock()
SHOW = {"info": show_info, "warning": show_warning, "error": show_error}


@contextmanager
def telling(session: Session) -> Iterator[None]:
    """Turn what the user can mend into a message; let defects through.

    A slot body goes inside: ``with telling(self.session): ...``.
    """
    try:
        yield
    except (SashikoError, OSError, MemoryError) as error:
        session.message.emit(describe_error(error), "error")
    except EmitLoopError as error:  # raised by whoever listens to a signal
        cause = error.__cause__
        if not isinstance(cause, SashikoError | OSError | MemoryError):
            raise
        session.message.emit(describe_error(cause), "error")


def notify(text: str, level: str) -> None:
    """Show a sentence as a napari notification, from any thread.

    napari draws slices in threads of its own, and what is damaged is found there.
    """
    app = QCoreApplication.instance()
    if app is None or app.thread() is QThread.currentThread():
        _show(text, level)
    else:
        with FIRST:  # a second herald would die with what it was told
            herald = _herald(app.thread())
        herald.said.emit(text, level)


class _Herald(QObject):
    """Carries sentences into the thread of the window.

    napari's own way there makes a Qt object in the thread that speaks, which that
    thread destroys while the window may be calling it: now and then it crashes.
    """

    said = Signal(str, str)

    def __init__(self, home: QThread) -> None:
        super().__init__()
        self.moveToThread(home)
        self.said.connect(self._on_said, Qt.ConnectionType.QueuedConnection)

    @Slot(str, str)
    def _on_said(self, text: str, level: str) -> None:
        _show(text, level)


@cache
def _herald(home: QThread) -> _Herald:
    """One for as long as the process lives."""
    return _Herald(home)


def _show(text: str, level: str) -> None:
    SHOW.get(level, show_info)(text)
