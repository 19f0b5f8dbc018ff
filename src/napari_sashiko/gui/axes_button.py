"""What the axes of the image are taken for: depth, time or channels."""

from functools import partial
from typing import Any

from qtpy.QtWidgets import QMenu, QPushButton

from napari_sashiko.gui.layer_volume import axes_words, label_axes, possible_axes

TIP = (
    "What the axes of the layer are. Files often do not say it: a stack may be a "
    "volume, pictures at several times, or channels of one picture"
)


class AxesButton(QPushButton):
    """A menu of what the axes may be; only there where that is a question.

    What is chosen is written into the axis labels of the layer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("axes")
        self.setText("Axes")
        self.setToolTip(TIP)
        self._layer: Any = None
        self._axes = ""
        menu = QMenu(self)
        menu.aboutToShow.connect(self._fill)
        self.setMenu(menu)
        self.follow(None, "")

    def follow(self, layer: Any, axes: str) -> None:
        """Offer what the axes of a layer may be.

        Parameters
        ----------
        layer : napari.layers.Image or None
            The image that is worked on.
        axes : str
            What they are taken for now, a letter of ``tczyx`` each; empty if unknown.
        """
        self._layer, self._axes = layer, axes
        self.setVisible(bool(set(self._readings()) - {axes}))

    def _readings(self) -> tuple[str, ...]:
        return () if self._layer is None else possible_axes(self._layer)

    def _fill(self) -> None:
        # Not sooner: an action that was just chosen must not be deleted.
        menu = self.menu()
        menu.clear()
        for letters in self._readings():
            action = menu.addAction(axes_words(letters))
            action.setCheckable(True)
            action.setChecked(letters == self._axes)
            action.triggered.connect(partial(self._take, letters))

    def _take(self, letters: str, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's signal
        label_axes(self._layer, letters)
