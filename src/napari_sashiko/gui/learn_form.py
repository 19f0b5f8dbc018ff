"""The widgets of a dock in which something is learned and used, and their places."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from qtpy.QtWidgets import (
    QFormLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.gui.curves import Curve
from napari_sashiko.gui.open_button import OpenButton
from napari_sashiko.gui.parts import (
    boxed,
    in_a_row,
    make_box,
    make_button,
    make_line,
    say,
    scrolling,
)
from napari_sashiko.gui.settings_form import PartChoice, SettingsForm
from napari_sashiko.gui.status_line import StatusLine
from napari_sashiko.gui.train_words import clock
from napari_sashiko.runners import available_devices
from napari_sashiko.session import Session

LEARN = "learn anew"
STEPS = 1000  # of the progress bar while networks learn


@dataclass(frozen=True)
class FormWords:
    """What one such dock is called and says.

    Parameters
    ----------
    name, doing : str
        Object names are made of these: ``"restore"``, ``"restoring"``.
    start, start_tip : str
        Of the button that begins.
    model_tip, more_tip : str
        Of the models, and of the button that opens all other settings.
    curve : str
        What the live curve shows.
    skip, using_skip : collection
        Settings that are chosen elsewhere: of the learning, and of what comes then.
    using : str
        Heading of the latter among the other settings.
    """

    name: str
    doing: str
    start: str
    start_tip: str
    model_tip: str
    more_tip: str
    curve: str = "loss on held-out blocks"
    skip: Collection[str] = ()
    using: str = ""
    using_skip: Collection[str] = ()


class LearnForm:
    """What there is to choose, to press and to see; decides nothing.

    Rows to choose in stand above the buttons, what was found below the curve.

    Parameters
    ----------
    box : QWidget
        Where they go.
    session : Session
        Opens images.
    viewer : napari.Viewer
        Whose theme gives the colours, and where images are opened.

    Attributes
    ----------
    words : FormWords
        What this one is called.
    """

    words: ClassVar[FormWords]

    def __init__(self, box: QWidget, session: Session, viewer: Any) -> None:
        self.session, self.viewer, words = session, viewer, self.words
        name, doing = words.name, words.doing
        self.models = make_box(f"{name}_model", words.model_tip)
        self.open_button = make_button(
            f"open_model_{doing}", "...", "Open a model from disk"
        )
        self.more = make_button(f"more_{doing}", "more", words.more_tip)
        self.more.setCheckable(True)
        self.settings: SettingsForm | None = None
        self.using: SettingsForm | None = None
        self.more_area = boxed(QVBoxLayout())
        self.more_area.setVisible(False)
        self.start_button = make_button(name, words.start, words.start_tip)
        self.resume_button = make_button(
            f"resume_{doing}", "Resume", "Go on with what was learned and made"
        )
        self.resume_button.setVisible(False)
        self.stop_button = make_button(
            f"stop_{doing}", "Stop", "Stop; what was learned and made is kept"
        )
        self.progress = QProgressBar()
        self.progress.setObjectName(f"{name}_progress")
        self.progress.setTextVisible(False)
        self.left = QLabel()
        self.state = make_line(f"{name}_state")
        self.loss = Curve(words.curve, viewer)
        self.loss.setVisible(False)
        self.status = StatusLine(viewer)
        self._choices: list[QWidget] = [self.open_button]  # rest while work goes on
        self._starts: list[QPushButton] = [self.start_button]
        self._filled = False  # whether something below takes all room
        self._arrange(box)

    # ---- what differs -----------------------------------------------------------

    @property
    def learns(self) -> bool:
        """Whether networks would learn: no model is chosen."""
        return self.models.currentData() is None

    @property
    def ready(self) -> bool:
        """Whether there is something to work on."""
        return True

    def show_task(self) -> None:
        """Show what the choices need."""
        some = self.learns or bool(self.words.using)
        self.more.setVisible(some)
        self.more_area.setVisible(some and self.more.isChecked())
        if self.settings is not None:
            self.settings.setVisible(self.learns)

    # ---- building ---------------------------------------------------------------

    def add_row(self, words: str, widget: QWidget, *more: QWidget) -> QWidget:
        """Add something to choose, with what belongs to it beside it, in a row."""
        self._choices += [widget, *more]
        row = boxed(in_a_row(widget, *more, widest=1)) if more else widget
        self.rows.addRow(words, row)
        return row

    def add_images(self, words: str, box: QWidget) -> QWidget:
        """Add a box of image layers, with a button that opens another image."""
        button = OpenButton.beside(box, self.session, self.viewer)
        return self.add_row(words, box, button)

    def add_models(self) -> None:
        """Add the models to choose from."""
        self.add_row("Model", self.models, self.open_button)

    def add_below(self, widget: QWidget, stretch: int = 0) -> None:
        """Add something to see, below the curve."""
        self._filled = self._filled or stretch > 0
        self.below.addWidget(widget, stretch)

    def close_below(self) -> None:
        """Leave what room there is to what grows, or below all."""
        if not self._filled:
            self.below.addStretch(1)

    def add_starts(self, *buttons: QPushButton) -> None:
        """Follow buttons that begin other work of this dock."""
        self._starts += buttons

    def ensure_settings(
        self, settings: Any, parts: Mapping[str, PartChoice]
    ) -> SettingsForm:
        """Make the form of all other settings, the first time.

        Parameters
        ----------
        settings : type of Settings
            Its fields give the rows.
        parts : mapping
            Networks and losses to choose from, by field.
        """
        if self.settings is None:
            self.settings = SettingsForm(
                settings,
                skip=self.words.skip,
                choices={"device": ["auto", *available_devices()]},
                parts=parts,
            )
            self.more_area.layout().addWidget(self.settings)
        return self.settings

    def ensure_using(self, settings: Any) -> SettingsForm:
        """Make the form of how what was learned is used, the first time.

        It stands above all other settings, and stays where a model is chosen.

        Parameters
        ----------
        settings : type of Settings
            Its fields give the rows.
        """
        if self.using is None:
            self.using = SettingsForm(settings, skip=self.words.using_skip)
            layout = self.more_area.layout()
            layout.insertWidget(0, QLabel(f"<b>{self.words.using}</b>"))
            layout.insertWidget(1, self.using)
        return self.using

    # ---- showing ----------------------------------------------------------------

    def show_running(self, *, running: bool, resumable: bool = False) -> None:
        """Show that work is going on, or that it may begin."""
        was = self.stop_button.isEnabled() and not self.working.isHidden()
        self.working.setVisible(running)
        self.stop_button.setEnabled(running)
        for button in self._starts:
            button.setEnabled(not running and self.ready)
        self.resume_button.setVisible(resumable and not running)
        for each in (*self._choices, self.more_area):
            each.setEnabled(not running)
        if running and not was:
            self.progress.setRange(0, 0)
            self.left.setText("")

    def show_progress(self, done: float, total: float, left: float | None) -> None:
        """Show how far the work has come, and the seconds that are left."""
        self.progress.setRange(0, STEPS)
        self.progress.setValue(round(STEPS * done / max(total, 1e-9)))
        self.left.setText("" if left is None else f"{clock(left)} left")

    def stopping(self) -> None:
        """Show that the end is asked for."""
        self.stop_button.setEnabled(False)
        self.say("Stopping ...")

    def say(self, text: str) -> None:
        """Say what is going on."""
        say(self.state, text)

    def shutdown(self) -> None:
        """Stop following the theme."""
        self.loss.shutdown()
        self.status.shutdown()

    # ---- places -----------------------------------------------------------------

    def _arrange(self, box: QWidget) -> None:
        self.rows = QFormLayout()
        self.below = QVBoxLayout()
        self.working = boxed(
            in_a_row(self.progress, self.left, self.stop_button, widest=1)
        )
        inner = QWidget()
        steps = QVBoxLayout(inner)
        steps.setContentsMargins(6, 6, 6, 6)
        steps.addLayout(self.rows)
        steps.addLayout(
            in_a_row(self.start_button, self.resume_button, None, self.more)
        )
        for each in (self.more_area, self.working, self.state, self.loss):
            steps.addWidget(each)
        steps.addLayout(self.below, 1)
        steps.addStretch(0)
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolling(inner), 1)
        layout.addWidget(self.status)
