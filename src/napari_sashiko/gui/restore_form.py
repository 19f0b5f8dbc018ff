"""The widgets of the restoring dock, and how they are arranged."""

from typing import Any

from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.gui.curves import Curve
from napari_sashiko.gui.network_form import AUTO, NetworkForm
from napari_sashiko.gui.parts import make_button, make_line
from napari_sashiko.gui.settings_form import SettingsForm
from napari_sashiko.gui.status_line import StatusLine
from napari_sashiko.runners import available_devices

TASKS = {
    "blind": "take noise away",
    "paired": "make it like a clean image",
    "gaps": "fill what was not measured",
}
# Chosen above the form.
CHOSEN = {"gaps", "missing"}


class RestoreForm:
    """What there is to choose, to press and to see.

    Parameters
    ----------
    box : QWidget
        Where they go.
    viewer : napari.Viewer
        Whose theme gives the colours.
    """

    def __init__(self, box: QWidget, viewer: Any) -> None:
        self.images = _box("restore_image", "The image to restore")
        self.tasks = _box("restore_task", "What is to be done")
        for key, text in TASKS.items():
            self.tasks.addItem(text, key)
        self.clean = _box("restore_clean", "The same place as it should look")
        self.missing = QLineEdit()
        self.missing.setObjectName("restore_missing")
        self.missing.setPlaceholderText("NaN only")
        self.missing.setToolTip("Grey value of what was not measured, beside NaN")
        self.models = _box("restore_model", "Learn anew, or use what was learned")
        self.more = make_button("more_restoring", "more", "Time, networks, losses")
        self.more.setCheckable(True)
        self.settings: SettingsForm | None = None
        self.network: NetworkForm | None = None
        self.more_area = QWidget()
        self.more_area.setVisible(False)
        self.start_button = make_button(
            "restore", "Restore", "Learn, then restore the whole image"
        )
        self.stop_button = make_button(
            "stop_restoring", "Stop", "Stop; what was learned and made is kept"
        )
        self.progress = QProgressBar()
        self.progress.setObjectName("restore_progress")
        self.progress.setTextVisible(False)
        self.left = QLabel()
        self.working = QWidget()
        self.state = make_line("restore_state")
        self.loss = Curve("loss on held-out blocks", viewer)
        self.loss.setVisible(False)
        self.status = StatusLine(viewer)
        self._arrange(box)

    @property
    def task(self) -> str:
        """Key of what is to be done."""
        return str(self.tasks.currentData())

    def ensure_settings(self, engine: Any) -> None:
        """Make the form of all other settings, the first time."""
        if self.settings is not None:
            return
        choices = {
            "device": ["auto", *available_devices()],
            "network": [AUTO, *engine.restorer_names()],
        }
        self.settings = SettingsForm(
            engine.RestoreSettings, skip=CHOSEN, choices=choices
        )
        self.network = NetworkForm(engine.restorer_settings)
        self.settings.changed.connect(self._show_network)
        for each in (self.settings, self.network):
            self.more_area.layout().addWidget(each)

    def values(self) -> dict[str, Any]:
        """Return all settings but those that are chosen above the form."""
        if self.settings is None or self.network is None:
            return {}
        given = {"network_settings": self.network.values()}
        return self.settings.values() | given

    def show_task(self) -> None:
        """Show what the chosen task needs."""
        learns = self.models.currentData() is None
        self.rows.setRowVisible(self.tasks, learns)
        self.rows.setRowVisible(self.clean, learns and self.task == "paired")
        self.rows.setRowVisible(self.missing, learns and self.task == "gaps")
        self.more.setVisible(learns)
        self.more_area.setVisible(learns and self.more.isChecked())

    def show_running(self, *, running: bool) -> None:
        """Show that work is going on, or that it may begin."""
        self.working.setVisible(running)
        self.stop_button.setEnabled(running)
        self.start_button.setEnabled(not running and self.images.count() > 0)
        for each in (self.images, self.tasks, self.clean, self.missing, self.models):
            each.setEnabled(not running)
        if running:
            self.progress.setRange(0, 0)
            self.left.setText("")

    def say(self, text: str) -> None:
        """Say what is going on."""
        self.state.setText(text)
        self.state.setVisible(bool(text))

    def shutdown(self) -> None:
        """Stop following the theme."""
        self.loss.shutdown()
        self.status.shutdown()

    def _show_network(self) -> None:
        if self.settings is not None and self.network is not None:
            self.network.choose(self.settings.values()["network"])

    def _arrange(self, box: QWidget) -> None:
        self.rows = QFormLayout()
        self.rows.addRow("Image", self.images)
        self.rows.addRow("Model", self.models)
        self.rows.addRow("Task", self.tasks)
        self.rows.addRow("Clean image", self.clean)
        self.rows.addRow("Missing is", self.missing)
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
        layout.addLayout(self.rows)
        layout.addLayout(press)
        layout.addWidget(self.more_area)
        layout.addWidget(self.working)
        layout.addWidget(self.state)
        layout.addWidget(self.loss)
        layout.addStretch(1)
        layout.addWidget(self.status)


def _box(name: str, tip: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setToolTip(tip)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box
