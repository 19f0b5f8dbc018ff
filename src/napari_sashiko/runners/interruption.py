"""Long calculations that can be stopped between their pieces."""

import contextlib
import threading
from collections.abc import Callable, Iterator

Interrupt = Callable[[], None]
_here = threading.local()


@contextlib.contextmanager
def interruptible(tick: Interrupt) -> Iterator[None]:
    """Let what is calculated in this thread call `tick` now and then.

    Parameters
    ----------
    tick : callable
        Without arguments; raises to stop.
    """
    before = interrupt()
    _here.tick = tick
    try:
        yield
    finally:
        _here.tick = before


def interrupt() -> Interrupt | None:
    """What a long calculation in this thread has to call now and then."""
    return getattr(_here, "tick", None)
