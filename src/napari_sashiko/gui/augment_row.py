"""A button of the training settings: what augmentations make of a patch."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.label_layer import KEY
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.parts import make_button
from napari_sashiko.gui.view_center import view_center
from napari_sashiko.runners import Event, Tick
from napari_sashiko.session import Session

TIP = (
    "A patch of the image in view, or of the middle picture, as it is, and as training "
    "may change it: flips, rotations and what is named under augment"
)


@dataclass(frozen=True)
class Subject:
    """What a patch is taken from.

    Parameters
    ----------
    name : str
        The layer is named after it.
    opened : callable
        Returns the volume, and the voxel (z, y, x) in the middle of the patch; called
        in the background.
    source : napari layer, optional
        The image, where it is one.
    """

    name: str
    opened: Callable[[], tuple[Any, tuple[float, float, float]]]
    source: Any = None


class AugmentRow(QWidget):
    """Show a patch with random changes, as a layer beside the image.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Gets the layer.
    settings : callable
        Returns the chosen `TrainingSettings`.
    subject : callable, optional
        Returns the `Subject`; the view of the volume on the desk if left out.
    """

    def __init__(
        self,
        session: Session,
        viewer: Any,
        settings: Callable[[], Any],
        subject: Callable[[], Subject] | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.viewer = viewer
        self._settings = settings
        self._choose = subject or self._in_view
        self._subject: Subject | None = None
        self.button = make_button("show_augmented", "Show augmented patches", TIP)
        self.button.clicked.connect(lambda _on: self.start())
        self.question = Question(session, "augment", self)
        self.question.answered.connect(self._show)
        self.question.refused.connect(self._refuse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        row.addStretch(1)

    def start(self) -> None:
        """Ask for the patches."""
        with telling(self.session):
            session, settings = self.session, self._settings()
            self._subject = subject = self._choose()

            def work() -> Generator[Event, None, Any]:
                yield Tick()
                volume, center = subject.opened()
                yield Tick()
                return session.engine.augmented_patches(volume, settings, center)

            self.question.ask(work)

    def _in_view(self) -> Subject:
        """The patch in the middle of the view."""
        volume, source = self.session.need_volume(), self.session.source
        z, y, x = volume.shape
        middle = view_center(self.viewer, source, volume) or (z / 2, y / 2, x / 2)
        return Subject(source.name, lambda: (volume, middle), source)

    def _refuse(self, why: str) -> None:
        self.session.message.emit(why, "error")

    def _show(self, page: Any) -> None:
        subject = self._subject
        if subject is None:
            return
        source = subject.source
        if source is not None and source not in self.viewer.layers:
            return
        with telling(self.session):
            name = f"{subject.name} - augmented"
            for layer in list(self.viewer.layers):
                if layer.name == name and KEY in layer.metadata:
                    self.viewer.layers.remove(layer)
            active = self.viewer.layers.selection.active
            note = {KEY: {"result": "augmented"}}
            self.viewer.add_layer(
                Image(page, name=name, metadata=note, **_look(source, page))
            )
            if active is not None:
                self.viewer.layers.selection.active = active


def _look(source: Any, page: Any) -> dict[str, Any]:
    """Contrast and place of a page beside an image, or of one alone."""
    if source is None:
        low, high = np.nanmin(page), np.nanmax(page)
        return {"contrast_limits": (float(low), float(max(high, low + 1e-6)))}
    rgb = getattr(source, "rgb", False)
    look = {} if rgb else {"contrast_limits": tuple(source.contrast_limits)}
    return {
        "scale": source.scale[-2:],
        "translate": _beside(source),
        "units": source.units[-2:],
        "axis_labels": source.axis_labels[-2:],
        **look,
    }


def _beside(source: Any) -> tuple[float, float]:
    """World position (y, x) of the upper right corner of an image."""
    low, high = source.extent.world[:, -2:]
    return float(low[0]), float(high[1] + 0.03 * (high[1] - low[1]))
