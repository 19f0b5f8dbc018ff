"""Where a volume is segmented: threads, Dask, device; the settings behind "more"."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sashiko.gui.settings_form import SettingsForm
from napari_sashiko.runners import available_devices

SHOWN = ("runner", "workers", "scheduler", "device")


class SegmentPlace(QWidget):
    """A form of a few settings; empty until it is wanted, as it loads the engine."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("segment_settings")
        self.form: SettingsForm | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.setVisible(False)

    def show_form(self, settings: Any) -> None:
        """Make the form of this settings class, the first time."""
        if self.form is not None:
            return
        self.form = SettingsForm(
            settings,
            skip=[name for name in settings.model_fields if name not in SHOWN],
            choices={"device": ["auto", *available_devices()]},
        )
        self.form.changed.connect(self.changed.emit)
        self.layout().addWidget(self.form)

    def show_values(self, values: dict[str, Any]) -> None:
        """Show what these settings say of where the work runs."""
        if self.form is not None:
            self.form.show_values(values)

    def values(self) -> dict[str, Any]:
        """Return what the rows say; an address alone means Dask."""
        values = {} if self.form is None else self.form.values()
        if values.get("scheduler"):
            values["runner"] = "dask"
        return values
