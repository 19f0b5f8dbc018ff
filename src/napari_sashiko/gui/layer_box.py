"""A box with layers to choose from, and files that are asked for."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QComboBox, QFileDialog, QSizePolicy

from napari_sashiko.gui.parts import choose_data, fill_box

FILE = "a file..."
WIDTH = 80  # a few letters of a name at least


class LayerBox(QComboBox):
    """Choose a layer, or a file of any format; or neither, where that has a name.

    Parameters
    ----------
    name, tip : str
        Object name and tooltip.
    title : str
        Of the window that asks for a file.
    neither : str
        What it is called to choose neither of them; empty where that means nothing.
    """

    def __init__(self, name: str, tip: str, title: str, neither: str = "") -> None:
        super().__init__()
        self._title, self._neither = title, neither
        self._files: list[Path] = []
        self._layers: list[Any] = []
        self.setObjectName(name)
        self.setToolTip(tip)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(WIDTH)
        self.activated.connect(self._on_activated)
        self.show_layers(())

    @property
    def chosen(self) -> Any:
        """A layer, a path, or None."""
        data = self.currentData()
        return None if isinstance(data, str) else data

    def show_layers(self, layers: Iterable[Any]) -> None:
        """List layers; files that were chosen stay."""
        self._layers = list(layers)
        first = [(self._neither, None)] if self._neither else []
        named = [(layer.name, layer) for layer in self._layers]
        files = [(file.name, file) for file in self._files]
        fill_box(self, [*first, *named, *files, (FILE, FILE)])
        if self.chosen is None:
            self.setCurrentIndex(0)

    def add_file(self, file: Path) -> None:
        """List a file and choose it."""
        self._files = [file, *(each for each in self._files if each != file)]
        self.show_layers(self._layers)
        choose_data(self, file)

    def ask(self) -> None:
        """Ask for a file."""
        file, _ = QFileDialog.getOpenFileName(self, self._title, str(Path.home()))
        if file:
            self.add_file(Path(file))
        elif self._neither:
            self.setCurrentIndex(0)

    def _on_activated(self, index: int) -> None:
        if isinstance(self.itemData(index), str):
            self.ask()
