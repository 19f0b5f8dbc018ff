"""Prediction sets: which voxels may have several classes, a row of the segment step."""

from pathlib import Path
from typing import Any

from napari.layers import Labels
from napari.utils import DirectLabelColormap
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox

from napari_sashiko.gui.lazy_array import as_levels
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.result_layers import put_layer
from napari_sashiko.gui.work_row import WorkRow
from napari_sashiko.runners import Event
from napari_sashiko.session import Session

TIP = (
    "For each voxel, the classes that it may have: so many that the true one is among "
    "them as often as you ask for, as held-out strokes say"
)
USUAL = 0.9
NONE, SEVERAL = "#d81b60", "#ffc107"  # told apart by colour-blind people, too
OPACITY = 0.6


class SetsRow(WorkRow):
    """Make prediction sets of a coverage, show their sizes, say how many there are.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Gets a layer of sizes.
    """

    shown = Signal(object)  # the layer

    def __init__(self, session: Session, viewer: Any) -> None:
        self.viewer = viewer
        self.prediction: Any = None
        self._source: Any = None
        self.coverage = QComboBox()
        self.coverage.setObjectName("coverage")
        self.coverage.setToolTip("Share of sets that shall hold the true class")
        super().__init__(
            session,
            "sets",
            name="prediction_sets",
            text="Prediction sets",
            tip=TIP,
            kept="sets made before are kept",
        )
        self.press.insertWidget(1, self.coverage)

    def use(self, prediction: Any) -> None:
        """Work on this prediction from now on.

        Parameters
        ----------
        prediction : Prediction or None
            None where nothing is segmented.
        """
        before = getattr(self.prediction, "path", None)
        self.prediction = prediction
        if getattr(prediction, "path", None) != before or not self._is_finished:
            self.say("")  # of another segmentation, or of one that is made anew
        able = () if prediction is None else prediction.coverages
        known = [self.coverage.itemData(i) for i in range(self.coverage.count())]
        if list(able) != known:
            self.coverage.clear()
            for each in able:
                self.coverage.addItem(f"{100 * each:g} %", each)
            usual = max((each for each in able if each <= USUAL), default=None)
            self.coverage.setCurrentIndex(self.coverage.findData(usual))
        self.refresh(ready=self._is_finished)

    def restore(self, found: Any) -> None:
        """Show sets of an earlier session as if they had just been made.

        Parameters
        ----------
        found : PredictionSets
            Of the prediction that this row works on.
        """
        self._source = self.session.source
        place = self.coverage.findData(found.coverage)
        if place >= 0:
            self.coverage.setCurrentIndex(place)
        if found.voxels:
            self.say(describe_sets(found))
        self.shown.emit(self._show_layer(found))

    def refresh(self, *, ready: bool) -> None:
        """Show what can be done now."""
        super().refresh(ready=ready)
        self.coverage.setVisible(ready)
        able = ready and self.coverage.count() > 0
        self.coverage.setEnabled(able and not self.running)
        if not able:
            self.button.setEnabled(False)
        few = "The model has too few held-out strokes for sets: paint more of them."
        self.button.setToolTip(TIP if able or not ready else few)

    def start(self) -> None:
        """Make the sets."""
        with telling(self.session):
            self.say("")
            self._source = self.session.source
            settings = self.session.engine.SetSettings.checked(
                coverage=self.coverage.currentData()
            )
            self.session.steps.find_sets(self.prediction.path, settings)

    def on_event(self, event: Event) -> None:
        """Show the sets when they are made."""
        # By name: the class lives in a room that loads the engine.
        if type(event).__name__ == "SetsDone":
            self._on_done(event)

    @property
    def _is_finished(self) -> bool:
        found = self.prediction
        return found is not None and found.done == found.total

    def _on_done(self, event: Any) -> None:
        with telling(self.session):
            found = self.session.engine.open_sets(Path(event.path))
            if self._source is self.session.source:
                self.say(describe_sets(event))
            if self._source in self.viewer.layers:
                self.shown.emit(self._show_layer(found))

    def _show_layer(self, found: Any) -> Any:
        count = len(found.classes)
        layer = put_layer(
            self.viewer,
            self._source,
            Labels,
            as_levels((found.sizes, *found.coarser)),
            name=f"{self._source.name} - set sizes",
            note={"result": "sets", "path": str(found.path)},
            first={"opacity": OPACITY},
            always={"colormap": size_colours(count), "visible": True},
        )
        layer.editable = False
        layer.features = size_names(count)
        return layer


def describe_sets(event: Any) -> str:
    """Say how large sets are, and how often they hold the true class.

    Parameters
    ----------
    event : SetsDone or PredictionSets
        Counts of voxels by the size of their set.
    """
    total = sum(event.voxels)
    empty, single, *more = (100 * each / total for each in event.voxels)
    parts = [f"{single:.1f} % of voxels may have one class only"]
    parts.append(f"{sum(more):.1f} % several")
    if empty:
        parts.append(f"{empty:.1f} % look like none")
    text = f"{', '.join(parts)}."
    if event.reached is None:
        return text
    return (
        f"{text} Of held-out strokes, {100 * event.reached:.0f} % of such sets hold "
        f"the true class ({100 * event.coverage:g} % were asked for)."
    )


def size_colours(classes: int) -> DirectLabelColormap:
    """Colours of set sizes: one class is clear, which is transparent."""
    colours: dict[int | None, str] = {None: SEVERAL, 0: NONE, 1: "transparent"}
    colours.update(dict.fromkeys(range(2, classes + 1), SEVERAL))
    return DirectLabelColormap(color_dict=colours)


def size_names(classes: int) -> dict[str, list[Any]]:
    """What set sizes mean, as a table of a layer."""
    several = [f"{number} classes" for number in range(2, classes + 1)]
    return {
        "index": list(range(classes + 1)),
        "set": ["like no class", "1 class", *several],
    }
