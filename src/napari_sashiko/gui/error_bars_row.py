"""Counts and sizes with error bars: a row of the instances step."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from napari_sashiko.gui.background import Question
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.result_words import short
from napari_sashiko.gui.work_row import WorkRow
from napari_sashiko.runners import Event, Tick
from napari_sashiko.session import Session

TIP = (
    "How far are the members of the ensemble apart? Each segments the volume alone and "
    "its instances are found: all together, that takes about as long as segmenting"
)


class ErrorBarsRow(WorkRow):
    """Measure with each member alone, and say the numbers with their spread.

    Parameters
    ----------
    session : Session
        The desk.
    ask : callable
        The prediction and the settings of instances as they are now.
    """

    def __init__(self, session: Session, ask: Callable[[], tuple[Any, Any]]) -> None:
        self._ask = ask
        self._wanted = False  # whether the numbers to come are those of the settings
        self._member = ""
        super().__init__(
            session,
            "measure",
            name="error_bars",
            text="Error bars",
            tip=TIP,
            kept="members that were measured are kept",
        )
        self.reading = Question(session, "measured", self)
        self.reading.answered.connect(self._show)
        self.reading.refused.connect(self.say)

    def start(self) -> None:
        """Measure, or go on where an earlier run stopped."""
        with telling(self.session):
            prediction, settings = self._ask()
            names = {None: "rarest class"}
            names |= {each.id: each.name for each in prediction.classes}
            self.say("")
            self.session.steps.measure(
                prediction.path, settings, names[settings.label_class]
            )
            self._wanted = True

    def clear(self) -> None:
        """Take the numbers away: they are not those of the settings any more."""
        self._wanted = False
        self.reading.forget()
        self.say("")

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

    def _on_member(self, event: Any) -> None:
        self._member = f"member {event.number} of {event.members}"
        self.left.setText(self._member)

    def _on_done(self, event: Any) -> None:
        folder = Path(event.path)
        self.session.message.emit(f"Tables saved to {folder}.", "info")
        if not self._wanted:
            return
        engine = self.session.engine

        def work() -> Generator[Event, None, str]:
            yield Tick()
            found = engine.read_measurements(folder)
            line: str = engine.line_of(found, sign="±", unit=short(found.unit))
            return line

        self.reading.ask(work)

    def _show(self, line: str) -> None:
        if self._wanted:
            self.say(line)
