"""Step 4 of the dock: the objects of one class, counted and measured."""

from typing import Any

from qtpy.QtWidgets import QGroupBox

from napari_sashiko.session import Session


class InstancesStep(QGroupBox):
    """Choose class, threshold and dust; find instances; show their table.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Where the results are shown.
    """

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__("4  Instances")
        self.session = session
        self.viewer = viewer
        self.refresh()

    def refresh(self) -> None:
        """Open the step when there is a volume."""
        self.setEnabled(self.session.volume is not None)
