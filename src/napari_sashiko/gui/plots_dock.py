"""A second dock: figures of what is on the desk, and the report."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.plots_desk import DeskFollower
from napari_sashiko.gui.plots_form import PlotsForm
from napari_sashiko.gui.plots_work import (
    Drawn,
    Look,
    Subject,
    desk_subject,
    draw,
    list_figures,
    save,
    write_report,
)
from napari_sashiko.gui.status_line import StatusLine
from napari_sashiko.gui.theme import palette_of
from napari_sashiko.gui.window_watch import WindowWatch
from napari_sashiko.runners import Event, Progress
from napari_sashiko.session import Session, describe_error

REPORT = "report"
DPI = 96
NARROWEST = 300  # pixels of a figure
SOON_MILLISECONDS = 500
NO_DESK = "Open a volume in the Sashiko dock, or choose a folder."
KINDS = "PNG (*.png);;PDF (*.pdf)"
OF_MODELS = {"curves", "graph", "reliability", "confusion"}
# Which figures are others after what has changed; all of them with another volume.
CHANGING = {
    "models": OF_MODELS,
    "train": OF_MODELS,
    "paint": {"slices", "intensities"},
    "predict": {"slices", "intensities", "directions"},
    "instances": {"lengths", "directions"},
    "measure": {"lengths"},
}


class PlotsDock(QWidget):
    """Choose a figure, look at it, save it; write the report.

    It follows the desk of the main dock where that is open. Without it, or beside it,
    figures can be drawn of any project, model or prediction on disk.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer; napari passes it by this name.
    session : Session, optional
        What jobs run in while the main dock is not open; for tests.
    """

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__()
        # A proxy hides what is not public and makes every read slow.
        self.viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        own = session or Session()
        self.destroyed.connect(own.shutdown)
        self.drawn: Drawn | None = None
        self.form = PlotsForm(self, StatusLine(self.viewer))
        self.desk = DeskFollower(self.viewer, own, self)
        self._asleep = False  # hidden: what changes is drawn when it is shown again
        self._shut = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MILLISECONDS)
        self._watch = WindowWatch(self)
        self._connect()
        self._show_desk()
        self.refresh()

    @property
    def session(self) -> Session:
        """The desk that is followed."""
        return self.desk.session

    # ---- what the user does -----------------------------------------------------

    def refresh(self) -> None:
        """Look again at what is there, and draw the figure of that."""
        self.drawn = None
        self._draw()

    def open_folder(self) -> None:
        """Ask for a project, model or prediction, and draw figures of it."""
        folder = QFileDialog.getExistingDirectory(
            self, "Figures of: a project, a model, a prediction"
        )
        if folder:
            self.form.add_folder(Path(folder))

    def save_figure(self) -> None:
        """Ask where to and save the figure."""
        drawn = self.drawn
        if drawn is None:
            return
        suggestion = str(self._place() / f"{drawn.name}.png")
        chosen, kind = QFileDialog.getSaveFileName(
            self, "Save the figure", suggestion, KINDS
        )
        if chosen:
            path = Path(chosen)
            if path.suffix.lower() not in (".png", ".pdf"):
                path = path.with_name(path.name + (".pdf" if "pdf" in kind else ".png"))
            self._meet()
            session = self.session
            self._question("save").ask(lambda: save(session, drawn, path))

    def write_report(self) -> None:
        """Ask where to and write the report."""
        suggestion = str(self._place() / "report.html")
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Write the report", suggestion, "Web page (*.html)"
        )
        if not chosen:
            return
        out = Path(chosen)
        out = out if out.suffix else out.with_suffix(".html")
        self._meet()
        session, subject = self.session, self._subject()
        with telling(session):
            session.start(
                REPORT,
                lambda: write_report(session, subject, out),
                name=f"Report on {subject.name or out.stem}",
            )

    def stop_report(self) -> None:
        """Stop; nothing is left behind."""
        self.form.stop_button.setEnabled(False)
        self.session.stop(REPORT)

    # ---- drawing ----------------------------------------------------------------

    def _draw(self, data: Any = None) -> None:
        """Draw the chosen figure, from data that are known or anew."""
        if self._shut:
            return
        self._meet()
        session, name = self.session, self.form.name
        if not name:
            self._question("plot").ask(lambda: list_figures(session))
            return
        subject, look = self._subject(), self._look()
        if data is None and not (subject.path or subject.folder or subject.given):
            self._say(NO_DESK)
            return
        self.form.wait("drawing ...")
        self._question("plot").ask(lambda: draw(session, name, subject, look, data))

    def _draw_again(self, _event: Any = None) -> None:
        """Draw what is shown in another size or in other colours."""
        if self.drawn is not None and self.drawn.name == self.form.name:
            self._draw(self.drawn.data)

    def _on_answer(self, answer: Any) -> None:
        if isinstance(answer, dict):
            self.form.show_names(answer)
            self._draw()
        elif isinstance(answer, Drawn) and answer.name == self.form.name:
            self.drawn = answer
            self.form.show_figure(answer.image, answer.note)

    def _say(self, text: str) -> None:
        self.drawn = None
        self.form.say(text)

    def _look(self) -> Look:
        palette = palette_of(self.viewer)
        return Look(
            background=palette.background.name(),
            text=palette.text.name(),
            faint=palette.faint.name(),
            width=max(self.form.view.width(), NARROWEST) / DPI,
            dpi=round(DPI * self.devicePixelRatioF()),
        )

    def _subject(self) -> Subject:
        folder = self.form.folder
        if folder is not None:
            return Subject(folder.name, path=folder)
        return desk_subject(self.session, self.desk.dock)

    def _place(self) -> Path:
        """Where files are suggested: in the project, else beside it, else at home."""
        folder = self.form.folder or self.session.folder
        if folder is None:
            return Path.home()
        room = folder / "plots"
        return room if room.is_dir() else folder.parent

    # ---- following --------------------------------------------------------------

    def _connect(self) -> None:
        form = self.form
        form.figures.currentIndexChanged.connect(lambda _index: self.refresh())
        form.about.currentIndexChanged.connect(lambda _index: self.refresh())
        form.folder_button.clicked.connect(lambda _on: self.open_folder())
        form.save_button.clicked.connect(lambda _on: self.save_figure())
        form.report_button.clicked.connect(lambda _on: self.write_report())
        form.stop_button.clicked.connect(lambda _on: self.stop_report())
        form.view.resized.connect(self._draw_again)
        self.desk.changed.connect(self._on_change)
        self.desk.job_changed.connect(self._on_job)
        self.desk.said.connect(self._on_event)
        self._soon.timeout.connect(self._on_soon)
        self._watch.gone.connect(self.shutdown)
        self.viewer.events.theme.connect(self._draw_again)
        for emitter in self._layer_events():
            emitter.connect(self._meet)

    def _layer_events(self) -> tuple[Any, ...]:
        events = self.viewer.layers.events
        return events.inserted, events.removed

    def _meet(self, _event: Any = None) -> None:
        """Follow the main dock where it is open; part from one that was closed."""
        if self.desk.meet():
            self._show_desk()
            if self.form.folder is None:
                self._soon.start()

    def _show_desk(self) -> None:
        is_open = self.desk.dock is not None
        self.form.show_desk(self.session.name, is_open=is_open)
        self.form.show_running(running=self.session.is_running(REPORT))

    def _question(self, kind: str) -> Question:
        """Return the questions of one kind to the desk that is followed now."""
        question, new = self.desk.question(kind)
        if new and kind == "plot":
            question.answered.connect(self._on_answer)
            question.refused.connect(self._say)
        elif new:
            question.answered.connect(self._on_saved)
            question.refused.connect(self._on_refused)
        return question

    def _on_saved(self, path: Path) -> None:
        self.form.tell_file("Figure", path)

    def _on_refused(self, why: str) -> None:
        self.form.status.show_message(why, "error")

    def _on_change(self, what: str) -> None:
        """Something on the desk is another: draw anew, a little later."""
        if what == "volume":
            self._show_desk()
        if self.form.folder is not None:
            return
        if what == "volume" or self.form.name in CHANGING.get(what, ()):
            self._soon.start()

    def _on_soon(self) -> None:
        if self._asleep:
            self.drawn = None
        else:
            self.refresh()

    def _on_job(self, kind: str) -> None:
        job = self.session.job(kind)
        if kind not in ("plot", REPORT) or job is None:
            return
        state, error = job.status.state, job.status.error
        if kind == "plot":
            if state == "failed":
                self._say(describe_error(error))
            return
        self.form.show_running(running=self.session.is_running(REPORT))
        if state == "failed":
            self.form.status.show_message(describe_error(error), "error")
        elif state == "cancelled":
            self.form.status.show_message("Stopped; no report was written.", "info")
        elif state == "running":
            self.form.status.clear()

    def _on_event(self, kind: str, event: Event) -> None:
        if kind != REPORT:
            return
        if isinstance(event, Progress):
            self.form.show_progress(event.done, event.total)
        # By name: the class lives in a room that loads the engine.
        elif type(event).__name__ == "ReportDone":
            done: Any = event
            self.form.tell_file("Report", Path(done.path))

    def showEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Draw what has changed while nobody looked."""
        super().showEvent(event)
        self._asleep = False
        if self.drawn is None:
            self._soon.start()

    def hideEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Draw nothing while nobody looks."""
        super().hideEvent(event)
        self._asleep = True

    def shutdown(self) -> None:
        """Stop following and drawing; may be called twice."""
        if self._shut:
            return
        self._shut = True
        self._soon.stop()
        self.form.shutdown()
        self.viewer.events.theme.disconnect(self._draw_again)
        for emitter in self._layer_events():
            emitter.disconnect(self._meet)
        self.desk.shutdown()
