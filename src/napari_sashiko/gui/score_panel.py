"""How good a model is on held-out strokes: a line, and a table of the classes."""

from collections.abc import Iterable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.gui.parts import make_button, make_line, say
from napari_sashiko.gui.train_words import describe_result
from napari_sashiko.metrics import OF_CLASS, scores_by_class

HEADS = {
    "f1": ("F1", "Of precision and recall, the harmonic mean"),
    "f1_std": ("±", "Deviation over members, each judged on what it held out"),
    "iou": ("IoU", "Overlap of what was painted and what was found"),
}
TIP = (
    "Scores class by class; for confusion and calibration see Plugins > Sashiko > "
    "Sashiko plots"
)
OLDER = "older: newer paint is being learned"


class ScorePanel(QWidget):
    """Show scores of a model; hidden while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self._said = ""  # of all classes together
        self.line = make_line("train_result", hidden=False)
        self.more = make_button("score_details", "by class", TIP)
        self.more.setCheckable(True)
        self.table = QWidget()
        self.table.setObjectName("score_table")
        self.table.setVisible(False)
        self.more.toggled.connect(self.table.setVisible)
        self._grid = QGridLayout(self.table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self.fairness = make_line("score_fairness")
        row = QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(self.more, 0, Qt.AlignmentFlag.AlignTop)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addLayout(row)
        rows.addWidget(self.table)
        rows.addWidget(self.fairness)
        self.clear()

    @property
    def empty(self) -> bool:
        """Whether there are no scores."""
        return not self._said

    def clear(self) -> None:
        """Show nothing."""
        self._said = ""
        self.line.setText("")
        self.setVisible(False)

    def show_scores(
        self, metrics: Iterable[tuple[str, float]], fairness: str = ""
    ) -> None:
        """Show these scores, if there are any; classes are named as they were learned.

        Parameters
        ----------
        metrics : iterable of (name, value)
            As `TrainingDone` has them.
        fairness : str
            How far from learned paint they were taken.
        """
        values = dict(metrics)
        self._said = describe_result(values)
        self._show_age(older=False)
        say(self.fairness, fairness)
        self._fill(scores_by_class(values))
        self.setVisible(not self.empty)

    def mark_older(self) -> None:
        """Say that newer paint is being learned, which the scores know nothing of."""
        if not self.empty:
            self._show_age(older=True)

    def _show_age(self, *, older: bool) -> None:
        self.line.setText(f"{self._said} ({OLDER})" if older else self._said)
        for each in (self.line, self.table, self.fairness):
            each.setDisabled(older)  # which is grey in every theme

    def _fill(self, scores: dict[str, dict[str, float]]) -> None:
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        for column, key in enumerate(OF_CLASS, 1):
            head = QLabel(HEADS[key][0])
            head.setToolTip(HEADS[key][1])
            self._grid.addWidget(head, 0, column, Qt.AlignmentFlag.AlignRight)
        for row, (name, values) in enumerate(scores.items(), 1):
            self._grid.addWidget(QLabel(name), row, 0)
            for column, key in enumerate(OF_CLASS, 1):
                value = values.get(key)
                cell = QLabel("" if value is None else f"{value:.2f}")
                self._grid.addWidget(cell, row, column, Qt.AlignmentFlag.AlignRight)
        self._grid.setColumnStretch(0, 1)
        self.more.setVisible(bool(scores))
        self.table.setVisible(bool(scores) and self.more.isChecked())
