"""Pictures of any sizes as one volume: sheets of a portfolio, not slices of a block.

Strategy: every picture is a slice of its own. Slices are as large as the largest
picture; a smaller one goes on as its mirror image, which is what networks see beyond
the edge of any image, so that padding does not change what surrounds a pixel. Nobody
learns from it or measures it: `extents` say where pictures end. Pictures are read one
at a time, those read lately are kept.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes.picture import PictureHead, as_channels, read_picture
from napari_sashiko.volumes.recent import Recent
from napari_sashiko.volumes.volume import Volume

KEPT_BYTES = 1 << 28  # of pictures that were read lately


class Sheets:
    """Pictures as an array ``(Z, Y, X)`` or, in colours, ``(Z, Y, X, 3)``.

    Parameters
    ----------
    heads : sequence of PictureHead
        In order of z; the first one decides the kind.

    Attributes
    ----------
    extents : numpy.ndarray
        ``(Z, 2)``: height and width of each picture.
    fingerprint : bytes
        Names the pictures without reading them: their names and sizes.

    Raises
    ------
    VolumeError
        If a picture has another kind of numbers.
    """

    def __init__(self, heads: Sequence[PictureHead]) -> None:
        first = heads[0]
        for head in heads:
            check_alike(head, first)
        self.heads = tuple(heads)
        self.dtype = first.dtype.newbyteorder("=")
        self.channels = first.channels
        self.extents = np.array([head.size for head in heads])
        height, width = self.extents.max(axis=0).tolist()
        colours = () if self.channels == 1 else (self.channels,)
        self.shape = (len(heads), height, width, *colours)
        self.fingerprint = _fingerprint(heads)
        self._recent: Recent[NDArray[Any]] = Recent(KEPT_BYTES, _bytes)

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        """Read a box of slices; only its pictures are opened."""
        z, y, x = (
            range(n)[part] for n, part in zip(self.shape[:3], key[:3], strict=True)
        )
        return np.stack([self._part(number, y, x) for number in z])

    def _part(self, number: int, y: range, x: range) -> NDArray[Any]:
        picture = self._recent.get(number, lambda: self._read(number))
        rows = mirrored(y, picture.shape[0])
        columns = mirrored(x, picture.shape[1])
        return picture[rows][:, columns]

    def _read(self, number: int) -> NDArray[Any]:
        head = self.heads[number]
        picture = read_picture(head.path)
        if picture.shape[:2] != head.size or picture.dtype != self.dtype:
            raise VolumeError(f"{head.path.name} has changed since it was opened.")
        return as_channels(picture, self.channels, head.path.name)


def mirrored(places: range, size: int) -> slice | NDArray[np.int64]:
    """Where places along an axis of a picture lie in it, mirrored beyond its edge."""
    if places.stop <= size:
        return slice(places.start, places.stop)
    inside = np.arange(places.start, places.stop) % (2 * size)
    return np.minimum(inside, 2 * size - 1 - inside)


def check_alike(head: PictureHead, first: PictureHead) -> None:
    """Refuse a picture whose numbers mean something else than those of another one.

    Raises
    ------
    VolumeError
        Naming both kinds of numbers.
    """
    if head.dtype.newbyteorder("=") != first.dtype.newbyteorder("="):
        raise VolumeError(
            f"{head.path.name} is of type {head.dtype}, {first.path.name} of "
            f"{first.dtype}.",
            "Bring all pictures to the same grey scale.",
        )


def sheet_volume(
    heads: Sequence[PictureHead], *, name: str, path: Path | None = None
) -> Volume:
    """Wrap pictures as a volume whose slices have nothing to do with each other.

    Raises
    ------
    VolumeError
        As `Sheets`.
    """
    sheets = Sheets(heads)
    axes = "zyx" if sheets.channels == 1 else "zyxc"
    return Volume(sheets, axes=axes, name=name, path=path, separate=True)


def _fingerprint(heads: Sequence[PictureHead]) -> bytes:
    digest = hashlib.sha256()
    for head in heads:
        facts = (head.path.name, head.size, head.path.stat().st_size)
        digest.update(repr(facts).encode())
    return digest.digest()


def _bytes(picture: NDArray[Any]) -> int:
    return picture.nbytes
