"""An array on disk that says which of its voxels were written."""

from typing import Any, Protocol

import numpy as np


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

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.watcher is None:
            super().__setitem__(key, value)
        else:
            self.watcher.write(key, value)
