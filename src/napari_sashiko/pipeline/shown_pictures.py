"""Results of a folder of pictures, opened to be looked at: one, or all as a stack."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import OutputError
from napari_sashiko.pipeline.compared import FOLDER, OVERLAYS
from napari_sashiko.pipeline.comparing import folder_name
from napari_sashiko.pipeline.folder_pictures import by_stem
from napari_sashiko.pipeline.folder_results import FolderResults, read_results
from napari_sashiko.volumes import (
    Recent,
    as_channels,
    picture_head,
    pictures_in,
    read_picture,
)

KEPT_BYTES = 1 << 27  # of pictures that were read lately

Read = Callable[[int], NDArray[Any]]


class PictureStack:
    """Pictures of any sizes as an array ``(N, Y, X[, 3])``; smaller ones end in 0.

    Parameters
    ----------
    shape : tuple of int
        Of the stack.
    dtype : dtype
        Of its numbers.
    read : callable
        Reads the picture of a number, ``(y, x[, 3])``.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any, read: Read) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._read = read
        self._recent: Recent[NDArray[Any]] = Recent(
            KEPT_BYTES, lambda made: made.nbytes
        )

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        """Read what numbers and slices select; only those pictures are opened."""
        first, *rest = key
        if isinstance(first, slice):
            numbers = range(*first.indices(self.shape[0]))
            return np.stack([self._padded(number)[tuple(rest)] for number in numbers])
        part: NDArray[Any] = self._padded(int(first))[tuple(rest)]
        return part

    def _padded(self, number: int) -> NDArray[Any]:
        return self._recent.get(number, lambda: self._make(number))

    def _make(self, number: int) -> NDArray[Any]:
        whole = np.zeros(self.shape[1:], self.dtype)
        picture = self._read(number)
        whole[: picture.shape[0], : picture.shape[1]] = picture
        return whole


@dataclass(frozen=True)
class ShownPictures:
    """Results of a folder beside the pictures that they were made of.

    Attributes
    ----------
    results : FolderResults
        What they mean.
    files : tuple of Path
        Class pictures, or restored ones.
    sizes : tuple of (int, int)
        Of each, height and width.
    images : dict of str to Path
        The pictures by name, as far as they are still there.
    channels, restored_channels : int
        3 where any picture, or any restored one, is in colours.
    overlays : dict of str to Path
        Folders of what was drawn by an evaluation, by the name of the class.
    """

    results: FolderResults
    files: tuple[Path, ...]
    sizes: tuple[tuple[int, int], ...]
    images: dict[str, Path]
    channels: int
    restored_channels: int
    dtype: Any
    overlays: dict[str, Path]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the pictures."""
        return tuple(file.stem for file in self.files)

    def picture(self, number: int) -> NDArray[Any]:
        """Read a picture ``(Y, X[, 3])``; black where it is not there any more."""
        file = self.images.get(self.files[number].stem)
        if file is None:
            return np.zeros((*self.sizes[number], *self._colours), self.dtype)
        return as_channels(read_picture(file), self.channels, file.name)

    def classes(self, number: int) -> NDArray[np.uint8]:
        """Class ids ``(Y, X)`` of a picture."""
        return self.results.values.classify(read_picture(self.files[number]))

    def restored(self, number: int) -> NDArray[Any]:
        """Read what a picture was restored to, ``(Y, X[, 3])``.

        In grey values as they are, float32; colours in steps of the picture's own, so
        that both look alike.
        """
        file = self.files[number]
        made = as_channels(read_picture(file), self.restored_channels, file.name)
        kind = self.restored_dtype
        if kind == made.dtype:
            return made
        ends = np.iinfo(kind)
        whole = np.clip(np.rint(np.nan_to_num(made)), ends.min, ends.max)
        rounded: NDArray[Any] = whole.astype(kind)
        return rounded

    @property
    def restored_dtype(self) -> np.dtype[Any]:
        """Of restored pictures as they are read."""
        whole = np.issubdtype(self.dtype, np.integer)
        colours = self.restored_channels > 1
        return np.dtype(self.dtype if colours and whole else np.float32)

    def overlay(self, name: str, number: int) -> NDArray[np.uint8]:
        """Where the class `name` is wrong in a picture, ``(Y, X, 3)``."""
        file = self.overlays[name] / self.files[number].name
        if not file.is_file():  # it had no truth
            return np.zeros((*self.sizes[number], 3), np.uint8)
        return as_channels(read_picture(file), 3, file.name).astype(np.uint8)

    def stack(self, read: Read, *, colours: bool, dtype: Any) -> PictureStack:
        """All pictures that `read` gives, as one array."""
        height, width = np.max(self.sizes, axis=0).tolist()
        more = (3,) if colours else ()
        return PictureStack((len(self.files), height, width, *more), dtype, read)

    @property
    def _colours(self) -> tuple[int, ...]:
        return () if self.channels == 1 else (self.channels,)


def open_pictures(
    results: Path | str, evaluation: Path | str | None = None
) -> ShownPictures:
    """Open results of a folder of pictures to be looked at.

    Parameters
    ----------
    results : path
        Folder that `apply_steps` has written.
    evaluation : path, optional
        Folder that `compare_steps` has written; ``evaluation`` in `results`.

    Returns
    -------
    ShownPictures

    Raises
    ------
    OutputError
        If there are none, or they are damaged.
    """
    found = read_results(results)
    files = [file for file in pictures_in(found.path) if file.suffix == found.ending]
    if not files:
        raise OutputError(
            f"{found.path} holds no result yet.", "Apply the model to pictures first."
        )
    images = by_stem(pictures_in(found.images)) if found.images.is_dir() else {}
    heads = [picture_head(file) for file in files]
    kinds = [picture_head(images[f.stem]) for f in files if f.stem in images]
    place = (found.path / FOLDER if evaluation is None else Path(evaluation)) / OVERLAYS
    drawn = {each.name: place / folder_name(each) for each in found.classes}
    return ShownPictures(
        found,
        tuple(files),
        tuple(head.size for head in heads),
        images,
        max((head.channels for head in kinds), default=1),
        max(head.channels for head in heads),
        _common([head.dtype for head in kinds]),
        {name: folder for name, folder in drawn.items() if folder.is_dir()},
    )


def _common(types: Sequence[Any]) -> Any:
    return np.result_type(*types) if types else np.dtype(np.uint8)


def _bytes(picture: NDArray[Any]) -> int:
    return picture.nbytes
