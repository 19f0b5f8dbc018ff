"""Paint that is learned from: as it is, or while it goes on changing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from napari_sashiko.labels import LabelClass, LabelledVoxels

REST = 0.2  # seconds without a dab after which a stroke is taken for finished
LATEST = 0.8  # seconds after which a stroke is taken as far as it is

Painted = tuple[LabelledVoxels, tuple[LabelClass, ...]]


class Painting(Protocol):
    """Paint of a volume; asked from the thread that trains."""

    @property
    def version(self) -> int:
        """Another number whenever paint or classes have changed."""
        ...

    def read(self) -> Painted:
        """All labelled voxels, and all classes."""
        ...


@dataclass(frozen=True)
class FinishedPainting:
    """Paint that stays as it is.

    Attributes
    ----------
    labelled : LabelledVoxels
        All of it.
    classes : sequence of LabelClass
        At least those that occur.
    """

    labelled: LabelledVoxels
    classes: Sequence[LabelClass]
    version: int = field(default=0, init=False)

    def read(self) -> Painted:
        """All labelled voxels, and all classes."""
        return self.labelled, tuple(self.classes)


class Easel:
    """Watches a painting, and says when there is something new to learn from.

    Parameters
    ----------
    painting : Painting
        What is painted.
    """

    def __init__(self, painting: Painting) -> None:
        self.painting = painting
        self._taken = self._seen = -1  # versions
        self._changed = self._first = self._took = 0.0  # when, by the monotonic clock

    def news(self) -> Painted | None:
        """Paint that was not taken yet; None while a stroke is being drawn."""
        now = time.monotonic()
        version = self.painting.version
        if version == self._taken:
            return None
        if version != self._seen:
            if self._seen == self._taken:
                self._first = now
            self._seen, self._changed = version, now
        rested = now - self._changed >= REST
        late = now - self._first >= LATEST
        if self._taken != -1 and not (rested or late):
            return None
        if now - self._took < LATEST:
            return None  # let something come of what was taken before
        self._taken = self._seen = version
        self._took = now
        return self.painting.read()

    def dismiss(self) -> None:
        """What was taken came to nothing: the next stroke need not wait for it."""
        self._took = 0.0
