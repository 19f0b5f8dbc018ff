"""Step 3 of the dock: the whole volume with one of the models."""

from typing import Any

from qtpy.QtWidgets import QGroupBox

from napari_sashiko.session import Session


class SegmentStep(QGroupBox):
    """Choose a model, say what it costs, segment, cancel and resume.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Where the results are shown.
    """

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__("3  Segment")
        self.session = session
        self.viewer = viewer
        self.refresh()

    def refresh(self) -> None:
        """Open the step when there is a volume and a model."""
        ready = self.session.volume is not None and bool(self.session.models())
        self.setEnabled(ready)
