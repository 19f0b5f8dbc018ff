"""Evaluate: a result against the truth, a row of a step."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QCheckBox, QFileDialog

from napari_sashiko.errors import SettingsError
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.parts import fill_box, make_box
from napari_sashiko.gui.score_words import scores_words
from napari_sashiko.gui.work_row import WorkRow
from napari_sashiko.runners import Event
from napari_sashiko.session import Session

FILE = "a file..."


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
    """

    def __init__(
        self, session: Session, tip: str, truth_of: Callable[[Any], Any]
    ) -> None:
        self.result: Path | None = None
        self._truth_of = truth_of
        self._files: list[Path] = []
        self._layers: list[Any] = []
        self.truths = make_box("truth", "The truth: a layer, or a file of any format")
        self.truths.setMinimumWidth(80)
        self.unpainted = QCheckBox("without strokes")
        self.unpainted.setObjectName("without_strokes")
        self.unpainted.setToolTip("Leave out what was painted, which is learned")
        self.unpainted.setVisible(False)
        super().__init__(
            session,
            "score",
            name="evaluate",
            text="Evaluate",
            tip=tip,
            kept="nothing was scored",
        )
        self.press.insertWidget(1, self.truths, 1)
        self.press.insertWidget(2, self.unpainted)
        self.truths.activated.connect(self._on_chosen)
        self.show_truths(())

    def use(self, result: Path | None) -> None:
        """Score this result from now on; None where there is none that is finished."""
        if result != self.result:
            self.say("")
        self.result = result
        self.refresh(ready=result is not None)

    def show_truths(self, layers: Iterable[Any]) -> None:
        """List layers that may be the truth; files that were chosen stay."""
        self._layers = list(layers)
        files = [(file.name, file) for file in self._files]
        named = [(layer.name, layer) for layer in self._layers]
        fill_box(self.truths, [*named, *files, (FILE, None)])
        if self.truths.currentData() is None:
            self.truths.setCurrentIndex(0)

    def add_file(self, file: Path) -> None:
        """List a file and choose it."""
        self._files = [file, *(each for each in self._files if each != file)]
        self.show_truths(self._layers)
        self.truths.setCurrentIndex(self.truths.findText(file.name))

    def refresh(self, *, ready: bool) -> None:
        """Show what can be done now."""
        super().refresh(ready=ready)
        self.truths.setVisible(ready)
        self.truths.setEnabled(not self.running)
        painted = self.session.labels.paint is not None
        self.unpainted.setVisible(ready and painted)

    def start(self) -> None:
        """Compare."""
        if self.truths.currentData() is None:
            self._ask_file()
        with telling(self.session):
            truth, result = self.truths.currentData(), self.result
            if truth is None or result is None:
                raise SettingsError("There is no truth.", "Choose a layer or a file.")
            self.say("")
            known = truth if isinstance(truth, Path) else self._truth_of(truth)
            self.session.steps.score(result, known, ignore=self._strokes())

    def on_event(self, event: Event) -> None:
        """Show the scores."""
        # By name: the class lives in a room that loads the engine.
        if type(event).__name__ == "ResultScored":
            self._on_scored(event)

    def _on_scored(self, event: Any) -> None:
        if event.path == self.result:
            self.say(scores_words(event.scores))

    def _strokes(self) -> Any:
        paint = self.session.labels.paint
        if paint is None or not self.unpainted.isChecked():
            return None
        return self.session.engine.as_volume(paint.store.array, axes="zyx")

    def _on_chosen(self, index: int) -> None:
        if self.truths.itemData(index) is None:
            self._ask_file()

    def _ask_file(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Open the truth", str(Path.home()))
        if file:
            self.add_file(Path(file))
