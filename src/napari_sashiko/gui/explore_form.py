"""The widgets of the exploring dock, and how they are arranged."""

from typing import Any

from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.gui.parts import make_button, make_line
from napari_sashiko.gui.scatter import Scatter
from napari_sashiko.gui.settings_form import SettingsForm
from napari_sashiko.gui.status_line import StatusLine
from napari_sashiko.runners import available_devices

METHODS = {
    "pca": "PCA: the same axes for every image",
    "tsne": "t-SNE: clusters",
    "umap": "UMAP: clusters (umap-learn)",
}


class ExploreForm:
    """What there is to choose, to press and to see.

    Parameters
    ----------
    box : QWidget
        Where they go.
    viewer : napari.Viewer
        Whose theme gives the colours.
    """

    def __init__(self, box: QWidget, viewer: Any) -> None:
        self.images = _box("explore_image", "The image to explore")
        self.models = _box(
            "explore_model", "Learn anew, or compare with what another image taught"
        )
        self.methods = _box("explore_method", "How patches become points")
        for key, text in METHODS.items():
            self.methods.addItem(text, key)
        self.more = make_button("more_exploring", "more", "Time, patch, network")
        self.more.setCheckable(True)
        self.settings: SettingsForm | None = None
        self.more_area = QWidget()
        self.more_area.setVisible(False)
        self.start_button = make_button(
            "explore", "Explore", "Learn, then show every patch as a point"
        )
        self.stop_button = make_button(
            "stop_exploring", "Stop", "Stop; what was learned is kept"
        )
        self.progress = QProgressBar()
        self.progress.setObjectName("explore_progress")
        self.progress.setTextVisible(False)
        self.left = QLabel()
        self.working = QWidget()
        self.state = make_line("explore_state")
        self.scatter = Scatter(viewer)
        self.scatter.setVisible(False)
        self.patch = make_line("explore_patch")
        self.status = StatusLine(viewer)
        self._arrange(box)

    @property
    def method(self) -> str:
        """Key of how patches become points."""
        return str(self.methods.currentData())

    def ensure_settings(self, settings: Any) -> SettingsForm:
        """Make the form of all other settings, the first time."""
        if self.settings is None:
            choices = {
                "device": ["auto", *available_devices()],
                "network": ["autoencoder", "vae"],
            }
            self.settings = SettingsForm(settings, choices=choices)
            self.more_area.layout().addWidget(self.settings)
        return self.settings

    def show_task(self) -> None:
        """Show what is of use to learn, or not."""
        learns = self.models.currentData() is None
        self.more.setVisible(learns)
        self.more_area.setVisible(learns and self.more.isChecked())

    def show_running(self, *, running: bool) -> None:
        """Show that work is going on, or that it may begin."""
        self.working.setVisible(running)
        self.stop_button.setEnabled(running)
        self.start_button.setEnabled(not running and self.images.count() > 0)
        for each in (self.images, self.models, self.methods):
            each.setEnabled(not running)
        if running:
            self.progress.setRange(0, 0)
            self.left.setText("")

    def say(self, text: str) -> None:
        """Say what is going on."""
        self.state.setText(text)
        self.state.setVisible(bool(text))

    def say_patch(self, text: str) -> None:
        """Say what the chosen patch is like."""
        self.patch.setText(text)
        self.patch.setVisible(bool(text))

    def shutdown(self) -> None:
        """Stop following the theme."""
        self.scatter.shutdown()
        self.status.shutdown()

    def _arrange(self, box: QWidget) -> None:
        rows = QFormLayout()
        rows.addRow("Image", self.images)
        rows.addRow("Model", self.models)
        rows.addRow("Points by", self.methods)
        QVBoxLayout(self.more_area).setContentsMargins(0, 0, 0, 0)
        press = QHBoxLayout()
        press.addWidget(self.start_button)
        press.addStretch(1)
        press.addWidget(self.more)
        work = QHBoxLayout(self.working)
        work.setContentsMargins(0, 0, 0, 0)
        work.addWidget(self.progress, 1)
        work.addWidget(self.left)
        work.addWidget(self.stop_button)
        layout = QVBoxLayout(box)
        layout.addLayout(rows)
        layout.addLayout(press)
        for each in (self.more_area, self.working, self.state):
            layout.addWidget(each)
        layout.addWidget(self.scatter, 1)
        layout.addWidget(self.patch)
        layout.addStretch(0)
        layout.addWidget(self.status)


def _box(name: str, tip: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setToolTip(tip)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box
