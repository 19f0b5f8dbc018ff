"""The last line of the dock: what happened, or what is wrong and what to do."""

from typing import Any

from qtpy.QtWidgets import QLabel, QSizePolicy

from napari_sashiko.gui.theme import palette_of


class StatusLine(QLabel):
    """One sentence in the colour of its level; it wraps, is copied, never cut.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose theme gives the colours.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self.level = "info"
        self.setObjectName("status")
        self.setWordWrap(True)
        self.setMargin(6)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        viewer.events.theme.connect(self._recolour)
        self.clear()

    def show_message(self, text: str, level: str) -> None:
        """Show a sentence; errors and warnings are coloured."""
        self.level = level
        self.setText(text)
        self._recolour()
        self.setVisible(bool(text))

    def clear(self) -> None:
        """Say nothing."""
        self.show_message("", "info")

    def shutdown(self) -> None:
        """Stop following the theme."""
        self._viewer.events.theme.disconnect(self._recolour)

    def _recolour(self, _event: Any = None) -> None:
        palette = palette_of(self._viewer)
        colour = {"error": palette.error, "warning": palette.warning}.get(
            self.level, palette.text
        )
        self.setStyleSheet(f"QLabel {{ color: {colour.name()}; }}")
