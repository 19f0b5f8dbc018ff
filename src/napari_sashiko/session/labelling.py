"""The paint of the volume on the desk: opened, adopted, checked, saved."""

from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import (
    LabelClass,
    LabelStore,
    check_labels,
    check_painted,
    name_unknown,
)
from napari_sashiko.runners import Event, Job, Tick
from napari_sashiko.session.paint import (
    Paint,
    adopt_paint,
    check_adoptable,
    check_values,
    has_paint,
    open_paint,
)
from napari_sashiko.session.paints import Paints
from napari_sashiko.volumes import Stacking

if TYPE_CHECKING:
    from napari_sashiko.session.session import Session

KIND = "adopt"
NOTE = "note"
MUCH_PAINT = 5_000_000  # voxels
ONLY_SHOWN = "Its labels are shown, but cannot be painted on here."


class LabelDesk:
    """Keep the paint of all volumes that were on the desk.

    Parameters
    ----------
    session : Session
        Says which volume it is, runs what takes long, and tells of changes.

    Attributes
    ----------
    paint : Paint or None
        Of the volume on the desk.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.paint: Paint | None = None
        self._paints = Paints()
        self._adopted: tuple[Path | None, Paint] | None = None
        self._to_note: Callable[[], object] | None = None
        session.job_changed.connect(self._on_job)

    def turn_to(self, folder: Path | None) -> None:
        """Take up the paint of another project, if it was open before."""
        self.paint = None if folder is None else self._paints.get(folder)

    def is_saved(self) -> bool:
        """Whether this volume was painted on before."""
        folder = self._session.folder
        return folder is not None and has_paint(folder / "labels")

    def start(self) -> LabelStore:
        """Open the paint of the volume, or begin with none.

        Where another window works in the project, it is opened for reading. Much paint
        takes a while to count: `go_on` opens it by a job.

        Raises
        ------
        LabelError
            If it belongs to a volume of another shape.
        OutputError
            If another window works in the project and there is no paint yet.
        """
        if self.paint is None:
            self.attach(self._opener()())
        return self.need().store

    def go_on(self) -> Job:
        """Open the paint of an earlier session by a job; what it may raise is told."""
        session, project, opened = self._session, self._session.folder, self._opener()
        self._check_alone()

        def work() -> Iterator[Event]:
            yield Tick()
            self._adopted = (project, opened())

        return session.start(KIND, work, name=f"Opening labels of {session.name}")

    def _opener(self) -> Callable[[], Paint]:
        session = self._session
        stack = session.need_volume().stacking
        readonly = bool(self.is_saved() and session.busy())
        folder = Path(str(session.folder)) / "labels"
        folder = folder if readonly else session.place("labels")
        return partial(open_paint, folder, stack, readonly=readonly)

    def adopt(self, array: Any, classes: tuple[LabelClass, ...] | None = None) -> Job:
        """Copy an existing label array into the store of this volume, by a job.

        Labels that were begun and have no paint are let go: `paint` is None until all
        is copied.

        Parameters
        ----------
        array : array of int, (Z, Y, X)
            0 is not labelled.
        classes : tuple of LabelClass, optional
            Names and colours; made up when missing.

        Raises
        ------
        LabelError
            If it does not fit the volume, or there is paint that would be lost.
        """
        session = self._session
        stack = session.need_volume().stacking
        paint = self.paint
        if paint is not None and any(paint.counts().values()) and not paint.is_half:
            raise LabelError(
                "This volume has paint already, which would be lost.",
                "Erase it first.",
            )
        check_adoptable(array, stack)
        self._check_alone()
        if session.is_running("train"):
            raise LabelError(
                "Training follows the labels that there are.",
                "Stop it, and train again when the others are there.",
            )
        self.save()
        folder, project = session.place("labels"), session.folder

        def work() -> Iterator[Event]:
            for _ in check_values(array):
                yield Tick()
            self._adopted = (project, adopt_paint(folder, array, classes))

        job = session.start(KIND, work, name=f"Copying labels of {session.name}")
        if self.paint is not None and project is not None:
            self.let_go()  # two that write the same file would not know each other
        return job

    def _check_alone(self) -> None:
        """Refuse to open what another job opens and mends."""
        if self._session.is_running("reopen"):
            raise LabelError(
                "The project is being looked through.", "Wait until it is restored."
            )

    def attach(self, paint: Paint) -> None:
        """Make this the paint of the volume on the desk; say what is odd about it.

        Raises
        ------
        OutputError
            If it is open for writing, and another window works in the project.
        """
        session = self._session
        if not paint.readonly:
            session.claim()
        if session.folder is not None:
            self._paints[session.folder] = paint
        self.paint = paint
        for sentence in paint.store.mended:
            session.message.emit(sentence, "warning")
        if paint.readonly:
            busy = session.busy()
            why = (
                f" is open in another window: {busy}" if busy else " cannot be written"
            )
            session.message.emit(
                f"The project {session.folder}{why}. {ONLY_SHOWN}", "warning"
            )
        self._note_classes()
        session.labels_changed.emit()
        session.paint_changed.emit()

    def let_go(self) -> None:
        """Forget the paint of the volume, which is as it is on disk."""
        session = self._session
        if session.folder is not None:
            self._paints.pop(session.folder, None)
        self.paint = None
        session.labels_changed.emit()

    def need(self) -> Paint:
        """Return the paint of the volume.

        Raises
        ------
        LabelError
            If there is none.
        """
        if self.paint is None:
            raise LabelError("There are no labels yet.", "Press Start labelling.")
        return self.paint

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """Label classes of the volume; empty when there are none yet."""
        return self.paint.classes if self.paint else ()

    def set_classes(self, classes: tuple[LabelClass, ...]) -> None:
        """Rename, recolour or add classes."""
        self.need().set_classes(classes)
        self._note_classes()
        self._session.labels_changed.emit()

    def _name_painted(self, paint: Paint) -> None:
        """Make classes of numbers that are painted with: else nobody would see it."""
        classes = name_unknown(paint.classes, list(paint.counts()))
        new = [each.name for each in classes if each not in paint.classes]
        if new and not paint.readonly:
            self.set_classes(classes)
            words = "was added: there is paint with its number"
            self._session.message.emit(f"{', '.join(new)} {words}.", "info")

    def check_counts(self) -> None:
        """Refuse paint that nothing can be learned from, by its counts alone.

        Raises
        ------
        LabelError
            If there is none, or only one class is painted.
        """
        paint = self.need()
        check_painted(paint.counts(), paint.classes)

    def preflight(self) -> Generator[Event, None, list[str]]:
        """Work that reads all paint and returns warnings about it, in words.

        Called in the thread of the desk; what it returns runs in any. It raises
        `LabelError` if nothing can be learned from the paint.
        """
        return _looked_at(self.need(), self._session.need_volume().stacking)

    def save(self) -> None:
        """Write all paint to disk now.

        Raises
        ------
        OutputError
            If a disk is full or gone.
        """
        self._paints.save()

    def pump(self) -> None:
        """Save what is due, and tell of changes."""
        session = self._session
        self._paints.save_due(lambda sentence: session.message.emit(sentence, "error"))
        if self._paints.take_rest():
            session.paint_saved.emit()
        if self.paint is not None and self.paint.take_news():
            self._name_painted(self.paint)
            session.paint_changed.emit()
        if not session.is_running(NOTE):
            note = self.take_note()
            if note is not None:
                session.start(NOTE, lambda: _noted(note), name="Noting the project")

    def take_note(self) -> Callable[[], object] | None:
        """Take what is to be noted in the project: its image and its classes."""
        note, self._to_note = self._to_note, None
        return note

    def _note_classes(self) -> None:
        session, paint = self._session, self.paint
        volume, folder, image = session.volume, session.folder, session.image
        if volume is None or folder is None or paint is None or paint.readonly:
            return
        classes = paint.classes
        self._to_note = lambda: session.engine.note_image(
            folder, volume, image, classes
        )

    def _on_job(self, kind: str) -> None:
        if kind != KIND or self._session.is_running(kind) or self._adopted is None:
            return
        (project, paint), self._adopted = self._adopted, None
        if project == self._session.folder and self.paint is None:
            self.attach(paint)
        else:  # two that are open for writing would not know of each other's strokes
            paint.store.close()


def _looked_at(paint: Paint, stack: Stacking) -> Generator[Event, None, list[str]]:
    yield Tick()
    counts = paint.counts()
    if len(counts) > 1 and sum(counts.values()) > MUCH_PAINT:
        return []  # to look at all of it would take longer than anyone waits
    return list(check_labels(paint.labelled(), stack, paint.classes))


def _noted(note: Callable[[], object]) -> Iterator[Event]:
    yield Tick()
    note()
