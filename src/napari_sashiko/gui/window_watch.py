"""When a docked widget goes: its window closes, or its dock is taken away.

Strategy: the close event of a window that somebody closed by its frame (spontaneous)
comes before napari asks whether that was meant: only when the window is hidden after
it was it meant. Any other close was asked about before.
"""

from typing import Any

from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QMainWindow, QWidget


class WindowWatch(QObject):
    """Tells once that a widget goes; napari sends it no close event of its own.

    Parameters
    ----------
    widget : QWidget
        In a dock, or about to be put into one.
    """

    gone = Signal()

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._window: Any = None
        self._over = False
        self._asked = False  # whether the window may be closing
        # A timer of one's own goes with its widget, in both bindings.
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.timeout.connect(self._look)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look at what happens to widget and window; nothing is held back."""
        kind = event.type()
        if watched is self._window:
            self._follow_window(event)
        elif watched is self._widget and kind == QEvent.Type.Show:
            self._look()
        elif watched is self._widget and kind == QEvent.Type.ParentChange:
            if self._widget.parent() is None and self._window is not None:
                self._go()
                self._widget.deleteLater()  # nothing works in it any more
            else:
                # The dock is put into its window after this event.
                self._settled.start()
        return False

    def stop(self) -> None:
        """Look no more, and let go of the window; nothing is told."""
        self._over = True
        self._settled.stop()
        if self._window is not None:
            self._window.removeEventFilter(self)
            self._window = None  # else this would keep the window alive

    def _follow_window(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.Close and event.spontaneous():
            self._asked = True
        elif event.type() == QEvent.Type.Close or (
            self._asked and event.type() == QEvent.Type.Hide and not event.spontaneous()
        ):
            self._go()

    def _look(self) -> None:
        window = self._widget.window()
        if self._over or window is self._window:
            return
        if isinstance(window, QMainWindow):
            self._window = window
            window.installEventFilter(self)

    def _go(self) -> None:
        if not self._over:
            self.stop()
            self.gone.emit()
