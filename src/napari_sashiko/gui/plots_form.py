"""The widgets of the dock of plots."""

from html import escape
from pathlib import Path

from qtpy.QtCore import Qt, QUrl
from qtpy.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_sashiko.gui.parts import make_box, make_button, make_line, scrolling
from napari_sashiko.gui.plots_view import FigureView
from napari_sashiko.gui.status_line import StatusLine

DESK = "what is on the desk"
NO_DOCK = f"{DESK} (the Sashiko dock is not open)"


class PlotsForm:
    """Widgets by name, put into a box.

    Parameters
    ----------
    box : QWidget
        Gets the layout.
    status : StatusLine
        The last line.
    """

    def __init__(self, box: QWidget, status: StatusLine) -> None:
        self.status = status
        self.status.setOpenExternalLinks(True)
        self.about = make_box("figures_of", "What figures and report are about")
        self.about.addItem(DESK, None)
        self.folder_button = make_button(
            "figures_folder", "Folder...", "Figures of a project, model or prediction"
        )
        self.figures = make_box("figure", "Which figure")
        self.view = FigureView()
        self.state = make_line("figure_state", hidden=False)
        self.note = make_line("figure_note", hidden=False)
        self.save_button = make_button(
            "save_figure", "Save figure...", "As PNG or PDF, on white"
        )
        self.report_button = make_button(
            "write_report", "Report...", "One web page with all figures and facts"
        )
        self.progress = QProgressBar()
        self.progress.setObjectName("report_progress")
        self.progress.setTextVisible(False)
        self.stop_button = make_button("stop_report", "Stop", "Write no report")
        self._arrange(box)
        self.say("")

    @property
    def name(self) -> str:
        """The chosen figure; empty until it is known which there are."""
        return str(self.figures.currentData() or "")

    @property
    def folder(self) -> Path | None:
        """The chosen folder; None for what is on the desk."""
        chosen = self.about.currentData()
        return None if chosen is None else Path(chosen)

    def show_names(self, titles: dict[str, str]) -> None:
        """List the figures, once."""
        with signals_blocked(self.figures):
            for name, title in titles.items():
                if self.figures.findData(name) < 0:
                    self.figures.addItem(title, name)

    def add_folder(self, folder: Path) -> None:
        """Choose a folder."""
        place = self.about.findData(str(folder))
        if place < 0:
            self.about.addItem(folder.name, str(folder))
            place = self.about.count() - 1
            tip = Qt.ItemDataRole.ToolTipRole
            self.about.setItemData(place, str(folder), tip)
        self.about.setCurrentIndex(place)

    def show_desk(self, name: str, *, is_open: bool) -> None:
        """Say what is on the desk, or that there is none to follow."""
        text = f"{DESK}: {name}" if name else DESK
        self.about.setItemText(0, text if is_open else NO_DOCK)

    def show_figure(self, image: object, note: str) -> None:
        """Show a figure and its caption."""
        self.view.show_image(image)  # type: ignore[arg-type]
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.state.setVisible(False)
        self.save_button.setEnabled(True)

    def say(self, text: str) -> None:
        """Say why there is no figure."""
        self.view.show_image(None)
        self.note.setVisible(False)
        self.save_button.setEnabled(False)
        self.wait(text)

    def wait(self, text: str) -> None:
        """Say what is going on; the figure stays."""
        self.state.setText(text)
        self.state.setVisible(bool(text))

    def tell_file(self, what: str, path: Path) -> None:
        """Say where a file is, and lead to it."""
        link = escape(QUrl.fromLocalFile(str(path)).toString())
        text = f'{what}: <a href="{link}">{escape(path.name)}</a>'
        self.status.show_message(text, "info")
        self.status.setToolTip(str(path))

    def show_running(self, *, running: bool) -> None:
        """Show that a report is being written, or that one may be."""
        self.working.setVisible(running)
        self.stop_button.setEnabled(running)
        self.report_button.setEnabled(not running)
        if running:
            self.progress.setRange(0, 0)

    def show_progress(self, done: int, total: int) -> None:
        """Show how far the report is."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def shutdown(self) -> None:
        """Stop following theme and width."""
        self.view.shutdown()
        self.status.shutdown()

    def _arrange(self, box: QWidget) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.view, self.state, self.note):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = scrolling(inner)
        # A bar that comes and goes would change the width, and that the height.
        scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.working = QWidget()
        working = _row(self.progress, self.stop_button)
        working.setContentsMargins(0, 0, 0, 0)
        self.working.setLayout(working)
        layout = QVBoxLayout(box)
        layout.addLayout(_row(self.about, self.folder_button))
        layout.addWidget(self.figures)
        layout.addWidget(scroll, 1)
        layout.addLayout(_row(self.save_button, self.report_button))
        layout.addWidget(self.working)
        layout.addWidget(self.status)


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for number, widget in enumerate(widgets):
        row.addWidget(widget, int(number == 0))
    return row
