"""A prediction that waits until the window has made room for its results.

Strategy: adding a layer to a window takes its thread a tenth of a second, and three
times that while all cores compute. So the files of a prediction are opened in its own
thread as soon as they exist, and its first block waits for the layers, a few seconds
at most.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.runners import Event, Tick

MOST_SECONDS = 5.0  # nobody may have made room because the dock was closed
SECONDS_BETWEEN = 0.02


@dataclass(frozen=True, slots=True)
class PredictionOpened(Event):
    """A prediction's files exist; nothing is computed until room is made.

    Attributes
    ----------
    result : Prediction
        Open for reading.
    done, cells : int
        Blocks that are on disk from an earlier run, and all.
    """

    result: Any
    done: int
    cells: int


def unveiled(
    steps: Iterator[Event],
    open_prediction: Callable[[Path], Any],
    room: threading.Event,
) -> Iterator[Event]:
    """Open what is predicted, and go on when `room` is set.

    Yields
    ------
    Event
        As `steps`, with `PredictionOpened` in the place of `PredictionStarted`.
    """
    with closing(steps):  # type: ignore[type-var]
        for event in steps:
            # By name: the class lives in a room that loads the engine.
            if type(event).__name__ != "PredictionStarted":
                yield event
                continue
            started: Any = event
            result = open_prediction(Path(started.path))
            yield PredictionOpened(result, started.done, started.cells)
            yield from _wait_for(room)


def _wait_for(room: threading.Event) -> Iterator[Event]:
    end = time.monotonic() + MOST_SECONDS
    while not room.wait(SECONDS_BETWEEN) and time.monotonic() < end:
        yield Tick()
