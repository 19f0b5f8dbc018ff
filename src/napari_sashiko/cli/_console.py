"""What the terminal shows: bars and sentences on stderr, the result on stdout."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from napari_sashiko.pipeline import Event, Message
from napari_sashiko.pipeline import Progress as Step


@dataclass(frozen=True)
class Bar:
    """What one bar shows: ``done`` of ``total`` of ``what``."""

    what: str
    done: float
    total: float


Translate = Callable[[Event], "Bar | str | None"]


class Terminal:
    """Shows events; bars only where there is a real terminal.

    Parameters
    ----------
    translate : callable
        Bar, sentence or None for an event that only one command knows.
    """

    def __init__(self, translate: Translate = lambda _: None) -> None:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._translate = translate
        self._bars: dict[str, TaskID] = {}
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Message):
            self.say(event.text, warning=event.level == "warning")
            return
        if isinstance(event, Step):
            self.advance(Bar(event.what, event.done, event.total))
            return
        shown = self._translate(event)
        if isinstance(shown, Bar):
            self.advance(shown)
        elif shown:
            self.say(shown)

    def say(self, text: str, *, warning: bool = False) -> None:
        """Write a sentence above the bars."""
        mark = "Note: " if warning else ""
        self.progress.console.print(f"{mark}{text}", markup=False)

    def advance(self, bar: Bar) -> None:
        """Show how far something has come."""
        if bar.what not in self._bars:
            self._bars[bar.what] = self.progress.add_task(bar.what, total=bar.total)
        task = self._bars[bar.what]
        self.progress.update(task, completed=bar.done, total=bar.total)


@contextlib.contextmanager
def terminal(translate: Translate = lambda _: None) -> Iterator[Terminal]:
    """Bars while a command runs."""
    shown = Terminal(translate)
    with shown.progress:
        yield shown


def answer(facts: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    """Write the result to stdout: sentences, or JSON as the last line."""
    text = json.dumps(facts, default=str) if as_json else "\n".join(lines)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
