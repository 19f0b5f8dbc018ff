"""Which networks training begins with: fresh ones, or those of an earlier model."""

from pathlib import Path

from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QWidget
from superqt.utils import signals_blocked

from napari_sashiko.gui.result_words import describe_model
from napari_sashiko.session import Session

FRESH = "fresh networks"


class StartRow(QWidget):
    """Choose what training begins with.

    Parameters
    ----------
    session : Session
        Knows the models within reach.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        tip = "Networks of an earlier model go on learning, also on another volume"
        self.models = QComboBox()
        self.models.setObjectName("start_from")
        self.models.setToolTip(tip)
        self.models.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        label = QLabel("begin with")
        label.setToolTip(tip)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label)
        layout.addWidget(self.models, 1)
        session.models_changed.connect(self._follow)
        self._follow()

    def model(self) -> Path | None:
        """Return the model to begin with; None for fresh networks."""
        chosen: Path | None = self.models.currentData()
        return chosen

    def _follow(self) -> None:
        chosen, known = self.model(), self.session.models()
        with signals_blocked(self.models):
            self.models.clear()
            self.models.addItem(FRESH, None)
            for path in known:
                self.models.addItem(describe_model(path), path)
            if chosen in known:
                self.models.setCurrentIndex(1 + known.index(chosen))
