"""Projects of image layers; where an image must be read to know its own, by a job."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from napari_sashiko.errors import SashikoError, VolumeError
from napari_sashiko.gui.background import Question
from napari_sashiko.gui.layer_volume import full_resolution, kept_with
from napari_sashiko.runners import Event, aside
from napari_sashiko.session import Session
from napari_sashiko.volumes import Volume

KIND = "find"


@dataclass(frozen=True, eq=False)
class _Found:
    """What is known of the data of a layer, taken in these axes."""

    data: Any
    axes: str
    answer: Path | SashikoError

    def is_of(self, layer: Any, volume: Volume) -> bool:
        """Whether it is still the same image."""
        return self.data is full_resolution(layer) and self.axes == volume.axes


@dataclass(frozen=True, eq=False)
class _Search:
    """A layer whose project is wanted."""

    layer: Any
    volume: Volume
    data: Any
    name: str
    path: Path | None

    def is_of(self, layer: Any, volume: Volume) -> bool:
        """Whether it looks for the project of this image."""
        same = self.layer is layer and self.data is full_resolution(layer)
        return same and self.volume.axes == volume.axes


class LayerProjects(QObject):
    """Find the projects of image layers, without freezing the window.

    The project of an image without a file is known by its content, of which a few
    blocks are read. Those of a lazy array may take seconds: they are read by a job.

    Parameters
    ----------
    session : Session
        Runs the job.
    parent : QObject
        Owns this.
    """

    found = Signal()  # what was looked for is known, or cannot be found

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self._known: WeakKeyDictionary[Any, _Found] = WeakKeyDictionary()
        self._searches: list[_Search] = []  # that are asked for
        self._question = Question(session, KIND, self)
        self._question.answered.connect(self._on_answer)

    def folder_of(self, layer: Any, volume: Volume) -> Path | None:
        """Folder of the project of a layer; None if it must be looked for.

        Parameters
        ----------
        layer : napari.layers.Image
            The image.
        volume : Volume
            What it was taken for.

        Raises
        ------
        SashikoError
            If it was looked for, and the image could not be read.
        """
        name, path, folder = kept_with(layer, volume)
        if folder is not None:
            return folder
        if not self.session.must_read(volume, path):
            return self.session.folder_of(volume, name, path)
        known = self._known.get(layer)
        if known is None or not known.is_of(layer, volume):
            return None
        if isinstance(known.answer, SashikoError):
            raise known.answer
        return known.answer

    def look_for(self, images: Sequence[tuple[Any, Volume]]) -> None:
        """Look for these projects, and for no others any more; `found` tells of it.

        Parameters
        ----------
        images : sequence of (layer, Volume)
            Those of which `folder_of` knows nothing.
        """
        asked = self._searches
        if len(asked) == len(images) and all(
            search.is_of(*image) for search, image in zip(asked, images, strict=True)
        ):
            return
        self._searches = [_search(layer, volume) for layer, volume in images]
        if self._searches:
            self._question.ask(partial(self._look, list(self._searches)))
        else:
            self._question.forget()

    def try_again(self, layer: Any) -> None:
        """Forget that an image could not be read: it may have come back."""
        known = self._known.get(layer)
        if known is not None and isinstance(known.answer, SashikoError):
            del self._known[layer]

    def _look(
        self, searches: Sequence[_Search]
    ) -> Generator[Event, None, list[_Found]]:
        """Work that runs in a thread of its own, and touches no layer."""
        found = []
        for each in searches:
            find = partial(self.session.folder_of, each.volume, each.name, each.path)
            answer: Path | SashikoError
            try:
                answer = yield from aside(find)
            except SashikoError as error:
                answer = error
            except Exception as error:  # noqa: BLE001 - whatever computes lazily
                why = str(error).rstrip(".") or type(error).__name__
                answer = VolumeError(f"{each.volume.name} cannot be read: {why}.")
            found.append(_Found(each.data, each.volume.axes, answer))
        return found

    def _on_answer(self, found: list[_Found]) -> None:
        searches, self._searches = self._searches, []
        for search, each in zip(searches, found, strict=True):
            self._known[search.layer] = each
        self.found.emit()


def _search(layer: Any, volume: Volume) -> _Search:
    name, path, _ = kept_with(layer, volume)
    return _Search(layer, volume, full_resolution(layer), name, path)
