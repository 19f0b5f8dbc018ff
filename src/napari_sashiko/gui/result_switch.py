"""Buttons that show and hide classes, mean and deviation of a result."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget
from superqt.utils import signals_blocked

from napari_sashiko.gui.label_layer import KEY

KINDS = {
    "classes": "The most probable class",
    "mean": "Probability, the mean over the ensemble",
    "std": "Where the ensemble disagrees: its standard deviation",
}


class ResultSwitch(QWidget):
    """One button for each kind of result layer; it follows the layer's own eye."""

    def __init__(self) -> None:
        super().__init__()
        self._layers: list[Any] = []
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Show"))
        for kind, tip in KINDS.items():
            button = QToolButton()
            button.setObjectName(f"show_{kind}")
            button.setText(kind)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.toggled.connect(lambda on, kind=kind: self._switch(kind, on=on))
            self.buttons[kind] = button
            row.addWidget(button)
        row.addStretch(1)
        self.setVisible(False)

    def watch(self, layers: Sequence[Any]) -> None:
        """Show and hide these layers from now on; none hides the buttons."""
        for layer in self._layers:
            layer.events.visible.disconnect(self._follow)
        self._layers = list(layers)
        for layer in self._layers:
            layer.events.visible.connect(self._follow)
        self._follow()
        self.setVisible(bool(layers))

    def _switch(self, kind: str, *, on: bool) -> None:
        for layer in self._of(kind):
            layer.visible = on

    def _follow(self, _event: Any = None) -> None:
        for kind, button in self.buttons.items():
            with signals_blocked(button):
                button.setChecked(any(layer.visible for layer in self._of(kind)))

    def _of(self, kind: str) -> list[Any]:
        return [e for e in self._layers if e.metadata[KEY]["result"] == kind]
