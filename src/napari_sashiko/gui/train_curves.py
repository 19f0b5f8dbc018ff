"""The live curves of a training: loss, and F1 on held-out strokes."""

from collections import Counter
from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_sashiko.gui.curves import Curve


class TrainCurves(QWidget):
    """Two small plots side by side, with a line for each network.

    A network that begins anew, for there is one more class, counts its epochs from 1
    again; its lines go on to the right all the same.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose theme gives the colours.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.loss = Curve("loss", viewer)
        self.score = Curve("held-out F1", viewer, top=1.0)
        self._seen: Counter[int] = Counter()  # epochs, by network
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.loss, 1)
        row.addWidget(self.score, 1)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.loss.lines

    def add(self, epoch: Any) -> None:
        """Add an epoch of a network: `EpochDone`, or one of an earlier session."""
        self._seen[epoch.member] += 1
        x = self._seen[epoch.member]
        self.loss.add(epoch.member, x, epoch.loss)
        self.score.add(epoch.member, x, epoch.macro_f1)

    def clear(self) -> None:
        """Begin anew."""
        self._seen.clear()
        self.loss.clear()
        self.score.clear()

    def shutdown(self) -> None:
        """Stop following the theme."""
        self.loss.shutdown()
        self.score.shutdown()
