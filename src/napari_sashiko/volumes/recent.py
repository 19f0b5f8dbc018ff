"""What was made lately and may be wanted again: made once, kept up to a size."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Values by key, the least recently used of which are forgotten.

    Several threads may ask: who asks first makes the value, the others wait for it.

    Parameters
    ----------
    most_bytes : int
        Most bytes that are kept; the newest value is kept whatever its size.
    size : callable
        Bytes of a value.
    """

    def __init__(self, most_bytes: int, size: Callable[[Value], int]) -> None:
        self._most = most_bytes
        self._size = size
        self._lock = Lock()
        self._values: OrderedDict[Hashable, Future[Value]] = OrderedDict()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """Bytes that are kept now."""
        return self._bytes

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of `key`; `make` is called if it is not there."""
        with self._lock:
            value = self._values.get(key)
            mine = value is None
            if value is None:
                value = self._values[key] = Future()
            self._values.move_to_end(key)
        if mine:
            self._make(key, value, make)
        return value.result()

    def _make(
        self, key: Hashable, value: Future[Value], make: Callable[[], Value]
    ) -> None:
        try:
            made = make()
        except BaseException as error:
            with self._lock:
                del self._values[key]
            value.set_exception(error)
            raise
        value.set_result(made)
        with self._lock:
            self._bytes += self._size(made)
            self._forget(key)

    def _forget(self, newest: Hashable) -> None:
        for key in list(self._values):
            if self._bytes <= self._most:
                return
            # What is still being made is not counted yet, and waited for.
            if key != newest and self._values[key].done():
                self._bytes -= self._size(self._values.pop(key).result())
