"""The widgets of the segment step: model, cost, buttons, progress."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_sashiko.gui.parts import make_button, make_line
from napari_sashiko.gui.result_switch import ResultSwitch
from napari_sashiko.gui.result_words import describe_model
from napari_sashiko.gui.segment_place import SegmentPlace

OPEN = "open model..."
NO_MODEL = "no model yet"


class SegmentForm(QObject):
    """Show what it is told and say what was clicked; decides nothing.

    Parameters
    ----------
    box : QWidget
        Gets the layout.
    """

    model_chosen = Signal()
    open_wanted = Signal()

    def __init__(self, box: QWidget) -> None:
        super().__init__(box)
        self.hint = make_line("segment_hint")
        self.models = QComboBox()
        self.models.setObjectName("segment_model")
        self.models.setToolTip("Models of this volume, newest first, then others")
        self.models.setPlaceholderText(NO_MODEL)
        # A long name is cut in the box rather than push the dock wider.
        self.models.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.models.activated.connect(self._on_activated)
        self.cost = make_line("segment_cost")
        self.start_button = make_button(
            "segment_volume", "Segment volume", "Segment every voxel, view first"
        )
        self.resume_button = make_button(
            "resume_segment", "Resume", "Go on where the last run stopped"
        )
        self.overwrite_button = make_button(
            "overwrite_segment", "Start over", "Delete the earlier result, begin anew"
        )
        self.progress = QProgressBar()
        self.progress.setObjectName("segment_progress")
        self.progress.setTextVisible(False)
        self.left = QLabel()
        self.left.setObjectName("segment_left")
        self.cancel_button = make_button(
            "cancel_segment", "Cancel", "Stop; finished blocks are kept"
        )
        self.state = make_line("segment_state")
        self.more = make_button("more_segment", "more", "Where the work runs")
        self.more.setCheckable(True)
        self.place = SegmentPlace()
        self.more.toggled.connect(self.place.setVisible)
        self.switch = ResultSwitch()
        self._chosen: Path | None = None
        self._arrange(box)

    @property
    def model(self) -> Path | None:
        """The chosen model."""
        return self._chosen

    def add_row(self, row: QWidget) -> None:
        """Put a row that works for itself at the bottom."""
        self._rows.addWidget(row)

    def show_models(self, models: list[Path], chosen: Path | None) -> None:
        """List the models and choose one of them."""
        if chosen is not None and chosen not in models:
            chosen = next(iter(models), None)
        with signals_blocked(self.models):
            self.models.clear()
            for path in models:
                self.models.addItem(describe_model(path), path)
            if models:
                self.models.insertSeparator(len(models))
            self.models.addItem(OPEN, None)
        self._show_chosen(chosen)

    def choose(self, model: Path) -> None:
        """Choose a model of the list."""
        self._show_chosen(model)
        self.model_chosen.emit()

    def show_cost(self, text: str, *, blocks: int = 0) -> None:
        """Say what segmenting will take."""
        self.cost.setText(text)
        self.cost.setToolTip(
            f"{blocks} blocks; disk before compression, memory at the peak"
            if blocks
            else ""
        )
        self.cost.setVisible(bool(text))

    def show_buttons(
        self, *, running: bool, start: bool, resume: bool, overwrite: bool
    ) -> None:
        """Enable what can be done now."""
        self.models.setEnabled(not running)
        self.place.setEnabled(not running)
        self.start_button.setEnabled(start and not running)
        self.start_button.setVisible(not resume or running)
        self.resume_button.setVisible(resume and not running)
        self.overwrite_button.setVisible(overwrite and not running)
        self.working.setVisible(running)
        self.cancel_button.setEnabled(running)

    def starting(self) -> None:
        """Show that the work begins."""
        self.progress.setRange(0, 0)
        self.left.setText("")
        self.tell("Preparing ...")

    def stopping(self) -> None:
        """Show that the work is about to stop."""
        self.cancel_button.setEnabled(False)
        self.tell("Stopping ...")

    def show_progress(self, done: int, total: int, left: str) -> None:
        """Show finished blocks and the time left."""
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(done)
        self.left.setText(left)
        self.tell(f"{done} of {total} blocks")

    def say(self, text: str) -> None:
        """Say what is missing or does not fit."""
        self.hint.setText(text)
        self.hint.setVisible(bool(text))

    def tell(self, text: str) -> None:
        """Say how it goes."""
        self.state.setText(text)
        self.state.setVisible(bool(text))

    def _show_chosen(self, model: Path | None) -> None:
        self._chosen = model
        with signals_blocked(self.models):
            index = -1
            for i in range(self.models.count()):
                if model is not None and self.models.itemData(i) == model:
                    index = i
            self.models.setCurrentIndex(index)

    def _on_activated(self, index: int) -> None:
        path: Any = self.models.itemData(index)
        if path is None:
            self._show_chosen(self._chosen)
            self.open_wanted.emit()
        elif path != self._chosen:
            self.choose(path)

    def _arrange(self, box: QWidget) -> None:
        choice = QHBoxLayout()
        choice.addWidget(QLabel("Model"))
        choice.addWidget(self.models, 1)
        act = QHBoxLayout()
        for button in (self.start_button, self.resume_button, self.overwrite_button):
            act.addWidget(button)
        act.addStretch(1)
        act.addWidget(self.more)
        self.working = QWidget()
        row = QHBoxLayout(self.working)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.progress, 1)
        row.addWidget(self.left)
        row.addWidget(self.cancel_button)
        layout = self._rows = QVBoxLayout(box)
        layout.addWidget(self.hint)
        layout.addLayout(choice)
        layout.addWidget(self.cost)
        layout.addLayout(act)
        layout.addWidget(self.place)
        layout.addWidget(self.working)
        layout.addWidget(self.state)
        layout.addWidget(self.switch)
