"""What long work says while it runs: small frozen facts, never arrays."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Ancestor of all events; long work is a generator of them."""


@dataclass(frozen=True, slots=True)
class Tick(Event):
    """Nothing new: work goes on, and here it may be paused or cancelled."""


@dataclass(frozen=True, slots=True)
class Message(Event):
    """A sentence for the user; ``level`` is ``"info"`` or ``"warning"``."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """``done`` of ``total`` units of ``what`` are finished."""

    done: int
    total: int
    what: str
    seconds_left: float | None = None
