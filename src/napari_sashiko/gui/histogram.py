"""How large the objects are: bars over a logarithmic axis, painted by hand."""

from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_sashiko.gui.result_words import describe_number
from napari_sashiko.gui.theme import palette_of

BINS = 30
HEIGHT = 110
MARGIN = 6


class Histogram(QWidget):
    """Bars, a line for the dust size, and the bar of the selected object.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose theme gives the colours.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.setObjectName("size_histogram")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._viewer = viewer
        self.title = ""
        self.edges = np.zeros(0)
        self.counts = np.zeros(0, int)
        self.line: float | None = None
        self.marked: float | None = None
        viewer.events.theme.connect(self._repaint)

    def show_values(self, values: npt.ArrayLike, title: str) -> None:
        """Show how often values occur.

        Parameters
        ----------
        values : (N,) array of float
            Positive.
        title : str
            What they are, with unit.
        """
        self.edges, self.counts = log_histogram(np.asarray(values, float))
        self.title = title
        self.marked = None
        self.update()

    def show_line(self, value: float | None) -> None:
        """Draw a vertical line; bars left of it are faint."""
        self.line = value
        self.update()

    def mark(self, value: float | None) -> None:
        """Paint the bar that `value` falls into in another colour."""
        self.marked = value
        self.update()

    def shutdown(self) -> None:
        """Stop following the theme."""
        self._viewer.events.theme.disconnect(self._repaint)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Wide and low."""
        return QSize(280, HEIGHT)

    def _repaint(self, _event: Any = None) -> None:
        self.update()

    # ---- painting ---------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw axis, bars, line and title."""
        palette = palette_of(self._viewer)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.fontMetrics().height()
        area = QRectF(
            MARGIN,
            text + MARGIN,
            self.width() - 2 * MARGIN,
            self.height() - 2 * (text + MARGIN),
        )
        painter.setPen(palette.faint)
        top = QRectF(area.left(), 0, area.width(), text)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.drawText(top, int(left), self.title)
        if len(self.counts) == 0:
            painter.end()
            return
        painter.drawText(top, int(right), f"at most {self.counts.max()} in a bar")
        self._paint_bars(painter, area, palette.current, palette)
        self._paint_axis(painter, area, palette)
        painter.end()

    def _paint_bars(
        self, painter: QPainter, area: QRectF, colour: QColor, palette: Any
    ) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        highest = self.counts.max()
        for index, count in enumerate(self.counts):
            low, high = self.edges[index : index + 2]
            x0, x1 = self._x(low, area), self._x(high, area)
            height = area.height() * count / highest
            bar = QRectF(x0, area.bottom() - height, max(1.0, x1 - x0 - 1), height)
            dust = self.line is not None and high <= self.line
            painter.setBrush(palette.line if dust else colour)
            if self.marked is not None and low <= self.marked <= high:
                painter.setBrush(palette.warning)
            painter.drawRect(bar)
        if self.line is not None and self.edges[0] <= self.line <= self.edges[-1]:
            painter.setPen(QPen(palette.text, 1, Qt.PenStyle.DashLine))
            x = self._x(self.line, area)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_axis(self, painter: QPainter, area: QRectF, palette: Any) -> None:
        painter.setPen(palette.faint)
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        metrics = self.fontMetrics()
        end = -np.inf
        for value in ticks(self.edges[0], self.edges[-1]):
            words = describe_number(value)
            width = metrics.horizontalAdvance(words)
            x = self._x(value, area)
            start = min(max(area.left(), x - width / 2), area.right() - width)
            if start > end + MARGIN:
                box = QRectF(start, area.bottom() + 2, width + 1, metrics.height())
                painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft), words)
                end = start + width

    def _x(self, value: float, area: QRectF) -> float:
        low, high = np.log(self.edges[0]), np.log(self.edges[-1])
        return float(area.left() + area.width() * (np.log(value) - low) / (high - low))


def log_histogram(
    values: npt.NDArray[np.float64], bins: int = BINS
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Count positive values in bins of equal width on a logarithmic axis.

    Returns
    -------
    edges : (B + 1,) float64
    counts : (B,) int64
        Both empty when there are no values.
    """
    values = values[np.isfinite(values) & (values > 0)]
    if len(values) == 0:
        return np.zeros(0), np.zeros(0, np.int64)
    low, high = values.min(), values.max()
    if high <= low * 1.001:
        low, high = low / 1.5, high * 1.5
    edges = np.geomspace(low, high, bins + 1)
    edges[0], edges[-1] = low, high  # not lost to rounding
    return edges, np.histogram(values, edges)[0]


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two ends: powers of ten, or 1-2-5 when there are few."""
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1,), (1, 2, 5), tuple(range(1, 10))):
        found = [
            step * 10.0**exponent
            for exponent in exponents
            for step in steps
            if low <= step * 10.0**exponent <= high
        ]
        if len(found) >= 3:
            return found
    return [low, high]
