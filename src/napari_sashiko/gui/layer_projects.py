"""Projects of image layers; where a file must be read to know them, by a job."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from qtpy.QtCore import QObject, Signal

from napari_sashiko.errors import SashikoError, VolumeError
from napari_sashiko.gui.background import Question
from napari_sashiko.gui.file_header import (
    Header,
    read_header,
    take_header,
    unread_header,
)
from napari_sashiko.gui.layer_volume import (
    full_resolution,
    kept_with,
    volume_of,
)
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
    data: Any
    axes: str
    find: Callable[[], "_Found | Header | None"]

    def is_of(self, layer: Any, volume: Volume | None) -> bool:
        """Whether it looks for the project of this image."""
        same = self.layer is layer and self.data is full_resolution(layer)
        return same and self.axes == _axes_of(volume)


class LayerProjects(QObject):
    """Find the projects of image layers, without freezing the window.

    The project of an image without a file is known by its content, of which a few
    blocks are read. Those of a lazy array may take seconds: they are read by a job. So
    is the header of a TIFF that napari's own reader has opened, for that takes voxel
    size and axes along, which say what is found in the project.

    Parameters
    ----------
    session : Session
        Runs the job.
    viewer : napari.Viewer
        Where the layers are.
    parent : QObject
        Owns this.
    """

    found = Signal()  # what was looked for is known, or cannot be found

    def __init__(self, session: Session, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.viewer = viewer
        self._known: WeakKeyDictionary[Any, _Found] = WeakKeyDictionary()
        self._searches: list[_Search] = []  # that are asked for
        self._asked: WeakSet[Any] = WeakSet()  # layers whose files were read
        self._question = Question(session, KIND, self)
        self._question.answered.connect(self._on_answer)

    def volume_of(self, layer: Any) -> Volume | None:
        """Take a layer for a volume; None if its file is to be asked about it first.

        Parameters
        ----------
        layer : napari.layers.Image
            The image.

        Raises
        ------
        VolumeError
            If it cannot be one.
        """
        return volume_of(layer) if self._header_of(layer) is None else None

    def folder_of(self, layer: Any, volume: Volume | None) -> Path | None:
        """Folder of the project of a layer; None if it must be looked for.

        Parameters
        ----------
        layer : napari.layers.Image
            The image.
        volume : Volume or None
            What it was taken for.

        Raises
        ------
        SashikoError
            If it was looked for, and the image could not be read.
        """
        if volume is None:
            return None
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

    def look_for(self, images: Sequence[tuple[Any, Volume | None]]) -> None:
        """Look for these projects, and for no others any more; `found` tells of it.

        Parameters
        ----------
        images : sequence of (layer, Volume or None)
            Those of which `folder_of` knows nothing.
        """
        asked = self._searches
        if len(asked) == len(images) and all(
            search.is_of(*image) for search, image in zip(asked, images, strict=True)
        ):
            return
        self._searches = [self._search(layer, volume) for layer, volume in images]
        if self._searches:
            self._question.ask(partial(self._look, list(self._searches)))
        else:
            self._question.forget()

    def try_again(self, layer: Any) -> None:
        """Forget that an image could not be read: it may have come back."""
        known = self._known.get(layer)
        if known is not None and isinstance(known.answer, SashikoError):
            del self._known[layer]

    def _header_of(self, layer: Any) -> Path | None:
        return None if layer in self._asked else unread_header(layer)

    def _look(
        self, searches: Sequence[_Search]
    ) -> Generator[Event, None, list[_Found | Header | None]]:
        """Work that runs in a thread of its own, and touches no layer."""
        found: list[_Found | Header | None] = []
        for each in searches:
            answer = yield from aside(each.find)
            found.append(answer)
        return found

    def _search(self, layer: Any, volume: Volume | None) -> _Search:
        data, axes, find = full_resolution(layer), _axes_of(volume), self._project_of
        if volume is None:
            path = self._header_of(layer)
            return _Search(layer, data, axes, partial(_header, path))
        name, path, _ = kept_with(layer, volume)
        return _Search(layer, data, axes, partial(find, data, volume, name, path))

    def _project_of(
        self, data: Any, volume: Volume, name: str, path: Path | None
    ) -> _Found:
        answer: Path | SashikoError
        try:
            answer = self.session.folder_of(volume, name, path)
        except SashikoError as error:
            answer = error
        except Exception as error:  # noqa: BLE001 - whatever computes lazily
            why = str(error).rstrip(".") or type(error).__name__
            answer = VolumeError(f"{volume.name} cannot be read: {why}.")
        return _Found(data, volume.axes, answer)

    def _take(self, layer: Any, header: Header) -> str:
        text = take_header(layer, header)
        if text and list(self.viewer.layers) == [layer]:
            # As napari shows what is opened first: it did before the place was known.
            self.viewer.reset_view()
            dims = self.viewer.dims
            dims.current_step = tuple(int(n) // 2 for n in dims.nsteps)
        return text

    def _on_answer(self, found: list[_Found | Header | None]) -> None:
        searches, self._searches = self._searches, []
        said = []
        for search, each in zip(searches, found, strict=True):
            if isinstance(each, _Found):
                self._known[search.layer] = each
                continue
            self._asked.add(search.layer)
            if each is not None:
                said.append(self._take(search.layer, each))
        self.found.emit()
        for text in filter(None, said):
            self.session.message.emit(text, "info")


def _axes_of(volume: Volume | None) -> str:
    return "" if volume is None else volume.axes


def _header(path: Path | None) -> Header | None:
    """Read a header; none of a damaged file, for napari has what it could read."""
    if path is None:
        return None
    try:
        return read_header(path)
    except SashikoError:
        return None
