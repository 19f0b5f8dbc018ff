"""Events between two threads, in bounded memory."""

import threading
from collections import OrderedDict

from napari_sashiko.runners.events import Event, Progress, Tick

CAPACITY = 10_000


class Mailbox:
    """Keep events until they are drained; the oldest go when nobody drains.

    Parameters
    ----------
    capacity : int
        Most events that are kept.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._events: OrderedDict[object, Event] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def put(self, event: Event) -> None:
        """Add one event; it replaces an older ``Progress`` about the same thing."""
        if isinstance(event, Tick):
            return
        with self._lock:
            self._count += 1
            key: object = self._count
            if isinstance(event, Progress):
                key = (type(event), event.what)
                self._events.pop(key, None)
            self._events[key] = event
            if len(self._events) > self._capacity:
                self._events.popitem(last=False)

    def drain(self) -> list[Event]:
        """Take out everything, oldest first."""
        with self._lock:
            events = list(self._events.values())
            self._events.clear()
        return events
