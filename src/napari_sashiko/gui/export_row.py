"""Export...: results and models as files of other programs, a row of a step."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QLineEdit, QMenu

from napari_sashiko.errors import SashikoError
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.parts import make_button
from napari_sashiko.gui.settings_form import SettingsForm
from napari_sashiko.gui.work_row import WorkRow
from napari_sashiko.runners import Event
from napari_sashiko.session import Session

TIP = (
    "Write a result as TIFF or MRC, a model as ONNX or as a package of bioimage.io, "
    "for other programs"
)
ABOUT_TIP = "Who made a model, and its license, for packages of bioimage.io"
ABOUT = {"authors", "license"}  # what is said of a model
FORMATS = {
    "TIFF": (".tif", ".tiff"),
    "MRC": (".mrc", ".rec", ".map", ".st"),
    "ONNX": (".onnx",),
    "Package of bioimage.io": (".zip",),
}


class ExportRow(WorkRow):
    """A button with a menu of what can be written; asks where to, then writes.

    Parameters
    ----------
    session : Session
        The desk.
    sources : callable
        Folders of results and models as they are now.
    """

    def __init__(self, session: Session, sources: Callable[[], Sequence[Path]]) -> None:
        self._sources = sources
        super().__init__(
            session,
            "export",
            name="export",
            text="Export...",
            tip=TIP,
            kept="no file is left",
        )
        self.menu = QMenu(self)
        self.menu.setObjectName("export_menu")

    def ensure_about(self) -> SettingsForm:
        """Make the form of what is said of a model, the first time."""
        if self.about is None:
            settings = self.session.engine.ExportSettings
            self.about = SettingsForm(settings, skip=set(settings.model_fields) - ABOUT)
            # A package may go without both.
            self.about.findChild(QLineEdit, "license").setPlaceholderText("none")
            self.layout().insertWidget(1, self.about)
        return self.about

    def refresh(self, *, ready: bool) -> None:
        """Show what can be done now."""
        super().refresh(ready=ready)
        self.more.setVisible(ready)
        if self.about is not None:
            self.about.setVisible(ready and self.more.isChecked())

    def follow(self) -> None:
        """Show the button where there is something to write."""
        self.refresh(ready=bool(self._sources()))

    def start(self) -> None:
        """Let the user choose what is written."""
        self.say("")
        self.menu.clear()
        for each in self.offers():
            action = self.menu.addAction(f"{each.what}...")
            action.triggered.connect(partial(self._ask, each))
        if self.menu.isEmpty():
            self.say("There is nothing yet that is finished.")
            return
        self.menu.popup(self.button.mapToGlobal(self.button.rect().bottomLeft()))

    def offers(self) -> list[Any]:
        """All that can be written now; what is not finished cannot."""
        found: list[Any] = []
        for source in self._sources():
            try:
                found += self.session.engine.exportables(source)
            except SashikoError as error:
                self.say(str(error))
        return found

    def write(self, what: Any, out: Path) -> None:
        """Write one of the offers to a file."""
        with telling(self.session):
            said = {} if self.about is None else self.about.values()
            self.session.steps.export(what, out, **said)

    def on_event(self, event: Event) -> None:
        """Say where it is."""
        # By name: the class lives in a room that loads the engine.
        if type(event).__name__ == "ExportDone":
            self._on_done(event)

    def show_more(self) -> None:
        """Open or close what is said of a model."""
        with telling(self.session):
            if self.more.isChecked():
                self.ensure_about()
            self.refresh(ready=self.ready)

    def _build(self, name: str, text: str, tip: str) -> None:
        super()._build(name, text, tip)
        self.about: SettingsForm | None = None
        self.more = make_button("more_exporting", "more", ABOUT_TIP)
        self.more.setCheckable(True)
        self.more.toggled.connect(lambda _on: self.show_more())
        self.press.addWidget(self.more)

    def _on_done(self, event: Any) -> None:
        file = Path(event.path)
        self.say(f"{event.what}: {file.name}, {_size(event.bytes)}.")
        self.state.setToolTip(str(file))

    def _ask(self, what: Any, _checked: bool = False) -> None:  # noqa: FBT001, FBT002
        kinds = {
            name: [each for each in endings if each in what.endings]
            for name, endings in FORMATS.items()
        }
        filters = [
            f"{name} ({' '.join(f'*{each}' for each in endings)})"
            for name, endings in kinds.items()
            if endings
        ]
        name = f"{what.source.stem} {what.what}".replace("/", " ")
        chosen, kind = QFileDialog.getSaveFileName(
            self,
            f"Export: {what.what}",
            str(Path.home() / f"{name}{what.endings[0]}"),
            ";;".join(filters),
        )
        if chosen:
            self.write(what, _with_ending(Path(chosen), what.endings, kind))


def _with_ending(path: Path, endings: Sequence[str], kind: str) -> Path:
    """Add the ending of the chosen format to a name without one that is known."""
    if path.suffix.lower() in endings:
        return path
    usual = next((FORMATS[name][0] for name in FORMATS if kind.startswith(name)), "")
    return path.with_name(path.name + (usual or endings[0]))


def _size(count: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count = round(count / 1000, 1)
    return f"{count:.3g} GB"
