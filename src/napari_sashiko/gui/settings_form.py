"""A form made of a settings model: one row for each field, its description as tip."""

import math
import types
from collections.abc import Collection
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from napari_sashiko.config import Settings

AUTOMATIC = "automatic"
LARGEST = 2**31 - 1


class SettingsForm(QWidget):
    """Edit the fields of a settings class.

    Parameters
    ----------
    settings : type of Settings
        Its fields give the rows: numbers, switches, choices and text.
    skip : collection of str
        Fields that are not shown and keep their default.
    choices : dict, optional
        Values to choose from, for text fields such as a device.
    """

    changed = Signal()

    def __init__(
        self,
        settings: type[Settings],
        *,
        skip: Collection[str] = (),
        choices: dict[str, list[str]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._fields: dict[str, _Field] = {}
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        policy = QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow
        layout.setFieldGrowthPolicy(policy)
        layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        for name, info in settings.model_fields.items():
            field = _field(info, (choices or {}).get(name))
            if name in skip or field is None:
                continue
            field.widget.setObjectName(name)
            tip = info.description or ""
            field.widget.setToolTip(tip)
            layout.addRow(info.title or name.replace("_", " "), field.widget)
            layout.labelForField(field.widget).setToolTip(tip)
            field.connect(self.changed.emit)
            self._fields[name] = field

    def values(self) -> dict[str, Any]:
        """Return what the rows say; automatic values are None."""
        return {name: field.read() for name, field in self._fields.items()}

    def settings(self) -> Any:
        """Build the settings.

        Raises
        ------
        SettingsError
            If the values are impossible together.
        """
        return self._settings.checked(**self.values())

    def show_values(self, values: dict[str, Any]) -> None:
        """Show those of these values that have a row."""
        self.set_values(**{n: v for n, v in values.items() if n in self._fields})

    def set_values(self, **values: Any) -> None:
        """Show these values."""
        for name, value in values.items():
            self._fields[name].write(value)


class _Field:
    """One widget with a way to read, write and watch it."""

    def __init__(self, widget: QWidget, read: Any, write: Any, signal: Any) -> None:
        self.widget = widget
        self.read = read
        self.write = write
        self._signal = signal

    def connect(self, slot: Any) -> None:
        self._signal.connect(lambda *_: slot())


def _field(info: FieldInfo, choices: list[str] | None) -> _Field | None:
    kind, optional = _plain(info.annotation)
    default = info.get_default(call_default_factory=True)
    field = _make(kind, info, optional=optional, choices=choices)
    if field is not None:
        field.write(default)
    return field


def _make(
    kind: Any, info: FieldInfo, *, optional: bool, choices: list[str] | None
) -> _Field | None:
    if choices is not None:
        return _choice([*choices], optional=optional)
    if get_origin(kind) is Literal:
        return _choice(list(get_args(kind)), optional=optional)
    if kind is bool:
        box = QCheckBox()
        return _Field(box, box.isChecked, box.setChecked, box.toggled)
    if kind in (int, float):
        return _number(kind, info, optional=optional)
    if get_origin(kind) is tuple and get_args(kind) == (str, ...):
        return _names()
    return _text(optional=optional) if kind is str else None


def _choice(values: list[Any], *, optional: bool) -> _Field:
    box = QComboBox()
    # The longest text may be cut in the box rather than push the dock wider.
    box.setSizeAdjustPolicy(
        QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    )
    for value in [None, *values] if optional and None not in values else values:
        box.addItem(AUTOMATIC if value is None else str(value), value)

    def write(value: Any) -> None:
        index = next((i for i in range(box.count()) if box.itemData(i) == value), -1)
        if index < 0:
            box.addItem(str(value), value)
            index = box.count() - 1
        box.setCurrentIndex(index)

    return _Field(box, box.currentData, write, box.currentIndexChanged)


def _number(kind: type, info: FieldInfo, *, optional: bool) -> _Field:
    low, high = _limits(info, kind)
    box: Any = QSpinBox() if kind is int else QDoubleSpinBox()
    step = 1.0
    if kind is float:
        decimals = _decimals(info.get_default(call_default_factory=True), high)
        step = 10.0**-decimals
        box.setDecimals(decimals)
        box.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    box.setRange(kind(low - step) if optional else low, high)
    if optional:
        box.setSpecialValueText(AUTOMATIC)

    def read() -> Any:
        if optional and box.value() < low - step / 2:
            return None
        return kind(box.value())

    def write(value: Any) -> None:
        box.setValue(box.minimum() if value is None else value)

    return _Field(box, read, write, box.valueChanged)


def _decimals(default: float | None, high: float) -> int:
    """One digit more than the default needs, and percents of a share."""
    fewest = 3 if high <= 1 else 1
    if not default:
        return fewest
    return min(6, max(fewest, 1 - math.floor(math.log10(abs(default)))))


def _text(*, optional: bool) -> _Field:
    line = QLineEdit()
    if optional:
        line.setPlaceholderText(AUTOMATIC)

    def read() -> Any:
        return None if optional and not line.text() else line.text()

    def write(value: Any) -> None:
        line.setText("" if value is None else str(value))

    return _Field(line, read, write, line.editingFinished)


def _names() -> _Field:
    """Names with commas between them."""
    line = QLineEdit()
    line.setPlaceholderText("none")

    def read() -> Any:
        return tuple(name.strip() for name in line.text().split(",") if name.strip())

    def write(value: Any) -> None:
        line.setText(", ".join(value))

    return _Field(line, read, write, line.editingFinished)


def _plain(annotation: Any) -> tuple[Any, bool]:
    """Strip ``None`` and constraints from an annotation: (type, may be None)."""
    optional = False
    while True:
        origin, args = get_origin(annotation), get_args(annotation)
        if origin in (Union, types.UnionType):
            rest = [a for a in args if a is not type(None)]
            optional = optional or len(rest) < len(args)
            if len(rest) != 1:
                return annotation, optional
            annotation = rest[0]
        elif hasattr(annotation, "__metadata__"):
            annotation = args[0]
        else:
            return annotation, optional


def _limits(info: FieldInfo, kind: type) -> tuple[Any, Any]:
    """Range of a number; an open end stays one step inside."""
    ends: tuple[Any, Any] = (0, LARGEST) if kind is int else (0.0, 1e6)
    low, high = ends
    step = 1 if kind is int else 1e-4
    marks: list[Any] = [*info.metadata, *_inner_marks(info.annotation)]
    for mark in marks:
        if isinstance(mark, Ge):
            low = mark.ge
        elif isinstance(mark, Gt):
            low = mark.gt + step
        elif isinstance(mark, Le):
            high = mark.le
        elif isinstance(mark, Lt):
            high = mark.lt - step
    return kind(low), kind(high)


def _inner_marks(annotation: Any) -> list[Any]:
    marks = list(getattr(annotation, "__metadata__", ()))
    for part in get_args(annotation):
        marks += _inner_marks(part) if hasattr(part, "__args__") else []
        marks += [m for m in getattr(part, "__metadata__", ()) if m not in marks]
    return marks
