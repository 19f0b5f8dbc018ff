"""One long call in a thread, so that whoever waits for it can be stopped."""

import contextlib
from collections.abc import Callable, Generator
from typing import TypeVar

from napari_sashiko.runners._threads import run_in_threads
from napari_sashiko.runners.events import Event, Tick

Result = TypeVar("Result")
HEARTBEAT = 0.2  # seconds between ticks


def aside(func: Callable[[], Result]) -> Generator[Event, None, Result]:
    """Do in a thread what may take seconds, and tick meanwhile.

    Closed early, it does not wait for the call: that ends alone.

    Parameters
    ----------
    func : callable
        Without arguments.

    Yields
    ------
    Tick

    Returns
    -------
    Any
        What the call returned.
    """
    work = run_in_threads(lambda call: call(), [func], workers=1, heartbeat=HEARTBEAT)
    with contextlib.closing(work) as results:
        for item in results:
            if item is not None:
                return item[1]
            yield Tick()
    raise AssertionError("A single task has a single result.")
