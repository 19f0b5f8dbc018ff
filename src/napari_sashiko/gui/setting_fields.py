"""The widget of one setting, by its type: what it shows, reads and takes."""

import math
import types
from collections.abc import Callable, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from qtpy.QtWidgets import QCheckBox, QComboBox, QLineEdit, QSpinBox, QWidget

from napari_sashiko.gui.number_box import FINEST, NumberBox

AUTOMATIC = "automatic"
LARGEST = 2**31 - 1
SMALLEST = 10.0 ** (3 - FINEST)  # of numbers that are to be above something
EXAMPLES = {int: "1, 2, 4, 8", float: "1, 0.5, 2"}
KINDS = {int: "whole numbers", float: "numbers"}


class Field:
    """One widget with a way to read, write and watch it.

    Parameters
    ----------
    widget : QWidget
    read, write : callable
        The value.
    signal : Qt signal
        Of a change.
    problem : callable, optional
        What is wrong with what is written, in a sentence; empty if it can be read.
    """

    def __init__(
        self,
        widget: QWidget,
        read: Callable[[], Any],
        write: Callable[[Any], None],
        signal: Any,
        problem: Callable[[], str] = str,
    ) -> None:
        self.widget = widget
        self.read = read
        self.write = write
        self.problem = problem
        self._signal = signal

    def connect(self, slot: Callable[[], Any]) -> None:
        """Call this after each change."""
        self._signal.connect(lambda *_: slot())


def field_of(info: FieldInfo, choices: list[str] | None) -> Field | None:
    """Make the widget of a setting with its default; None for what has no widget."""
    kind, optional = _plain(info.annotation)
    made = _make(kind, info, optional=optional, choices=choices)
    if made is not None:
        made.write(info.get_default(call_default_factory=True))
    return made


def _make(
    kind: Any, info: FieldInfo, *, optional: bool, choices: list[str] | None
) -> Field | None:
    offered = list(get_args(kind)) if get_origin(kind) is Literal else choices
    if offered is not None:
        return _choice([*offered], optional=optional)
    if kind is bool:
        box = QCheckBox()
        return Field(box, box.isChecked, box.setChecked, box.toggled)
    if kind in (int, float):
        number = _whole if kind is int else _number
        return number(info, optional=optional)
    if kind is str:
        return _text(optional=optional)
    return _listed(_element(kind), optional=optional)


def _listed(element: Any, *, optional: bool) -> Field | None:
    if element in EXAMPLES:
        return _numbers(element, optional=optional)
    return _names() if element is str else None


def _choice(values: list[Any], *, optional: bool) -> Field:
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

    return Field(box, box.currentData, write, box.currentIndexChanged)


def _whole(info: FieldInfo, *, optional: bool) -> Field:
    low, high = _limits(info, 0, LARGEST, 1)
    box = QSpinBox()
    box.setRange(int(low) - optional, int(high))
    if optional:
        box.setSpecialValueText(AUTOMATIC)

    def read() -> int | None:
        return None if optional and box.value() < low else box.value()

    def write(value: int | None) -> None:
        box.setValue(box.minimum() if value is None else value)

    return Field(box, read, write, box.valueChanged)


def _number(info: FieldInfo, *, optional: bool) -> Field:
    low, high = _limits(info, 0.0, 1e6, SMALLEST)
    step = _step(info.get_default(call_default_factory=True), high)
    box = NumberBox(low - 1 if optional else low, high, step)
    if optional:
        box.setSpecialValueText(AUTOMATIC)
    exact: dict[float, float] = {}  # what a number was that the box shows shorter

    def read() -> float | None:
        value = box.value()
        if optional and value < low:
            return None
        return exact.get(value, float(f"{value:.10g}"))

    def write(value: float | None) -> None:
        box.setValue(box.minimum() if value is None else value)
        exact.clear()
        if value is not None and low <= value <= high:
            exact[box.value()] = value

    return Field(box, read, write, box.valueChanged)


def _step(default: float | None, high: float) -> float:
    """A tenth of the default's first digit, and no more than permille of a share."""
    most = 1e-3 if high <= 1 else 0.1
    if not default:
        return most
    return float(min(most, 10.0 ** (math.floor(math.log10(abs(default))) - 1)))


def _text(*, optional: bool) -> Field:
    line = QLineEdit()
    if optional:
        line.setPlaceholderText(AUTOMATIC)

    def read() -> str | None:
        return None if optional and not line.text() else line.text()

    def write(value: str | None) -> None:
        line.setText("" if value is None else str(value))

    return Field(line, read, write, line.editingFinished)


def _names() -> Field:
    """Names with commas between them."""
    line = QLineEdit()
    line.setPlaceholderText("none")

    def read() -> tuple[str, ...]:
        return tuple(_parts(line.text()))

    def write(value: Sequence[str]) -> None:
        line.setText(", ".join(value))

    return Field(line, read, write, line.editingFinished)


def _numbers(kind: Any, *, optional: bool) -> Field:
    """Numbers with commas between them; what is none is told, and read as text."""
    line = QLineEdit()
    line.setPlaceholderText(AUTOMATIC if optional else EXAMPLES[kind])

    def read() -> Any:
        if optional and not line.text().strip():
            return None
        try:
            return tuple(kind(part) for part in _parts(line.text()))
        except ValueError:
            return line.text()

    def write(value: Any) -> None:
        listed = () if value is None else value
        line.setText(listed if isinstance(listed, str) else ", ".join(map(str, listed)))

    def problem() -> str:
        if not isinstance(read(), str):
            return ""
        return (
            f"{line.text()!r} is no list of {KINDS[kind]}. Write them with commas "
            f"between, such as {EXAMPLES[kind]}."
        )

    return Field(line, read, write, line.editingFinished, problem)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _element(kind: Any) -> Any:
    """Type of the entries of a list of any length; None for what is none."""
    origin, args = get_origin(kind), get_args(kind)
    listed = (origin is tuple and args[1:] == (...,)) or (
        isinstance(origin, type) and issubclass(origin, Sequence) and len(args) == 1
    )
    return _plain(args[0])[0] if listed else None


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


def _limits(
    info: FieldInfo, low: float, high: float, step: float
) -> tuple[float, float]:
    """Range of a number; an open end stays one step inside."""
    marks: list[Any] = [*info.metadata, *_inner_marks(info.annotation)]
    for mark in marks:
        if isinstance(mark, Ge):
            low = float(mark.ge)  # type: ignore[arg-type]
        elif isinstance(mark, Gt):
            low = float(mark.gt) + step  # type: ignore[arg-type]
        elif isinstance(mark, Le):
            high = float(mark.le)  # type: ignore[arg-type]
        elif isinstance(mark, Lt):
            high = float(mark.lt) - step  # type: ignore[arg-type]
    return low, high


def _inner_marks(annotation: Any) -> list[Any]:
    marks = list(getattr(annotation, "__metadata__", ()))
    for part in get_args(annotation):
        marks += _inner_marks(part) if hasattr(part, "__args__") else []
        marks += [m for m in getattr(part, "__metadata__", ()) if m not in marks]
    return marks
