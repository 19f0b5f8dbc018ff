"""A figure as wide as its place; drawn anew when the width has settled."""

from typing import Any

from qtpy.QtCore import QRectF, QSize, QTimer, Signal
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

MILLISECONDS = 300
LEAST = 120  # pixels


class FigureView(QWidget):
    """Shows a picture scaled to its width.

    Emits
    -----
    resized
        Some time after the width has changed: the picture should be drawn anew.
    """

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("figure_view")
        self.image: QImage | None = None
        self._width = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self.resized.emit)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_image(self, image: QImage | None) -> None:
        """Show a picture, or nothing."""
        self.image = image
        self._fit()
        self.update()

    def shutdown(self) -> None:
        """Stop waiting for the width."""
        self._timer.stop()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as a dock."""
        return QSize(380, max(LEAST, self.minimumHeight()))

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Keep the proportions, and ask for another drawing a little later."""
        super().resizeEvent(event)
        if self.width() != self._width:
            self._width = self.width()
            self._fit()
            self._timer.start()

    def paintEvent(self, _event: Any) -> None:  # noqa: N802 - Qt's name
        """Draw the picture."""
        if self.image is None or self.image.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = QRectF(0, 0, self.width(), self._height())
        painter.drawImage(place, self.image, QRectF(self.image.rect()))
        painter.end()

    def _fit(self) -> None:
        # Only when it differs: each change of the height asks for a layout.
        height = round(max(LEAST, self._height()))
        if height != self.minimumHeight() or height != self.maximumHeight():
            self.setFixedHeight(height)

    def _height(self) -> float:
        if self.image is None or not self.image.width():
            return 0.0
        return self.width() * self.image.height() / self.image.width()


def image_of(png: bytes) -> QImage:
    """Read a picture; may be called in any thread."""
    image = QImage()
    image.loadFromData(png, "PNG")
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
