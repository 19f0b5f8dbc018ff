"""Fill between painted slices: ask for a suggestion, look at it, accept or discard."""

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.parts import make_button
from napari_sashiko.gui.suggestion_layer import SuggestionLayer
from napari_sashiko.labels import BetweenSettings, LabelClass, Suggestion
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.session import Session

KIND = "between"
SECONDS = 0.01  # of painting between two looks at the window
MOST_EMPTY = 200
FILL_TIP = (
    "Suggest paint of the selected class between its painted slices, along the axis of "
    "the slider. Nothing is painted before you accept it"
)


class BetweenRow(QWidget):
    """Ask for a suggestion for the selected class, and decide about it.

    Parameters
    ----------
    session : Session
        Computes and keeps the suggestion.
    viewer : napari.Viewer
        Where it is shown.
    """

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__()
        self.session = session
        self.viewer = viewer
        self._labels: Any = None
        self._steps: Iterator[int] | None = None
        self._history = ExitStack()
        self._painted = 0
        self._build()
        self.shown = SuggestionLayer(session, viewer, self)
        self._clock = QTimer(self)
        self._clock.setInterval(0)
        self._clock.timeout.connect(self._paint_on)
        session.between.changed.connect(self._on_changed)
        session.job_changed.connect(self._on_job)
        session.event.connect(self._on_event)

    def follow(self, labels: Any) -> None:
        """Serve this label layer; None if there is none."""
        session = self.session
        if labels is not self._labels:
            self._let_go()
            self._labels = labels
            if labels is not None:  # before napari's own: these paint
                labels.mouse_drag_callbacks.insert(0, self._make_way)
                labels.undo = self._undo  # the key asks for it by name
            self._say("")
        volume = session.volume
        # What lies between two time points is no shape between two slices.
        has_slices = volume is not None and not volume.flat and volume.time is None
        self.setVisible(session.labels.paint is not None and has_slices)
        self._refresh()

    def fill(self) -> None:
        """Ask what lies between the painted slices, or stop asking."""
        if self.session.is_running(KIND):
            self.session.stop(KIND)
            return
        with telling(self.session):
            settings = BetweenSettings.checked(
                axis=sliced_axis(self.viewer), most_empty=self.most.value()
            )
            self.session.between.fill(int(self._labels.selected_label), settings)
            self._say("looking ...")

    def accept(self) -> None:
        """Paint what is suggested, as one step that can be undone."""
        with telling(self.session):
            self._steps = self.session.between.accept_steps(self._writer())
            self._painted = 0
            if self._labels is not None:
                self._history.enter_context(self._labels.block_history())
            self._refresh()
            self._clock.start()
            self._paint_on()

    def discard(self) -> None:
        """Forget what is suggested."""
        self._say("")
        self.session.between.discard()

    def shutdown(self) -> None:
        """Stop painting and take the suggestion away."""
        self._stop_painting()
        self.shown.shutdown()
        self._let_go()

    # ---- painting ---------------------------------------------------------------

    def _writer(self) -> Any:
        layer = self._labels
        if layer is None:
            return None  # no layer, no history: the store itself

        def write(places: tuple[Any, ...], class_id: int) -> None:
            layer.data_setitem(places, class_id, refresh=False)

        return write

    def _make_way(self, _layer: Any, _event: Any) -> None:
        """Paint the rest at once: the stroke that begins is a step of its own."""
        if self._steps is not None:
            self._paint(math.inf)

    def _undo(self) -> None:
        """Undo the last stroke; while a suggestion is painted, that is its paint."""
        self._stop_painting()
        type(self._labels).undo(self._labels)

    def _paint_on(self) -> None:
        """Paint for a moment; a large suggestion takes several."""
        self._paint(SECONDS)

    def _paint(self, seconds: float) -> None:
        done = goes_on = False
        try:
            with telling(self.session):
                done = self._is_painted(time.monotonic() + seconds)
                goes_on = not done
        finally:
            if not goes_on:
                self._stop_painting()
        if done:
            key = "" if self._labels is None else ", undo takes them back"
            self._say(f"{plural(self._painted, 'voxel')} painted{key}")

    def _is_painted(self, end: float) -> bool:
        for count in self._steps or ():
            self._painted += count
            if time.monotonic() > end:
                return False
        return True

    def _let_go(self) -> None:
        labels, self._labels = self._labels, None
        if labels is not None:
            labels.mouse_drag_callbacks.remove(self._make_way)
            del labels.undo

    def _stop_painting(self) -> None:
        if self._steps is None:
            return
        self._clock.stop()
        self._steps = None
        self._history.close()  # commits what was painted as one step
        if self._labels is not None:
            self._labels.refresh(extent=False, thumbnail=False, highlight=False)
        self._refresh()

    # ---- what is shown ----------------------------------------------------------

    def _refresh(self) -> None:
        suggestion, running = self.session.between.suggestion, self._is_running()
        busy = self._steps is not None
        self.fill_button.setText("Stop" if running else "Fill between slices")
        self.fill_button.setEnabled(self._labels is not None and not busy)
        self.most.setEnabled(not running and not busy)
        self.choice.setVisible(bool(suggestion) and not running)
        self.choice.setEnabled(not busy)

    def _say(self, text: str) -> None:
        self.found.setText(text)
        self.found.setVisible(bool(text))

    def _on_changed(self) -> None:
        suggestion = self.session.between.suggestion
        self._say("" if suggestion is None else self._found_text(suggestion))
        self._refresh()

    def _found_text(self, suggestion: Suggestion) -> str:
        if len(suggestion):
            return found_text(suggestion, self.session.labels.classes)
        return (
            "Nothing to fill. The class must be painted on two slices with 1 to "
            f"{self.most.value()} empty ones between, in places that overlap."
        )

    def _on_job(self, kind: str) -> None:
        if kind != KIND:
            return
        job = self.session.job(kind)
        if job is not None and job.status.state in ("cancelled", "failed"):
            self._on_changed()
        self._refresh()

    def _on_event(self, kind: str, event: Event) -> None:
        if kind != KIND:
            return
        if isinstance(event, Message):
            self.session.message.emit(event.text, event.level)
        elif isinstance(event, Progress) and self._is_running():
            self._say(f"slice {event.done + 1} of {event.total}")

    def _is_running(self) -> bool:
        return self.session.is_running(KIND)

    # ---- widgets ----------------------------------------------------------------

    def _build(self) -> None:
        self.fill_button = make_button("fill_between", "Fill between slices", FILL_TIP)
        self.fill_button.clicked.connect(self.fill)
        self.most = QSpinBox()
        self.most.setObjectName("between_most")
        self.most.setRange(1, MOST_EMPTY)
        self.most.setValue(BetweenSettings().most_empty)
        self.most.setPrefix("up to ")
        self.most.setSuffix(" slices")
        self.most.setToolTip("Most empty slices between two painted ones")
        self.found = QLabel()
        self.found.setObjectName("between_found")
        self.found.setWordWrap(True)
        self.accept_button = make_button(
            "accept_between", "Accept", "Make paint of the suggestion"
        )
        self.accept_button.clicked.connect(self.accept)
        self.discard_button = make_button(
            "discard_between", "Discard", "Forget the suggestion"
        )
        self.discard_button.clicked.connect(self.discard)
        self._arrange()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.fill_button)
        top.addWidget(self.most)
        top.addStretch(1)
        self.choice = QWidget()
        choice = QHBoxLayout(self.choice)
        choice.setContentsMargins(0, 0, 0, 0)
        choice.addWidget(self.accept_button)
        choice.addWidget(self.discard_button)
        below = QHBoxLayout()
        below.addWidget(self.found, 1)
        below.addWidget(self.choice)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addLayout(below)


def sliced_axis(viewer: Any) -> int:
    """Axis of the volume, 0 to 2, that the slider steps along, or would in 2D."""
    dims = viewer.dims
    first = dims.ndim - 3
    stepped = [axis - first for axis in dims.order[:-2] if axis >= first]
    return int(stepped[-1])


def found_text(suggestion: Suggestion, classes: tuple[LabelClass, ...]) -> str:
    """Say how much is suggested, and of what if it is more than one class."""
    much = f"{plural(len(suggestion), 'voxel')} on {plural(suggestion.slices, 'slice')}"
    if len(suggestion.class_ids) == 1:
        return much
    names = [each.name for each in classes if each.id in suggestion.class_ids]
    return f"{', '.join(names)}: {much}"


def plural(count: int, noun: str) -> str:
    """Return a number of things, such as ``"1 voxel"`` and ``"2 voxels"``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}".replace(",", "\u202f")
