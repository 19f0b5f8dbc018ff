"""The label classes: colour, name, paint, and the key that picks each."""

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import (
    QColorDialog,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)
from superqt import QElidingLabel

from napari_sashiko.labels import LabelClass

SWATCH = 14
MOST_DIGITS = 9


class ClassList(QWidget):
    """Rows of classes; says what the user wants and leaves doing it to others."""

    picked = Signal(int)  # class id
    renamed = Signal(int, str)
    recoloured = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[int, ClassRow] = {}
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(6)
        self._layout.setVerticalSpacing(3)
        self._layout.setColumnStretch(1, 1)

    def show_classes(self, classes: Sequence[LabelClass]) -> None:
        """Show these classes; rows that stay keep the focus."""
        for class_id in set(self.rows) - {c.id for c in classes}:
            self.rows.pop(class_id).delete()
        for place, label_class in enumerate(classes):
            row = self.rows.get(label_class.id)
            if row is None:
                row = self.rows[label_class.id] = ClassRow(self, label_class.id)
                row.place(self._layout, place)
            row.show_class(label_class, place + 1)

    def show_counts(
        self, voxels: dict[int, int], slices: dict[int, int], *, flat: bool
    ) -> None:
        """Show how much paint each class has."""
        for class_id, row in self.rows.items():
            row.show_count(voxels.get(class_id, 0), slices.get(class_id, 0), flat=flat)

    def show_picked(self, class_id: int) -> None:
        """Mark the class that is painted with now."""
        for each, row in self.rows.items():
            row.pick.setChecked(each == class_id)


class ClassRow:
    """The widgets of one class, laid into the grid of the list."""

    def __init__(self, owner: ClassList, class_id: int) -> None:
        self.class_id = class_id
        self._owner = owner
        self._name = ""
        self._color = "#000000"
        self.swatch = QToolButton(owner)
        self.swatch.setObjectName(f"colour_{class_id}")
        self.swatch.setToolTip("Change the colour of this class")
        self.swatch.setAutoRaise(True)
        self.swatch.clicked.connect(self._ask_colour)
        self.name = QLineEdit(owner)
        self.name.setObjectName(f"name_{class_id}")
        self.name.setToolTip("Name of the class; its number never changes")
        self.name.setMinimumWidth(90)
        self.name.editingFinished.connect(self._rename)
        self.count = QElidingLabel(owner)  # however much is painted
        self.count.setAlignment(
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
        self.pick = QPushButton(owner)
        self.pick.setObjectName(f"pick_{class_id}")
        self.pick.setCheckable(True)
        self.pick.clicked.connect(self._picked)

    def place(self, layout: QGridLayout, row: int) -> None:
        """Put the widgets into a row of the grid."""
        for column, widget in enumerate(self._widgets()):
            layout.addWidget(widget, row, column)

    def show_class(self, label_class: LabelClass, number: int) -> None:
        """Show name, colour and key of a class."""
        self._name = label_class.name
        if not self.name.hasFocus() or not self.name.isModified():
            self.name.setText(label_class.name)
        if self._color != label_class.color:
            self._color = label_class.color
            self.swatch.setIcon(QIcon(swatch(label_class.color)))
        key = f"shift+{number}" if number <= MOST_DIGITS else "paint"
        self.pick.setText(key)
        self.pick.setToolTip(f"Paint with {label_class.name} ({key})")

    def show_count(self, voxels: int, slices: int, *, flat: bool) -> None:
        """Show the amount of paint."""
        if not voxels:
            self.count.setText("no paint yet")
            return
        unit = "pixel" if flat else "voxel"
        text = f"{_grouped(voxels)} {_plural(voxels, unit)}"
        if not flat:
            text += f", {slices} {_plural(slices, 'slice')}"
        self.count.setText(text)
        self.count.setToolTip(text)

    def delete(self) -> None:
        """Remove the widgets."""
        self.count.hide()  # else it shines through the next row's until it is gone
        for widget in self._widgets():
            widget.deleteLater()

    def _widgets(self) -> tuple[QWidget, ...]:
        return self.swatch, self.name, self.count, self.pick

    def _picked(self) -> None:
        self.pick.setChecked(True)
        self._owner.picked.emit(self.class_id)

    def _rename(self) -> None:
        name = self.name.text().strip()
        self.name.setModified(False)
        if name and name != self._name:
            self._owner.renamed.emit(self.class_id, name)
        self.name.setText(self._name)

    def _ask_colour(self) -> None:
        colour = QColorDialog.getColor(QColor(self._color), self._owner)
        if colour.isValid():
            self._owner.recoloured.emit(self.class_id, colour.name())


def swatch(color: str) -> QPixmap:
    """Return a small square of a colour."""
    pixmap = QPixmap(SWATCH, SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(color))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(pixmap.rect(), 3, 3)
    painter.end()
    return pixmap


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _plural(number: int, word: str) -> str:
    return word if number == 1 else f"{word}s"
