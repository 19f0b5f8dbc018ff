"""Whether touching objects are cut apart, and how: rows of the instances step."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

CHOICES = {"no": "no", "distance": "by shape", "boundary": "at a boundary class"}


class SplitForm(QWidget):
    """Show only what the choice needs; decides nothing."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.split = QComboBox()
        self.split.setObjectName("split")
        for value, words in CHOICES.items():
            self.split.addItem(words, value)
        self.split.setToolTip(
            "Cut objects that touch apart: where they are narrow (by shape), or there "
            "and along a class painted between them"
        )
        self.boundary = QComboBox()
        self.boundary.setObjectName("boundary_class")
        self.boundary.setToolTip("Class that lies between objects")
        policy = QSizePolicy.Policy
        self.boundary.setSizePolicy(policy.Ignored, policy.Fixed)
        self.depth = QDoubleSpinBox()
        self.depth.setObjectName("split_depth")
        self.depth.setDecimals(0)
        self.depth.setRange(0, 90)
        self.depth.setSingleStep(5)
        self.depth.setSuffix(" %")
        self.depth.setSpecialValueText("auto")
        self.depth.setKeyboardTracking(False)
        self.depth.setToolTip(
            "How much narrower than the smaller object the place of a cut is: less "
            "cuts more"
        )
        self.between = _line(QLabel("between them"), self.boundary)
        self.narrower = _line(QLabel("where narrower by"), self.depth)
        # Rows that appear must not be squeezed into the room that was there before.
        self.setSizePolicy(policy.Preferred, policy.Fixed)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(_line(QLabel("split touching"), self.split))
        rows.addWidget(self.between)
        rows.addWidget(self.narrower)
        self._show_needed()
        self.split.currentIndexChanged.connect(self._on_split)
        self.boundary.currentIndexChanged.connect(lambda *_: self.changed.emit())
        self.depth.valueChanged.connect(lambda *_: self.changed.emit())

    def values(self) -> dict[str, Any]:
        """Return what the widgets say, as the settings of the engine."""
        split = self.split.currentData()
        at_class = split == "boundary"
        return {
            "split": split,
            "split_depth": self.depth.value() / 100 or None,
            "boundary_class": self.boundary.currentData() if at_class else None,
        }

    def show_values(self, values: dict[str, Any]) -> None:
        """Show the settings of an earlier search."""
        self.split.setCurrentIndex(self.split.findData(values["split"]))
        self.depth.setValue(100 * (values["split_depth"] or 0))
        wanted = values["boundary_class"]
        for index in range(self.boundary.count()):
            if wanted in (self.boundary.itemData(index), self.boundary.itemText(index)):
                self.boundary.setCurrentIndex(index)

    def show_classes(self, classes: Any) -> None:
        """List the classes; the one that was chosen stays chosen, else the last."""
        chosen = self.boundary.currentData()
        ids = [each.id for each in classes]
        with signals_blocked(self.boundary):
            self.boundary.clear()
            for each in classes:
                self.boundary.addItem(each.name, each.id)
            index = ids.index(chosen) if chosen in ids else len(ids) - 1
            self.boundary.setCurrentIndex(index)

    def _on_split(self, *_: Any) -> None:
        self._show_needed()
        self.changed.emit()

    def _show_needed(self) -> None:
        split = self.split.currentData()
        self.between.setVisible(split == "boundary")
        self.narrower.setVisible(split != "no")
        self.updateGeometry()


def _line(label: QLabel, field: QWidget) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(label)
    row.addWidget(field, 1)
    return line
