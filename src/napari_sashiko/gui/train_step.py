"""Step 2 of the dock: train an ensemble, watch it learn, stop it."""

from typing import Any

from qtpy.QtWidgets import QGroupBox

from napari_sashiko.session import Session


class TrainStep(QGroupBox):
    """Say what is missing, train, show curves and the slice in view."""

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__("2  Train")
        self.session = session
        self.viewer = viewer
