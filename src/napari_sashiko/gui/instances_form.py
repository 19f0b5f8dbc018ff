"""The widgets of the instances step: class, threshold, dust, buttons, results."""

import math
import re
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_sashiko.gui.histogram import Histogram
from napari_sashiko.gui.instance_table import InstanceTable
from napari_sashiko.gui.parts import make_button, make_line
from napari_sashiko.gui.result_words import size_unit
from napari_sashiko.gui.split_form import SplitForm
from napari_sashiko.labels import class_of_objects

CONNECTIVITY = {26: "corners", 18: "edges", 6: "faces"}
SPELLED = {"micrometer": "um", "nanometer": "nm", "millimeter": "mm"}
DUST = re.compile(r"(?P<size>[\d.eE+-]+)\s*(?:(?P<unit>[a-zA-Z]+)\^[23])?")
KNOWN_UNITS = {"um", "nm", "mm", "cm", "m", "angstrom", "pm"}


class InstancesForm(QObject):
    """Show what it is told and say what was changed; decides nothing.

    Parameters
    ----------
    box : QWidget
        Gets the layout.
    viewer : napari.Viewer
        For colours.
    """

    changed = Signal()  # class, threshold, deviations, connectivity or splitting
    dust_changed = Signal()

    def __init__(self, box: QWidget, viewer: Any) -> None:
        super().__init__(box)
        self._power = 3
        self._decimals = 0
        self._build_settings()
        self._build_actions()
        self._build_results(viewer)
        self._arrange(box)

    # ---- what is asked ----------------------------------------------------------

    def values(self) -> dict[str, Any]:
        """Return what the widgets say, as the settings of the engine."""
        return {
            "label_class": self.classes.currentData(),
            "threshold": self.threshold.value(),
            "minus_std": self.minus_std.value(),
            "connectivity": self.connectivity.currentData(),
            "dust": self.dust_text(),
            **self.split.values(),
        }

    def dust_text(self) -> str:
        """Return the dust size as the engine reads it, e.g. ``"100 um^3"``."""
        unit = self.dust_unit.currentData()
        return f"{self.dust.value():.10g}" + (f" {unit}^{self._power}" if unit else "")

    def show_values(self, values: dict[str, Any]) -> None:
        """Show the settings of an earlier search, as far as there are widgets."""
        wanted = values.get("label_class")
        for index in range(self.classes.count()):
            if wanted in (self.classes.itemData(index), self.classes.itemText(index)):
                self.classes.setCurrentIndex(index)
        self.threshold.setValue(values["threshold"])
        self.minus_std.setValue(values["minus_std"])
        place = list(CONNECTIVITY).index(values["connectivity"])
        self.connectivity.setCurrentIndex(place)
        self.split.show_values(values)
        size = DUST.fullmatch(str(values["dust"]))
        if size is not None:
            unit = self.dust_unit.findData(size["unit"] or "")
            if unit >= 0:
                self.dust_unit.setCurrentIndex(unit)
                self.dust.setValue(float(size["size"]))

    # ---- what is shown ----------------------------------------------------------

    def show_classes(self, classes: Any) -> None:
        """List the classes; what was chosen stays chosen."""
        ids = [each.id for each in classes]
        chosen = self.classes.currentData()
        with signals_blocked(self.classes):
            self.classes.clear()
            for each in classes:
                self.classes.addItem(each.name, each.id)
            if ids:
                known = chosen if chosen in ids else class_of_objects(ids)
                self.classes.setCurrentIndex(ids.index(known))
        self.split.show_classes(classes)

    def show_unit(self, unit: str, voxel: float, *, flat: bool) -> None:
        """Offer the unit of the voxel size, if there is one.

        Parameters
        ----------
        unit : str
            Unit of length.
        voxel : float
            Size of a voxel, in `unit` to the third, or to the second where `flat`.
        """
        self._decimals = max(0, math.ceil(1 - math.log10(voxel)))
        self._power = 2 if flat else 3
        name = SPELLED.get(unit, unit)
        physical = self.dust_unit.currentIndex() == 1
        with signals_blocked(self.dust_unit):
            self.dust_unit.clear()
            self.dust_unit.addItem(size_unit("", flat=flat), "")
            if name in KNOWN_UNITS:
                self.dust_unit.addItem(size_unit(name, flat=flat), name)
                self.dust_unit.setCurrentIndex(int(physical))

    def show_running(self, *, running: bool, ready: bool) -> None:
        """Enable what can be done now."""
        self.find_button.setEnabled(ready and not running)
        self.find_button.setVisible(ready)
        self.settings.setVisible(ready)
        self.settings.setEnabled(not running)
        self.working.setVisible(running)
        self.cancel_button.setEnabled(running)

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Show how far the work is."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.tell(text)

    def say(self, text: str) -> None:
        """Say what is missing."""
        self.hint.setText(text)
        self.hint.setVisible(bool(text))

    def tell(self, text: str) -> None:
        """Say what was found."""
        self.state.setText(text)
        self.state.setVisible(bool(text))

    def show_results(self, *, histogram: bool, table: bool) -> None:
        """Open or close the lower part."""
        self.histogram.setVisible(histogram)
        self.results.setVisible(table)

    def add_row(self, row: QWidget) -> None:
        """Put a row of its own below the results."""
        self._layout.addWidget(row)

    # ---- widgets ----------------------------------------------------------------

    def _build_settings(self) -> None:
        self.hint = make_line("instances_hint")
        self.classes = QComboBox()
        self.classes.setObjectName("instances_class")
        self.classes.setToolTip("Class whose objects are counted")
        self.classes.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.minus_std = _number("minus_std", 0.0, 10.0, 0.5, 1)
        self.minus_std.setToolTip(
            "How many standard deviations are taken off the mean: "
            "1 keeps what the ensemble agrees on"
        )
        self.threshold = _number("threshold", 0.0, 1.0, 0.05, 2)
        self.threshold.setValue(0.5)
        self.threshold.setToolTip("A voxel belongs to an object above this")
        self.connectivity = QComboBox()
        self.connectivity.setObjectName("connectivity")
        for number, words in CONNECTIVITY.items():
            self.connectivity.addItem(words, number)
        self.connectivity.setToolTip(
            "Voxels touch at faces (6), edges too (18), or corners too (26 neighbours)"
        )
        self.split = SplitForm()
        self.dust = _number("dust", 0.0, 1e12, 10.0, 2)
        self.dust.setDecimals(0)
        self.dust.setToolTip("Smaller objects are removed")
        self.dust_unit = QComboBox()
        self.dust_unit.setObjectName("dust_unit")
        self.dust_unit.addItem(size_unit("", flat=False), "")
        self.going = QLabel()
        self.going.setObjectName("dust_count")
        self.going.setWordWrap(True)
        for signal in (
            self.classes.currentIndexChanged,
            self.minus_std.valueChanged,
            self.threshold.valueChanged,
            self.connectivity.currentIndexChanged,
            self.split.changed,
        ):
            signal.connect(lambda *_: self.changed.emit())
        self.dust.valueChanged.connect(lambda *_: self.dust_changed.emit())
        self.dust_unit.currentIndexChanged.connect(self._on_unit)

    def _build_actions(self) -> None:
        self.find_button = make_button(
            "find_instances", "Find instances", "Group touching voxels and measure them"
        )
        self.cancel_button = make_button("cancel_instances", "Cancel", "Stop")
        self.progress = QProgressBar()
        self.progress.setObjectName("instances_progress")
        self.progress.setTextVisible(False)
        self.state = make_line("instances_state")

    def _build_results(self, viewer: Any) -> None:
        self.histogram = Histogram(viewer)
        self.table = InstanceTable()
        self.alone = QCheckBox("show the selected one alone")
        self.alone.setObjectName("show_alone")
        self.alone.setChecked(True)
        self.export_button = make_button(
            "export_csv", "Export CSV...", "Save the table with all columns"
        )

    def _arrange(self, box: QWidget) -> None:
        self.settings = QWidget()
        rows = QVBoxLayout(self.settings)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addLayout(_row(QLabel("Class"), (self.classes, 1)))
        rule = (QLabel("mean −"), self.minus_std, QLabel("std >"), self.threshold)
        rows.addLayout(_row(*rule, None))
        rows.addLayout(_row(QLabel("touching at"), self.connectivity, None))
        rows.addWidget(self.split)
        rows.addLayout(_row(QLabel("dust below"), (self.dust, 1), self.dust_unit))
        rows.addWidget(self.going)
        self.working = QWidget()
        work = _row((self.progress, 1), self.cancel_button)
        work.setContentsMargins(0, 0, 0, 0)
        self.working.setLayout(work)
        self.results = QWidget()
        lower = QVBoxLayout(self.results)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.addWidget(self.table)
        lower.addLayout(_row(self.alone, None, self.export_button))
        self._layout = layout = QVBoxLayout(box)
        layout.addWidget(self.hint)
        layout.addWidget(self.settings)
        layout.addLayout(_row(self.find_button, None))
        layout.addWidget(self.working)
        layout.addWidget(self.state)
        layout.addWidget(self.histogram)
        layout.addWidget(self.results)
        self.show_results(histogram=False, table=False)

    def _on_unit(self, *_: Any) -> None:
        physical = bool(self.dust_unit.currentData())
        with signals_blocked(self.dust):
            self.dust.setDecimals(self._decimals if physical else 0)
        self.dust_changed.emit()


def _row(*parts: Any) -> QHBoxLayout:
    """Make a row: widgets, (widget, stretch) pairs, None for a space that gives way."""
    row = QHBoxLayout()
    for part in parts:
        if part is None:
            row.addStretch(1)
        elif isinstance(part, tuple):
            row.addWidget(*part)
        else:
            row.addWidget(part)
    return row


def _number(
    name: str, low: float, high: float, step: float, decimals: int
) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setObjectName(name)
    box.setDecimals(decimals)
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setKeyboardTracking(False)  # half typed numbers are not searched for
    return box
