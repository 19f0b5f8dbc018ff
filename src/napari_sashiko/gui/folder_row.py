"""A folder that is chosen: its path, and a button that asks for one."""

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QWidget

from napari_sashiko.gui.parts import make_button


class FolderRow(QWidget):
    """Write a path, or choose it; tells of it when it is another one.

    Parameters
    ----------
    name : str
        Object name of the line; the button is called ``choose_NAME``.
    title : str
        Of the window that asks.
    tip : str
        What is meant.
    """

    changed = Signal()

    def __init__(self, name: str, title: str, tip: str) -> None:
        super().__init__()
        self._title = title
        self._told = ""
        self.line = QLineEdit()
        self.line.setObjectName(name)
        self.line.setToolTip(tip)
        self.line.setPlaceholderText("choose a folder")
        self.button = make_button(f"choose_{name}", "...", title)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.button)
        self.line.editingFinished.connect(self._tell)
        self.button.clicked.connect(lambda _on: self.ask())

    @property
    def path(self) -> Path | None:
        """The folder; None where nothing is written."""
        text = self.line.text().strip()
        return Path(text).expanduser() if text else None

    def show_path(self, path: Path | None) -> None:
        """Take this folder."""
        self.line.setText("" if path is None else str(path))
        # The end of a path tells more than its beginning.
        self.line.setCursorPosition(len(self.line.text()))
        self._tell()

    def ask(self) -> None:
        """Ask for a folder."""
        chosen = QFileDialog.getExistingDirectory(
            self, self._title, str(self.path or "")
        )
        if chosen:
            self._told = ""  # it may hold something else by now
            self.show_path(Path(chosen))

    def _tell(self) -> None:
        if self.line.text() != self._told:
            self._told = self.line.text()
            self.changed.emit()
