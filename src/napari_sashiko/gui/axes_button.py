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
        self.setMenu(QMenu(self))
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
        menu = self.menu()
        menu.clear()
        readings = [] if layer is None else possible_axes(layer)
        for letters in readings:
            action = menu.addAction(axes_words(letters))
            action.setCheckable(True)
            action.setChecked(letters == axes)
            action.triggered.connect(partial(self._take, layer, letters))
        self.setVisible(bool(set(readings) - {axes}))

    @staticmethod
    def _take(layer: Any, letters: str, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's signal
        label_axes(layer, letters)
