"""What may be set about the chosen kind of network."""

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sashiko.config import Settings
from napari_sashiko.gui.parts import make_line
from napari_sashiko.gui.settings_form import SettingsForm

AUTO = "auto"  # the settings come with the choice


class NetworkForm(QWidget):
    """A form for the settings of one kind of network, exchanged with the kind.

    Parameters
    ----------
    settings_of : callable
        From the name of a kind to its settings class.
    """

    def __init__(self, settings_of: Callable[[str], type[Settings]]) -> None:
        super().__init__()
        self._settings_of = settings_of
        self.name = AUTO
        self.form: SettingsForm | None = None
        self.title = make_line("network_title")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.title)
        self.setVisible(False)

    def choose(self, name: str) -> None:
        """Show the settings of another kind; those of `AUTO` are not to be chosen."""
        if name == self.name:
            return
        self.name = name
        if self.form is not None:
            self.layout().removeWidget(self.form)
            self.form.deleteLater()
            self.form = None
        if name != AUTO:
            self.form = SettingsForm(self._settings_of(name))
            self.layout().addWidget(self.form)
            self.title.setText(f"Settings of {name}:")
        self.title.setVisible(name != AUTO)
        self.setVisible(name != AUTO)

    def values(self) -> dict[str, Any]:
        """Return what differs from the defaults."""
        if self.form is None:
            return {}
        usual = self._settings_of(self.name)().model_dump()
        return {n: v for n, v in self.form.values().items() if v != usual[n]}
