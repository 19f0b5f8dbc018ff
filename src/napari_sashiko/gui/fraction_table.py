"""How much of the volume each class takes, with its error bar: a small table."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget


class FractionTable(QWidget):
    """A row for each class; hidden while nothing is measured."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("fraction_table")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setColumnStretch(0, 1)
        self.setVisible(False)

    def show_rows(self, rows: Sequence[tuple[str, str]], share: str = "") -> None:
        """Show these rows instead of those before.

        Parameters
        ----------
        rows : sequence of (class, fraction)
            In words.
        share : str
            Of what the fractions are, for the head.
        """
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        right = Qt.AlignmentFlag.AlignRight
        for row, (name, fraction) in enumerate([("class", share), *rows]):
            self._grid.addWidget(QLabel(name), row, 0)
            self._grid.addWidget(QLabel(fraction), row, 1, right)
        self.setVisible(bool(rows))
