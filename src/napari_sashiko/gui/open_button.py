"""Open an image without reading it, also where napari would read it whole."""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QMenu, QPushButton

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.parts import choose_data
from napari_sashiko.gui.reader import get_reader
from napari_sashiko.gui.volume_reader import LayerData, open_image, read_image
from napari_sashiko.runners import Event, aside
from napari_sashiko.session import Session

Answer = tuple[LayerData, list[tuple[str, str]]]  # sentences and their levels
KIND = "open"
PLUGIN = "napari-sashiko"
TIP = (
    "Open an image of any size: what is shown is read from the disk. "
    "napari's own File > Open reads a whole TIFF into memory"
)


class OpenButton(QPushButton):
    """A menu that asks for a file or a folder, and shows it as a layer.

    Parameters
    ----------
    session : Session
        Opens files in a job: a header may take long to read.
    viewer : napari.Viewer
        Where layers are added.
    name : str
        Object name.
    """

    opened = Signal(object)  # the new image layer

    def __init__(self, session: Session, viewer: Any, name: str = "open_image") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setText("Open")
        self.setToolTip(TIP)
        self.session = session
        self.viewer = viewer
        self._last = Path.home()
        self._question = Question(session, KIND, self)
        self._question.answered.connect(self._show)
        self._question.refused.connect(lambda why: session.message.emit(why, "error"))
        session.job_changed.connect(self._on_job)
        menu = QMenu(self)
        menu.addAction("an image file...").triggered.connect(
            lambda _checked: self.ask_file()
        )
        menu.addAction("a folder: OME-Zarr, pictures, a project...").triggered.connect(
            lambda _checked: self.ask_folder()
        )
        self.setMenu(menu)

    @classmethod
    def beside(cls, box: Any, session: Session, viewer: Any) -> "OpenButton":
        """Make one that shows what it opened in a box of layers."""
        button = cls(session, viewer, f"open_{box.objectName()}")
        button.opened.connect(partial(choose_data, box))
        return button

    def ask_file(self) -> None:
        """Ask for an image file."""
        file, _ = QFileDialog.getOpenFileName(self, "Open an image", str(self._last))
        if file:
            self.open(Path(file))

    def ask_folder(self) -> None:
        """Ask for a folder."""
        folder = QFileDialog.getExistingDirectory(
            self, "Open an image, a project or a result", str(self._last)
        )
        if folder:
            self.open(Path(folder))

    def open(self, path: Path) -> None:
        """Open a file or a folder; `opened` tells of an image when it is shown.

        Parameters
        ----------
        path : Path
            An image, a project or a result.
        """
        self._last = path.parent
        if get_reader(str(path)) in (None, read_image):
            self.session.message.emit(f"Opening {path.name} ...", "info")
            self._question.ask(partial(_read, path))
        else:
            self.viewer.open(str(path), plugin=PLUGIN)

    def _on_job(self, kind: str) -> None:
        if kind == KIND:
            self.setEnabled(not self.session.is_running(KIND))

    def _show(self, answer: Answer) -> None:
        found, told = answer
        self.opened.emit(self.viewer.add_layer(Layer.create(*found)))
        for text, level in told:  # last, so that they stand in the dock
            self.session.message.emit(text, level)


def _read(path: Path) -> Generator[Event, None, Answer]:
    """Work that runs in a thread of its own, and touches no layer."""
    told: list[tuple[str, str]] = []

    def tell(text: str, level: str) -> None:
        told.append((text, level))

    return (yield from aside(partial(open_image, path, tell))), told
