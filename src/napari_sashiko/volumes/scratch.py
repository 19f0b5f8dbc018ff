"""Memory that is used again: touching new pages costs more than the work on them."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class Scratch(threading.local):
    """Arrays of the calling thread, handed out again under the same name.

    An array is valid until its thread asks for the same name again.
    """

    def __init__(self) -> None:
        self._memory: dict[str, npt.NDArray[np.uint8]] = {}

    def array(
        self, name: str, shape: Sequence[int], dtype: npt.DTypeLike
    ) -> npt.NDArray[Any]:
        """Return an uninitialised array, C-contiguous."""
        kind = np.dtype(dtype)
        needed = int(np.prod(shape)) * kind.itemsize
        memory = self._memory.get(name)
        if memory is None or memory.nbytes < needed:
            memory = self._memory[name] = np.empty(needed, np.uint8)
        return memory[:needed].view(kind).reshape(tuple(shape))
