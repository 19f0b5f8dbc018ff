"""Counts, fractions and sizes with error bars: a row of the instances step."""

from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer

from napari_sashiko.errors import SashikoError
from napari_sashiko.gui.background import Question
from napari_sashiko.gui.fraction_table import FractionTable
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.result_words import short
from napari_sashiko.gui.work_row import WorkRow
from napari_sashiko.runners import Event, Tick
from napari_sashiko.session import Session

QUIET_MILLISECONDS = 300
TIP = (
    "How far are the members of the ensemble apart? Each segments the volume alone and "
    "its instances are found: all together, that takes about as long as segmenting"
)


class ErrorBarsRow(WorkRow):
    """Measure with each member alone, and say the numbers with their spread.

    What was measured before is shown as long as prediction and settings are the same,
    also when the project is reopened.

    Parameters
    ----------
    session : Session
        The desk.
    ask : callable
        The prediction and the settings of instances as they are now.
    """

    def __init__(self, session: Session, ask: Callable[[], tuple[Any, Any]]) -> None:
        self._ask = ask
        self._member = ""
        super().__init__(
            session,
            "measure",
            name="error_bars",
            text="Error bars",
            tip=TIP,
            kept="members that were measured are kept",
        )
        self.table = FractionTable()
        self.layout().addWidget(self.table)
        self.reading = Question(session, "measured", self)
        self.reading.answered.connect(self._show)
        self.reading.refused.connect(self.say)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(QUIET_MILLISECONDS)
        self._soon.timeout.connect(self.look)

    def start(self) -> None:
        """Measure, or go on where an earlier run stopped."""
        with telling(self.session):
            prediction, settings = self._ask()
            self._forget()
            self.session.steps.measure(prediction.path, settings)

    def clear(self) -> None:
        """Take the numbers away: others, or none, are those of the settings now."""
        self._forget()
        self._soon.start()

    def look(self) -> None:
        """Show what was measured with prediction and settings as they are now."""
        if not self.ready or self.session.folder is None:
            return
        with suppress(SashikoError):  # whoever counts the objects says what is wrong
            prediction, settings = self._ask()
            engine, folder = self.session.engine, self.session.folder
            path = prediction.path

            def work() -> Generator[Event, None, Any]:
                yield Tick()
                found = engine.measurements_like(folder, path, settings)
                if found is None:
                    return None
                line = engine.line_of(found, sign="±", unit=short(found.unit))
                share = "of the area" if found.flat else "of the volume"
                return line, engine.fractions_of(found, sign="±"), share

            self.reading.ask(work)

    def shutdown(self) -> None:
        """Look no more."""
        self._soon.stop()

    def how_far(self) -> str:
        """Say which member is being measured."""
        return self._member

    def on_event(self, event: Event) -> None:
        """Follow the members; read the numbers when all are measured."""
        # By name: the classes live in a room that loads the engine.
        handlers = {"MemberStarted": self._on_member, "MeasureDone": self._on_done}
        handler = handlers.get(type(event).__name__)
        if handler is not None:
            handler(event)

    def _forget(self) -> None:
        self._soon.stop()
        self.reading.forget()
        self.say("")
        self.table.show_rows(())

    def _on_member(self, event: Any) -> None:
        self._member = f"member {event.number} of {event.members}"
        self.left.setText(self._member)

    def _on_done(self, event: Any) -> None:
        self.session.message.emit(f"Tables saved to {Path(event.path)}.", "info")
        self.look()

    def _show(self, answer: Any) -> None:
        if answer is not None:
            line, rows, share = answer
            self.say(line)
            self.table.show_rows(rows, share)
