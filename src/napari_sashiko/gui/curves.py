"""Live curves: one small plot, painted by hand in the colours of the theme."""

import math
from typing import Any

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_sashiko.gui.theme import Palette, mixed, palette_of

MILLISECONDS = 200  # five pictures a second
MOST_POINTS = 400
HEIGHT = 110
MARGIN = 4


class Curve(QWidget):
    """One line for each ensemble member over the epochs; the newest stands out.

    Parameters
    ----------
    title : str
        What is drawn.
    viewer : napari.Viewer
        Whose theme gives the colours.
    top : float, optional
        Upper end of the axis; None follows the values. The lower end is 0.
    """

    def __init__(self, title: str, viewer: Any, *, top: float | None = None) -> None:
        super().__init__()
        self.title = title
        self.lines: dict[Any, list[tuple[float, float]]] = {}
        self._viewer = viewer
        self._top = top
        self._newest: Any = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self.update)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        viewer.events.theme.connect(self._on_theme)

    def clear(self) -> None:
        """Begin anew."""
        self.lines.clear()
        self._newest = None
        self._soon()

    def add(self, line: Any, x: float, y: float) -> None:
        """Add a point; values that are no numbers are left out."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        points = self.lines.setdefault(line, [])
        points.append((x, y))
        if len(points) > MOST_POINTS:
            # Every second old point goes; the newest half stays dense.
            half = len(points) // 2
            points[:half] = points[:half:2]
        self._newest = line
        self._soon()

    @property
    def last(self) -> float | None:
        """The newest value."""
        points = self.lines.get(self._newest)
        return points[-1][1] if points else None

    def shutdown(self) -> None:
        """Stop following the theme."""
        self._timer.stop()
        self._viewer.events.theme.disconnect(self._on_theme)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Wide enough for half a dock."""
        return QSize(150, HEIGHT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Narrow enough for half a narrow dock."""
        return QSize(110, HEIGHT)

    def paintEvent(self, _event: Any) -> None:  # noqa: N802 - Qt's name
        """Draw title, frame, axis ends and lines."""
        palette = palette_of(self._viewer)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self._draw_frame(painter, palette)
        self._draw_lines(painter, palette, frame)
        painter.end()

    def _draw_frame(self, painter: QPainter, palette: Palette) -> QRectF:
        metrics = painter.fontMetrics()
        line = metrics.height()
        top, _ = self._ends()
        left = metrics.horizontalAdvance(_short(top)) + 2 * MARGIN
        frame = QRectF(
            left,
            line + MARGIN,
            self.width() - left - MARGIN,
            self.height() - 2 * line - 2 * MARGIN,
        )
        painter.setPen(palette.text)
        painter.drawText(QPointF(MARGIN, metrics.ascent()), self._headline())
        painter.setPen(palette.faint)
        if self.lines:
            self._draw_ends(painter, frame, left, line)
        painter.setPen(QPen(palette.line, 1))
        painter.drawLine(frame.topLeft(), frame.bottomLeft())
        painter.drawLine(frame.bottomLeft(), frame.bottomRight())
        return frame

    def _draw_ends(
        self, painter: QPainter, frame: QRectF, left: float, line: int
    ) -> None:
        top, right = self._ends()
        last = Qt.AlignmentFlag.AlignRight
        painter.drawText(
            QRectF(0, frame.top() - 2, left - MARGIN, line), last, _short(top)
        )
        painter.drawText(
            QRectF(0, frame.bottom() - line + 2, left - MARGIN, line), last, "0"
        )
        below = QRectF(frame.left(), frame.bottom() + 1, frame.width(), line)
        painter.drawText(below, last, f"epoch {right:.0f}")

    def _draw_lines(self, painter: QPainter, palette: Palette, frame: QRectF) -> None:
        top, right = self._ends()
        strong = mixed(palette.current, palette.text, 0.35)
        weak = mixed(strong, palette.background, 0.6)
        order = sorted(self.lines, key=lambda key: key == self._newest)
        painter.setClipRect(frame.adjusted(-2, -2, 2, 2))
        for key in order:
            colour = strong if key == self._newest else weak
            painter.setPen(QPen(QColor(colour), 1.6))
            points = [
                QPointF(
                    frame.left() + frame.width() * x / max(right, 1e-9),
                    frame.bottom() - frame.height() * min(y / top, 1.0),
                )
                for x, y in self.lines[key]
            ]
            if len(points) == 1:
                painter.drawEllipse(points[0], 1.5, 1.5)
            painter.drawPolyline(QPolygonF(points))

    def _headline(self) -> str:
        value = self.last
        return self.title if value is None else f"{self.title} {_short(value)}"

    def _ends(self) -> tuple[float, float]:
        values = [y for points in self.lines.values() for _, y in points]
        right = max((p[-1][0] for p in self.lines.values() if p), default=0.0)
        return self._top or max([*values, 1e-9]), right

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _on_theme(self, _event: Any = None) -> None:
        self.update()


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.3g}"
