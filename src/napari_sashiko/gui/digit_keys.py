"""Shift+digit picks a class, on every keyboard, while the window has the focus."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_sashiko.gui.label_layer import MOST_DIGITS, bind_digits


class DigitKeys:
    """Keys for a label layer, in napari's key map and as shortcuts of the window.

    napari sees Shift+1 as the character that it types, which differs between
    keyboards; Qt's shortcuts match the key itself. Text fields keep their keys.

    Parameters
    ----------
    owner : QWidget
        A widget in the window.
    pick : callable
        Called with 1..9.
    """

    def __init__(self, owner: QWidget, pick: Callable[[int], None]) -> None:
        self._pick = pick
        self._layer: Any = None
        self._shortcuts = []
        for number in range(1, MOST_DIGITS + 1):
            shortcut = QShortcut(QKeySequence(f"Shift+{number}"), owner)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(self._slot(number))
            shortcut.setEnabled(False)
            self._shortcuts.append(shortcut)

    def follow(self, layer: Any) -> None:
        """Serve this label layer; None switches the keys off."""
        if layer is not None and layer is not self._layer:
            bind_digits(layer, self._pick)
        self._layer = layer
        for shortcut in self._shortcuts:
            shortcut.setEnabled(layer is not None)

    def _slot(self, number: int) -> Callable[[], None]:
        return lambda: self._pick(number)
