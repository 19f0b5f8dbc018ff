"""An array on disk that says which of its voxels were written."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, ...]
LARGEST_COPY = 1 << 26  # voxels of a box that is handed out as a copy


class Watcher(Protocol):
    """Who is told about writes."""

    def write(self, key: Any, value: Any) -> None:
        """Write ``array[key] = value`` and take note of it."""
        ...


class TrackedArray(np.memmap):
    """A memory-mapped label array with a hook on writing.

    It stays an ndarray for whoever paints on it; views and copies are silent.
    """

    watcher: Watcher | None

    def __array_finalize__(self, obj: Any) -> None:
        super().__array_finalize__(obj)
        self.watcher = None

    def __getitem__(self, key: Any) -> Any:
        # A painter reads a box, changes it and writes it back. In a view the change
        # would be there before it is written, and nobody could count it.
        part = super().__getitem__(key)
        boxed = isinstance(key, tuple) and all(isinstance(k, slice) for k in key)
        if self.watcher is None or not boxed or part.size > LARGEST_COPY:
            return part
        return np.array(part)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.watcher is None:
            super().__setitem__(key, value)
        else:
            self.watcher.write(key, value)


def bounding_box(key: Any, shape: tuple[int, ...]) -> Box:
    """Return the smallest box of slices that holds all voxels that ``key`` selects."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(isinstance(p, np.ndarray) and p.dtype == bool for p in parts):
        parts = _without_masks(parts)
    if Ellipsis in [p for p in parts if not isinstance(p, np.ndarray | list)]:
        place = next(i for i, p in enumerate(parts) if p is Ellipsis)
        fill = len(shape) - (len(parts) - 1)
        parts[place : place + 1] = [slice(None)] * fill
    parts += [slice(None)] * (len(shape) - len(parts))
    return tuple(_span(p, size) for p, size in zip(parts, shape, strict=True))


def _without_masks(parts: list[Any]) -> list[Any]:
    out: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray) and part.dtype == bool:
            out.extend(part.nonzero())
        else:
            out.append(part)
    return out


def _span(part: Any, size: int) -> slice:
    if isinstance(part, slice):
        places = range(size)[part]
        if not len(places):
            return slice(0, 0)
        low, high = min(places[0], places[-1]), max(places[0], places[-1])
        return slice(low, high + 1)
    index: NDArray[Any] = np.asarray(part)
    if not index.size:
        return slice(0, 0)
    index = np.where(index < 0, index + size, index)
    return slice(int(index.min()), int(index.max()) + 1)
