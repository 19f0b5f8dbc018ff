"""A button of the training settings: what augmentations make of the patch in view."""

from collections.abc import Callable, Generator
from typing import Any

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
    "The patch in the middle of the view as it is, and as training may change it: "
    "flips, rotations and what is named under augment"
)


class AugmentRow(QWidget):
    """Show the patch in view with random changes, as a layer beside the image.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Gets the layer.
    settings : callable
        Returns the chosen `TrainingSettings`.
    """

    def __init__(
        self, session: Session, viewer: Any, settings: Callable[[], Any]
    ) -> None:
        super().__init__()
        self.session = session
        self.viewer = viewer
        self._settings = settings
        self._source: Any = None
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
            volume, self._source = session.need_volume(), session.source
            middle = view_center(self.viewer, self._source, volume)
            center = middle or tuple(n / 2 for n in volume.shape)

            def work() -> Generator[Event, None, Any]:
                yield Tick()
                return session.engine.augmented_patches(volume, settings, center)

            self.question.ask(work)

    def _refuse(self, why: str) -> None:
        self.session.message.emit(why, "error")

    def _show(self, page: Any) -> None:
        source = self._source
        if source not in self.viewer.layers:
            return
        with telling(self.session):
            name = f"{source.name} - augmented"
            for layer in list(self.viewer.layers):
                if layer.name == name and KEY in layer.metadata:
                    self.viewer.layers.remove(layer)
            active = self.viewer.layers.selection.active
            rgb = getattr(source, "rgb", False)
            look = {} if rgb else {"contrast_limits": tuple(source.contrast_limits)}
            layer = Image(
                page,
                name=name,
                scale=source.scale[-2:],
                translate=_beside(source),
                units=source.units[-2:],
                axis_labels=source.axis_labels[-2:],
                metadata={KEY: {"result": "augmented"}},
                **look,
            )
            self.viewer.add_layer(layer)
            if active is not None:
                self.viewer.layers.selection.active = active


def _beside(source: Any) -> tuple[float, float]:
    """World position (y, x) of the upper right corner of an image."""
    low, high = source.extent.world[:, -2:]
    return float(low[0]), float(high[1] + 0.03 * (high[1] - low[1]))
