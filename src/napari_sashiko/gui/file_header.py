"""What a TIFF says of its voxels, where napari's own reader has left it out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.gui.layer_volume import USUAL, axes_words
from napari_sashiko.gui.result_words import size_words
from napari_sashiko.gui.volume_reader import place_of
from napari_sashiko.volumes import open_volume

ENDINGS = (".tif", ".tiff")
PLAIN = "zyx"  # what axes without a name are taken for


@dataclass(frozen=True, eq=False)
class Header:
    """Where an image lies, as its file says.

    Parameters
    ----------
    shape : tuple of int
        Of the layer that this is of, colours left out.
    order : tuple of int
        Which of these axes comes first, second, ... in a layer with this place.
    place : dict
        ``scale``, ``units`` and ``axis_labels`` for it.
    words : str
        What was found, for people; empty where that is nothing.
    """

    shape: tuple[int, ...]
    order: tuple[int, ...]
    place: dict[str, Any]
    words: str


def unread_header(layer: Any) -> Path | None:
    """File whose header would say more than a layer does; None if there is none.

    Parameters
    ----------
    layer : napari.layers.Image
    """
    path = getattr(layer.source, "path", None)
    if not isinstance(path, (str, Path)) or layer.multiscale:
        return None
    named = any(not label.lstrip("-").isdigit() for label in layer.axis_labels)
    measured = any(str(unit) != "pixel" for unit in layer.units)
    if named or measured or not np.all(layer.scale == 1.0):
        return None
    file = Path(path)
    return file if file.suffix.lower() in ENDINGS and file.is_file() else None


def read_header(path: Path) -> Header:
    """Read what a TIFF says of voxel size, time and axes; no voxel is read.

    Raises
    ------
    VolumeError
        If it cannot be read, or says nothing of more than three axes.
    """
    found = open_volume(path)
    stack, place = found.stacking, place_of(found.stacking, found)
    shown, stored = "".join(stack.axes), found.axes
    sizes = dict(zip(shown, stack.on_disk, strict=True))
    if found.colour:
        stored = stored.removesuffix("c")
    elif found.channels > 1:
        shown, sizes = f"c{shown}", sizes | {"c": found.channels}
        place["scale"] = (1.0, *place["scale"])
        place["units"] = ("pixel", *place["units"])
        place["axis_labels"] = ("c", *place["axis_labels"])
    stored = "".join(each for each in stored if each in shown)
    shape = tuple(sizes[each] for each in stored)
    order = tuple(stored.index(each) for each in shown)
    parts = []
    if found.unit != "pixel":
        size = found.voxel_size[1:] if found.flat else found.voxel_size
        parts.append(f"voxels of {size_words(size, found.unit)}")
    if shown != PLAIN[-len(shown) :]:
        parts.append(f"axes {axes_words(shown)}")
    return Header(shape, order, place, " and ".join(parts))


def take_header(layer: Any, header: Header) -> str:
    """Give a layer the place that its file says, unless it has other voxels.

    Returns
    -------
    str
        What was taken, for people; empty if nothing.
    """
    data, shape = layer.data, layer.data.shape[: layer.ndim]
    if not header.words or shape != header.shape or unread_header(layer) is None:
        return ""
    if header.order != tuple(range(layer.ndim)):  # channels first: a view, no copy
        layer.data = data.transpose(*header.order, *range(layer.ndim, data.ndim))
    # First: the dock looks at the layer as soon as its axes have names.
    layer.metadata[USUAL] = "".join(header.place["axis_labels"])
    for name, value in header.place.items():
        setattr(layer, name, value)
    return f"{layer.name} has {header.words}, as its file says."
