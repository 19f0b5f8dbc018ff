"""Evaluate: a result against the truth, a row of a step."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout

from napari_sashiko.errors import SettingsError
from napari_sashiko.gui.layer_box import LayerBox
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.parts import boxed, in_a_row
from napari_sashiko.gui.reconstructed_layers import PARTS
from napari_sashiko.gui.score_words import scores_words
from napari_sashiko.gui.work_row import WorkRow
from napari_sashiko.runners import Event
from napari_sashiko.session import Session

EVERYWHERE = "everywhere"


class ScoreRow(WorkRow):
    """Choose the truth, a layer or a file; compare the result with it.

    Parameters
    ----------
    session : Session
        The desk.
    tip : str
        What is compared with what.
    truth_of : callable
        From a layer to a volume.
    masked : bool
        Whether a mask may say where; for images, not for segmentations.
    """

    def __init__(
        self,
        session: Session,
        tip: str,
        truth_of: Callable[[Any], Any],
        *,
        masked: bool = False,
    ) -> None:
        self.result: Path | None = None
        self._scores: list[str] = []  # of each part of it
        self._truth_of = truth_of
        self._masked = masked
        self.truths = LayerBox(
            "truth", "The truth: a layer, or a file of any format", "Open the truth"
        )
        self.masks = LayerBox(
            "score_mask",
            "Score only where this layer or file is not 0, for example in gaps",
            "Open a mask",
            EVERYWHERE,
        )
        self.unpainted = QCheckBox("without strokes")
        self.unpainted.setObjectName("without_strokes")
        self.unpainted.setToolTip("Leave out what was painted, which is learned")
        self.unpainted.setVisible(False)
        self.against = QLabel("against")
        self.only = boxed(in_a_row(QLabel("only where"), self.masks, widest=2))
        super().__init__(
            session,
            "score",
            name="evaluate",
            text="Evaluate",
            tip=tip,
            kept="nothing was scored",
        )
        self.press.insertWidget(1, self.against)
        self.press.insertWidget(2, self.truths, 1)
        self.press.insertWidget(3, self.unpainted)
        self.press.setStretch(self.press.count() - 1, 0)  # names are long
        rows = self.layout()
        if isinstance(rows, QVBoxLayout):
            rows.insertWidget(1, self.only)

    def use(self, result: Path | None) -> None:
        """Score this result from now on; None where there is none that is finished."""
        if result != self.result:
            self.say("")
        self.result = result
        self.refresh(ready=result is not None)

    def show_truths(self, layers: Iterable[Any], masks: Iterable[Any] = ()) -> None:
        """List layers that may be the truth, or a mask; files that were chosen stay."""
        self.truths.show_layers(layers)
        self.masks.show_layers(masks)

    def refresh(self, *, ready: bool) -> None:
        """Show what can be done now."""
        super().refresh(ready=ready)
        self.truths.setVisible(ready)
        # Where strokes may be left out, there is no room for a word.
        self.against.setVisible(ready and self._masked)
        self.only.setVisible(ready and self._masked)
        for each in (self.truths, self.masks):
            each.setEnabled(not self.running)
        painted = self.session.labels.paint is not None
        self.unpainted.setVisible(ready and painted)

    def start(self) -> None:
        """Compare."""
        if self.truths.chosen is None:
            self.truths.ask()
        with telling(self.session):
            truth, result = self.truths.chosen, self.result
            if truth is None or result is None:
                raise SettingsError("There is no truth.", "Choose a layer or a file.")
            self.say("")
            self._scores.clear()
            self.session.steps.score(
                result,
                self._opened(truth),
                ignore=self._strokes(),
                only=self._opened(self.masks.chosen),
            )

    def on_event(self, event: Event) -> None:
        """Show the scores."""
        # By name: the class lives in a room that loads the engine.
        if type(event).__name__ == "ResultScored":
            self._on_scored(event)

    def _on_scored(self, event: Any) -> None:
        if event.path == self.result:
            part = f"{PARTS[event.part]}: " if event.part else ""
            self._scores.append(f"{part}{scores_words(event.scores)}")
            self.say("<br>".join(self._scores))

    def _strokes(self) -> Any:
        paint = self.session.labels.paint
        if paint is None or not self.unpainted.isChecked():
            return None
        return self.session.engine.as_volume(paint.store.array, axes="zyx")

    def _opened(self, chosen: Any) -> Any:
        """A layer as a volume; a path, or nothing, as it is."""
        if chosen is None or isinstance(chosen, Path):
            return chosen
        return self._truth_of(chosen)
