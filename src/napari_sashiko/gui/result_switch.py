"""Boxes that show and hide classes, mean and deviation of a result."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QWidget
from superqt.utils import signals_blocked

from napari_sashiko.gui.label_layer import KEY

KINDS = {
    "classes": "The most probable class",
    "mean": "Probability, the mean over the ensemble",
    "std": "Where the ensemble disagrees: its standard deviation",
    "sets": "Which voxels may have several classes, or look like none",
}


class ResultSwitch(QWidget):
    """One box for each kind of result layer; it follows the layer's own eye."""

    def __init__(self) -> None:
        super().__init__()
        self._layers: list[Any] = []
        self.boxes: dict[str, QCheckBox] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Show"))
        for kind, tip in KINDS.items():
            box = QCheckBox(kind)
            box.setObjectName(f"show_{kind}")
            box.setToolTip(tip)
            box.toggled.connect(lambda on, kind=kind: self._switch(kind, on=on))
            self.boxes[kind] = box
            row.addWidget(box)
        row.addStretch(1)
        self.setVisible(False)

    def watch(self, layers: Sequence[Any]) -> None:
        """Show and hide these layers from now on; none hides the boxes."""
        for layer in self._layers:
            layer.events.visible.disconnect(self._follow)
        self._layers = list(layers)
        for layer in self._layers:
            layer.events.visible.connect(self._follow)
        self._follow()
        for kind, box in self.boxes.items():
            box.setVisible(bool(self._of(kind)))
        self.setVisible(bool(layers))

    def _switch(self, kind: str, *, on: bool) -> None:
        for layer in self._of(kind):
            layer.visible = on

    def _follow(self, _event: Any = None) -> None:
        for kind, box in self.boxes.items():
            with signals_blocked(box):
                box.setChecked(any(layer.visible for layer in self._of(kind)))

    def _of(self, kind: str) -> list[Any]:
        return [e for e in self._layers if e.metadata[KEY]["result"] == kind]
