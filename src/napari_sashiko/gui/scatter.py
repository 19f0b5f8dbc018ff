"""Points on a plane, painted by hand in the colours of the theme; one can be picked."""

from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_sashiko.gui.theme import palette_of

LEAST = 220  # pixels along each side
MARGIN = 10
DOT = 4
RING = 12
REACH = 14.0  # pixels from a point within which a click means it


class Scatter(QWidget):
    """Points, some of which stand out; a click tells which is nearest.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose theme gives the colours.
    """

    picked = Signal(int)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.setObjectName("scatter")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._viewer = viewer
        self.points = np.zeros((0, 2), np.float32)
        self.strange = np.zeros(0, bool)
        self.marked: int | None = None
        viewer.events.theme.connect(self._repaint)

    def show_points(self, points: npt.ArrayLike, strange: npt.ArrayLike) -> None:
        """Show points ``(N, 2)``; those that are `strange` ``(N,)`` stand out."""
        self.points = np.asarray(points, np.float32).reshape(-1, 2)
        self.strange = np.asarray(strange, bool)
        self.marked = None
        self.update()

    def mark(self, index: int | None) -> None:
        """Draw a ring around a point."""
        self.marked = index
        self.update()

    def shutdown(self) -> None:
        """Stop following the theme."""
        self._viewer.events.theme.disconnect(self._repaint)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """A square."""
        return QSize(LEAST, LEAST)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Never too small to click into."""
        return QSize(LEAST // 2, LEAST)

    def on_screen(self) -> npt.NDArray[np.float64]:
        """Where points lie in the widget, ``(N, 2)`` pixels; both axes alike."""
        points = self.points.astype(np.float64)
        if len(points) == 0:
            return points
        low, high = points.min(0), points.max(0)
        room = np.array([self.width(), self.height()]) - 2.0 * MARGIN
        span = np.maximum(high - low, 1e-9)
        scale = max(float((room / span).min()), 0.0)
        middle = np.array([self.width(), self.height()]) / 2
        return (points - (low + high) / 2) * [scale, -scale] + middle

    # ---- what the user does -----------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Pick the nearest point, if one is near."""
        if event.button() != Qt.MouseButton.LeftButton or len(self.points) == 0:
            return
        place = event.position()
        away = np.hypot(*(self.on_screen() - [place.x(), place.y()]).T)
        nearest = int(away.argmin())
        if away[nearest] <= REACH:
            self.mark(nearest)
            self.picked.emit(nearest)

    # ---- painting ---------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the frame, the points, and the ring."""
        palette = palette_of(self._viewer)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(palette.line)
        painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))
        places = self.on_screen()
        # What is strange lies on top.
        for which, colour in ((False, palette.current), (True, palette.warning)):
            self._paint_dots(painter, places[self.strange == which], colour)
        if self.marked is not None:
            x, y = places[self.marked]
            painter.setPen(QPen(palette.text, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(x, y), RING / 2, RING / 2)
        painter.end()

    def _paint_dots(
        self, painter: QPainter, places: npt.NDArray[np.float64], colour: QColor
    ) -> None:
        pen = QPen(colour, DOT)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPoints(QPolygonF([QPointF(x, y) for x, y in places.tolist()]))

    def _repaint(self, _event: Any = None) -> None:
        self.update()
