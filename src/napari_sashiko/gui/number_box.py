"""A box for numbers of any size: digits that count are kept, however small it is."""

import re

from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QAbstractSpinBox, QDoubleSpinBox

DIGITS = 7
FINEST = 12  # decimals that the box itself keeps
BEGUN = re.compile(r"[-+]?\d*[.,]?\d*(e[-+]?\d*)?", re.IGNORECASE)


class NumberBox(QDoubleSpinBox):
    """Numbers as people write them: 0.875, 2.5e-05, 1000.

    Parameters
    ----------
    low, high : float
        Both are possible.
    step : float
        What one step is where the number is 0; elsewhere it is a tenth of its first
        digit's place.
    """

    def __init__(self, low: float, high: float, step: float) -> None:
        super().__init__()
        self._first_step = step
        self.setDecimals(FINEST)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.setRange(low, high)

    def textFromValue(self, value: float) -> str:  # noqa: N802 - Qt's name
        """Write the digits that count, and no more."""
        return f"{value:.{DIGITS}g}"

    def valueFromText(self, text: str) -> float:  # noqa: N802 - Qt's name
        """Read a number, with a point or a comma."""
        if text == self.specialValueText():
            return self.minimum()
        return _number(text) or 0.0

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Say whether a text is a number in the range, or may become one."""
        if text == self.specialValueText():
            return QValidator.State.Acceptable, text, place
        number = _number(text)
        if number is None:
            begun = BEGUN.fullmatch(text.strip()) is not None
            state = QValidator.State.Intermediate if begun else QValidator.State.Invalid
        elif self.minimum() <= number <= self.maximum():
            state = QValidator.State.Acceptable
        else:
            state = QValidator.State.Intermediate
        return state, text, place

    def stepBy(self, steps: int) -> None:  # noqa: N802 - Qt's name
        """Step; from 0 as far as makes a difference."""
        if abs(self.value()) < 10.0 ** (2 - FINEST):
            self.setValue(self.value() + steps * self._first_step)
        else:
            super().stepBy(steps)


def _number(text: str) -> float | None:
    written = text.strip().replace(",", ".")
    if BEGUN.fullmatch(written) is None:
        return None
    try:
        return float(written)
    except ValueError:
        return None
