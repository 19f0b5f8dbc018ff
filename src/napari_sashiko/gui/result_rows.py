"""What can be done with a segmentation: prediction sets, scores, files for others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sashiko.gui.adopting import foreign_labels, spatial_labels
from napari_sashiko.gui.export_row import ExportRow
from napari_sashiko.gui.score_row import ScoreRow
from napari_sashiko.gui.sets_row import SetsRow
from napari_sashiko.session import Session
from napari_sashiko.volumes import as_volume

TIP = (
    "Compare the segmentation with the truth: class numbers as in the list of classes, "
    "0 is not scored"
)


class ResultRows(QWidget):
    """Rows that work on the segmentation of the volume, each a job of its own.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Gets layers, and has those of the truth.
    model : callable
        The chosen model, or None.
    """

    def __init__(
        self, session: Session, viewer: Any, model: Callable[[], Path | None]
    ) -> None:
        super().__init__()
        self.session = session
        self.viewer = viewer
        self._model = model
        self._prediction: Any = None
        self.sets = SetsRow(session, viewer)
        self.scoring = ScoreRow(session, TIP, self._truth)
        self.exporting = ExportRow(session, self.written)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        for row in (self.sets, self.scoring, self.exporting):
            rows.addWidget(row)

    def use(self, prediction: Any) -> None:
        """Work on this prediction from now on; None where nothing is segmented."""
        self._prediction = prediction
        self.sets.use(prediction)
        whole = prediction is not None and prediction.done == prediction.total
        self.scoring.use(prediction.path if whole else None)
        self._follow_export()

    def follow(self) -> None:
        """Follow models and layers."""
        self.scoring.show_truths(foreign_labels(self.viewer))
        self._follow_export()

    def written(self) -> list[Path]:
        """Model, segmentation and what was made of it, as far as they are there."""
        model, found, folder = self._model(), self._prediction, self.session.folder
        paths = [] if model is None else [model]
        if found is None or folder is None or found.done < found.total:
            return paths
        later = (folder / room / found.path.name for room in ("sets", "instances"))
        return [*paths, found.path, *(path for path in later if path.is_dir())]

    def _follow_export(self) -> None:
        self.exporting.follow()
        # Rows without anything in them would take room all the same.
        self.setVisible(self._prediction is not None or self.exporting.ready)

    def _truth(self, layer: Any) -> Any:
        """Labels of the volume as a volume: frames of a time series one by one."""
        stack = self.session.need_volume().stacking
        return as_volume(spatial_labels(layer, stack), axes="zyx", name=layer.name)
