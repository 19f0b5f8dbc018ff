"""What may be paint between two painted slices, until it is accepted or discarded."""

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import BetweenSettings, Suggestion, suggest_between
from napari_sashiko.runners import Event, Job
from napari_sashiko.session.paint import Paint

if TYPE_CHECKING:
    from napari_sashiko.session.session import Session

KIND = "between"

Write = Callable[[tuple[Any, ...], int], object]


class SuggestionDesk:
    """Keep one suggestion for the paint on the desk.

    Parameters
    ----------
    session : Session
        Computes in the background.

    Attributes
    ----------
    suggestion : Suggestion or None
        What was found last; it may be empty.
    """

    changed = Signal()  # there is another suggestion, or none

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.suggestion: Suggestion | None = None
        self._paint: Paint | None = None  # that it belongs to, or is looked at
        self._generation = 0
        self._found: tuple[int, Suggestion] | None = None
        session.job_changed.connect(self._on_job)
        session.labels_changed.connect(self._on_labels)

    def fill(self, class_id: int, settings: BetweenSettings) -> Job:
        """Look for what lies between the painted slices of a class, by a job.

        Classes that are suggested along the same axis already are computed again, so
        that no two get the same voxel.

        Raises
        ------
        LabelError
            If there is no paint, no such class, or nothing can lie between slices.
        """
        volume, paint = self._session.need_volume(), self._session.labels.need()
        if volume.time is not None:
            raise LabelError(
                "Shapes are not filled in between slices of several time points.",
                "Split the image into single volumes, and fill in each of them.",
            )
        if volume.shape[settings.axis] < 3:
            raise LabelError(
                "There are no three slices along this axis.",
                "Only a volume has something between slices.",
            )
        if class_id not in {each.id for each in paint.classes}:
            raise LabelError(
                f"There is no class {class_id}.", "Choose one that is in the list."
            )
        class_ids = self._together_with(class_id, settings.axis)
        if not self._session.is_running(KIND):  # else it is refused below
            self._generation += 1
            self._paint = paint
        generation = self._generation

        def work() -> Generator[Event, None, None]:
            found = yield from suggest_between(
                paint.store, class_ids, settings, volume.voxel_size
            )
            self._found = (generation, found)

        name = f"Filling between slices of {self._session.name}"
        return self._session.start(KIND, work, name=name)

    def accept(self, write: Write | None = None) -> int:
        """Make paint of the suggestion at once; see `accept_steps`.

        Returns
        -------
        int
            Voxels that were painted.
        """
        return sum(self.accept_steps(write))

    def accept_steps(self, write: Write | None = None) -> Iterator[int]:
        """Make paint of the suggestion, a few thousand voxels at a time.

        Voxels that were painted meanwhile are left as they are. When all is painted the
        suggestion is gone; it stays when the iterator is left before, or paint is
        refused, and may be accepted again.

        Parameters
        ----------
        write : callable, optional
            ``write((z, y, x), class_id)`` paints, for whoever keeps a history of paint
            to undo; the label store itself if left out.

        Yields
        ------
        int
            How many voxels were painted in this step.

        Raises
        ------
        LabelError
            If there is no suggestion.
        OutputError
            If the disk has no room.
        """
        if self.suggestion is None or self._paint is None:
            raise LabelError(
                "There is no suggestion to accept.", "Press Fill between slices first."
            )
        return self._painted(self.suggestion, self._paint, write)

    def discard(self) -> None:
        """Drop the suggestion, and stop looking for one."""
        self._session.stop(KIND)
        self._generation += 1  # what is found by then is not wanted
        had, self.suggestion, self._paint = self.suggestion, None, None
        if had is not None:
            self.changed.emit()

    def _painted(
        self, suggestion: Suggestion, paint: Paint, write: Write | None
    ) -> Iterator[int]:
        array = paint.store.array
        paint_with = write or array.__setitem__
        for places, class_id in suggestion.pieces():
            free = np.asarray(array[places]) == 0
            if free.any():
                paint_with(tuple(each[free] for each in places), class_id)
            yield int(np.count_nonzero(free))
        if self.suggestion is suggestion:
            self.discard()

    def _together_with(self, class_id: int, axis: int) -> tuple[int, ...]:
        held = self.suggestion
        before = held.class_ids if held is not None and held.axis == axis else ()
        return (*(each for each in before if each != class_id), class_id)

    def _on_job(self, kind: str) -> None:
        if kind != KIND or self._session.is_running(kind) or self._found is None:
            return
        (generation, found), self._found = self._found, None
        if generation == self._generation:
            self.suggestion = found
            self.changed.emit()

    def _on_labels(self) -> None:
        # Other classes leave it; the paint of another volume does not.
        if self._paint is not None and self._paint is not self._session.labels.paint:
            self.discard()
