"""One picture file: its kind from the header alone, and its pixels."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._pictures import PICTURES, TIFF

COLOURS = (3, 4)  # samples of a pixel: red, green, blue, and perhaps opacity
# What decoders raise on damaged files.
UNREADABLE = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError),
    *(RuntimeError, zlib.error, struct.error),
)


@dataclass(frozen=True)
class PictureHead:
    """What a picture file says of itself before a pixel is read.

    Attributes
    ----------
    path : Path
        The file.
    size : (int, int)
        Height and width in pixels.
    channels : int
        1 for grey, 3 for colours.
    dtype : numpy.dtype
        Of a sample.
    """

    path: Path
    size: tuple[int, int]
    channels: int
    dtype: np.dtype[Any]


def picture_head(path: Path) -> PictureHead:
    """Read size and kind of a picture.

    Raises
    ------
    VolumeError
        If it is no picture, damaged, or holds several.
    """
    shape, dtype = _read(path, _head_of_tiff if _is_tiff(path) else _head)
    plain = _plain(np.broadcast_to(np.zeros((), dtype), shape), path)
    channels = 1 if plain.ndim == 2 else plain.shape[2]
    return PictureHead(path, (plain.shape[0], plain.shape[1]), channels, plain.dtype)


def read_picture(path: Path) -> NDArray[Any]:
    """Read a picture as ``(Y, X)`` or ``(Y, X, 3)``; opacity is left out.

    Pictures of one bit are read as 0 and 255, as they are shown.

    Raises
    ------
    VolumeError
        If it is no picture, damaged, or holds several.
    """
    picture = _plain(_read(path, _pixels_of_tiff if _is_tiff(path) else _pixels), path)
    if picture.dtype == bool:
        return picture.astype(np.uint8) * 255
    return picture.astype(picture.dtype.newbyteorder("="), copy=False)


def as_channels(picture: NDArray[Any], channels: int, name: str) -> NDArray[Any]:
    """Turn grey into colours, or colours that are all grey into grey.

    Parameters
    ----------
    picture : numpy.ndarray
        ``(Y, X)`` or ``(Y, X, 3)``.
    channels : int
        How many are wanted, 1 or 3.
    name : str
        For people.

    Returns
    -------
    numpy.ndarray
        ``(Y, X)`` for one channel, else ``(Y, X, channels)``.

    Raises
    ------
    VolumeError
        If it cannot be turned without a loss.
    """
    has = 1 if picture.ndim == 2 else picture.shape[2]
    if has == channels:
        return picture
    if has == 1 and channels == 3:
        return np.repeat(picture[..., None], 3, axis=2)
    if channels == 1 and (picture == picture[..., :1]).all():
        return picture[..., 0]
    raise VolumeError(
        f"{name} has {has} channel(s), {channels} were expected.",
        "Bring all pictures to the same kind, grey or colours.",
    )


def _read(path: Path, how: Any) -> Any:
    from PIL.Image import DecompressionBombError  # noqa: PLC0415 - only for pictures

    try:
        return how(path)
    except DecompressionBombError as error:
        raise VolumeError(
            f"{path.name} has too many pixels for this kind of file.",
            "Save it as a TIFF.",
        ) from error
    except UNREADABLE as error:
        raise VolumeError(
            f"{path.name} is not a picture, or it is damaged: "
            f"{str(error).rstrip('.') or type(error).__name__}."
        ) from error


def _head(path: Path) -> tuple[tuple[int, ...], Any]:
    from imageio.v3 import improps  # noqa: PLC0415 - only where pictures are read

    found = improps(path, plugin="pillow")
    return found.shape, _sample(found.dtype)


def _pixels(path: Path) -> NDArray[Any]:
    from imageio.v3 import imread  # noqa: PLC0415 - only where pictures are read

    return np.asarray(imread(path, plugin="pillow"))


def _head_of_tiff(path: Path) -> tuple[tuple[int, ...], Any]:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        shape = [series.shape[place] for place in _order(series)]
        return tuple(shape), _sample(series.dtype)


def _pixels_of_tiff(path: Path) -> NDArray[Any]:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        return np.asarray(series.asarray().transpose(_order(series)))


def _order(series: Any) -> list[int]:
    """Put samples, which some files store plane by plane, last."""
    axes: str = series.axes
    return sorted(range(len(axes)), key=lambda place: axes[place] == "S")


def _sample(dtype: Any) -> Any:
    return np.dtype(np.uint8) if np.dtype(dtype) == bool else dtype


def _plain(picture: NDArray[Any], path: Path) -> NDArray[Any]:
    """Leave out leading axes of length one and the opacity of each pixel."""
    if picture.dtype.kind not in "biuf":
        raise VolumeError(
            f"{path.name} has dtype {picture.dtype}; grey values must be real numbers."
        )
    while picture.ndim > 2 and picture.shape[0] == 1:
        picture = picture[0]
    if picture.ndim == 3 and picture.shape[2] in (1, 2):
        picture = picture[..., 0]
    if picture.ndim == 3 and picture.shape[2] in COLOURS:
        picture = picture[..., :3]
    elif picture.ndim != 2:
        raise VolumeError(
            f"{path.name} has shape {picture.shape}; one picture was expected.",
            "Leave one picture in each file.",
        )
    if 0 in picture.shape:
        raise VolumeError(f"{path.name} is empty: its shape is {picture.shape}.")
    return picture


def _is_tiff(path: Path) -> bool:
    return path.suffix.lower() in TIFF


def is_picture(path: Path) -> bool:
    """Whether a file may be a picture; hidden companions of other systems are not."""
    known = path.suffix.lower() in TIFF + PICTURES
    return known and not path.name.startswith(".") and path.is_file()
